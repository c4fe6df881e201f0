import { Duration } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import { Schedule } from 'aws-cdk-lib/aws-events';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { OnDrift, OnReplication, TenantCanary, TenantDeploy, TenantSource } from '../../../lib';
import { DRIFT_FOUND, SETTINGS_VARIABLE } from '../../../lib/contract';
import { TENANT_STATES } from '../../../lib/contract/tenants';
import { functionOf, resourcesOf } from '../support';
import {
  coordinatorSettings,
  definitionOf,
  handlerOf,
  machineOf,
  type TenantOptions,
  tenantStack,
  tenantTemplate,
} from './support';

test('function and state machine have the names that the command expects', () => {
  const template = tenantTemplate({ stage: 'prod', appName: 'shop' });
  expect(functionOf(template).Properties.FunctionName).toBe('shop-api-migrate-tenants-lambda-prod');
  expect(machineOf(template).Properties.StateMachineName).toBe('shop-api-migrate-tenants-prod');
});

test('the function accepts only requests for tenants', () => {
  const settings = functionOf(tenantTemplate()).Properties.Environment.Variables[SETTINGS_VARIABLE];
  expect(JSON.parse(settings)).toMatchObject({ allow: [], tenants: { query: 'SELECT name FROM tenants' } });
});

test('drift and replication are checked only if the stage turns them on', () => {
  const settings = (options: TenantOptions) =>
    JSON.parse(functionOf(tenantTemplate(options)).Properties.Environment.Variables[SETTINGS_VARIABLE]);
  expect(Object.keys(settings({}))).not.toEqual(expect.arrayContaining(['onDrift']));
  expect(settings({ onDrift: OnDrift.REFUSE, onReplication: OnReplication.REFUSE })).toMatchObject({
    onDrift: 'refuse',
    onReplication: 'refuse',
  });
});

test('a schedule starts a run that looks for drift, and drift sets off its own alarm', () => {
  const schedule = { onDrift: OnDrift.WARN, driftSchedule: Schedule.rate(Duration.days(1)) };
  const template = tenantTemplate({ stage: 'prod', ...schedule });
  const [[, rule]] = resourcesOf(template, 'AWS::Events::Rule') as [[string, any]];
  expect(rule.Properties).toMatchObject({
    ScheduleExpression: 'rate(1 day)',
    Targets: [
      {
        Arn: { Ref: expect.stringContaining('StateMachine') },
        Input: '{"command":"drift","requestedBy":"schedule"}',
        RetryPolicy: { MaximumRetryAttempts: 0 },
      },
    ],
  });
  template.hasResourceProperties('AWS::CloudWatch::Alarm', { AlarmName: 'template-saas-api-migrate-tenants-lambda-prod-drift' });
  template.hasResourceProperties('AWS::Logs::MetricFilter', { FilterPattern: `{ $.event = "${DRIFT_FOUND}" }` });
  expect(resourcesOf(tenantTemplate({ stage: 'prod', onDrift: OnDrift.WARN }), 'AWS::Events::Rule')).toEqual([]);
});

test.each([
  [2, 1],
  [20, 10],
  [21, 10],
])('with %d connections, %d workers run at the same time', (maxConnections, workers) => {
  const template = tenantTemplate({ maxConnections, canary: TenantCanary.share(5, { pause: Duration.minutes(1) }) });
  const { States } = definitionOf(template);
  expect(States[TENANT_STATES.rest].MaxConcurrency).toBe(workers);
  expect(States[TENANT_STATES.canary].MaxConcurrency).toBe(workers);
});

test('the coordinator gets all settings that it decides by', () => {
  const template = tenantTemplate({
    batchSize: 50,
    toleratedFailures: { count: 5, percent: 1 },
    canary: TenantCanary.names(['acme'], { approval: true }),
    onDeploy: TenantDeploy.handOver(),
  });
  expect(coordinatorSettings(template)).toEqual({
    stage: 'dev',
    bucket: expect.stringContaining('Runs'),
    appName: 'template-saas',
    worker: expect.stringContaining('Function'),
    source: { kind: 'query' },
    batchSize: 50,
    concurrency: 10,
    tolerated: { count: 5, percent: 1 },
    canary: { names: ['acme'], after: 'approval' },
  });
});

