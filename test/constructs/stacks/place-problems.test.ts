import { type App, Lazy, Stack, type StackProps } from 'aws-cdk-lib';
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

function clusterOf(scope: Stack, vpc: ec2.IVpc, vpcSubnets?: ec2.SubnetSelection): rds.DatabaseCluster {
  const engine = rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_5 });
  return new rds.DatabaseCluster(scope, 'Cluster', {
    engine,
    writer: rds.ClusterInstance.serverlessV2('Writer'),
    vpc,
    vpcSubnets,
  });
}

function errorsOf(stack: Stack): string[] {
  return Annotations.fromStack(stack)
    .findError('*', Match.anyValue())
    .map(({ entry }) => String(entry.data));
}

test.each(['stage', 'appName'])('a %s that is a token fails and says how to give it as text', (prop) => {
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
])('a database in %s fails with the fix, not with an exception of the CDK', (_, data, backend, problem) => {
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

test('two migrations of one name in a stack fail, and the first one is named', () => {
  const stack = new Stack(newApp(), 'Stack');
  const props: AlembicMigrationProps = { stage: 'dev', code, database: MigrationDatabase.fromEnvironment() };
  new AlembicMigration(stack, 'First', props);
  new AlembicMigration(stack, 'Second', props);
  new AlembicMigration(stack, 'Other', { ...props, appName: 'other' });
  expect(errorsOf(stack)).toEqual([
    expect.stringMatching(/^Stack\/First already has a function named template-saas-api-migrate-lambda-dev: .*appName or stage/),
  ]);
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

  test('isolated subnets without an endpoint for Secrets Manager bring a warning with the line to add', () => {
    const { errors, warnings } = inVpc(isolatedOnly);
    expect(errors).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/isolated subnets of Stack\/Vpc.*addInterfaceEndpoint\('SecretsManager'/)]);
  });

  test('an endpoint for Secrets Manager, and private subnets, bring no warning', () => {
    const service = ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER;
    expect(inVpc(isolatedOnly, undefined, (vpc) => vpc.addInterfaceEndpoint('SecretsManager', { service })).warnings).toEqual([]);
    expect(inVpc({}).warnings).toEqual([]);
  });

  test('another endpoint does not help', () => {
    const service = ec2.InterfaceVpcEndpointAwsService.KMS;
    expect(inVpc(isolatedOnly, undefined, (vpc) => vpc.addInterfaceEndpoint('Kms', { service })).warnings).toHaveLength(1);
  });
});

test.each(['cn-north-1', 'us-gov-west-1'])('no ARN of another partition is written in %s', (region) => {
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
