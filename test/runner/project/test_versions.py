"""The oldest and the newest SQLAlchemy and Alembic that are supported, each in a virtual environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cdk_alembic.protocol import rules
from cdk_alembic.protocol.rules import SUPPORTED_VERSIONS
from conftest import Backend, Database, set_settings
from each_driver import ALL

pytestmark = pytest.mark.every_driver

LAMBDA = Path(rules.__file__).parents[2]
OLDEST = tuple(f"{name}=={supported['from']}" for name, supported in SUPPORTED_VERSIONS.items())
BETWEEN = ("sqlalchemy~=2.0.0", "alembic")
# The last series that is supported, with the newest Alembic.
NEWEST = ("sqlalchemy>=2.1,<2.2", "alembic>=1.18")
DRIVERS = ("psycopg2-binary", "asyncpg", "pg8000", "greenlet")

REQUESTS = """
import json, sys
from cdk_alembic.handler import MigrationFailed, handler
class Context:
    aws_request_id = "versions"
    def get_remaining_time_in_millis(self):
        return 60_000
answers = []
for request in json.loads(sys.argv[1]):
    try:
        answers.append(handler(request, Context()))
    except MigrationFailed as failed:
        answers.append(json.loads(str(failed)))
print(json.dumps(answers))
"""

# (requirements, Alembic's template, scheme). SQLAlchemy 1.4 has no dialect for psycopg 3, and 1.4.0 not what the template for
# async needs.
COMBINATIONS = [
    (OLDEST, "generic", "postgresql"),
    (NEWEST, "generic", "postgresql+psycopg2"),
    (NEWEST, "async", "postgresql+asyncpg"),
]
if ALL:
    COMBINATIONS += [
        (OLDEST, "generic", "postgresql+pg8000"),
        (OLDEST, "generic", "postgresql+psycopg2"),
        (BETWEEN, "generic", "postgresql+psycopg2"),
        (BETWEEN, "async", "postgresql+asyncpg"),
    ]


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The Python of an environment with the requirements; each environment is made once."""
    made: dict[tuple[str, ...], Path] = {}

    def python(requirements: tuple[str, ...]) -> Path:
        if requirements not in made:
            folder = tmp_path_factory.mktemp("environment")
            made[requirements] = folder / "bin" / "python"
            subprocess.run(["uv", "venv", "--quiet", "--python", "3.11", str(folder), "--allow-existing"], check=True)
            install = ["uv", "pip", "install", "--quiet", "--python", str(made[requirements])]
            subprocess.run([*install, *requirements, *DRIVERS], check=True)
        return made[requirements]

    return python


