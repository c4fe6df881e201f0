import { Stack, type StackProps } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AlembicMigration, DatabaseVariables, MigrationCode, MigrationDatabase } from 'cdk-alembic';
import type { Construct } from 'constructs';
import { migrateRole } from './ci-roles';

export interface BackendStackProps extends StackProps {
  readonly stage: string;
  /** Folder of the backend. */
  readonly backend: string;
  /** The role of the pipeline's step, which may migrate. */
  readonly migratedBy: iam.IPrincipal;
}

/** A stage whose deploys do not migrate: only `migratedBy` does. */
export class BackendStack extends Stack {
  constructor(scope: Construct, id: string, { stage, backend, migratedBy, ...props }: BackendStackProps) {
    super(scope, id, props);
    const secret = Secret.fromSecretNameV2(this, 'DatabaseSecret', `template-saas/${stage}/database`);
    const migration = new AlembicMigration(this, 'Migration', {
      appName: 'template-saas',
      stage,
      code: MigrationCode.fromProject(backend),
      database: MigrationDatabase.fromSecret(secret, { variables: DatabaseVariables.parts() }),
      runOnDeploy: false,
    });
    migrateRole(this, stage, migration, migratedBy);
  }
}
