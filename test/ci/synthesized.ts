import { join } from 'node:path';
import { type App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import { AlembicMigration, MigrationCode, MigrationDatabase } from 'cdk-alembic';
import { MigratingPipeline } from '../../examples/ci/aws/pipeline';
import { projectDirectory } from '../../examples/local-aws';
import { testApp } from '../constructs/app';
import type { Resource } from '../constructs/support';
import type { Variables } from './job';

/** An app whose stacks are synthesized without packaging anything. */
export function quickApp(): App {
  return testApp({ context: { [BUNDLING_STACKS]: [] } });
}

/** A stack with a migration that no deploy runs, as a team has it that migrates from CI. */
export function templateWith(add: (stack: Stack, migration: AlembicMigration) => void): Template {
  const stack = new Stack(quickApp(), 'Backend', { env: { account: '222222222222', region: 'eu-central-1' } });
  const migration = new AlembicMigration(stack, 'Migration', {
    stage: 'prod',
    code: MigrationCode.fromProject(join(projectDirectory, 'examples/template-saas/back')),
    database: MigrationDatabase.fromEnvironment(),
    runOnDeploy: false,
  });
  add(stack, migration);
  return Template.fromStack(stack);
}

/** The pipeline of examples/ci/aws as a team's app makes it. */
export function pipelineIn(app: App, account = '333333333333'): Stack {
  return new MigratingPipeline(app, 'Pipeline', {
    env: { account, region: 'eu-west-1' },
    connectionArn: 'arn:aws:codestar-connections:eu-west-1:333333333333:connection/1',
    backend: join(projectDirectory, 'examples/template-saas/back'),
  });
}

/** What a CodeBuild project runs, and the variables it runs with. */
export function buildOf(Properties: Resource['Properties']): { commands: string[]; variables: Variables } {
  const { phases } = JSON.parse(Properties.Source.BuildSpec);
  const variables: { Name: string; Value: string }[] = Properties.Environment.EnvironmentVariables ?? [];
  return {
    commands: ['install', 'build'].flatMap((phase) => phases[phase]?.commands ?? []),
    variables: Object.fromEntries(variables.map(({ Name, Value }) => [Name, Value])),
  };
}
