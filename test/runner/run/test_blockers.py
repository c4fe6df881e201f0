"""Who holds what a run waits for, with all kinds of holders, on a PostgreSQL of its own: the shared one has no prepared
transactions, and its autovacuum does not come soon enough."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from cdk_alembic.database import blockers
from cdk_alembic.run import blocker_watch
from conftest import (
    AT_GATE,
    WAIT,
    Backend,
    Database,
    eventually,
    failure,
    fresh_database,
    gate,
    invoke,
    set_settings,
)
from each_driver import DRIVERS
from processes import Call
from servers import postgres

ALTER = 'op.add_column("aa", sa.Column("name", sa.Text))'
# Autovacuum freezes a table whose oldest transaction is this old, and then no lock request cancels it.
FREEZE_AGE = 100_000
SETTINGS = ["max_prepared_transactions=2", "autovacuum_naptime=1"]
# It comes all the same, and takes its time.
FREEZE_SLOWLY = f"""
ALTER TABLE aa SET (autovacuum_enabled = false, autovacuum_freeze_max_age = {FREEZE_AGE},
  autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)
"""
USE_UP_TRANSACTIONS = f"""
CREATE PROCEDURE use_up() LANGUAGE plpgsql AS $$
BEGIN FOR number IN 1..{FREEZE_AGE + 1000} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$
"""
VACUUMING = (
    "SELECT pid FROM pg_stat_activity JOIN pg_stat_progress_vacuum USING (pid)"
    " WHERE relid = 'aa'::regclass AND query LIKE '%to prevent wraparound%'"
)


@pytest.fixture
def own_database(package: Backend, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    with postgres(SETTINGS) as port:
        monkeypatch.setenv("PGPORT", str(port))
        with fresh_database() as database:
            package.initialise(database.url("postgresql+psycopg"))
            package.table_revision("aa")
            invoke()
            yield database


def hold(connection: psycopg.Connection) -> int:
    """Reads the table and leaves the transaction open."""
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) AS \"it's\" FROM aa WHERE id = 4711 OR 'a@b.example' IS NULL")
    return connection.info.backend_pid


def test_idle_transactions_reports_prepared_transactions_and_autovacuum_are_named(
    own_database: Database, package: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, limits={"lockTimeoutSeconds": 5, "lockRetrySeconds": 0})
    monkeypatch.setattr(blocker_watch, "SHARE_OF_LOCK_TIMEOUT", 0.02)
    own_database.execute(FREEZE_SLOWLY)
    own_database.execute("INSERT INTO aa SELECT generate_series(1, 100000)")
    own_database.execute(USE_UP_TRANSACTIONS)
    with ExitStack() as stack:
        connect = lambda name: stack.enter_context(own_database.connect(application_name=name))  # noqa: E731
        idle = hold(connect("shop"))
        preparing = connect("payments")
        preparing.execute("BEGIN")
        preparing.execute("INSERT INTO aa VALUES (0)")
        preparing.execute("PREPARE TRANSACTION 'pay 7'")
        reporting = own_database.connect(application_name="report")
        stack.callback(reporting.close)
        report = reporting.info.backend_pid
        reporting.pgconn.send_query(b"SELECT count(*), pg_sleep(1000) FROM aa WHERE id = 1")
        eventually(lambda: own_database.rows(f"SELECT 1 FROM pg_locks WHERE pid = {report} AND relation = 'aa'::regclass"))
        # The oldest are named first: autovacuum comes once transactions are used up.
        connect("x").execute("CALL use_up()")
        [(vacuum,)] = eventually(lambda: own_database.rows(VACUUMING))
        package.revision("bb", "aa", ALTER)
        error = failure()["error"]
        own_database.execute("ROLLBACK PREPARED 'pay 7'")
    assert (error["code"], error["sqlState"]) == ("lock_not_available", "55P03")
    found = {blocker.get("pid"): blocker for blocker in error["blockers"]}
    assert set(found) == {idle, report, vacuum, None}
    since = found[idle].pop("since")
    assert since.startswith("20") and since.endswith("Z")
    assert found[idle] == {
        "pid": idle,
        "kind": "client backend",
        "role": own_database.user,
        "application": "shop",
        "client": "127.0.0.1",
        "state": "idle in transaction",
        "statement": 'SELECT count(*) AS "it\'s" FROM aa WHERE id = ? OR ? IS NULL',
        "table": "aa",
        "lock": "AccessShareLock",
    }
    assert (found[report]["state"], found[report]["application"]) == ("active", "report")
    assert (found[vacuum]["kind"], found[vacuum]["lock"]) == ("autovacuum worker", "ShareUpdateExclusiveLock")
    prepared = found[None]
    assert (prepared["kind"], prepared["transaction"]) == ("prepared transaction", "pay 7")
    assert (prepared["role"], prepared["lock"]) == (own_database.user, "RowExclusiveLock")
    assert f"held by client backend {idle} (role {own_database.user}, shop, 127.0.0.1, idle in " in error["message"]
    assert error["message"].endswith("; and 1 more")
    assert "4711" not in json.dumps(error) and "a@b.example" not in json.dumps(error)
    for step in (f"pg_terminate_backend({idle})", f"pg_cancel_backend({report})", "ROLLBACK PREPARED 'pay 7'"):
        assert step in error["next"]


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_retry_names_the_holder_in_its_log_line(
    package: Backend,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    template: str,
    scheme: str,
) -> None:
    set_settings(monkeypatch, limits={"lockTimeoutSeconds": 0.4})
    package.initialise(database.url(scheme), template)
    package.table_revision("aa")
    invoke()
    package.revision("bb", "aa", ALTER)
    seen = ""

    def is_named() -> bool:
        nonlocal seen
        seen += capfd.readouterr().out
        return f'"heldBy": "client backend {holder} (role {database.user}, shop,' in seen

    with database.connect(application_name="shop") as reader:
        holder = hold(reader)
        run = Call()
        eventually(is_named)
    assert run.answer()["to"] == ["bb"]


def test_a_concurrent_index_that_waits_until_the_deadline_names_the_transaction(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocker_watch, "DEADLINE_MARGIN_SECONDS", 1000)
    backend.table_revision("aa")
    invoke()
    build = 'op.create_index("ix_aa", "aa", ["id"], postgresql_concurrently=True)'
    backend.revision("bb", "aa", f"with op.get_context().autocommit_block():\n    {build}")
    with database.connect(application_name="shop") as writer:
        writer.execute("BEGIN")
        writer.execute("INSERT INTO aa VALUES (1)")
        pid = writer.info.backend_pid
        error = failure(seconds=6)["error"]
    assert error["code"] == "deadline_reached"
    assert [(blocker["pid"], blocker["state"]) for blocker in error["blockers"]] == [(pid, "idle in transaction")]
    assert "held by client backend" in error["message"] and "pg_terminate_backend" in error["next"]


def test_without_privileges_the_run_warns_with_the_grant_and_continues(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    set_settings(monkeypatch, limits={"lockTimeoutSeconds": 5, "lockRetrySeconds": 0})
    monkeypatch.setattr(blocker_watch, "SHARE_OF_LOCK_TIMEOUT", 0.02)
    role = f"migrator_{database.name}"
    database.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT ALL ON SCHEMA public TO {role}")
    try:
        backend.initialise(database.url("postgresql+psycopg").replace(f"{database.user}:{database.password}", f"{role}:x"))
        backend.table_revision("aa")
        invoke()
        backend.revision("bb", "aa", ALTER)
        with database.connect(application_name="shop") as reader:
            pid = hold(reader)
            error = failure()["error"]
            # It sees now that the session is idle, and PostgreSQL refuses to end it.
            database.execute(f"GRANT pg_read_all_stats TO {role}")
            set_settings(
                monkeypatch, limits={"lockTimeoutSeconds": 2, "endBlockers": {"applications": ["shop"], "idleSeconds": 0}}
            )
            run = Call()
            eventually(lambda: run.is_over() or '"blocker_not_ended"' in capfd.readouterr().out)
        answer = run.answer()
        [warning] = [one for one in answer["warnings"] if "endBlockers" in one]
        assert warning.startswith("limits.endBlockers could not end a session: ")
        assert warning.endswith(f"; GRANT pg_signal_backend TO {role}")
        assert answer["to"] == ["bb"] and "endedBlockers" not in answer
        [blocker] = error["blockers"]
        assert (blocker["pid"], blocker["application"], blocker["hidden"]) == (pid, "shop", True)
        assert (blocker["role"], blocker["lock"]) == (database.user, "AccessShareLock")
        assert "state" not in blocker and "statement" not in blocker
        assert f"GRANT pg_read_all_stats TO {role}" in error["next"]
    finally:
        database.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("allowed", [{"applications": ["shop"]}, {"roles": [os.environ["PGUSER"]]}])
def test_an_idle_transaction_is_ended_if_the_stage_allows_it_and_nobody_else(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, allowed: dict[str, list[str]]
) -> None:
    backend.table_revision("aa")
    invoke()
    backend.revision("bb", "aa", ALTER)
    monkeypatch.setattr(blocker_watch, "SHARE_OF_LOCK_TIMEOUT", 0.02)
    limits = {"lockTimeoutSeconds": 2, "lockRetrySeconds": 0}
    idle = database.connect(application_name="shop")
    try:
        pid = hold(idle)
        for refused in ({"applications": ["other"]}, {**allowed, "idleSeconds": 900}):
            set_settings(monkeypatch, limits={**limits, "endBlockers": refused})
            assert failure()["error"]["code"] == "lock_not_available"
        set_settings(monkeypatch, limits={**limits, "endBlockers": {**allowed, "idleSeconds": 0}})
        answer = invoke()
    finally:
        idle.close()
    assert answer["to"] == ["bb"]
    [ended] = answer["endedBlockers"]
    assert (ended["pid"], ended["application"], ended["state"]) == (pid, "shop", "idle in transaction")
    [run, *_] = invoke({"command": "history"})["runs"]
    assert run["endedBlockers"] == [ended]


def test_a_session_that_is_slow_to_end_is_recorded_once(
    package: Backend,
    own_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(blocker_watch, "SHARE_OF_LOCK_TIMEOUT", 0.02)
    allowed = {"applications": ["shop"], "idleSeconds": 0}
    set_settings(monkeypatch, limits={"lockTimeoutSeconds": 2, "endBlockers": allowed})
    package.revision("bb", "aa", ALTER)
    seen = ""

    def is_tried_again() -> bool:
        nonlocal seen
        seen += capfd.readouterr().out
        return "blocker_ended" in seen and seen.count("lock_retry") > 1

    idle = own_database.connect(application_name="shop")
    pid = hold(idle)
    os.kill(pid, signal.SIGSTOP)
    try:
        run = Call()
        eventually(is_tried_again)
    finally:
        os.kill(pid, signal.SIGCONT)
    answer = run.answer()
    idle.close()
    assert (answer["to"], [ended["pid"] for ended in answer["endedBlockers"]]) == (["bb"], [pid])


def test_locked_describes_the_holder_of_the_mutex(backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    set_settings(monkeypatch, limits={"mutexWaitSeconds": 0})
    backend.revision("aa", None, WAIT)
    with gate(database):
        holder = Call()
        eventually(lambda: database.rows(AT_GATE))
        [blocker] = failure()["error"]["blockers"]
    assert blocker["application"].startswith("cdk-alembic test ")
    assert (blocker["kind"], blocker["role"]) == ("client backend", database.user)
    assert holder.answer()["to"] == ["aa"]


def test_a_run_that_gets_its_locks_opens_no_third_connection(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, limits={"lockTimeoutSeconds": 0.01})
    opened = []
    monkeypatch.setattr(blocker_watch.drivers, "connect", lambda *_: opened.append(1))
    backend.revision("aa", None, "op.execute('SELECT pg_sleep(0.1)')\nop.execute('SELECT 1')")
    assert invoke()["to"] == ["aa"]
    assert not opened


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("SELECT 'it''s', 1.5, t1 FROM \"T 2\"", 'SELECT ?, ?, t1 FROM "T 2"'),
        ("ALTER ROLE a PASSWORD E'it\\'s secret'", "ALTER ROLE a PASSWORD ?"),
        ("SELECT 'c:\\', 'secret'", "SELECT ?, ?"),
        ("SELECT 1 -- don't\n, 'secret' /* isn't */ , 2", "SELECT ?  \n, ?   , ?"),
        ("DO $x$ SELECT 'secret' $x$ || $$secret$$", "DO ? || ?"),
        ("INSERT INTO t VALUES ('cut off by Postg", "INSERT INTO t VALUES (?"),
    ],
)
def test_a_statement_is_shown_without_its_values(statement: str, shown: str) -> None:
    assert blockers.without_values(statement) == shown
