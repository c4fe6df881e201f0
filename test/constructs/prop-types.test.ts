import { Duration, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import {
  AlembicMigration,
  DatabaseVariables,
  MigrationCode,
  MigrationCompute,
  MigrationDatabase,
  MigrationSnapshot,
  TenantCanary,
  TenantMigration,
  TenantSource,
} from '../../lib';
import { testApp } from './app';

/** Props that no compiler has seen, as in JavaScript. */
const unchecked = (value: unknown) => value as never;

const VALID = { stage: 'dev', code: MigrationCode.fromDirectory('nowhere'), database: MigrationDatabase.fromEnvironment() };

const fromSecret = (stack: Stack, more: object) =>
  MigrationDatabase.fromSecret(new Secret(stack, 'S'), { variables: DatabaseVariables.url(), ...more });

test('props of the wrong type are all named, with what to pass', () => {
  const stack = new Stack(testApp(), 'Stack');
  const vpc = new ec2.Vpc(stack, 'Vpc');
  const props = {
    stage: 5,
    code: '../back',
    database: vpc,
    vpc: 'vpc-1',
    securityGroups: ['sg-1'],
    environment: { DEBUG: true },
    memorySize: '512',
    limits: { lockTimeout: 5, endBlockers: { roles: 'app' } },
    runtime: 'python3.13',
    guardDataLoss: 'false',
    onDrift: 'stop',
    timeout: 3,
    allowStamp: null,
  };
  expect(() => new AlembicMigration(stack, 'Migration', unchecked(props))).toThrow(
    `AlembicMigration Stack/Migration: ${[
      'stage is 5: pass a string',
      `code is "../back": pass a MigrationCode, such as MigrationCode.fromProject('../back')`,
      'database is an object: pass a MigrationDatabase, such as MigrationDatabase.fromCluster(cluster, { ... })',
      'vpc is "vpc-1": pass a VPC, such as ec2.Vpc.fromLookup(...)',
      'securityGroups[0] is "sg-1": pass a security group',
      'environment.DEBUG is true: pass a string',
      'memorySize is "512": pass a whole number from 128 to 10240',
      'limits.lockTimeout is 5: pass a Duration, such as Duration.seconds(30)',
      'limits.endBlockers.roles is "app": pass a list of strings',
      'runtime is "python3.13": pass a Runtime, such as lambda.Runtime.PYTHON_3_13',
      'guardDataLoss is "false": pass true or false',
      'timeout is 3: pass a Duration, such as Duration.seconds(30)',
      'allowStamp is null: pass true or false',
      'onDrift is "stop": pass OnDrift.WARN or OnDrift.REFUSE or OnDrift.IGNORE',
    ].join('; ')}`,
  );
});

test.each<[string, (stack: Stack) => unknown, string]>([
  ['no props', (stack) => new AlembicMigration(stack, 'M', unchecked(undefined)), 'is undefined: pass an object with options'],
  [
    'no code',
    (stack) => new AlembicMigration(stack, 'M', unchecked({ ...VALID, code: undefined })),
    'code is undefined: pass a M',
  ],
  [
    'many tenants',
    (stack) => new TenantMigration(stack, 'M', unchecked({ ...VALID, tenants: 'SELECT 1', toleratedFailures: 5 })),
    "pass a TenantSource, such as TenantSource.fromQuery('SELECT name FROM tenants'); toleratedFailures is 5: pass an object with",
  ],
  ['a canary', () => TenantCanary.share(5, unchecked({ pause: 3 })), 'pause is 3: pass a Duration'],
  ['a query', () => TenantSource.fromQuery(unchecked(['SELECT'])), 'sql is a list: pass a string'],
  ['a folder', () => MigrationCode.fromProject(unchecked(undefined)), 'directory is undefined: pass a string'],
  ['names', () => MigrationCode.fromProject('x', unchecked({ without: 'torch' })), 'without is "torch": pass a list of strings'],
  ['a part', () => MigrationCode.fromProject('x', unchecked({ only: 'all' })), 'only is "all": pass PackageOnly.IMPORTED'],
  ['a name', () => DatabaseVariables.url(unchecked({ scheme: 'x' })), 'name is an object: pass a string'],
  [
    'variables',
    (stack) => MigrationDatabase.fromSecret(new Secret(stack, 'S'), unchecked({ variables: 'DATABASE_URL' })),
    `variables is "DATABASE_URL": pass DatabaseVariables, such as DatabaseVariables.url('DATABASE_URL')`,
  ],
  [
    'an empty database',
    (stack) => fromSecret(stack, { databaseName: '' }),
    'databaseName is "": pass a string that is not empty',
  ],
  ['a port', (stack) => fromSecret(stack, { port: 0 }), 'port is 0: pass a whole number from 1 to 65535'],
  ['a scheme', () => DatabaseVariables.url('A', { scheme: 'postgresql://' }), 'scheme is "postgresql://": pass a scheme such as'],
  ['the same variable', () => DatabaseVariables.parts({ host: 'DB', port: 'DB' }), 'DB is the variable of two parts'],
  ['memory', (stack) => new AlembicMigration(stack, 'M', { ...VALID, memorySize: 20_000 }), 'pass a whole number from 128 to'],
  ['snapshots', () => MigrationSnapshot.beforeDataLoss(unchecked(3)), 'the last argument is 3: pass an object with options'],
  ['no snapshots', () => MigrationSnapshot.always({ keep: 0 }), 'keep is 0: pass a whole number from 1 to 100'],
  ['kept snapshots', () => MigrationSnapshot.always(unchecked({ keep: '3' })), 'keep is "3": pass a whole number from 1 to 100'],
  [
    'the database of snapshots',
    () => MigrationSnapshot.always(unchecked({ cluster: 'shop' })),
    'cluster is "shop": pass a cluster, such as an rds.DatabaseCluster',
  ],
  [
    'a container',
    () => MigrationCompute.container(unchecked({ cluster: 'arn', cpu: '256', onDeploy: 'handOver' })),
    'MigrationCompute.container: cluster is "arn": pass a cluster of ECS, such as an ecs.Cluster; cpu is "256": pass a number; ' +
      'onDeploy is "handOver": pass a ContainerDeploy, such as ContainerDeploy.handOver()',
  ],
  ['a table', () => TenantSource.fromTable(unchecked('tenants')), 'table is "tenants": pass a table of DynamoDB, such as a dyn'],
  ['a bucket', () => TenantSource.fromObject(unchecked('bucket'), 'tenants.json'), 'bucket is "bucket": pass a bucket, such as'],
  ['a function', () => TenantSource.fromFunction(unchecked('list')), 'fn is "list": pass a function, such as a lambda.Function'],
  ['a percentage', () => TenantCanary.share(unchecked('5'), { approval: true }), 'percent is "5": pass a number'],
  [
    'what comes later',
    (stack) =>
      new AlembicMigration(stack, 'M', { ...VALID, runtime: lambda.Runtime.PYTHON_3_13 }).executeBefore(unchecked([stack])),
    'scopes[0] is a list: pass a construct, such as a lambda.Function',
  ],
  ['an ARN', () => MigrationDatabase.fromCluster(unchecked('arn'), unchecked({})), 'cluster is "arn": pass a cluster'],
])('%s of the wrong type', (_, make, message) => {
  expect(() => make(new Stack(testApp(), 'Stack'))).toThrow(message);
});

test.each<[string, (stack: Stack) => unknown, string]>([
  [
    'a prop',
    (stack) => new AlembicMigration(stack, 'M', unchecked({ ...VALID, database: undefined, databse: VALID.database })),
    'AlembicMigration Stack/M: databse: did you mean database?; database is undefined: pass a MigrationDatabase',
  ],
  ['in other case', (stack) => new AlembicMigration(stack, 'M', unchecked({ ...VALID, allowstamp: true })), 'mean allowStamp?'],
  [
    'a limit',
    (stack) => new AlembicMigration(stack, 'M', unchecked({ ...VALID, limits: { lockTimeOut: Duration.seconds(1) } })),
    'limits.lockTimeOut: did you mean lockTimeout?',
  ],
  ['an option', () => MigrationCode.fromProject('x', unchecked({ group: ['migrations'] })), 'group: did you mean groups?'],
  ['a tenant', (stack) => new TenantMigration(stack, 'M', unchecked({ ...VALID, tenant: 'x' })), 'tenant: did you mean tenants?'],
])('a misspelled name fails with the one that was meant: %s', (_, make, message) => {
  expect(() => make(new Stack(testApp(), 'Stack'))).toThrow(message);
});

test('props of other constructs in the same object are ignored', () => {
  const shared = { ...VALID, tracing: true, description: 'x', timeouts: 3, timeout: Duration.minutes(10) };
  expect(() => new AlembicMigration(new Stack(testApp(), 'Stack'), 'M', unchecked(shared))).not.toThrow();
});
