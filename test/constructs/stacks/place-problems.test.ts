import { type App, Lazy, Stack, type StackProps, Stage } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import {
  AlembicMigration,
  type AlembicMigrationProps,
  DatabaseVariables,
  MigrationCode,
  MigrationCompute,
  MigrationDatabase,
  type RdsDatabaseOptions,
  TenantCanary,
  TenantDeploy,
  TenantMigration,
  TenantSource,
} from '../../../lib';
import { testApp } from '../app';
import { findings, laidOutBackend } from '../support';

const variables = DatabaseVariables.url();
const ISOLATED = { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };
const code = MigrationCode.fromDirectory(laidOutBackend());

function newApp(): App {
  return testApp({ context: { [BUNDLING_STACKS]: [] } });
}

function clusterOf(
  scope: Stack,
  vpc: ec2.IVpc,
  vpcSubnets?: ec2.SubnetSelection,
  props: Partial<rds.DatabaseClusterProps> = {},
): rds.DatabaseCluster {
  const engine = rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_5 });
  return new rds.DatabaseCluster(scope, 'Cluster', {
    engine,
    writer: rds.ClusterInstance.serverlessV2('Writer'),
    vpc,
    vpcSubnets,
    ...props,
  });
}

function errorsOf(stack: Stack): string[] {
  return Annotations.fromStack(stack)
    .findError('*', Match.anyValue())
    .map(({ entry }) => String(entry.data));
}

test.each(['stage', 'appName'])('a %s that is a token fails and says how to pass it as a string', (prop) => {
  const { errors } = findings({ [prop]: Lazy.string({ produce: () => 'prod' }) });
  expect(errors).toEqual([expect.stringMatching(new RegExp(`the prop ${prop} is a token.*tryGetContext\\('${prop}'\\)`))]);
});

test.each<[string, StackProps['env'], StackProps['env'], string]>([
  [
    'another region',
    { account: '1', region: 'eu-west-1' },
    { account: '1', region: 'us-east-1' },
    'in the region eu-west-1 and the migration in us-east-1',
  ],
  [
    'another account',
    { account: '1', region: 'eu-west-1' },
    { account: '2', region: 'eu-west-1' },
    'in the account 1 and the migration in 2',
  ],
  ['a stack without an environment', undefined, { account: '2', region: 'eu-west-1' }, 'give both stacks the same "env"'],
])('a database in %s fails with the fix instead of an exception of the CDK', (_, data, backend, problem) => {
  const app = newApp();
  const dataStack = new Stack(app, 'Data', { env: data });
  const vpc = new ec2.Vpc(dataStack, 'Vpc');
  const database = MigrationDatabase.fromCluster(clusterOf(dataStack, vpc), { variables });
  const stack = new Stack(app, 'Backend', { env: backend });
  new AlembicMigration(stack, 'Migration', { stage: 'dev', code, database, vpc });
  const errors = errorsOf(stack);
  expect(errors[0]).toContain('the database Data/Cluster');
  expect(errors.join('\n')).toContain(problem);
});

test('a database in another Stage fails with the fix instead of an exception of the CDK', () => {
  const app = newApp();
  const data = new Stack(new Stage(app, 'Shared'), 'Data');
  const vpc = new ec2.Vpc(data, 'Vpc');
  const stack = new Stack(new Stage(app, 'Prod'), 'Backend');
  const database = MigrationDatabase.fromCluster(clusterOf(data, vpc), { variables });
  new AlembicMigration(stack, 'Migration', { stage: 'dev', code, database, vpc });
  const inOther =
    /^the (database Shared\/Data\/Cluster|VPC Shared\/Data\/Vpc) is in the Stage Shared and the migration in the Stage Prod: /;
  expect(errorsOf(stack)).toEqual([expect.stringMatching(inOther), expect.stringMatching(inOther)]);
});

test('a database that is imported from another Stage is accepted', () => {
  const app = newApp();
  const stack = new Stack(new Stage(app, 'Prod'), 'Backend');
  const shared = new Stack(new Stage(app, 'Shared'), 'Data');
  const vpc = ec2.Vpc.fromVpcAttributes(shared, 'Vpc', {
    vpcId: 'vpc-1',
    availabilityZones: ['eu-west-1a'],
    privateSubnetIds: ['subnet-1'],
  });
  new AlembicMigration(stack, 'Migration', { stage: 'dev', code, database: MigrationDatabase.fromEnvironment(), vpc });
  expect(errorsOf(stack)).toEqual([]);
});

