import { Duration } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Schedule } from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { OnDrift, TenantCanary, TenantDeploy, TenantSource } from '../../../lib';
import { resourcesOf } from '../support';
import { type TenantOptions, tenantStack, tenantTemplate } from './support';

const APPROVAL = { canary: TenantCanary.share(5, { approval: true }), onDeploy: TenantDeploy.handOver() };

const EVERYTHING: TenantOptions = (stack) => ({
  ...APPROVAL,
  vpc: new ec2.Vpc(stack, 'Vpc'),
  encryptionKey: new Key(stack, 'Key'),
  tenants: TenantSource.fromObject(new Bucket(stack, 'Source'), 'tenants.json'),
  tenantSecrets: ['tenants/*', 'special'],
});

/** What a role may do: actions, and the resources as text. */
function allowed(template: Template, role: string): [string[], string][] {
  return resourcesOf(template, 'AWS::IAM::Policy')
    .filter(([id]) => id.startsWith(role))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement)
    .filter(({ Effect }) => Effect === 'Allow')
    .map(({ Action, Resource }) => [[Action].flat(), JSON.stringify(Resource)]);
}

const actionsOf = (template: Template, role: string) => allowed(template, role).flatMap(([actions]) => actions);

test('a schedule may start a run, and decrypt for it through Step Functions', () => {
  const schedule = { onDrift: OnDrift.WARN, driftSchedule: Schedule.rate(Duration.days(1)) };
  expect(actionsOf(tenantTemplate(schedule), 'MigrationDriftScheduleRole')).toEqual(['states:StartExecution']);
  const encrypted = tenantTemplate((stack) => ({ ...schedule, encryptionKey: new Key(stack, 'Key') }));
  expect(actionsOf(encrypted, 'MigrationDriftScheduleRole')).toEqual(['kms:Decrypt', 'states:StartExecution']);
});

test('the coordinator may only read and write its files and query the source', () => {
  expect(actionsOf(tenantTemplate(), 'MigrationCoordinatorRole')).toEqual([
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    's3:ListBucket',
    's3:GetObject',
    's3:PutObject',
    'lambda:InvokeFunction',
    'lambda:GetFunctionConfiguration',
  ]);
});

test('the function that runs batches may call the worker but not the source', () => {
  const template = tenantTemplate(EVERYTHING);
  const grants = allowed(template, 'MigrationBatchRole');
  expect(grants.find(([actions]) => actions.includes('lambda:InvokeFunction'))?.[1]).toContain('MigrationFunction');
  expect(JSON.stringify(grants)).not.toContain('Source');
});

test('the function for approvals may answer this state machine and start nothing', () => {
  const grants = allowed(tenantTemplate(EVERYTHING), 'MigrationApprovalRole');
  expect(grants.flatMap(([actions]) => actions)).toEqual(
    expect.arrayContaining(['states:SendTaskSuccess', 'states:SendTaskFailure', 's3:GetObject']),
  );
  expect(grants.flatMap(([actions]) => actions)).not.toContain('s3:PutObject');
  expect(grants.find(([actions]) => actions.includes('states:SendTaskSuccess'))?.[1]).toContain(
    ':stateMachine:template-saas-api-migrate-tenants-dev',
  );
});

test('the state machine may only call its two functions, read its batches and start its own children', () => {
  const actions = actionsOf(tenantTemplate(), 'MigrationStateMachineRole');
  expect(actions).toEqual([
    'lambda:InvokeFunction',
    's3:GetObject',
    'states:StartExecution',
    'states:DescribeExecution',
    'states:StopExecution',
  ]);
});

test('the worker may read only the named secrets of tenants', () => {
  const grants = allowed(tenantTemplate(EVERYTHING), 'MigrationRole');
  const [, secrets = ''] = grants.find(([actions]) => actions.includes('secretsmanager:GetSecretValue')) ?? [];
  expect(secrets).toContain(':secret:tenants/*');
  expect(secrets).toContain(':secret:special-??????');
});

test('the only permission on "*" is to attach the worker to its VPC', () => {
  for (const [actions, resource] of allowed(tenantTemplate(EVERYTHING), '')) {
    if (resource === '"*"') expect(actions.every((action) => action.startsWith('ec2:'))).toBe(true);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  }
});

test('a key encrypts files, logs, environments and executions', () => {
  const template = tenantTemplate(EVERYTHING);
  const arn = { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] };
  for (const [, { Properties }] of resourcesOf(template, 'AWS::Lambda::Function')) expect(Properties.KmsKeyArn).toEqual(arn);
  for (const [, { Properties }] of resourcesOf(template, 'AWS::Logs::LogGroup')) expect(Properties.KmsKeyId).toEqual(arn);
  const [, machine] = resourcesOf(template, 'AWS::StepFunctions::StateMachine')[0] as [string, any];
  expect(machine.Properties.EncryptionConfiguration).toMatchObject({ KmsKeyId: arn });
  const [, runs] = resourcesOf(template, 'AWS::S3::Bucket').find(([id]) => id.includes('Runs')) as [string, any];
  expect(JSON.stringify(runs.Properties.BucketEncryption)).toContain('aws:kms');
  for (const role of ['Coordinator', 'Batch', 'Approval', 'StateMachine']) {
    const decrypt = resourcesOf(template, 'AWS::IAM::Policy')
      .filter(([id]) => id.startsWith(`Migration${role}Role`))
      .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement)
      .filter(({ Action, Condition }) => [Action].flat().includes('kms:Decrypt') && !Condition);
    expect([role, decrypt.length]).not.toEqual([role, 0]);
  }
});

describe('grantRun', () => {
  const grantsOf = (options: TenantOptions, grant: 'grantRun' | 'grantApprove') => {
    const { stack, migration } = tenantStack(options);
    migration[grant](new iam.Role(stack, 'Ci', { assumedBy: new iam.AccountRootPrincipal() }));
    return allowed(Template.fromStack(stack), 'Ci');
  };

  test('permits starting, watching and stopping runs of this state machine', () => {
    const grants = grantsOf({}, 'grantRun');
    expect(grants.flatMap(([actions]) => actions).sort()).toEqual([
      'states:DescribeExecution',
      'states:DescribeExecution',
      'states:DescribeMapRun',
      'states:GetExecutionHistory',
      'states:ListMapRuns',
      'states:ListStateMachines',
      'states:StartExecution',
      'states:StopExecution',
    ]);
    const [, watched = ''] = grants.find(([actions]) => actions.includes('states:DescribeMapRun')) ?? [];
    expect(watched).toContain(':execution:template-saas-api-migrate-tenants-dev:*');
    expect(watched).toContain(':mapRun:template-saas-api-migrate-tenants-dev/*');
  });

  test('does not permit approving, which another person does', () => {
    expect(grantsOf(APPROVAL, 'grantRun').flatMap(([actions]) => actions)).not.toContain('lambda:InvokeFunction');
    expect(grantsOf(APPROVAL, 'grantApprove').flatMap(([actions]) => actions)).toEqual([
      'lambda:InvokeFunction',
      'lambda:GetFunctionConfiguration',
    ]);
  });

  test('grantApprove fails if no canary waits for an approval', () => {
    const { stack, migration } = tenantStack();
    expect(() => migration.grantApprove(new iam.User(stack, 'Ada'))).toThrow('has no canary that waits for an approval');
  });
});
