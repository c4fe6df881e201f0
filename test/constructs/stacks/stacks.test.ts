import {
  type App,
  BootstraplessSynthesizer,
  CliCredentialsStackSynthesizer,
  LegacyStackSynthesizer,
  NestedStack,
  Stack,
  Stage,
} from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as rds from 'aws-cdk-lib/aws-rds';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import { ASSET_RESOURCE_METADATA_ENABLED_CONTEXT, BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import RECOMMENDED from 'aws-cdk-lib/recommended-feature-flags.json';
import type { Construct } from 'constructs';
import {
  AlembicMigration,
  type AlembicMigrationProps,
  DatabaseVariables,
  MigrationCode,
  MigrationCompute,
  MigrationDatabase,
  TenantMigration,
  TenantSource,
} from '../../../lib';
import { testApp } from '../app';
import { laidOutBackend, withoutPython } from '../support';
import { DeploymentOrder } from './deployment-order';

withoutPython();

const variables = DatabaseVariables.url();
const named = { databaseName: 'app', variables };
const iam = { user: 'migrator', ...named };
const aurora = rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_5 });

/** Where the parts of an app are: the scopes of VPC, database, migration and application. */
interface Scopes {
  readonly network: Construct;
  readonly data: Construct;
  readonly migration: Construct;
  readonly application: Construct;
}

const LAYOUTS: Record<string, (app: App) => Scopes> = {
  'one stack': (app) => {
    const stack = new Stack(app, 'All');
    return { network: stack, data: stack, migration: stack, application: stack };
  },
  'the database in another stack': (app) => {
    const data = new Stack(app, 'Data');
    const backend = new Stack(app, 'Backend');
    return { network: data, data, migration: backend, application: backend };
  },
  'four stacks': (app) => {
    const [network, data, migration, application] = ['Network', 'Data', 'Migration', 'Api'].map((id) => new Stack(app, id));
    return { network, data, migration, application } as Scopes;
  },
  'the application alone in another stack': (app) => {
    const data = new Stack(app, 'Data');
    return { network: data, data, migration: data, application: new Stack(app, 'Api') };
  },
  'the database in a nested stack': (app) => {
    const parent = new Stack(app, 'Parent');
    const data = new NestedStack(parent, 'Data');
    return { network: data, data, migration: parent, application: parent };
  },
  'the migration in a nested stack': (app) => {
    const parent = new Stack(app, 'Parent');
    return { network: parent, data: parent, migration: new NestedStack(parent, 'Migration'), application: parent };
  },
  'nested stacks side by side': (app) => {
    const parent = new Stack(app, 'Parent');
    const data = new NestedStack(parent, 'Data');
    return {
      network: parent,
      data,
      migration: new NestedStack(parent, 'Migration'),
      application: new NestedStack(parent, 'Api'),
    };
  },
  'a stage': (app) => {
    const stage = new Stage(app, 'Prod');
    const data = new Stack(stage, 'Data');
    return { network: data, data, migration: new Stack(stage, 'Backend'), application: new Stack(stage, 'Api') };
  },
};

interface Database {
  readonly database: MigrationDatabase;
  readonly type: string;
}

function clusterOf(scope: Construct, vpc: ec2.IVpc): rds.DatabaseCluster {
  const writer = rds.ClusterInstance.serverlessV2('Writer');
  return new rds.DatabaseCluster(scope, 'Database', { engine: aurora, writer, vpc, iamAuthentication: true });
}

function instanceOf(scope: Construct, vpc: ec2.IVpc): rds.DatabaseInstance {
  const engine = rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17_5 });
  return new rds.DatabaseInstance(scope, 'Database', { engine, vpc, iamAuthentication: true });
}

function proxyOf(scope: Construct, vpc: ec2.IVpc, iamAuth: boolean): { proxy: rds.DatabaseProxy; secret: ISecret } {
  const cluster = clusterOf(scope, vpc);
  const secret = cluster.secret as ISecret;
  const proxyTarget = rds.ProxyTarget.fromCluster(cluster);
  return { proxy: new rds.DatabaseProxy(scope, 'Proxy', { proxyTarget, secrets: [secret], vpc, iamAuth }), secret };
}

