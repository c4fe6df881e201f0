"""What differs between the stages."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Node

BACKEND = Path(__file__).parents[2] / "template-saas" / "back"
ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}


class SettingsError(Exception):
    """A mistake in cdk.json or on the command line."""


@dataclass(frozen=True)
class Settings:
    stage: str
    backend: str
    """Folder of the backend."""
    deletion_protection: bool
    database_secret_arn: str | None = None
    """Secret of a database that exists already; without it the stack creates an Aurora cluster."""
    architecture: lambda_.Architecture | None = None
    runtime: lambda_.Runtime | None = None


def read_settings(node: Node) -> Settings:
    """Reads `-c stage=<stage>`, what cdk.json says of that stage, and what `-c` says instead."""
    stages = node.try_get_context("stages") or {}
    stage = node.try_get_context("stage")
    if stage not in stages:
        raise SettingsError(f"set the stage with -c stage=<stage>: {', '.join(stages)}")
    architecture = node.try_get_context("architecture")
    if architecture and architecture not in ARCHITECTURES:
        raise SettingsError(f'there is no architecture "{architecture}": use {" or ".join(ARCHITECTURES)}')
    python = node.try_get_context("pythonVersion")
    return Settings(
        stage=stage,
        backend=node.try_get_context("backend") or str(BACKEND),
        deletion_protection=stages[stage]["deletionProtection"],
        database_secret_arn=node.try_get_context("databaseSecretArn"),
        architecture=ARCHITECTURES.get(architecture),
        runtime=lambda_.Runtime(f"python{python}", lambda_.RuntimeFamily.PYTHON) if python else None,
    )
