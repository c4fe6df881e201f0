"""The handler that people write by hand."""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config

os.chdir(Path(__file__).parent / "back")


def handler(event, context):
    command.upgrade(Config("alembic.ini"), "head")
    return {"statusCode": 200}