const DATABASES: Record<string, (scope: Construct, vpc: ec2.IVpc) => Database> = {
  cluster: (scope, vpc) => ({
    database: MigrationDatabase.fromCluster(clusterOf(scope, vpc), named),
    type: 'AWS::RDS::DBInstance',
  }),
  instance: (scope, vpc) => ({
    database: MigrationDatabase.fromInstance(instanceOf(scope, vpc), named),
    type: 'AWS::RDS::DBInstance',
  }),
  proxy: (scope, vpc) => {
    const { proxy, secret } = proxyOf(scope, vpc, false);
    return { database: MigrationDatabase.fromProxy(proxy, { secret, ...named }), type: 'AWS::RDS::DBProxyTargetGroup' };
  },
  'cluster with IAM authentication': (scope, vpc) => ({
    database: MigrationDatabase.fromIamAuth({ ...iam, cluster: clusterOf(scope, vpc) }),
    type: 'AWS::RDS::DBInstance',
  }),
  'instance with IAM authentication': (scope, vpc) => ({
    database: MigrationDatabase.fromIamAuth({ ...iam, instance: instanceOf(scope, vpc) }),
    type: 'AWS::RDS::DBInstance',
  }),
  'proxy with IAM authentication': (scope, vpc) => ({
    database: MigrationDatabase.fromIamAuth({ ...iam, proxy: proxyOf(scope, vpc, true).proxy }),
    type: 'AWS::RDS::DBProxyTargetGroup',
  }),
};

type Common = Pick<AlembicMigrationProps, 'stage' | 'appName' | 'code' | 'database' | 'vpc'>;

const MIGRATIONS: Record<
  string,
  (scope: Construct, common: Common, cluster: () => ecs.Cluster) => AlembicMigration | TenantMigration
> = {
  function: (scope, common) => new AlembicMigration(scope, 'Migration', common),
  container: (scope, common, cluster) =>
    new AlembicMigration(scope, 'Migration', { ...common, compute: MigrationCompute.container({ cluster: cluster() }) }),
  tenants: (scope, common) =>
    new TenantMigration(scope, 'Migration', { ...common, tenants: TenantSource.fromQuery('SELECT name FROM tenants') }),
};

const code = laidOutBackend();

/** The feature flags of an app that is older than all of them, and those that `cdk init` writes. */
const FLAGS: Record<string, object> = { 'no feature flag': {}, 'the feature flags of a new app': RECOMMENDED };

function synthesized(
  layout: (app: App) => Scopes,
  database: (scope: Construct, vpc: ec2.IVpc) => Database,
  kind: string,
  flags: object = RECOMMENDED,
) {
  // Says in a template where the template of a nested stack is, as the CDK's command line asks for.
  const context = { ...flags, [BUNDLING_STACKS]: [], [ASSET_RESOURCE_METADATA_ENABLED_CONTEXT]: true };
  const app = testApp({ context });
  const scopes = layout(app);
  const vpc = new ec2.Vpc(scopes.network, 'Vpc', { maxAzs: 2 });
  const { database: from, type } = database(scopes.data, vpc);
  const common = { appName: 'shop', stage: 'prod', code: MigrationCode.fromDirectory(code), database: from, vpc };
  const migration = MIGRATIONS[kind]?.(scopes.migration, common, () => new ecs.Cluster(scopes.network, 'Ecs', { vpc }));
  migration?.executeBefore(new sns.Topic(scopes.application, 'Application'));
  return { order: new DeploymentOrder(app.synth()), type };
}

function expectOrder(order: DeploymentOrder, type: string): void {
  const [run] = [...order.find('Custom::AlembicMigration'), ...order.find('Custom::TenantMigration')];
  const [application] = order.find('AWS::SNS::Topic');
  if (!run || !application) throw new Error('the templates lack the run or the application');
  const databases = order.find(type);
  expect(databases.length).toBeGreaterThan(0);
  for (const database of databases) expect(order.isBefore(database, run)).toBe(true);
  const rules = order
    .find('AWS::EC2::SecurityGroupIngress')
    .filter(({ resource }) => resource.Properties.Description === 'migrations');
  expect(rules.length).toBeGreaterThan(0);
  for (const rule of rules) {
    expect(rule.stack).toBe(run.stack);
    expect(order.isBefore(rule, run)).toBe(true);
  }
  expect(order.isBefore(run, application)).toBe(true);
}

