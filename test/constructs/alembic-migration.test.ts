import { Duration } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { EventBus } from 'aws-cdk-lib/aws-events';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { OnReplication } from '../../lib/constructs/function/on-replication';
import { functionName } from '../../lib/contract';
import { functionOf, migrationStack, resourcesOf, settingsOf, templateOf } from './support';

test.each([
  ['template-saas', 'dev'],
  ['template-saas', 'prod'],
  ['shop', 'pr-17'],
])('the function of %s, stage %s, has the name that the command and CI expect', (appName, stage) => {
  const template = templateOf({ appName, stage });
  expect(functionOf(template).Properties.FunctionName).toBe(functionName(appName, stage));
});

test('without an app name the function belongs to template-saas', () => {
  expect(functionOf(templateOf({ stage: 'prod' })).Properties.FunctionName).toBe('template-saas-api-migrate-lambda-prod');
});

test('the function runs the packaged runner on arm64 with Python 3.13, 512 MiB and all the time a deploy can wait', () => {
  expect(functionOf(templateOf()).Properties).toMatchObject({
    Handler: 'cdk_alembic.handler.handler',
    Architectures: ['arm64'],
    Runtime: 'python3.13',
    MemorySize: 512,
    Timeout: 840,
  });
});

test('the function has the size, runtime and timeout of its props', () => {
  const { Properties } = functionOf(
    templateOf({
      architecture: lambda.Architecture.X86_64,
      runtime: lambda.Runtime.PYTHON_3_12,
      memorySize: 1024,
      timeout: Duration.minutes(5),
      environment: { FEATURE: 'on' },
    }),
  );
  expect(Properties).toMatchObject({ Architectures: ['x86_64'], Runtime: 'python3.12', MemorySize: 1024, Timeout: 300 });
  expect(Properties.Environment.Variables.FEATURE).toBe('on');
});

test('Lambda never repeats a failed asynchronous invoke', () => {
  templateOf().hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 0 });
});

test('no concurrency is reserved, because small accounts have too little', () => {
  expect(functionOf(templateOf()).Properties).not.toHaveProperty('ReservedConcurrentExecutions');
});

test('downgrade and stamp are not allowed by default', () => {
  const allowed = (props: object) => settingsOf(templateOf(props)).allow;
  expect(allowed({})).toEqual([]);
  expect(allowed({ allowDowngrade: true })).toEqual(['downgrade']);
  expect(allowed({ allowDowngrade: true, allowStamp: true })).toEqual(['downgrade', 'stamp']);
});

test('a deploy runs the migrations, and the outputs of the stack have the result', () => {
  const template = templateOf();
  const [id] = Object.keys(template.findResources('Custom::AlembicMigration'));
  template.hasResourceProperties('Custom::AlembicMigration', {
    ServiceToken: Match.anyValue(),
    FunctionName: Match.anyValue(),
    Stage: 'dev',
    Fingerprint: Match.stringLikeRegexp('^[0-9a-f]{64}$'),
  });
  const outputs = Object.values(template.toJSON().Outputs as Record<string, { Value: unknown }>).map(({ Value }) => Value);
  expect(outputs).toEqual([
    { Ref: expect.stringContaining('MigrationFunction') },
    { 'Fn::GetAtt': [id, 'fromRevision'] },
    { 'Fn::GetAtt': [id, 'toRevision'] },
    { 'Fn::GetAtt': [id, 'appliedCount'] },
  ]);
});

test('with runOnDeploy false, a deploy runs nothing and has no result', () => {
  const { stack, migration } = migrationStack({ runOnDeploy: false });
  expect([migration.fromRevision, migration.toRevision, migration.appliedCount]).toEqual([undefined, undefined, undefined]);
  const template = templateOf({ runOnDeploy: false });
  expect(resourcesOf(template).map(([, { Type }]) => Type)).toEqual([
    'AWS::Logs::LogGroup',
    'AWS::IAM::Role',
    'AWS::IAM::Policy',
    'AWS::Lambda::Function',
    'AWS::Lambda::EventInvokeConfig',
    'AWS::CloudWatch::Alarm',
  ]);
  expect(() => migration.executeBefore(stack)).not.toThrow();
});

