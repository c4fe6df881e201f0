"""The oldest and the newest SQLAlchemy and Alembic that are supported, each in a virtual environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cdk_alembic.protocol import contract
from conftest import Backend, Database, set_settings

LAMBDA = Path(contract.__file__).parents[2]
OLDEST = ("sqlalchemy==1.4.0", "alembic==1.8.0")
BETWEEN = ("sqlalchemy~=2.0.0", "alembic")
NEWEST = ("sqlalchemy", "alembic")
DRIVERS = ("psycopg2-binary", "asyncpg", "pg8000", "greenlet")

ONE_REQUEST = """
import json, sys
from cdk_alembic.handler import MigrationFailed, handler
class Context:
    aws_request_id = "versions"
    def get_remaining_time_in_millis(self):
        return 60_000
try:
    answer = handler(json.loads(sys.argv[1]), Context())
except MigrationFailed as failed:
    answer = json.loads(str(failed))
print(json.dumps(answer))
"""

# (requirements, Alembic's template, scheme). SQLAlchemy 1.4 has no dialect for psycopg 3, and 1.4.0 not what the template for
# async needs.
COMBINATIONS = [
    (OLDEST, "generic", "postgresql"),
    (OLDEST, "generic", "postgresql+psycopg2"),
    (OLDEST, "generic", "postgresql+pg8000"),
    (BETWEEN, "generic", "postgresql+psycopg2"),
    (BETWEEN, "async", "postgresql+asyncpg"),
    (NEWEST, "generic", "postgresql+psycopg2"),
    (NEWEST, "async", "postgresql+asyncpg"),
]


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The Python of an environment with the requirements; each environment is made once."""
    made: dict[tuple[str, ...], Path] = {}

    def python(requirements: tuple[str, ...]) -> Path:
        if requirements not in made:
            folder = tmp_path_factory.mktemp("environment")
            made[requirements] = folder / "bin" / "python"
            for command in (
                ["uv", "venv", "--quiet", "--python", "3.11", str(folder), "--allow-existing"],
                ["uv", "pip", "install", "--quiet", "--python", str(made[requirements]), *requirements, *DRIVERS],
            ):
                subprocess.run(command, check=True)
        return made[requirements]

    return python


def ask(python: Path, request: dict[str, Any]) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(LAMBDA)}
    command = [str(python), "-c", ONE_REQUEST, json.dumps(request)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.parametrize(("requirements", "template", "scheme"), COMBINATIONS)
def test_it_migrates_up_and_down_retries_and_reports(
    package: Backend,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    environments: Any,
    requirements: tuple[str, ...],
    template: str,
    scheme: str,
) -> None:
    set_settings(monkeypatch, allow=["downgrade", "stamp"])
    package.initialise(database.url(scheme), template)
    package.table_revision("aa")
    package.revision(
        "bb",
        "aa",
        'with op.get_context().autocommit_block():\n    op.create_index("ix_aa", "aa", ["id"], postgresql_concurrently=True)',
        'op.drop_index("ix_aa")',
    )
    package.revision("cc", "bb", 'op.execute("CREATE TABLE cc (id int)")\nop.execute("SELECT 1/0")')
    python = environments(requirements)
    answer = ask(python, {})
    assert (answer["error"]["code"], answer["error"]["revision"], answer["error"]["sqlState"]) == (
        "migration_failed",
        "cc",
        "22012",
    )
    assert (database.tables(), database.versions()) == (["aa", "alembic_version"], ["bb"])
    package.table_revision("cc", "bb")
    assert ask(python, {})["to"] == ["cc"]
    assert ask(python, {"command": "plan"})["status"] == "complete"
    assert ask(python, {"command": "downgrade", "revision": "aa"})["to"] == ["aa"]
    assert (database.tables(), database.versions()) == (["aa", "alembic_version"], ["aa"])
    assert ask(python, {"command": "stamp", "revision": "bb"})["to"] == ["bb"]
    runs = ask(python, {"command": "history"})["runs"]
    assert [run["outcome"] for run in runs] == ["complete", "complete", "migration_failed"]
