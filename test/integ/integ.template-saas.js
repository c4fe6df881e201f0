/*
 * The app that integ-runner deploys: the sample's backend on an Aurora cluster. It runs in the folder that prepare.ts makes, with the
 * packed package, because integ-runner can't read what the newest CDK writes.
 */
const { App, CfnResource, RemovalPolicy, Stack } = require('aws-cdk-lib');
const ec2 = require('aws-cdk-lib/aws-ec2');
const rds = require('aws-cdk-lib/aws-rds');
const { IntegTest } = require('@aws-cdk/integ-tests-alpha');
const { AlembicMigration, DatabaseVariables, MigrationCode, MigrationDatabase } = require('cdk-alembic');

const { INTEG_BACKEND, INTEG_STEPS, INTEG_FAILS_LATER } = process.env;
const ISOLATED = { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };
const NAME = 'template_saas';

const app = new App();
const stack = new Stack(app, 'cdk-alembic-integ');
const vpc = new ec2.Vpc(stack, 'Vpc', {
  maxAzs: 2,
  natGateways: 0,
  subnetConfiguration: [{ name: 'isolated', ...ISOLATED }],
});
vpc.addInterfaceEndpoint('SecretsManager', { service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER });
const cluster = new rds.DatabaseCluster(stack, 'Cluster', {
  engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_5 }),
  writer: rds.ClusterInstance.serverlessV2('Writer'),
  serverlessV2MinCapacity: 0.5,
  serverlessV2MaxCapacity: 1,
  defaultDatabaseName: NAME,
  storageEncrypted: true,
  vpc,
  vpcSubnets: ISOLATED,
  deletionProtection: false,
  removalPolicy: RemovalPolicy.DESTROY,
});
const migration = new AlembicMigration(stack, 'Migration', {
  stage: 'integ',
  code: MigrationCode.fromProject(INTEG_BACKEND),
  database: MigrationDatabase.fromCluster(cluster, { variables: DatabaseVariables.parts(), databaseName: NAME }),
  vpc,
  vpcSubnets: ISOLATED,
});
if (INTEG_FAILS_LATER) {
  // CloudFormation rejects the value, after the migrations succeeded, and rolls the stack back.
  const properties = { Type: 'String', Value: 'no digit', AllowedPattern: '^\\d+$' };
  migration.executeBefore(new CfnResource(stack, 'Fails', { type: 'AWS::SSM::Parameter', properties }));
}
new IntegTest(app, 'Integ', { testCases: [stack], hooks: { postDeploy: [INTEG_STEPS] } });
