import { Stack, type StackProps } from 'aws-cdk-lib';
import { SubnetType } from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AlembicMigration, type AlembicMigrationProps, DatabaseVariables, MigrationCode, MigrationDatabase } from 'cdk-alembic';
import type { Construct } from 'constructs';
import { Api } from './api';
import { Database } from './database';
import type { TemplateSaasSettings } from './settings';

/** A stage of template-saas: database, migrations, application, in this order. */
export class TemplateSaasStack extends Stack {
  constructor(scope: Construct, id: string, settings: TemplateSaasSettings, props?: StackProps) {
    super(scope, id, props);

    const migration = new AlembicMigration(this, 'Migration', {
      stage: settings.stage,
      code: MigrationCode.fromUvProject(settings.backend),
      architecture: settings.architecture,
      runtime: settings.runtime,
      ...this.database(settings),
    });

    const api = new Api(this, 'Api', { ...settings, schemaRevision: migration.toRevision ?? '' });
    // The new code starts only when the database is ready for it.
    migration.executeBefore(api);
  }

  private database(settings: TemplateSaasSettings): Pick<AlembicMigrationProps, 'database' | 'vpc' | 'vpcSubnets'> {
    const variables = DatabaseVariables.parts();
    if (settings.databaseSecretArn) {
      const secret = Secret.fromSecretCompleteArn(this, 'DatabaseSecret', settings.databaseSecretArn);
      return { database: MigrationDatabase.fromSecret(secret, { variables }) };
    }
    const { cluster, vpc } = new Database(this, 'Database', { deletionProtection: settings.deletionProtection });
    return {
      database: MigrationDatabase.fromCluster(cluster, { variables }),
      vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
    };
  }
}
