import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { DatabaseVariables, MigrationDatabase, MigrationSnapshot } from '../../../lib';
import { findings, functionOf, migrationStack, resourcesOf, settingsOf, templateOf } from '../support';

const variables = DatabaseVariables.url();
const PREFIX = 'template-saas-api-migrate-lambda-dev';

function imported(stack: Stack) {
  const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Cluster', {
    clusterIdentifier: 'shop-prod',
    clusterResourceIdentifier: 'cluster-X',
    clusterEndpointAddress: 'shop-prod.cluster-x.eu-west-1.rds.amazonaws.com',
    port: 5432,
    engine: rds.DatabaseClusterEngine.AURORA_POSTGRESQL,
  });
  const instance = rds.DatabaseInstance.fromDatabaseInstanceAttributes(stack, 'Instance', {
    instanceIdentifier: 'shop-one',
    instanceEndpointAddress: 'shop-one.x.eu-west-1.rds.amazonaws.com',
    port: 5432,
    securityGroups: [],
  });
  const secret = new Secret(stack, 'Secret');
  return { cluster, instance, secret };
}

/** What the function may do in RDS: action, resources, condition. */
function permissions(template: Template): unknown[] {
  const role = functionOf(template).Properties.Role['Fn::GetAtt'][0];
  const arn = (resource: any) => (typeof resource === 'string' ? resource : resource['Fn::Join'][1].at(-1));
  return resourcesOf(template, 'AWS::IAM::Policy')
    .filter(([, { Properties }]) => Properties.Roles[0].Ref === role)
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement)
    .filter(({ Action }) => JSON.stringify(Action).includes('rds:'))
    .map(({ Action, Resource, Condition }) => [Action, [Resource].flat().map(arn), ...(Condition ? [Condition] : [])]);
}

test('a stack without snapshots has no permission, setting, property or output for them', () => {
  const template = templateOf((stack) => {
    const { cluster, secret } = imported(stack);
    return { database: MigrationDatabase.fromCluster(cluster, { secret, variables }) };
  });
  expect(permissions(template)).toEqual([]);
  expect(settingsOf(template)).not.toHaveProperty('snapshot');
  expect(JSON.stringify(template.toJSON())).not.toMatch(/snapshot/i);
});

test('the function may only copy this cluster and delete the snapshots of this stage', () => {
  const { stack, migration } = migrationStack((inner) => {
    const { cluster, secret } = imported(inner);
    const database = MigrationDatabase.fromCluster(cluster, { secret, variables });
    return { database, snapshot: MigrationSnapshot.beforeDataLoss() };
  });
  const template = Template.fromStack(stack);
  expect(settingsOf(template)).toHaveProperty('snapshot', {
    before: 'data_loss',
    cluster: 'shop-prod',
    prefix: PREFIX,
    keep: 5,
  });
  expect(permissions(template)).toEqual([
    ['rds:CreateDBClusterSnapshot', [':cluster:shop-prod', `:cluster-snapshot:${PREFIX}-*`]],
    ['rds:DescribeDBClusterSnapshots', [':cluster:shop-prod', ':cluster-snapshot:*']],
    ['rds:AddTagsToResource', [`:cluster-snapshot:${PREFIX}-*`]],
    [
      'rds:DeleteDBClusterSnapshot',
      [`:cluster-snapshot:${PREFIX}-*`],
      { StringEquals: { 'aws:ResourceTag/cdk-alembic': PREFIX } },
    ],
  ]);
  template.hasResourceProperties('Custom::AlembicMigration', { Snapshot: 'true' });
  expect(stack.resolve(migration.snapshotName)).toEqual({ 'Fn::GetAtt': [expect.any(String), 'snapshot'] });
});

test('a named instance behind a proxy gets the permissions for instances', () => {
  const template = templateOf((stack) => {
    const { instance, secret } = imported(stack);
    const vpc = new ec2.Vpc(stack, 'Vpc');
    const proxy = rds.DatabaseProxy.fromDatabaseProxyAttributes(stack, 'Proxy', {
      dbProxyArn: 'arn:aws:rds:eu-west-1:111122223333:db-proxy:p',
      dbProxyName: 'p',
      endpoint: 'p.proxy-x.eu-west-1.rds.amazonaws.com',
      securityGroups: [],
    });
    const snapshot = MigrationSnapshot.always({ keep: 2, instance });
    return { vpc, stage: 'pr_7', database: MigrationDatabase.fromProxy(proxy, { secret, variables }), snapshot };
  });
  const { prefix, ...settings } = settingsOf(template).snapshot ?? { prefix: '' };
  expect(settings).toEqual({ before: 'every_run', instance: 'shop-one', keep: 2 });
  // RDS allows no "_"; the hash keeps the stage apart from "pr-7".
  expect(prefix).toMatch(/^template-saas-api-migrate-lambda-pr-7-[0-9a-f]{8}$/);
  expect(permissions(template)).toEqual([
    ['rds:CreateDBSnapshot', [':db:shop-one', `:snapshot:${prefix}-*`]],
    ['rds:DescribeDBSnapshots', [':db:shop-one', ':snapshot:*']],
    ['rds:AddTagsToResource', [`:snapshot:${prefix}-*`]],
    ['rds:DeleteDBSnapshot', [`:snapshot:${prefix}-*`], { StringEquals: { 'aws:ResourceTag/cdk-alembic': prefix } }],
  ]);
});

test.each<[string, (known: ReturnType<typeof imported>) => [MigrationSnapshot, MigrationDatabase?], string]>([
  [
    'a database that names no cluster and no instance',
    ({ secret }) => [MigrationSnapshot.always(), MigrationDatabase.fromSecret(secret, { variables })],
    'with cluster or instance of MigrationSnapshot.beforeDataLoss',
  ],
  [
    'a cluster and an instance',
    ({ cluster, instance }) => [MigrationSnapshot.always({ cluster, instance })],
    'pass the one that the database is on',
  ],
])('%s fails at synth, and the error says what to pass', (_, make, problem) => {
  const { errors } = findings((stack) => {
    const [snapshot, database = MigrationDatabase.fromEnvironment()] = make(imported(stack));
    return { snapshot, database };
  });
  expect(errors).toEqual([expect.stringContaining(problem)]);
});

test('IAM authentication must name the cluster', () => {
  const { errors } = findings((stack) => {
    const { cluster } = imported(stack);
    const database = MigrationDatabase.fromIamAuth({ cluster, user: 'app', databaseName: 'app', variables });
    return { snapshot: MigrationSnapshot.beforeDataLoss(), database };
  });
  expect(errors).toEqual([]);
});

test('isolated subnets without an endpoint for RDS are reported with the call that adds one', () => {
  const isolated = (withEndpoint: boolean) =>
    findings((stack) => {
      const subnetConfiguration = [{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }];
      const vpc = new ec2.Vpc(stack, 'Vpc', { natGateways: 0, subnetConfiguration });
      if (withEndpoint) vpc.addInterfaceEndpoint('Rds', { service: ec2.InterfaceVpcEndpointAwsService.RDS });
      const vpcSubnets = { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };
      return { vpc, vpcSubnets, snapshot: MigrationSnapshot.always({ cluster: imported(stack).cluster }) };
    }).warnings;
  expect(isolated(false)).toEqual([expect.stringContaining('InterfaceVpcEndpointAwsService.RDS')]);
  expect(isolated(true)).toEqual([]);
});