describe('the tenants can be listed', () => {
  test('by a DynamoDB table', () => {
    const template = tenantTemplate((stack) => {
      const table = new dynamodb.Table(stack, 'Table', { partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING } });
      return { tenants: TenantSource.fromTable(table, { nameAttribute: 'id', schemaAttribute: 'schema' }) };
    });
    expect(coordinatorSettings(template).source).toEqual({
      kind: 'table',
      tableName: expect.stringContaining('Table'),
      nameAttribute: 'id',
      schemaAttribute: 'schema',
    });
  });

  test('by an object in S3', () => {
    const template = tenantTemplate((stack) => ({
      tenants: TenantSource.fromObject(new Bucket(stack, 'Bucket'), 'tenants.json'),
    }));
    expect(coordinatorSettings(template).source).toMatchObject({ kind: 'object', key: 'tenants.json' });
  });

  test('by a function', () => {
    const template = tenantTemplate((stack) => {
      const code = lambda.Code.fromInline('def handler(event, context): return []');
      const fn = new lambda.Function(stack, 'List', { runtime: lambda.Runtime.PYTHON_3_13, handler: 'index.handler', code });
      return { tenants: TenantSource.fromFunction(fn) };
    });
    expect(coordinatorSettings(template).source).toMatchObject({
      kind: 'function',
      functionName: expect.stringContaining('List'),
    });
  });
});

describe('a deploy', () => {
  test('runs over the tenants and waits, by default', () => {
    const template = tenantTemplate();
    template.hasResourceProperties('Custom::TenantMigration', { ServiceTimeout: '3600', Fingerprint: Match.anyValue() });
    expect(handlerOf(template, 'isComplete')).toBeDefined();
  });

  test('that hands over does not wait, and has no state machine for waiting', () => {
    const template = tenantTemplate({ onDeploy: TenantDeploy.handOver() });
    template.resourceCountIs('Custom::TenantMigration', 1);
    template.resourceCountIs('AWS::StepFunctions::StateMachine', 1);
    expect(() => handlerOf(template, 'isComplete')).toThrow('no function');
  });

  test('can be told to do nothing', () => {
    const { stack, migration } = tenantStack({ onDeploy: TenantDeploy.off() });
    const template = Template.fromStack(stack);
    template.resourceCountIs('Custom::TenantMigration', 0);
    expect(migration.runId).toBeUndefined();
    expect(() => handlerOf(template, 'onEvent')).toThrow('no function');
  });

  test('starts its run after the state machine and its permissions exist, and the application follows the run', () => {
    const { stack, migration } = tenantStack();
    const bucket = new Bucket(stack, 'Application');
    migration.executeBefore(bucket);
    const template = Template.fromStack(stack);
    const [[run, { DependsOn = [] }]] = resourcesOf(template, 'Custom::TenantMigration') as [[string, any]];
    const machine = resourcesOf(template, 'AWS::StepFunctions::StateMachine').find(
      ([, { Properties }]) => Properties.StateMachineName,
    );
    expect(DependsOn).toEqual(expect.arrayContaining([machine?.[0], expect.stringContaining('BatchRoleDefaultPolicy')]));
    const [[, application]] = resourcesOf(template, 'AWS::S3::Bucket').filter(([id]) => id.startsWith('Application')) as [
      [string, any],
    ];
    expect(application.DependsOn).toContain(run);
  });
});

test('an approval has its own function, which exists only if approvals are on', () => {
  const template = tenantTemplate({ canary: TenantCanary.share(5, { approval: true }), onDeploy: TenantDeploy.off() });
  expect(handlerOf(template, 'approve').Properties.FunctionName).toBe('template-saas-api-migrate-tenants-approve-dev');
  expect(() => handlerOf(tenantTemplate(), 'approve')).toThrow('no function');
});

test('the files of runs are private, are kept for 90 days, and outlive the stack', () => {
  const template = tenantTemplate();
  template.hasResource('AWS::S3::Bucket', {
    DeletionPolicy: 'Retain',
    Properties: {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      LifecycleConfiguration: { Rules: [{ Id: 'runs', Prefix: 'runs/', ExpirationInDays: 90, Status: 'Enabled' }] },
      BucketEncryption: Match.anyValue(),
    },
  });
  template.hasResourceProperties('AWS::S3::BucketPolicy', {
    PolicyDocument: {
      Statement: [Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })],
    },
  });
});

test('the alarm goes off if a run fails', () => {
  tenantTemplate().hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmName: 'template-saas-api-migrate-tenants-dev-failed',
    MetricName: 'ExecutionsFailed',
    Namespace: 'AWS/States',
    Threshold: 1,
  });
});
