import { Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { SubnetType } from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AlembicMigration, type AlembicMigrationProps, DatabaseVariables, MigrationCode, MigrationDatabase } from 'cdk-alembic';
import type { Construct } from 'constructs';
import { Api } from './api';
import { Database } from './database';
import type { TemplateSaasSettings } from './settings';

/** The environment variables that the backend reads. */
const variables = DatabaseVariables.parts();

/** A stage of template-saas: database, migrations, application, in this order. */
export class TemplateSaasStack extends Stack {
  constructor(scope: Construct, id: string, settings: TemplateSaasSettings, props?: StackProps) {
    super(scope, id, props);

    const migration = settings.databaseSecretArn
      ? this.migration(settings, this.existingDatabase(settings.databaseSecretArn))
      : this.migrationWithDatabase(settings);

    const api = new Api(this, 'Api', { ...settings, schemaRevision: migration.toRevision ?? '' });
    // The new code starts only when the database is ready for it.
    migration.executeBefore(api);

    Validations.of(this).acknowledge({
      id: 'AwsSolutions-L1',
      reason: 'the functions run on the version of Python that the backend is tested with; it is raised there first',
    });
  }

  private migration(settings: TemplateSaasSettings, database: Pick<AlembicMigrationProps, 'database' | 'vpc' | 'vpcSubnets'>) {
    return new AlembicMigration(this, 'Migration', {
      stage: settings.stage,
      code: MigrationCode.fromProject(settings.backend),
      architecture: settings.architecture,
      runtime: settings.runtime,
      ...database,
    });
  }

  private existingDatabase(secretArn: string) {
    const secret = Secret.fromSecretCompleteArn(this, 'DatabaseSecret', secretArn);
    return { database: MigrationDatabase.fromSecret(secret, { variables }) };
  }

  private migrationWithDatabase(settings: TemplateSaasSettings): AlembicMigration {
    const { deletionProtection } = settings;
    const { cluster, vpc, databaseName, secretsManager } = new Database(this, 'Database', { deletionProtection });
    const migration = this.migration(settings, {
      database: MigrationDatabase.fromCluster(cluster, { variables, databaseName }),
      vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
    });
    secretsManager.connections.allowDefaultPortFrom(migration.function, 'password of the database');
    return migration;
  }
}
