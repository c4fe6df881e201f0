"""A stage of template-saas: database, migrations, application, in this order."""

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_secretsmanager as secretsmanager
from cdk_alembic import AlembicMigration, DatabaseVariables, MigrationCode, MigrationDatabase
from constructs import Construct

from .api import Api
from .database import Database
from .settings import Settings


class TemplateSaasStack(Stack):
    def __init__(self, scope: Construct, id: str, settings: Settings) -> None:
        super().__init__(scope, id)

        if settings.database_secret_arn:
            migration = self._migrate_existing(settings, settings.database_secret_arn)
        else:
            migration = self._migrate_new(settings)

        api = Api(self, "Api", settings=settings, schema_revision=migration.to_revision or "")
        # The new code starts only when the database is ready for it.
        migration.execute_before(api)

    def _migrate_existing(self, settings: Settings, secret_arn: str) -> AlembicMigration:
        secret = secretsmanager.Secret.from_secret_complete_arn(self, "DatabaseSecret", secret_arn)
        return AlembicMigration(
            self,
            "Migration",
            stage=settings.stage,
            code=MigrationCode.from_project(settings.backend),
            architecture=settings.architecture,
            runtime=settings.runtime,
            database=MigrationDatabase.from_secret(secret, variables=DatabaseVariables.parts()),
        )

    def _migrate_new(self, settings: Settings) -> AlembicMigration:
        database = Database(self, "Database", deletion_protection=settings.deletion_protection)
        migration = AlembicMigration(
            self,
            "Migration",
            stage=settings.stage,
            code=MigrationCode.from_project(settings.backend),
            architecture=settings.architecture,
            runtime=settings.runtime,
            database=MigrationDatabase.from_cluster(
                database.cluster, variables=DatabaseVariables.parts(), database_name=database.name
            ),
            vpc=database.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        )
        database.secrets_manager.connections.allow_default_port_from(migration.function, "password of the database")
        return migration
