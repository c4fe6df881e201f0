import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import cdkJson from '../../cdk.json';
import type { DataLoss } from '../../lib/contract';
import { SECRET_ARN, sample } from './sample-stack';
import { functionOf, resourcesOf, settingsOf } from './support';

test.each(Object.keys(cdkJson.context.stages))('stage %s has its own function', (stage) => {
  expect(functionOf(sample({ stage }).template).Properties.FunctionName).toBe(`template-saas-api-migrate-lambda-${stage}`);
});

test('the application is deployed after the migrations, and knows the revision', () => {
  const { template } = sample({ stage: 'dev' });
  const [[run]] = resourcesOf(template, 'Custom::AlembicMigration') as [[string, unknown]];
  const [, api] = resourcesOf(template, 'AWS::Lambda::Function').find(([id]) => id.startsWith('Api')) as [string, any];
  expect(api.DependsOn).toContain(run);
  expect(api.Properties.Environment.Variables.SCHEMA_REVISION).toEqual({ 'Fn::GetAtt': [run, 'toRevision'] });
});

test('the revisions of the sample have one head, and synth has no warnings or errors', () => {
  const { stack } = sample({ stage: 'prod' });
  expect(Annotations.fromStack(stack).findError('*', Match.anyValue())).toEqual([]);
});

test('a stage with its own database needs neither VPC nor cluster', () => {
  const { template } = sample({ stage: 'dev', databaseSecretArn: SECRET_ARN });
  const types = new Set(resourcesOf(template).map(([, { Type }]) => Type.split('::').slice(0, 2).join('::')));
  expect(types).toEqual(
    new Set(['AWS::Logs', 'AWS::IAM', 'AWS::Lambda', 'AWS::CloudWatch', 'AWS::StepFunctions', 'Custom::AlembicMigration']),
  );
});

test('only the function can reach Secrets Manager from the isolated subnets, and can do so before the run', () => {
  const { template } = sample({ stage: 'prod' });
  const [[, endpoint]] = resourcesOf(template, 'AWS::EC2::VPCEndpoint') as [[string, any]];
  expect(JSON.stringify(endpoint.Properties.ServiceName)).toContain('.secretsmanager');
  const group = endpoint.Properties.SecurityGroupIds[0];
  const rules = resourcesOf(template, 'AWS::EC2::SecurityGroupIngress').filter(
    ([, { Properties }]) => Properties.GroupId['Fn::GetAtt'][0] === group['Fn::GetAtt'][0],
  );
  expect(rules).toHaveLength(1);
  expect(template.toJSON().Resources[group['Fn::GetAtt'][0]].Properties).not.toHaveProperty('SecurityGroupIngress');
  const [[rule, { Properties }]] = rules as [[string, any]];
  expect(Properties.SourceSecurityGroupId['Fn::GetAtt'][0]).toMatch(/^MigrationFunctionSecurityGroup/);
  const [[, run]] = resourcesOf(template, 'Custom::AlembicMigration') as [[string, any]];
  expect(run.DependsOn).toContain(rule);
});

test('RDS manages and rotates the password; the prop names the database', () => {
  const { template } = sample({ stage: 'prod' });
  expect(resourcesOf(template, 'AWS::SecretsManager::Secret')).toEqual([]);
  template.hasResourceProperties('AWS::RDS::DBCluster', { ManageMasterUserPassword: true, MasterUserPassword: Match.absent() });
  const settings = settingsOf(template);
  expect(settings).toMatchObject({ database: { source: 'secret', database: 'template_saas' } });
});

test('prod is protected from deletion and dev is not; both are encrypted', () => {
  for (const [stage, DeletionProtection] of [
    ['prod', true],
    ['dev', undefined],
  ] as const) {
    const [[, cluster]] = resourcesOf(sample({ stage }).template, 'AWS::RDS::DBCluster') as [[string, any]];
    expect(cluster.Properties).toMatchObject({ StorageEncrypted: true });
    expect(Boolean(cluster.Properties.DeletionProtection)).toBe(Boolean(DeletionProtection));
  }
});

test('the command line names the interpreter', () => {
  const { template } = sample({
    stage: 'dev',
    architecture: 'x86_64',
    pythonVersion: '3.12',
    backend: join(__dirname, '../../examples/template-saas/back'),
  });
  expect(functionOf(template).Properties).toMatchObject({ Architectures: ['x86_64'], Runtime: 'python3.12' });
});

test.each([
  [{}, 'say which stage: -c stage=<stage>; cdk.json has dev, prod'],
  [{ stage: 'staging' }, 'there is no stage "staging": use one of dev, prod, or add it to "stages" in cdk.json'],
  [{ stage: 'toString' }, 'there is no stage "toString"'],
  [{ stage: 'dev', architecture: 'arm' }, 'there is no architecture "arm": use arm64 or x86_64'],
])('%j is rejected with: %s', (context, message) => {
  expect(() => sample(context)).toThrow(message);
});

test('the only permission on "*" in the sample is to attach the function to its VPC', () => {
  const statements = resourcesOf(sample({ stage: 'prod' }).template, 'AWS::IAM::Policy').flatMap(
    ([, { Properties }]) => Properties.PolicyDocument.Statement,
  );
  const onStar = statements.filter(({ Effect, Resource }) => Effect === 'Allow' && [Resource].flat().includes('*'));
  for (const action of onStar.flatMap(({ Action }) => Action)) expect(action).toMatch(/^ec2:/);
});

test('every data loss in the revisions of the sample is acknowledged with a reason', () => {
  const script = `
import json, pathlib, types
from cdk_alembic.project.guard import data_losses
files = sorted(pathlib.Path("examples/template-saas/back/alembic/versions").glob("*.py"))
print(json.dumps(data_losses(types.SimpleNamespace(revision=file.stem, path=str(file)) for file in files)))
`;
  const root = join(__dirname, '../..');
  const env = { PATH: process.env.PATH, PYTHONPATH: join(root, 'lambda/migrate'), PYTHONDONTWRITEBYTECODE: '1' };
  const losses: DataLoss[] = JSON.parse(spawnSync('python3', ['-c', script], { cwd: root, env }).stdout.toString());
  expect(losses.map(({ what }) => what)).toEqual(['drop_column notifications.is_read', 'drop_column users.name']);
  expect(losses.filter(({ acknowledgement }) => !acknowledgement)).toEqual([]);
});
