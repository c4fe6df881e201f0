import { App, Duration, Stack } from 'aws-cdk-lib';
import { Schedule } from 'aws-cdk-lib/aws-events';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AlembicMigration, DatabaseVariables, MigrationCode, MigrationDatabase, OnDrift } from '../../../lib';

/* A stage whose drift EventBridge looks for each minute. Its database's address is in a secret. */

const app = new App({ builtinCloudFormationValidation: false });
const context = (name: string): string => app.node.tryGetContext(name);
const stack = new Stack(app, `schedule-${context('stage')}`);
const secret = Secret.fromSecretCompleteArn(stack, 'Secret', context('databaseSecretArn'));
new AlembicMigration(stack, 'Migration', {
  stage: context('stage'),
  code: MigrationCode.fromProject(context('backend')),
  database: MigrationDatabase.fromSecret(secret, { variables: DatabaseVariables.parts() }),
  architecture: context('architecture') === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
  runtime: new lambda.Runtime(`python${context('pythonVersion')}`, lambda.RuntimeFamily.PYTHON),
  onDrift: OnDrift.WARN,
  driftSchedule: Schedule.rate(Duration.minutes(1)),
});
