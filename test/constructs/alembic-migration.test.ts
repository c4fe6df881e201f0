import { Duration } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { functionName, SETTINGS_VARIABLE } from '../../lib/contract';
import { functionOf, migrationStack, resourcesOf, templateOf } from './support';

test.each([
  ['template-saas', 'dev'],
  ['template-saas', 'prod'],
  ['shop', 'pr-17'],
])('the function of %s, stage %s, has the name that the command and CI look for', (appName, stage) => {
  const template = templateOf({ appName, stage });
  expect(functionOf(template).Properties.FunctionName).toBe(functionName(appName, stage));
});

test('without an app name the function belongs to template-saas', () => {
  expect(functionOf(templateOf({ stage: 'prod' })).Properties.FunctionName).toBe('template-saas-api-migrate-lambda-prod');
});

test('the function runs the packaged runner on arm64 with Python 3.13, 512 MiB and all the time Lambda gives', () => {
  expect(functionOf(templateOf()).Properties).toMatchObject({
    Handler: 'cdk_alembic.handler.handler',
    Architectures: ['arm64'],
    Runtime: 'python3.13',
    MemorySize: 512,
    Timeout: 900,
  });
});

test('what the props say of the function is what is deployed', () => {
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

test('an asynchronous invoke that failed is never repeated by Lambda', () => {
  templateOf().hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 0 });
});

test('no concurrency is reserved, which small accounts could not afford', () => {
  expect(functionOf(templateOf()).Properties).not.toHaveProperty('ReservedConcurrentExecutions');
});

test('downgrade and stamp are refused until the stage allows them', () => {
  const allowed = (props: object) =>
    JSON.parse(functionOf(templateOf(props)).Properties.Environment.Variables[SETTINGS_VARIABLE]).allow;
  expect(allowed({})).toEqual([]);
  expect(allowed({ allowDowngrade: true })).toEqual(['downgrade']);
  expect(allowed({ allowDowngrade: true, allowStamp: true })).toEqual(['downgrade', 'stamp']);
});

test('a deploy runs the migrations, and the stack tells what it did', () => {
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

test('with runOnDeploy false a deploy runs nothing and has no outcome', () => {
  const { stack, migration } = migrationStack({ runOnDeploy: false });
  expect([migration.fromRevision, migration.toRevision, migration.appliedCount]).toEqual([undefined, undefined, undefined]);
  const template = templateOf({ runOnDeploy: false });
  expect(resourcesOf(template).map(([, { Type }]) => Type)).toEqual([
    'AWS::Logs::LogGroup',
    'AWS::IAM::Role',
    'AWS::IAM::Policy',
    'AWS::Lambda::Function',
    'AWS::Lambda::EventInvokeConfig',
  ]);
  expect(() => migration.executeBefore(stack)).not.toThrow();
});

test('the deploy handler gives a slice all of the time that Lambda gives, and asks again after a second', () => {
  const template = templateOf();
  template.hasResourceProperties('AWS::Lambda::Function', { Handler: 'index.isComplete', Timeout: 900, Runtime: 'nodejs22.x' });
  template.hasResourceProperties('AWS::Lambda::Function', { Handler: 'index.onEvent', Runtime: 'nodejs22.x' });
  const [[, machine]] = resourcesOf(template, 'AWS::StepFunctions::StateMachine') as [[string, any]];
  expect(JSON.stringify(machine.Properties.DefinitionString)).toContain(String.raw`\"IntervalSeconds\":1,\"MaxAttempts\":3600`);
});
