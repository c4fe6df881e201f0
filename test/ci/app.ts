/*
 * A team's CDK app: the sample's backend on a database that is there, and the roles of its jobs. cdk.json says who migrates.
 */
import { App, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AlembicMigration, DatabaseVariables, MigrationCode, MigrationDatabase } from 'cdk-alembic';
import { deployRole, gitlabJobs, migrateRole } from '../../examples/ci/aws/ci-roles';
import { readSettings } from '../../examples/template-saas/infra/settings';

const app = new App({ builtinCloudFormationValidation: false });
const { stage, backend, architecture, runtime, databaseSecretArn } = readSettings(app.node);
const stack = new Stack(app, `template-saas-${stage}`);
const secret = Secret.fromSecretCompleteArn(stack, 'DatabaseSecret', databaseSecretArn as string);
const migration = new AlembicMigration(stack, 'Migration', {
  stage,
  code: MigrationCode.fromProject(backend),
  architecture,
  runtime,
  database: MigrationDatabase.fromSecret(secret, { variables: DatabaseVariables.parts() }),
  runOnDeploy: app.node.tryGetContext('runOnDeploy'),
});
const provider = iam.OidcProviderNative.fromOidcProviderArn(
  stack,
  'Gitlab',
  `arn:aws:iam::${stack.account}:oidc-provider/gitlab.com`,
);
const ci = gitlabJobs(provider, 'template/saas', 'main');
migrateRole(stack, stage, migration, ci);
deployRole(stack, stage, migration, ci);