describe.each(Object.keys(FLAGS))('with %s', (flags) => {
  test.each(Object.keys(LAYOUTS))(
    'and %s, the database is ready and open before the run, and the application comes after it',
    (layout) => {
      const { order, type } = synthesized(LAYOUTS[layout] as never, DATABASES.cluster as never, 'function', FLAGS[flags]);
      expectOrder(order, type);
    },
  );
});

describe.each(['the database in another stack', 'the migration in a nested stack'])('with %s', (layout) => {
  test.each(Object.keys(DATABASES).slice(1))(
    'a %s is ready and open before the run, and the application comes after it',
    (database) => {
      const { order, type } = synthesized(LAYOUTS[layout] as never, DATABASES[database] as never, 'function');
      expectOrder(order, type);
    },
  );

  test.each(['container', 'tenants'])(
    'with %s, the database is ready and open before the run, and the application comes after it',
    (kind) => {
      const { order, type } = synthesized(LAYOUTS[layout] as never, DATABASES.cluster as never, kind);
      expectOrder(order, type);
    },
  );
});

test('an imported cluster in an imported VPC admits the function', () => {
  const app = testApp({ context: { [BUNDLING_STACKS]: [] } });
  const stack = new Stack(app, 'Backend', { env: { account: '111122223333', region: 'eu-central-1' } });
  const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-1',
    availabilityZones: ['eu-central-1a'],
    privateSubnetIds: ['subnet-1'],
  });
  const group = ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-database');
  const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Database', {
    clusterIdentifier: 'shop',
    clusterResourceIdentifier: 'cluster-1',
    clusterEndpointAddress: 'shop.example.org',
    port: 5432,
    securityGroups: [group],
  });
  const database = MigrationDatabase.fromIamAuth({ ...iam, cluster });
  new AlembicMigration(stack, 'Migration', {
    appName: 'shop',
    stage: 'prod',
    code: MigrationCode.fromDirectory(code),
    database,
    vpc,
  });
  const rules = new DeploymentOrder(app.synth())
    .find('AWS::EC2::SecurityGroupIngress')
    .map(({ resource }) => resource.Properties);
  expect(rules).toEqual([expect.objectContaining({ GroupId: 'sg-database', FromPort: 5432 })]);
});

test.each<[string, (app: App) => Construct]>([
  ['a stack', (app) => new Stack(app, 'Backend', { synthesizer: new BootstraplessSynthesizer() })],
  [
    'a nested stack',
    (app) => new NestedStack(new Stack(app, 'Backend', { synthesizer: new BootstraplessSynthesizer() }), 'Nested'),
  ],
])('%s without bootstrapping fails with the synthesizers that work', (_, make) => {
  const migrate = () => migrationIn(make(testApp()));
  expect(migrate).toThrow(/^the stack Backend has a BootstraplessSynthesizer, .* use a DefaultStackSynthesizer, or a CliCred/);
});

test.each([
  ['the credentials of the command', () => new CliCredentialsStackSynthesizer()],
  ['the assets of the CDK 1', () => new LegacyStackSynthesizer()],
])('a stack with %s is accepted', (_, synthesizer) => {
  const app = testApp();
  migrationIn(new Stack(app, 'Backend', { synthesizer: synthesizer() }));
  const { messages } = app.synth().getStackByName('Backend');
  expect(messages.filter(({ level }) => level === 'error')).toEqual([]);
});

function migrationIn(scope: Construct): AlembicMigration {
  const code = MigrationCode.fromDirectory(laidOutBackend());
  return new AlembicMigration(scope, 'Migration', { stage: 'dev', code, database: MigrationDatabase.fromEnvironment() });
}
