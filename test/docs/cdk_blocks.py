"""Runs blocks of the documentation as parts of a CDK app.

Standard input: a JSON array, each item with `page`, `line` and `code`.
"""

import json
import sys

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from cdk_alembic import AlembicMigration, MigrationCode, MigrationDatabase
from constructs import Construct

# Nothing is packaged: the backends that the blocks name do not exist.
app = cdk.App(context={"aws:cdk:bundling-stacks": []})
stack = cdk.Stack(app, "Blocks")
vpc = ec2.Vpc(stack, "Vpc")
given = {
    "vpc": vpc,
    "cluster": rds.DatabaseCluster(
        stack,
        "Database",
        engine=rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_17_5),
        writer=rds.ClusterInstance.serverless_v2("Writer"),
        vpc=vpc,
    ),
    "api": Construct(stack, "Api"),
    "migration": AlembicMigration(
        stack,
        "Given",
        stage="prod",
        code=MigrationCode.from_project("../back"),
        database=MigrationDatabase.from_environment(),
    ),
}
blocks = json.load(sys.stdin)
for number, block in enumerate(blocks):
    # An error names the page and its line.
    code = compile("\n" * (block["line"] - 1) + block["code"], block["page"], "exec")
    exec(code, {**given, "self": Construct(stack, f"Block{number}")})
print(len(blocks))
