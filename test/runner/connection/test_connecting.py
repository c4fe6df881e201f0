"""Connecting to the database: rotated passwords, a server that is starting, odd names, and TLS."""

from __future__ import annotations

import socket
import sys
import threading
import time
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from cdk_alembic.connection import destination, retries
from cdk_alembic.database.conditions import CONNECTION_ENDED
from conftest import Backend, Database, failure, invoke, set_settings
from each_driver import DRIVERS
from network import aws, closed_port, port_of, proxy
from secret_databases import role, secret, secret_settings

pytestmark = pytest.mark.every_driver

ODD = "p%w@r/d: 'x\" +&é"


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
class TestEveryDriver:
    def test_a_password_that_is_rotated_between_fetch_and_connect_is_fetched_again(
        self, package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str
    ) -> None:
        secret_settings(monkeypatch, scheme, limits={"connectRetrySeconds": 120})
        with role(database, "the-old-one") as user, aws(monkeypatch, lambda *_: rotate()):
            fetched: list[str] = []

            def rotate() -> dict[str, str]:
                fetched.append("the-new-one" if fetched else "the-old-one")
                with database.connect() as connection:
                    connection.execute(f"ALTER ROLE \"{user}\" PASSWORD 'the-new-one'")
                return {"SecretString": secret(database, username=user, password=fetched[-1])}

            package.initialise("driver://", template).read_url_from("DATABASE_URL")
            package.table_revision("aa")
            assert invoke()["to"] == ["aa"]
            assert fetched == ["the-old-one", "the-new-one"]

    def test_a_password_that_stays_wrong_is_fetched_twice_and_reported(
        self, package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str
    ) -> None:
        secret_settings(monkeypatch, scheme, limits={"connectRetrySeconds": 120})
        fetched = []

        def fetch(*_: Any) -> dict[str, str]:
            fetched.append(1)
            return {"SecretString": secret(database, password="stays-wrong")}

        package.initialise("driver://", template).read_url_from("DATABASE_URL")
        package.table_revision("aa")
        with aws(monkeypatch, fetch):
            answer = failure()
        assert (answer["error"]["code"], len(fetched)) == ("database_refused", 2)

    def test_a_database_that_never_answers_fails_within_seconds(
        self, package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str
    ) -> None:
        monkeypatch.setattr(destination, "CONNECT_TIMEOUT_SECONDS", 2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            database.port = str(silent.getsockname()[1])
            package.initialise(database.url(scheme), template)
            package.table_revision("aa")
            started = time.monotonic()
            answer = failure()
            assert time.monotonic() - started < 60  # it would be until the deadline
        assert answer["error"]["code"] == "database_unreachable"

    def test_odd_characters_in_user_password_and_database_work(
        self, package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str
    ) -> None:
        name = f'odd "d%b" @/:? {database.name}'
        quoted = name.replace('"', '""')
        secret_settings(monkeypatch, scheme)
        with role(database, ODD, "r%o@l/e: x") as user:
            with database.connect() as connection:
                connection.execute(f'CREATE DATABASE "{quoted}"')
            try:
                package.initialise("driver://", template).read_url_from("DATABASE_URL")
                package.table_revision("aa")
                text = secret(database, username=user, password=ODD, dbname=name)
                with aws(monkeypatch, lambda *_: {"SecretString": text}):
                    assert invoke()["to"] == ["aa"]
                    assert len(invoke({"command": "history"})["runs"]) == 1
                assert len(database_rows(name, "SELECT FROM aa LIMIT 0")) == 0
            finally:
                with database.connect() as connection:
                    connection.execute(f'DROP DATABASE "{quoted}" WITH (FORCE)')


@pytest.mark.parametrize(("template", "scheme"), [("generic", "postgresql+pg8000"), ("async", "postgresql+asyncpg")])
def test_a_statement_may_take_longer_than_connecting(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str
) -> None:
    monkeypatch.setattr(destination, "CONNECT_TIMEOUT_SECONDS", 2)
    # On a busy machine a connect may take so long, too.
    set_settings(monkeypatch, limits={"connectRetrySeconds": 120})
    package.initialise(database.url(scheme), template)
    package.revision("aa", None, 'op.execute("SELECT pg_sleep(2.5)")')
    assert invoke()["to"] == ["aa"]


def database_rows(name: str, query: str) -> list[Any]:
    with psycopg.connect(dbname=name) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_an_ipv6_host_is_reached(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str
) -> None:
    secret_settings(monkeypatch, scheme)
    package.initialise("driver://", template).read_url_from("DATABASE_URL")
    package.table_revision("aa")
    with closed_port("::1") as bound, proxy(bound):
        text = secret(database, host="::1", port=port_of(bound))
        with aws(monkeypatch, lambda *_: {"SecretString": text}):
            assert invoke()["to"] == ["aa"]


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_database_that_is_starting_is_waited_for(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str
) -> None:
    monkeypatch.setattr(retries, "PAUSE_SECONDS", (0.1, 0.3))
    set_settings(monkeypatch, limits={"connectRetrySeconds": 120})
    refused = threading.Event()
    monkeypatch.setattr(retries, "log", lambda *_, **__: refused.set())
    with closed_port() as bound, ExitStack() as opened:
        database.port = str(port_of(bound))
        package.initialise(database.url(scheme), template)
        package.table_revision("aa")

        def open_later() -> None:
            refused.wait()
            opened.enter_context(proxy(bound))

        thread = threading.Thread(target=open_later)
        thread.start()
        answer = invoke()
        assert refused.is_set()
        thread.join()
    assert answer["to"] == ["aa"]


def test_a_database_that_stays_unreachable_is_reported_when_the_time_is_used_up(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, limits={"connectRetrySeconds": 2})
    with closed_port() as bound:
        database.port = str(port_of(bound))
        backend.initialise(database.url("postgresql+psycopg"))
        backend.table_revision("aa")
        started = time.monotonic()
        assert failure()["error"]["code"] == "database_unreachable"
        assert time.monotonic() - started >= 2


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_revision_whose_connection_was_lost_is_not_retried(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str
) -> None:
    set_settings(monkeypatch, limits={"connectRetrySeconds": 120})
    package.initialise(database.url(scheme), template)
    with database.connect() as connection:
        connection.execute("CREATE SEQUENCE tries")
    package.table_revision("aa")
    package.revision(
        "bb", "aa", 'op.execute("SELECT nextval(\'tries\')")\nop.execute("SELECT pg_terminate_backend(pg_backend_pid())")'
    )
    answer = failure()
    assert (answer["error"]["code"], answer["error"]["revision"]) == ("migration_failed", "bb")
    assert answer["error"]["next"] == f"it was rolled back, and earlier revisions stay; {CONNECTION_ENDED}"
    assert [item["revision"] for item in answer["applied"]] == ["aa"]
    assert database.rows("SELECT last_value, is_called FROM tries") == [(1, True)]
    assert database.versions() == ["aa"]


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_session_that_ends_in_env_py_has_another_next_step_than_an_address(
    package: Backend, database: Database, template: str, scheme: str
) -> None:
    package.initialise(database.url(scheme), template)
    env = (package.directory / "alembic" / "env.py").read_text()
    # The first is the one for offline mode.
    head, run, tail = env.rpartition("context.run_migrations()")
    end = 'context.get_context().connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")'
    package.write_env(f"{head}{end}; {run}{tail}")
    package.table_revision("aa")
    error = failure()["error"]
    assert (error["code"], error["next"]) == ("database_unreachable", CONNECTION_ENDED)
    assert database.tables() == []


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_statement_of_env_py_that_postgresql_rejects_has_another_next_step_than_a_setting(
    package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str
) -> None:
    secret_settings(monkeypatch, scheme)
    package.initialise("driver://", template).read_url_from("DATABASE_URL")
    env = (package.directory / "alembic" / "env.py").read_text()
    head, run, tail = env.rpartition("context.run_migrations()")
    statement = 'context.get_context().connection.exec_driver_sql("CREATE EXTENSION nothing")'
    package.write_env(f"{head}{statement}; {run}{tail}")
    package.table_revision("aa")
    with aws(monkeypatch, lambda *_: {"SecretString": secret(database)}):
        error = failure()["error"]
    assert error["code"] == "invalid_project"
    assert 'env.py failed: extension "nothing" is not available' in error["message"]
    assert error["next"] == "change this statement of env.py, or the database that rejects it, and try again"


class TestABackendThatReadsOtherVariables:
    def error(self, package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, env: str) -> dict[str, Any]:
        secret_settings(monkeypatch, "postgresql+psycopg", limits={"connectRetrySeconds": 0})
        package.initialise("driver://", "generic").write_env(f"import os\nimport sqlalchemy\n{env}\n")
        package.table_revision("aa")
        with aws(monkeypatch, lambda *_: {"SecretString": secret(database, host="db.invalid")}):
            return failure()["error"]

    def test_lists_the_variables_that_are_set(
        self, package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        error = self.error(package, database, monkeypatch, 'os.environ["SHOP_DB_URL"]')
        assert "SHOP_DB_URL is not set" in error["message"]
        assert "the function sets DATABASE_URL: if env.py reads others" in error["next"]

    @pytest.mark.parametrize("env", ["import nothing_of_this_name", "exec('1 +')"])
    def test_lists_no_variables_after_an_error_in_the_code(
        self, package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, env: str
    ) -> None:
        error = self.error(package, database, monkeypatch, env)
        assert error["code"] == "invalid_project"
        assert "the function sets" not in error["next"]

    def test_is_told_which_driver_its_package_lacks(
        self, package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "psycopg", None)
        error = self.error(package, database, monkeypatch, "import psycopg")
        assert error["code"] == "invalid_project"
        assert error["next"].startswith("begin the address that env.py reads with ")
        assert error["next"].endswith("ql+psycopg2://, or add psycopg to the backend's dependencies")

    @pytest.mark.parametrize(("host", "is_told"), [("127.0.0.1", True), ("db.invalid", False)])
    def test_lists_the_variables_if_the_driver_connects_to_localhost_by_default(
        self, package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, host: str, is_told: bool
    ) -> None:
        with closed_port() as port:
            url = f"postgresql://{host}:{port_of(port)}/shop"
            creator = f"creator=lambda: __import__('psycopg').connect({url!r})"
            env = f"sqlalchemy.create_engine('postgresql+psycopg://', {creator}).connect()"
            error = self.error(package, database, monkeypatch, env)
        assert error["code"] == "database_unreachable"
        assert ("the function sets DATABASE_URL: if env.py reads others" in error["next"]) is is_told