def ask(python: Path, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers of one process."""
    environment = {**os.environ, "PYTHONPATH": str(LAMBDA)}
    command = [str(python), "-c", REQUESTS, json.dumps(requests)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.parametrize(("requirements", "template", "scheme"), COMBINATIONS)
def test_the_runner_migrates_up_and_down_retries_and_reports(
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
    [answer] = ask(python, {})
    assert (answer["error"]["code"], answer["error"]["revision"], answer["error"]["sqlState"]) == (
        "migration_failed",
        "cc",
        "22012",
    )
    assert (database.tables(), database.versions()) == (["aa", "alembic_version"], ["bb"])
    package.table_revision("cc", "bb")
    upgrade, plan, downgrade, stamp, history = ask(
        python,
        {},
        {"command": "plan"},
        {"command": "downgrade", "revision": "aa"},
        {"command": "stamp", "revision": "bb"},
        {"command": "history"},
    )
    assert (upgrade["to"], plan["status"], downgrade["to"]) == (["cc"], "complete", ["aa"])
    assert (stamp["from"], stamp["to"]) == (["aa"], ["bb"])
    assert (database.tables(), database.versions()) == (["aa", "alembic_version"], ["bb"])
    assert [run["outcome"] for run in history["runs"]] == ["complete", "complete", "migration_failed"]


def test_a_branch_of_the_connection_is_not_a_second_connection(package: Backend, database: Database, environments: Any) -> None:
    """SQLAlchemy 1.4 has them."""
    package.initialise(database.url("postgresql+psycopg2"))
    package.revision(
        "aa",
        None,
        'op.create_table("aa", sa.Column("id", sa.Integer))\n'
        'with op.get_bind().connect() as branch:\n    branch.execute(sa.text("INSERT INTO aa VALUES (1)"))\n'
        'op.execute("SELECT 1/0")',
    )
    [answer] = ask(environments(OLDEST), {})
    assert (answer["error"]["revision"], answer["error"]["sqlState"]) == ("aa", "22012")
    assert "it was rolled back" in answer["error"]["next"]
    assert "aa" not in database.tables()


def test_the_newest_environment_is_the_last_series_that_is_supported(environments: Any) -> None:
    [installed] = environments(NEWEST).parents[1].glob("lib/*/site-packages/sqlalchemy-*.dist-info")
    last = int(SUPPORTED_VERSIONS["sqlalchemy"]["below"].split(".")[1]) - 1
    assert installed.name.startswith(f"sqlalchemy-2.{last}.")


def test_the_url_that_the_runner_fills_in_names_the_packaged_driver_where_sqlalchemy_means_psycopg_3(
    database: Database, environments: Any
) -> None:
    connect = """
import os, sys
from sqlalchemy import create_engine, text
from cdk_alembic.connection.address import DatabaseVariables
host, port, user, password, database, driver = sys.argv[1:]
address = {"host": host, "port": port, "user": user, "password": password, "database": database}
DatabaseVariables(os.environ, {"source": "environment"}, driver or None).set(address, {"variables": {"url": "SHOP_URL"}})
with create_engine(os.environ["SHOP_URL"]).connect() as connection:
    print(connection.dialect.driver, connection.execute(text("SELECT current_database()")).scalar())
"""
    address = (database.host, database.port, database.user, database.password, database.name)

    def connected(driver: str) -> subprocess.CompletedProcess[str]:
        command = [str(environments(NEWEST)), "-c", connect, *address, driver]
        return subprocess.run(command, env={**os.environ, "PYTHONPATH": str(LAMBDA)}, capture_output=True, text=True)

    assert connected("psycopg2").stdout.split() == ["psycopg2", database.name]
    assert "No module named 'psycopg'" in connected("").stderr


MODELS = """
import sqlalchemy as sa
target_metadata = sa.MetaData()
sa.Table("aa", target_metadata, sa.Column("id", sa.Integer, primary_key=True))
sa.Table("bb", target_metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("full_name", sa.Text))
"""


@pytest.mark.parametrize("requirements", [OLDEST, NEWEST], ids=["oldest", "newest"])
def test_the_local_commands_replay_and_create(
    package: Backend, database: Database, environments: Any, requirements: tuple[str, ...]
) -> None:
    package.initialise("postgresql+psycopg2://nobody:secret@127.0.0.1:1/nowhere")
    package.table_revision("aa")
    package.table_revision("bb", "aa")
    package.revision("add_name", "bb", 'op.add_column("bb", sa.Column("name", sa.Text))', 'op.drop_column("bb", "name")')
    env = (package.directory / "alembic" / "env.py").read_text()
    package.write_env(env.replace("target_metadata = None", MODELS))
    (package.directory / "alembic" / "script.py.mako").write_text(
        "revision = ${repr(up_revision)}\ndown_revision = ${repr(down_revision)}\n"
        "import sqlalchemy as sa\nfrom alembic import op\n"
        "def upgrade():\n    ${upgrades or 'pass'}\ndef downgrade():\n    ${downgrades or 'pass'}\n"
    )
    files = [file for name in ("cdk_alembic", "cdk_alembic_local") for file in (LAMBDA / name).rglob("*.py")]
    code = {file.relative_to(LAMBDA).as_posix(): file.read_text() for file in files}
    led = {"scratch": database.url("postgresql")}
    lines = [
        {"project": "backend", "environment": {}, "scratch": True},
        {"code": code},
        {"ask": "graph"},
        {"ask": "observe", "revisions": ["aa", "bb"], "drift": False, **led},
        {"ask": "create", "message": "Add cc", "empty": True, **led},
        {"ask": "create", "message": "Rename name", "empty": False, "renames": [["bb.name", "bb.full_name"]], **led},
    ]
    ran = subprocess.run(
        [str(environments(requirements)), "-c", (LAMBDA / "cdk_alembic_local" / "bootstrap.py").read_text()],
        cwd=package.root,
        input="".join(json.dumps(line) + "\n" for line in lines),
        capture_output=True,
        text=True,
    )
    reports = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [report for report in reports if report["report"] == "failed"] == [], ran.stderr
    assert reports[0]["graph"]["heads"] == ["add_name"]
    trips = {
        report["revision"]["revision"]: report["revision"]["again"]["outcome"]
        for report in reports
        if "revision" in report and report["report"] == "revision"
    }
    assert trips == {"aa": "done", "bb": "done"}
    added, renamed = ((package.directory / report["file"]).read_text() for report in reports if report["report"] == "created")
    assert "down_revision = 'add_name'" in added
    assert "op.alter_column('bb', 'name', new_column_name='full_name')" in renamed
    assert "op.alter_column('bb', 'full_name', new_column_name='name')" in renamed
    assert database.tables() == []


ONE_CONNECTION = """
import sys
import sqlalchemy
from cdk_alembic.tenants.listening import ConnectOptions
connects = ConnectOptions()
with connects.recorded():
    sqlalchemy.create_engine(sys.argv[1]).connect().close()
print(connects.only()["dbname" if "dbname" in connects.only() else "database"])
"""


@pytest.mark.parametrize("requirements", [OLDEST, NEWEST])
def test_the_connection_options_of_env_py_are_recorded(
    database: Database, environments: Any, requirements: tuple[str, ...]
) -> None:
    url = database.url("postgresql+psycopg2")
    environment = {**os.environ, "PYTHONPATH": str(LAMBDA)}
    command = [str(environments(requirements)), "-c", ONE_CONNECTION, url]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (ran.stderr, ran.stdout.strip()) == ("", url.rsplit("/", 1)[1])
