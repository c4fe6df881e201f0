"""A real PostgreSQL (PGHOST, PGPORT, PGUSER, PGPASSWORD) with an empty database for each test, and backends written to disk."""

from __future__ import annotations

import json
import os
import re
import ssl
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import alembic
import psycopg
import pytest
from cdk_alembic import handler
from cdk_alembic.connection import statements
from cdk_alembic.database import mutex, version_table
from cdk_alembic.handler import MigrationFailed
from cdk_alembic.protocol import process, rules
from cdk_alembic.protocol.checks import problems
from cdk_alembic.run import session

pytest_plugins = ["tenant_databases", "each_driver"]

TEMPLATES = Path(alembic.__file__).parent / "templates"

MUTEX = "locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
"""What it is in pg_locks, which shows the locks of every database."""

REVISION = '''"""{message}

Revision ID: {revision}
"""
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
{upgrade}


def downgrade() -> None:
{downgrade}
'''


class Database:
    """One database of the test's own, and what is in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.host, self.port = os.environ["PGHOST"], os.environ["PGPORT"]
        self.user, self.password = os.environ["PGUSER"], os.environ["PGPASSWORD"]

    def url(self, scheme: str) -> str:
        return f"{scheme}://{self.user}:{self.password}@{self.host}:{self.port}/{self.name}"

    def connect(self, **options: Any) -> psycopg.Connection:
        # The runner asks for more in PGSSLMODE where the host is RDS's.
        return psycopg.connect(dbname=self.name, autocommit=True, sslmode="prefer", **options)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(query).fetchall()

    def execute(self, statements: str) -> None:
        with self.connect() as connection:
            connection.execute(statements)

    def tables(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]

    def versions(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT version_num FROM alembic_version ORDER BY 1")]


class Backend:
    """A package as Lambda unpacks it, with an Alembic project of Alembic's own template."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directory = root / rules.BACKEND_DIRECTORY
        self.versions = self.directory / "alembic" / "versions"
        self.versions.mkdir(parents=True)

    def initialise(self, url: str, template: str = "generic") -> Backend:
        ini = (TEMPLATES / template / "alembic.ini.mako").read_text().replace("${script_location}", "alembic")
        (self.directory / "alembic.ini").write_text(
            re.sub(r"sqlalchemy.url = .*", f"sqlalchemy.url = {url.replace('%', '%%')}", ini)
        )
        self.write_env((TEMPLATES / template / "env.py").read_text())
        return self

    def read_url_from(self, variable: str) -> Backend:
        """Lets env.py take the address from the environment, the way most projects do."""
        env = (self.directory / "alembic" / "env.py").read_text()
        line = "config = context.config\n"
        assert line in env
        option = f'config.set_main_option("sqlalchemy.url", os.environ["{variable}"].replace("%", "%%"))\n'
        self.write_env("import os\n" + env.replace(line, line + option))
        return self

    def configure_with(self, options: str) -> None:
        """Adds arguments to env.py's call of context.configure for a connection."""
        env = (self.directory / "alembic" / "env.py").read_text()
        before = "connection=connection, target_metadata"
        assert before in env
        self.write_env(env.replace(before, f"connection=connection, {options}, target_metadata"))

    def write_env(self, text: str) -> None:
        (self.directory / "alembic" / "env.py").write_text(text)

    def revision(
        self, revision: str, down: Any = None, upgrade: str = "pass", downgrade: str = "pass", message: str | None = None
    ) -> str:
        """Writes a revision."""

        def body(text: str) -> str:
            return "\n".join(f"    {line}" for line in text.strip().splitlines())

        (self.versions / f"{revision}.py").write_text(
            REVISION.format(
                revision=revision,
                down=down,
                upgrade=body(upgrade),
                downgrade=body(downgrade),
                message=message or f"Add {revision}",
            )
        )
        return revision

    def table_revision(self, revision: str, down: Any = None) -> str:
        """A revision that creates the table of its own name."""
        return self.revision(
            revision,
            down,
            f'op.create_table("{revision}", sa.Column("id", sa.Integer, primary_key=True))',
            f'op.drop_table("{revision}")',
        )


class Context:
    """Lambda's context object, with a deadline that really runs down."""

    latest: Context
    """That of the latest call."""

    def __init__(self, seconds: float) -> None:
        Context.latest = self
        self.deadline = time.monotonic() + seconds
        self.aws_request_id = str(uuid.uuid4())

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.monotonic()) * 1000))


