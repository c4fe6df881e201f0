import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import cdkJson from '../../cdk.json';
import { readSettings } from '../../examples/template-saas/infra/settings';
import { TemplateSaasStack } from '../../examples/template-saas/infra/template-saas-stack';
import { functionOf, resourcesOf, temporaryDirectory } from './support';

const SECRET_ARN = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-AbCdEf';

/** The sample as `cdk synth -c ...` makes it; nothing is packaged. */
function sample(context: Record<string, unknown>) {
  const all = { ...cdkJson.context, ...context, [BUNDLING_STACKS]: [] };
  const app = new App({ context: all, outdir: temporaryDirectory(), builtinCloudFormationValidation: false });
  const settings = readSettings(app.node);
  const stack = new TemplateSaasStack(app, `template-saas-${settings.stage}`, settings);
  return { stack, template: Template.fromStack(stack) };
}

test.each(Object.keys(cdkJson.context.stages))('stage %s has its function', (stage) => {
  expect(functionOf(sample({ stage }).template).Properties.FunctionName).toBe(`template-saas-api-migrate-lambda-${stage}`);
});

test('the application is deployed after the migrations, and knows the revision', () => {
  const { template } = sample({ stage: 'dev' });
  const [[run]] = resourcesOf(template, 'Custom::AlembicMigration') as [[string, unknown]];
  const [, api] = resourcesOf(template, 'AWS::Lambda::Function').find(([id]) => id.startsWith('Api')) as [string, any];
  expect(api.DependsOn).toContain(run);
  expect(api.Properties.Environment.Variables.SCHEMA_REVISION).toEqual({ 'Fn::GetAtt': [run, 'toRevision'] });
});

test("the sample's own revisions have one head, and synth has nothing to complain about", () => {
  const { stack } = sample({ stage: 'prod' });
  expect(Annotations.fromStack(stack).findError('*', Match.anyValue())).toEqual([]);
});

test('a stage with a database of its own needs neither VPC nor cluster', () => {
  const { template } = sample({ stage: 'dev', databaseSecretArn: SECRET_ARN });
  const types = new Set(resourcesOf(template).map(([, { Type }]) => Type.split('::').slice(0, 2).join('::')));
  expect(types).toEqual(new Set(['AWS::Logs', 'AWS::IAM', 'AWS::Lambda', 'AWS::StepFunctions', 'Custom::AlembicMigration']));
});

test('the isolated subnets have a way to Secrets Manager', () => {
  const { template } = sample({ stage: 'prod' });
  expect(JSON.stringify(resourcesOf(template, 'AWS::EC2::VPCEndpoint'))).toContain('.secretsmanager');
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

test('the command line says what it runs on', () => {
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
])('%j is refused with: %s', (context, message) => {
  expect(() => sample(context)).toThrow(message);
});

test('no role of the sample may do anything on "*" but attach the function to its VPC', () => {
  const statements = resourcesOf(sample({ stage: 'prod' }).template, 'AWS::IAM::Policy').flatMap(
    ([, { Properties }]) => Properties.PolicyDocument.Statement,
  );
  const onStar = statements.filter(({ Effect, Resource }) => Effect === 'Allow' && [Resource].flat().includes('*'));
  for (const action of onStar.flatMap(({ Action }) => Action)) expect(action).toMatch(/^ec2:/);
});