test('two migrations with one name in a stack fail, and the error names the first one', () => {
  const stack = new Stack(newApp(), 'Stack');
  const props: AlembicMigrationProps = { stage: 'dev', code, database: MigrationDatabase.fromEnvironment() };
  new AlembicMigration(stack, 'First', props);
  new AlembicMigration(stack, 'Second', props);
  new AlembicMigration(stack, 'Other', { ...props, appName: 'other' });
  expect(errorsOf(stack)).toEqual([
    expect.stringMatching(/^Stack\/First already has a function named template-saas-api-migrate-lambda-dev: .*appName or stage/),
  ]);
});

test.each<[string, StackProps['env'], StackProps['env'], boolean]>([
  ['stacks of one account and region', { account: '1', region: 'eu-west-1' }, { account: '1', region: 'eu-west-1' }, true],
  ['stacks without an environment', undefined, undefined, true],
  ['stacks of two regions', { account: '1', region: 'eu-west-1' }, { account: '1', region: 'us-east-1' }, false],
  ['a stack with an environment and one without', { account: '1', region: 'eu-west-1' }, undefined, false],
])('migrations with one name in two %s', (_, one, other, isRefused) => {
  const app = newApp();
  const stacks = [new Stack(app, 'One', { env: one }), new Stack(app, 'Other', { env: other })];
  const database = MigrationDatabase.fromEnvironment();
  for (const stack of stacks) new AlembicMigration(stack, 'Migration', { stage: 'dev', code, database });
  // The same name in another stage may be in another account.
  new AlembicMigration(new Stack(new Stage(app, 'Prod'), 'One'), 'Migration', { stage: 'dev', code, database });
  expect(stacks.flatMap(errorsOf)).toEqual(
    isRefused
      ? [expect.stringMatching(/^One\/Migration already has a function named template-saas-api-migrate-lambda-dev: /)]
      : [],
  );
});

describe('a database in a VPC, and a function outside of it', () => {
  const without = (database: (stack: Stack, vpc: ec2.Vpc) => MigrationDatabase) =>
    findings((stack) => ({ database: database(stack, new ec2.Vpc(stack, 'Vpc')) }));
  const engine = rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17_5 });
  const named = { variables, databaseName: 'app' };
  const instance = (props: Partial<rds.DatabaseInstanceProps>) => (stack: Stack, vpc: ec2.Vpc) =>
    MigrationDatabase.fromInstance(new rds.DatabaseInstance(stack, 'Instance', { engine, vpc, ...props }), named);

  test('a cluster, an instance and a proxy of the app are rejected', () => {
    const proxy = (stack: Stack, vpc: ec2.Vpc) => {
      const cluster = clusterOf(stack, vpc);
      const secret = cluster.secret as Secret;
      const target = rds.ProxyTarget.fromCluster(cluster);
      return MigrationDatabase.fromProxy(new rds.DatabaseProxy(stack, 'Proxy', { proxyTarget: target, secrets: [secret], vpc }), {
        ...named,
        secret,
      });
    };
    const cluster = (stack: Stack, vpc: ec2.Vpc) => MigrationDatabase.fromCluster(clusterOf(stack, vpc), named);
    for (const [path, database] of Object.entries({ Cluster: cluster, Instance: instance({}), Proxy: proxy })) {
      expect(without(database).errors).toEqual([
        `the database Stack/${path} is in a VPC and the function is not: pass vpc, the one from which the database is reachable`,
      ]);
    }
  });

  test('a public instance is accepted, and an imported cluster causes a warning', () => {
    expect(without(instance({ publiclyAccessible: true }))).toEqual({ errors: [], warnings: [] });
    const imported = (stack: Stack) => {
      const attributes = { clusterIdentifier: 'c', clusterEndpointAddress: 'c.local', port: 5432 };
      const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', attributes);
      return MigrationDatabase.fromCluster(cluster, { ...named, secret: new Secret(stack, 'Secret') });
    };
    expect(without(imported)).toEqual({
      errors: [],
      warnings: [expect.stringMatching(/Stack\/Imported is in a VPC.*unless it is public /)],
    });
  });
});