@pytest.fixture(scope="session", autouse=True)
def no_system_authorities() -> Iterator[None]:
    """pg8000 reads all of them for each connection, which takes longer than connecting. No test has a certificate of theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: None)
        yield


@contextmanager
def fresh_database() -> Iterator[Database]:
    name = f"runner_{uuid.uuid4().hex}"
    with psycopg.connect(dbname="postgres", autocommit=True, sslmode="prefer") as connection:
        connection.execute(f'CREATE DATABASE "{name}" STRATEGY FILE_COPY')
        # No test cuts the server's power; waiting for its disk would take most of the time.
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    yield Database(name)
    with psycopg.connect(dbname="postgres", autocommit=True, sslmode="prefer") as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def database_of_all_tests() -> Iterator[Database]:
    with fresh_database() as database:
        yield database


@pytest.fixture
def database(database_of_all_tests: Database) -> Iterator[Database]:
    """Empty. Making one takes longer than most tests, so they have it one after the other."""
    yield Database(database_of_all_tests.name)
    empty(database_of_all_tests)


def empty(database: Database) -> None:
    """Ends the sessions of the database and drops what is in it."""
    with database.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        schemas = connection.execute(
            "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'"
        )
        for (schema,) in schemas.fetchall():
            connection.execute(f"DROP SCHEMA {schema} CASCADE")
        connection.execute("CREATE SCHEMA public")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """An unpacked function: environment, working directory and sys.path are put back afterwards."""
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    set_settings(monkeypatch)
    modules = set(sys.modules)
    yield Backend(tmp_path)
    for name in set(sys.modules) - modules:
        # The next test's backend may have a module of the same name.
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def backend(package: Backend, database: Database) -> Backend:
    """A package whose project uses psycopg 3 and Alembic's generic env.py."""
    return package.initialise(database.url("postgresql+psycopg"))


def set_settings(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    """What the construct would set; a database that does not answer is not waited for unless a test says so."""
    limits = {"connectRetrySeconds": 0, **settings.pop("limits", {})}
    value = {"stage": "test", "allow": [], "database": {"source": "environment"}, "limits": limits, **settings}
    assert problems(rules.SETTINGS, value) == []
    monkeypatch.setenv(rules.SETTINGS_VARIABLE, json.dumps(value))


def eventually(condition: Callable[[], Any], seconds: float = 120) -> Any:
    """The condition's value as soon as it is true. The time is for what never becomes true, on the busiest machine."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.02)
    return value


WAIT = 'op.execute("DO $$ BEGIN WHILE EXISTS (SELECT FROM gate.closed) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$")'
"""In a revision: it waits until the test opens the gate."""

AT_GATE = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'DO %gate.closed%'"
"""A revision waits at it."""

ASKING_FOR_MUTEX = (
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'cdk-alembic %'"
    " AND query LIKE '%pg_try_advisory_lock%'"
)
"""The sessions whose last statement asked for it: a run that has it goes on to other statements."""

BLOCKED = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '{}%'"
"""A statement that begins like this waits for a lock."""


@contextmanager
def gate(database: Database) -> Iterator[Callable[[], None]]:
    """A closed gate for WAIT, and what opens it. It is open after the block."""

    def open_gate() -> None:
        with database.connect() as connection:
            connection.execute("DELETE FROM gate.closed")

    with database.connect() as connection:
        connection.execute("CREATE SCHEMA gate; CREATE TABLE gate.closed AS SELECT 1 AS one")
    try:
        yield open_gate
    finally:
        open_gate()


_SET_DEADLINE = "import conftest\nconftest.Context.latest.deadline = conftest.time.monotonic() + {}\n"

NEAR_DEADLINE = _SET_DEADLINE.format(50)
"""In a revision, with `long_reserve`: the deadline is nearer than the reserve, and the call still has time to answer."""

SECOND_LEFT = _SET_DEADLINE.format(61)
"""The same, a second before that: what the revision does next has a second."""


@pytest.fixture
def long_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner keeps a minute for verifying and answering, and each statement gets what is left then."""
    monkeypatch.setattr(process, "RESERVE_SECONDS", 60)
    monkeypatch.setattr(session, "REFRESH_SECONDS", 0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner waits a shorter time for locks on what it reads."""
    for module, name in ((statements, "BRIEFLY"), (mutex, "BRIEFLY"), (version_table, "BRIEFLY"), (version_table, "_FIND")):
        monkeypatch.setattr(module, name, getattr(module, name).replace("'5000'", "'300'"))


COUNT_TRIES = "op.execute(\"SELECT nextval('tries')\")\n"
"""In a revision; a rollback does not take it back."""


def count_tries(database: Database) -> Callable[[], int]:
    """How often a revision with COUNT_TRIES has begun."""
    with database.connect() as connection:
        connection.execute("CREATE SEQUENCE tries")
    return lambda: database.rows("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM tries")[0][0]


def invoke(event: Any = None, seconds: float = 300) -> dict[str, Any]:
    """The handler's answer, checked against the wire: what Lambda would serialise."""
    return json.loads(json.dumps(handler.handler(event, Context(seconds))))


def failure(event: Any = None, seconds: float = 300) -> dict[str, Any]:
    """The handler's failure; it must be one that the contract describes."""
    with pytest.raises(MigrationFailed) as raised:
        handler.handler(event, Context(seconds))
    answer = json.loads(str(raised.value))
    assert answer["status"] == "failed" and answer["contract"] == rules.CONTRACT_VERSION
    assert answer["error"]["code"] in rules.RUNNER_CODES
    assert answer["error"]["message"] and answer["error"]["next"]
    return answer
