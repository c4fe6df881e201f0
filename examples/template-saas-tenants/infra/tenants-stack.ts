import { Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { DatabaseVariables, MigrationCode, MigrationDatabase, OnDrift, TenantMigration, TenantSource } from 'cdk-alembic';
import type { Construct } from 'constructs';
import type { TenantSettings } from './settings';

/** A stage of template-saas with a schema for each customer. */
export class TenantsStack extends Stack {
  constructor(scope: Construct, id: string, settings: TenantSettings, props?: StackProps) {
    super(scope, id, props);
    const secret = Secret.fromSecretCompleteArn(this, 'DatabaseSecret', settings.databaseSecretArn);
    new TenantMigration(this, 'Migration', {
      stage: settings.stage,
      code: MigrationCode.fromProject(settings.backend),
      database: MigrationDatabase.fromSecret(secret, { variables: DatabaseVariables.parts() }),
      tenants: TenantSource.fromQuery('SELECT name, schema FROM public.tenants'),
      batchSize: 10,
      maxConnections: 8,
      canary: settings.canary,
      onDeploy: settings.onDeploy,
      onDrift: OnDrift.WARN,
      architecture: settings.architecture,
      runtime: settings.runtime,
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-L1',
      reason: 'the functions run on the version of Python that the backend is tested with; it is raised there first',
    });
  }
}
