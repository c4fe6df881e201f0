import { App, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AlembicMigration, DatabaseVariables, MigrationCode, MigrationDatabase, MigrationSnapshot } from '../../../lib';

/* A stage with snapshots of a cluster that exists already. Its database's address is in a secret. */

const app = new App({ builtinCloudFormationValidation: false });
const context = (name: string): string => app.node.tryGetContext(name);
const stack = new Stack(app, `snapshot-${context('stage')}`);
const secret = Secret.fromSecretCompleteArn(stack, 'Secret', context('databaseSecretArn'));
new AlembicMigration(stack, 'Migration', {
  stage: context('stage'),
  code: MigrationCode.fromProject(context('backend')),
  database: MigrationDatabase.fromSecret(secret, { variables: DatabaseVariables.parts() }),
  architecture: context('architecture') === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
  runtime: new lambda.Runtime(`python${context('pythonVersion')}`, lambda.RuntimeFamily.PYTHON),
  snapshot: MigrationSnapshot.beforeDataLoss({
    keep: 1,
    cluster: rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Cluster', { clusterIdentifier: 'shop' }),
  }),
});
