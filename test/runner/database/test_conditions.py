"""What goes wrong every day, on a real PostgreSQL, and is about no revision: its code, and a next step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cdk_alembic.database import version_table
from cdk_alembic.database.conditions import CONDITIONS
from conftest import Backend, Database, failure, invoke, set_settings
from each_driver import DRIVERS
from network import closed_port, port_of, resetting


@pytest.fixture(params=DRIVERS, ids=lambda driver: "-".join(driver))
def each(request: Any, package: Backend, database: Database) -> Iterator[Backend]:
    """A backend with each driver, whose first revision is applied by the owner."""
    template, scheme = request.param
    package.scheme = scheme
    package.template = template
    package.initialise(database.url(scheme), template)
    package.table_revision("aa")
    invoke()
    package.table_revision("bb", "aa")
    yield package


@contextmanager
def role(database: Database, backend: Backend, *grants: str) -> Iterator[str]:
    """Lets the backend connect as a role that may connect, and what is granted."""
    name = f"role_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
        try:
            for grant in grants:
                connection.execute(f"{grant} TO {name}")
            owner = database.user, database.password
            database.user, database.password = name, "secret"
            backend.initialise(database.url(backend.scheme), backend.template)
            database.user, database.password = owner
            yield name
        finally:
            connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def refused(command: str, code: str) -> dict[str, Any]:
    error = failure({"command": command})["error"]
    assert error["code"] == code, error
    return error


def test_a_role_that_may_not_read_the_version_table_is_reported(each: Backend, database: Database) -> None:
    with role(database, each, "GRANT ALL ON SCHEMA public"):
        for command in ("plan", "current", "upgrade", "history"):
            error = refused(command, "permission_denied")
            assert "alembic_version" in error["message"] and "GRANT" in error["next"].upper()


def test_a_role_that_may_not_create_tables_is_reported(each: Backend, database: Database) -> None:
    database.execute("DROP TABLE alembic_version, aa")
    with role(database, each, "GRANT USAGE ON SCHEMA public"):
        assert invoke({"command": "plan"})["status"] == "pending"
        assert "schema public" in refused("upgrade", "permission_denied")["message"]


@pytest.mark.parametrize("is_new", [True, False])
def test_a_read_only_database_is_reported(each: Backend, database: Database, is_new: bool) -> None:
    if is_new:
        database.execute("DROP TABLE alembic_version, aa")
    database.execute(f'ALTER DATABASE "{database.name}" SET default_transaction_read_only = on')
    try:
        assert invoke({"command": "plan"})["status"] == "pending"
        assert "writer" in refused("upgrade", "read_only")["next"]
    finally:
        with database.connect(options="-c default_transaction_read_only=off") as connection:
            connection.execute(f'ALTER DATABASE "{database.name}" RESET default_transaction_read_only')


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        (
            "ALTER TABLE alembic_version DROP CONSTRAINT alembic_version_pkc; INSERT INTO alembic_version VALUES ('aa')",
            "aa 2 times",
        ),
        (
            "ALTER TABLE alembic_version DROP CONSTRAINT alembic_version_pkc, ALTER version_num DROP NOT NULL;"
            "INSERT INTO alembic_version VALUES (NULL)",
            "NULL",
        ),
        ("INSERT INTO alembic_version VALUES ('bb')", "aa precedes"),
        ("INSERT INTO alembic_version VALUES ('')", "''"),
        ("ALTER TABLE alembic_version RENAME version_num TO version", "version_num"),
        (
            "TRUNCATE alembic_version; ALTER TABLE alembic_version ALTER version_num TYPE int USING 1;"
            "INSERT INTO alembic_version VALUES (7)",
            "7",
        ),
    ],
)
def test_a_version_table_with_content_that_alembic_never_writes_is_reported(
    each: Backend, database: Database, statement: str, shown: str
) -> None:
    database.execute(statement)
    for command in ("plan", "current", "upgrade", "history"):
        assert shown in refused(command, "invalid_version_table")["message"]


@pytest.mark.parametrize("command", ["plan", "current", "upgrade", "history"])
@pytest.mark.usefixtures("impatient")
def test_a_locked_version_table_is_reported(each: Backend, database: Database, command: str) -> None:
    with database.connect() as rival, rival.transaction():
        rival.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        error = refused(command, "lock_not_available")
        pid = rival.info.backend_pid
    assert [blocker["pid"] for blocker in error["blockers"]] == [pid]
    assert f"pg_terminate_backend({pid})" in error["next"]
    assert invoke({"command": command})["to"]


@pytest.mark.parametrize("table", ["run", "run_revision"])
@pytest.mark.usefixtures("impatient")
def test_a_locked_run_history_does_not_stop_a_run(
    each: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    set_settings(monkeypatch, limits={"lockTimeoutSeconds": 0.5, "lockRetrySeconds": 0})
    with database.connect() as rival, rival.transaction():
        rival.execute(f"LOCK TABLE cdk_alembic.{table} IN ACCESS EXCLUSIVE MODE")
        for command in ("plan", "current", "history"):
            assert invoke({"command": command})["to"] == ["aa"]
        answer = invoke()
        assert (answer["to"], answer["status"]) == (["bb"], "complete")
        assert any("history could not be written" in warning for warning in answer["warnings"])
    assert database.versions() == ["bb"]


def test_a_timeout_that_ends_a_short_statement_is_reported(
    each: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute("DROP TABLE alembic_version; CREATE VIEW alembic_version AS SELECT 'aa' AS version_num FROM pg_sleep(60)")
    monkeypatch.setattr(version_table, "BRIEFLY", "set_config('statement_timeout', '200', false)")
    assert "pg_db_role_setting" in refused("plan", "timed_out")["next"]
    database.execute("DROP VIEW alembic_version")


def test_the_timeouts_of_a_role_are_not_those_of_a_revision(each: Backend, database: Database) -> None:
    timeouts = ["statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout", "idle_session_timeout"]
    timeouts += ["transaction_timeout"] if database.rows("SHOW server_version_num")[0][0] >= "170000" else []
    each.revision(
        "bb", "aa", f"for name in {timeouts}:\n    assert op.get_bind().scalar(sa.text(f'SHOW {{name}}')) != '17min', name"
    )
    with role(database, each, "GRANT ALL ON SCHEMA public", "GRANT ALL ON ALL TABLES IN SCHEMA public") as name:
        for timeout in timeouts:
            database.execute(f"ALTER ROLE {name} SET {timeout} = '17min'")
        assert invoke()["to"] == ["bb"]


@pytest.mark.parametrize("moment", ["pg_postmaster_start_time", "version_num"])
def test_a_connection_reset_is_reported(each: Backend, database: Database, moment: str) -> None:
    with closed_port() as bound, resetting(bound, moment.encode()) as cut:
        port, database.port = database.port, str(port_of(bound))
        each.initialise(database.url(each.scheme), each.template)
        database.port = port
        refused("upgrade", "database_unreachable")
        assert cut.is_set()


def test_a_log_file_that_env_py_cannot_open_is_reported(each: Backend) -> None:
    env = (each.directory / "alembic" / "env.py").read_text()
    each.write_env('open("/nowhere/migrations.log", "a")\n' + env)
    for command in ("plan", "upgrade"):
        assert "/nowhere/migrations.log" in refused(command, "invalid_project")["message"]


def test_a_failing_statement_of_env_py_is_not_blamed_on_the_version_table(each: Backend) -> None:
    env = (each.directory / "alembic" / "env.py").read_text()
    before = "        context.configure(" if "        context.configure(" in env else "    context.configure("
    call = before.replace("context.configure(", 'connection.exec_driver_sql("SELECT missing FROM alembic_version")\n') + before
    head, tail = env.rsplit(before, 1)
    each.write_env(head + call + tail)
    for command in ("plan", "upgrade"):
        assert "missing" in refused(command, "invalid_project")["message"]


def test_an_engine_in_autocommit_is_refused_before_anything_is_written(each: Backend, database: Database) -> None:
    env = (each.directory / "alembic" / "env.py").read_text()
    assert "poolclass=pool.NullPool" in env
    each.write_env(env.replace("poolclass=pool.NullPool", 'poolclass=pool.NullPool, isolation_level="AUTOCOMMIT"'))
    assert "AUTOCOMMIT" in refused("upgrade", "invalid_project")["message"]
    assert (database.versions(), database.tables()) == (["aa"], ["aa", "alembic_version"])
    assert invoke({"command": "plan"})["status"] == "pending"


@pytest.mark.every_driver
@pytest.mark.parametrize("then", ["", '\nop.execute("CREATE TABLE never (id int)")'])
def test_an_error_that_a_revision_catches_is_the_reason_why_its_aborted_transaction_fails(
    each: Backend, database: Database, then: str
) -> None:
    each.revision("bb", "aa", f'try:\n    op.execute("SELECT 1 / 0")\nexcept Exception:\n    pass{then}')
    error = failure()["error"]
    assert (error["code"], error["revision"], error["sqlState"]) == ("migration_failed", "bb", "22012")
    assert "division by zero" in error["message"] and "the code caught this error" in error["message"]
    assert error["statement"] == "SELECT 1 / 0"
    assert database.versions() == ["aa"]


def test_every_condition_has_a_next_step_that_says_whether_anything_was_changed() -> None:
    for kind in CONDITIONS:
        assert kind.what[0].islower() and kind.next[0].islower(), kind
        assert "log" not in kind.next.split(), kind
    states = [state for kind in CONDITIONS for state in kind.states]
    assert len(states) == len(set(states))