test.each<[string, Partial<rds.DatabaseClusterProps>, Partial<RdsDatabaseOptions>, RegExp | undefined]>([
  [
    'neither it nor the option has one',
    {},
    {},
    /^the database Stack\/Cluster is created without a database, so its secret names none/,
  ],
  [
    'RDS manages its password',
    { manageMasterUserPassword: true },
    {},
    /^the secret of the database Stack\/Cluster, which RDS manages, has no/,
  ],
  ['it has one', { defaultDatabaseName: 'app' }, {}, undefined],
  ['the option has one', { manageMasterUserPassword: true }, { databaseName: 'app' }, undefined],
])('the name of the database in a cluster, if %s', (_, props, options, problem) => {
  const { errors, warnings } = findings((stack) => {
    const vpc = new ec2.Vpc(stack, 'Vpc');
    return { vpc, database: MigrationDatabase.fromCluster(clusterOf(stack, vpc, undefined, props), { variables, ...options }) };
  });
  expect([...errors, ...warnings]).toEqual(problem ? [expect.stringMatching(problem)] : []);
});

test.each<[string, string, 'errors' | 'warnings', RegExp]>([
  [
    'another account',
    'eu-west-1:222222222222',
    'warnings',
    /^the secret Stack\/Secret is in the account 222222222222 and the migration in 111111111111/,
  ],
  [
    'another region',
    'us-east-1:111111111111',
    'errors',
    /^the secret Stack\/Secret is in the region us-east-1 and the migration in eu-west-1: replicate/,
  ],
])('a secret of %s is reported', (_, place, kind, text) => {
  const found = findings(
    (stack) => {
      const arn = `arn:aws:secretsmanager:${place}:secret:db-AbCdEf`;
      return { database: MigrationDatabase.fromSecret(Secret.fromSecretCompleteArn(stack, 'Secret', arn), { variables }) };
    },
    { env: { account: '111111111111', region: 'eu-west-1' } },
  );
  expect(found).toEqual({ errors: [], warnings: [], [kind]: [expect.stringMatching(text)] });
});

describe('in a VPC', () => {
  const inVpc = (props: ec2.VpcProps, vpcSubnets?: ec2.SubnetSelection, after: (vpc: ec2.Vpc) => void = () => {}) =>
    findings((stack) => {
      const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 1, ...props });
      const secret = new Secret(stack, 'Secret');
      after(vpc);
      return { vpc, vpcSubnets, database: MigrationDatabase.fromSecret(secret, { variables }) };
    });
  const isolatedOnly = { subnetConfiguration: [{ name: 'isolated', ...ISOLATED }] };

  test('a public subnet fails with the subnets to choose', () => {
    const { errors } = inVpc({ subnetConfiguration: [{ name: 'public', subnetType: ec2.SubnetType.PUBLIC }] });
    expect(errors).toEqual([expect.stringMatching(/in a public subnet of Stack\/Vpc.*vpcSubnets/)]);
  });

  test('isolated subnets without an endpoint for Secrets Manager cause a warning with the line to add', () => {
    const { errors, warnings } = inVpc(isolatedOnly);
    expect(errors).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/isolated subnets of Stack\/Vpc.*addInterfaceEndpoint\('SecretsManager'/)]);
  });

  test('an endpoint for Secrets Manager, or private subnets, cause no warning', () => {
    const service = ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER;
    expect(inVpc(isolatedOnly, undefined, (vpc) => vpc.addInterfaceEndpoint('SecretsManager', { service })).warnings).toEqual([]);
    expect(inVpc({}).warnings).toEqual([]);
  });

  test('an endpoint for another service does not help', () => {
    const service = ec2.InterfaceVpcEndpointAwsService.KMS;
    expect(inVpc(isolatedOnly, undefined, (vpc) => vpc.addInterfaceEndpoint('Kms', { service })).warnings).toHaveLength(1);
  });
});

test.each(['cn-north-1', 'us-gov-west-1'])('no ARN in %s has another partition', (region) => {
  const stack = new Stack(newApp(), 'Stack', { env: { account: '111122223333', region } });
  const vpc = new ec2.Vpc(stack, 'Vpc');
  const database = MigrationDatabase.fromCluster(clusterOf(stack, vpc), { variables });
  const compute = MigrationCompute.container({ cluster: new ecs.Cluster(stack, 'Ecs', { vpc }) });
  new AlembicMigration(stack, 'Migration', { stage: 'dev', code, database, vpc, compute });
  new TenantMigration(stack, 'Tenants', {
    stage: 'dev',
    code,
    database,
    vpc,
    tenants: TenantSource.fromQuery('SELECT name FROM tenants'),
    canary: TenantCanary.names(['acme'], { approval: true }),
    onDeploy: TenantDeploy.handOver(),
  });
  const template = JSON.stringify(Template.fromStack(stack).toJSON());
  expect(template).not.toContain('arn:aws:');
  expect(template).toContain(':states:::lambda:invoke');
});