test('with runOnDeploy false, the function may run as long as Lambda allows', () => {
  expect(functionOf(templateOf({ runOnDeploy: false })).Properties.Timeout).toBe(900);
});

test('the deploy polls every second', () => {
  const [[, machine]] = resourcesOf(templateOf(), 'AWS::StepFunctions::StateMachine') as [[string, any]];
  expect(JSON.stringify(machine.Properties.DefinitionString)).toContain(String.raw`\"IntervalSeconds\":1,\"MaxAttempts\":3600`);
});

test('a revision that destroys data must acknowledge the loss by default', () => {
  expect(settingsOf(templateOf())).not.toHaveProperty('guard');
  expect(settingsOf(templateOf({ guardDataLoss: false }))).toHaveProperty('guard', false);
});

test('unreadable SQL must be acknowledged only if the stage requires it', () => {
  expect(settingsOf(templateOf())).not.toHaveProperty('guardUnread');
  expect(settingsOf(templateOf({ guardUnreadSql: true }))).toHaveProperty('guardUnread', true);
});

test('a stage is protected only if it is configured', () => {
  expect(settingsOf(templateOf())).not.toHaveProperty('protected');
  expect(settingsOf(templateOf({ protectedStage: true }))).toHaveProperty('protected', true);
});

test('the setting for replicated tables is passed to the runner only if it is set', () => {
  expect(settingsOf(templateOf())).not.toHaveProperty('onReplication');
  expect(settingsOf(templateOf({ onReplication: OnReplication.REFUSE }))).toHaveProperty('onReplication', 'refuse');
});

test('only limits that are set are passed to the runner, which has the defaults', () => {
  expect(settingsOf(templateOf())).not.toHaveProperty('limits');
  const limits = { lockTimeout: Duration.millis(1500), mutexWait: Duration.minutes(2) };
  expect(settingsOf(templateOf({ limits })).limits).toEqual({ lockTimeoutSeconds: 1.5, mutexWaitSeconds: 120 });
  const others = { lockRetry: Duration.seconds(0), connectRetry: Duration.minutes(3) };
  expect(settingsOf(templateOf({ limits: others })).limits).toEqual({ lockRetrySeconds: 0, connectRetrySeconds: 180 });
  const endBlockers = { roles: ['app'], applications: ['shop'], idleFor: Duration.minutes(1) };
  const ending = { roles: ['app'], applications: ['shop'], idleSeconds: 60 };
  expect(settingsOf(templateOf({ limits: { endBlockers } })).limits).toEqual({ endBlockers: ending });
});

test('without an event bus no events are sent', () => {
  expect(settingsOf(templateOf())).not.toHaveProperty('eventBus');
});

test('the event bus is passed by ARN, so it may be in another account', () => {
  const eventBusArn = 'arn:aws:events:eu-central-1:444455556666:event-bus/releases';
  const template = templateOf((stack) => ({ eventBus: EventBus.fromEventBusArn(stack, 'Bus', eventBusArn) }));
  expect(settingsOf(template).eventBus).toBe(eventBusArn);
});

test('the alarm goes off if and only if a call of the function has failed', () => {
  templateOf().hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmName: 'template-saas-api-migrate-lambda-dev-failed',
    Namespace: 'AWS/Lambda',
    MetricName: 'Errors',
    Dimensions: [{ Name: 'FunctionName', Value: { Ref: Match.stringLikeRegexp('^MigrationFunction') } }],
    Statistic: 'Sum',
    Threshold: 1,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    TreatMissingData: 'notBreaching',
  });
});

test('the alarm can have an action', () => {
  const { stack, migration } = migrationStack();
  migration.failureAlarm.addAlarmAction({ bind: () => ({ alarmActionArn: 'arn:aws:sns:eu-central-1:111122223333:on-call' }) });
  Template.fromStack(stack).hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmActions: ['arn:aws:sns:eu-central-1:111122223333:on-call'],
  });
});
