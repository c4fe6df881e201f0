import { Stack } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Key } from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { DatabaseVariables, MigrationCode, MigrationCompute, MigrationDatabase, MigrationSecret } from '../../lib';
import { hostPython, lockedBackend } from '../packaging/support';
import { findings, functionOf, resourcesOf, settingsOf, templateOf, writeFiles } from './support';
import { tenantTemplate } from './tenants/support';

const secretsOf = (stack: Stack) => {
  const keys = new Secret(stack, 'Keys', { encryptionKey: new Key(stack, 'Key') });
  return { STRIPE_KEY: MigrationSecret.fromSecretsManager(keys, 'stripe'), PEPPER: MigrationSecret.fromSecretsManager(keys) };
};

/** The roles that may read the secret and decrypt it. */
function readers(template: Template): string[] {
  const policies = resourcesOf(template, 'AWS::IAM::Policy');
  const reads = policies.filter(([, { Properties }]) => JSON.stringify(Properties).includes('secretsmanager:GetSecretValue'));
  return reads.flatMap(([, { Properties }]) => Properties.Roles.map((role: { Ref: string }) => role.Ref));
}

const BOTH = [
  { name: 'STRIPE_KEY', secretArn: expect.anything(), field: 'stripe' },
  { name: 'PEPPER', secretArn: expect.anything() },
];

test('a function that migrates reads its secrets at run time, and the template has only their ARNs', () => {
  const template = templateOf((stack) => ({ secrets: secretsOf(stack) }));
  expect(settingsOf(template).secrets).toEqual(BOTH);
  expect(Object.keys(functionOf(template).Properties.Environment.Variables)).not.toContain('STRIPE_KEY');
  expect(readers(template)).toEqual([functionOf(template).Properties.Role['Fn::GetAtt'][0]]);
  expect(JSON.stringify(resourcesOf(template, 'AWS::KMS::Key'))).toContain('kms:Decrypt');
});

test('without secrets, the settings have none', () => {
  expect(settingsOf(templateOf())).not.toHaveProperty('secrets');
});

test('a container reads them, too', () => {
  const template = templateOf((stack) => ({
    secrets: secretsOf(stack),
    compute: MigrationCompute.container({ cluster: new ecs.Cluster(stack, 'Cluster', { vpc: new ec2.Vpc(stack, 'Vpc') }) }),
  }));
  const [[, task]] = resourcesOf(template, 'AWS::ECS::TaskDefinition') as [[string, any]];
  expect(JSON.stringify(task.Properties.ContainerDefinitions[0].Environment)).toContain('STRIPE_KEY');
  expect(readers(template)).toContain(task.Properties.TaskRoleArn['Fn::GetAtt'][0]);
});

test('the function that migrates tenants reads them, too', () => {
  const template = tenantTemplate((stack) => ({ secrets: secretsOf(stack) }));
  expect(settingsOf(template).secrets).toEqual(BOTH);
});

test('names that Lambda rejects, and variables that are set twice, are errors', () => {
  const { errors } = findings((stack) => {
    const secret = MigrationSecret.fromSecretsManager(new Secret(stack, 'Secret'));
    return {
      environment: { STRIPE_KEY: 'unused' },
      secrets: { STRIPE_KEY: secret, DATABASE_URL: secret, 'MY-KEY': secret },
      database: MigrationDatabase.fromSecret(new Secret(stack, 'Database'), { variables: DatabaseVariables.url() }),
    };
  });
  expect(errors).toEqual([
    expect.stringMatching(/^"MY-KEY" in secrets is no name that Lambda accepts/),
    'STRIPE_KEY is in secrets and in environment: keep one of them',
    'DATABASE_URL is in secrets and in database: keep one of them',
  ]);
});

/** A secret that another app has created. */
function imported(): MigrationSecret {
  const arn = 'arn:aws:secretsmanager:us-west-2:111122223333:secret:keys-AbCdEf';
  return MigrationSecret.fromSecretsManager(Secret.fromSecretCompleteArn(new Stack(), 'Keys', arn));
}

test('a secret of another region is an error', () => {
  const env = { region: 'eu-central-1', account: '111122223333' };
  expect(findings({ secrets: { STRIPE_KEY: imported() } }, { env }).errors).toEqual([
    expect.stringMatching(/^the secret .* is in the region us-west-2 and the migration in eu-central-1: replicate it/),
  ]);
});

test('a project is loaded with a text in place of a secret, and what it rejects is a warning', () => {
  const env = (check: string) => `import os\nassert os.environ["STRIPE_KEY"]${check}\n`;
  const loaded = (check: string) =>
    findings({
      code: MigrationCode.fromProject(writeFiles(lockedBackend(), { 'alembic/env.py': env(check) })),
      database: MigrationDatabase.fromSecret(Secret.fromSecretNameV2(new Stack(), 'Database', 'shop'), {
        host: 'db.internal',
        variables: DatabaseVariables.url(),
      }),
      secrets: { STRIPE_KEY: imported() },
      runtime: new lambda.Runtime(`python${hostPython()}`, lambda.RuntimeFamily.PYTHON),
    });
  expect(loaded('')).toEqual({ errors: [], warnings: [] });
  const failure = expect.stringMatching(/fails with the function's environment: AssertionError/);
  expect(loaded('.startswith("sk-")')).toEqual({ errors: [], warnings: [failure] });
});
