"""The function that migrates, from the package that migrate-package wrote beside this file."""

import json
from pathlib import Path

import pulumi
import pulumi_aws as aws

config = pulumi.Config()
name = f"shop-api-migrate-lambda-{pulumi.get_stack()}"
package = json.loads(Path("migrate.json").read_text())
needs = package["function"]
secret_arn = config.require("databaseSecretArn")


def policy(statement: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


role = aws.iam.Role(
    "migrate",
    name=name,
    assume_role_policy=policy({"Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}),
)
vpc_access = aws.iam.RolePolicyAttachment(
    "migrate-vpc",
    role=role.name,
    policy_arn=aws.iam.ManagedPolicy.AWS_LAMBDA_VPC_ACCESS_EXECUTION_ROLE,
)
read_secret = aws.iam.RolePolicy(
    "migrate-secret",
    role=role.id,
    policy=policy({"Action": "secretsmanager:GetSecretValue", "Resource": secret_arn}),
)
logs = aws.cloudwatch.LogGroup("migrate", name=f"/aws/lambda/{name}", retention_in_days=365)

function = aws.lambda_.Function(
    "migrate",
    name=name,
    code=pulumi.FileArchive("migrate.zip"),
    source_code_hash=package["sha256"],
    handler=needs["handler"],
    runtime=needs["runtime"],
    architectures=needs["architectures"],
    memory_size=needs["memorySize"],
    timeout=needs["timeout"],
    role=role.arn,
    vpc_config={
        "subnet_ids": config.require_object("subnetIds"),
        "security_group_ids": config.require_object("securityGroupIds"),
    },
    environment={
        "variables": {
            "CDK_ALEMBIC_SETTINGS": json.dumps(
                {
                    "stage": pulumi.get_stack(),
                    "allow": [],
                    "database": {
                        "source": "secret",
                        "secretArn": secret_arn,
                        "variables": {"url": "DATABASE_URL"},
                    },
                }
            ),
        },
    },
    opts=pulumi.ResourceOptions(depends_on=[logs, vpc_access, read_secret]),
)

# Lambda repeats a failed asynchronous invoke by default. A migration must not rerun by itself.
aws.lambda_.FunctionEventInvokeConfig("migrate", function_name=function.name, maximum_retry_attempts=0)
