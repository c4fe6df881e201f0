import { Duration } from 'aws-cdk-lib';
import * as codebuild from 'aws-cdk-lib/aws-codebuild';
import type { AlembicMigration } from 'cdk-alembic';
import type { Construct } from 'constructs';

/**
 * A CodeBuild project in the stage's account that migrates it, as an action of any CodePipeline or with
 * `aws codebuild start-build --project-name template-saas-migrate-prod`.
 *
 * @param source a repository whose package-lock.json has cdk-alembic
 */
export function migrateProject(
  scope: Construct,
  stage: string,
  migration: AlembicMigration,
  source: codebuild.ISource,
): codebuild.Project {
  const project = new codebuild.Project(scope, 'MigrateProject', {
    projectName: `template-saas-migrate-${stage}`,
    source,
    environment: { buildImage: codebuild.LinuxBuildImage.STANDARD_7_0 },
    environmentVariables: { STAGE: { value: stage } },
    concurrentBuildLimit: 1,
    timeout: Duration.hours(2),
    buildSpec: codebuild.BuildSpec.fromObject({
      version: '0.2',
      phases: {
        install: { commands: ['npm ci'] },
        build: { commands: ['npx migrate-invoke --app-name template-saas --stage "$STAGE" --yes'] },
      },
    }),
  });
  migration.grantInvoke(project);
  return project;
}
