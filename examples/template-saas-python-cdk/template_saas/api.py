"""A placeholder for the application, which expects a migrated database."""

from pathlib import Path

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from .settings import Settings

CODE = Path(__file__).parents[2] / "template-saas" / "infra" / "api-code"


class Api(Construct):
    def __init__(self, scope: Construct, id: str, *, settings: Settings, schema_revision: str) -> None:
        super().__init__(scope, id)
        log_group = logs.LogGroup(self, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY)
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        lambda_.Function(
            self,
            "Function",
            description=f"The API of template-saas, stage {settings.stage}",
            code=lambda_.Code.from_asset(str(CODE)),
            handler="index.handler",
            runtime=settings.runtime or lambda_.Runtime.PYTHON_3_13,
            architecture=settings.architecture or lambda_.Architecture.ARM_64,
            environment={"STAGE": settings.stage, "SCHEMA_REVISION": schema_revision},
            role=role,
            log_group=log_group,
        )
