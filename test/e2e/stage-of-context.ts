import { App, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AlembicMigration, type AlembicMigrationProps, DatabaseVariables, MigrationCode, MigrationDatabase } from '../../lib';

/**
 * A CDK app with one stage. Its backend, its database's address in a secret and its platform come from the context.
 *
 * @param name begins the stack's name
 * @param props what the stage has besides
 */
export function stageOfContext(name: string, props: (stack: Stack) => Partial<AlembicMigrationProps>): void {
  const app = new App({ builtinCloudFormationValidation: false });
  const context = (key: string): string => app.node.tryGetContext(key);
  const stack = new Stack(app, `${name}-${context('stage')}`);
  const secret = Secret.fromSecretCompleteArn(stack, 'Secret', context('databaseSecretArn'));
  new AlembicMigration(stack, 'Migration', {
    stage: context('stage'),
    code: MigrationCode.fromProject(context('backend')),
    database: MigrationDatabase.fromSecret(secret, { variables: DatabaseVariables.parts() }),
    architecture: context('architecture') === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
    runtime: new lambda.Runtime(`python${context('pythonVersion')}`, lambda.RuntimeFamily.PYTHON),
    ...props(stack),
  });
}
