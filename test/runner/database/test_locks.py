"""Rivals, busy tables and indexes, with processes of their own and real traffic."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from cdk_alembic.handler import MigrationFailed
from cdk_alembic.run import session
from conftest import (
    ASKING_FOR_MUTEX,
    AT_GATE,
    BLOCKED,
    COUNT_TRIES,
    MUTEX,
    WAIT,
    Backend,
    Database,
    count_tries,
    eventually,
    failure,
    gate,
    invoke,
    set_settings,
)
from each_driver import DRIVERS
from processes import Call

INDEX = 'with op.get_context().autocommit_block():\n    op.create_index("ix_aa", "aa", ["id"], postgresql_concurrently=True)'
BUILDING = "SELECT FROM pg_stat_progress_create_index WHERE datname = current_database()"
HALF = 'op.execute("CREATE TABLE half (id int)")'
ALTER = 'op.add_column("aa", sa.Column("name", sa.Text))'


@contextmanager
def busy(database: Database, until: Callable[[], Any] = lambda: False) -> Iterator[None]:
    """Someone reads the table and leaves the transaction open: until this is so, or else for the whole block."""
    over = threading.Event()

    def wait(reader: psycopg.Connection) -> None:
        while not (over.is_set() or until()):
            time.sleep(0.02)
        reader.execute("COMMIT")

    with database.connect() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM aa")
        waiting = threading.Thread(target=wait, args=[reader])
        waiting.start()
        try:
            yield
        finally:
            over.set()
            waiting.join()


class TestRivals:
    def test_of_ten_requests_at_once_one_migrates_and_all_report_complete(self, backend: Backend, database: Database) -> None:
        down = None
        for number in range(5):
            down = backend.revision(
                f"r{number}", down, f'op.execute("CREATE TABLE t{number} (id int)")\nop.execute("SELECT pg_sleep(0.1)")'
            )
        answers = [call.answer() for call in [Call() for _ in range(10)]]
        assert [(answer["status"], answer["to"]) for answer in answers] == [("complete", ["r4"])] * 10
        applied = Counter(item["revision"] for answer in answers for item in answer["applied"])
        assert applied == {f"r{number}": 1 for number in range(5)}
        assert database.versions() == ["r4"]

    def test_locked_names_the_run_that_holds_the_mutex_and_since_when(
        self, backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_settings(monkeypatch, limits={"mutexWaitSeconds": 1})
        backend.revision("aa", None, WAIT)
        with gate(database):
            holder = Call()
            eventually(lambda: database.rows(AT_GATE))
            held = database.rows(f"SELECT pid FROM pg_locks WHERE {MUTEX}")
            started = time.monotonic()
            answer = failure()
            assert time.monotonic() - started >= 1
        assert answer["error"]["code"] == "locked"
        assert "cdk-alembic test " in answer["error"]["message"]
        assert f"(backend {held[0][0]}, connected since 2" in answer["error"]["message"]
        assert f"pg_terminate_backend({held[0][0]})" in answer["error"]["next"]
        assert holder.answer()["status"] == "complete"

    def test_a_run_that_loses_its_mutex_stops_before_the_next_revision(
        self, backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_settings(monkeypatch, limits={"connectRetrySeconds": 120})
        backend.revision(
            "aa",
            None,
            'op.execute("CREATE TABLE aa (id int)")\n'
            f'op.execute("SELECT pg_terminate_backend(pid, 60000) FROM pg_locks WHERE {MUTEX}")',
        )
        backend.table_revision("bb", "aa")
        answer = failure()
        assert answer["error"]["code"] == "database_unreachable"
        assert "someone ended the session that holds the mutex" in answer["error"]["message"]
        assert [item["revision"] for item in answer["applied"]] == ["aa"]
        assert database.versions() == ["aa"]
        assert invoke()["to"] == ["bb"]

    @pytest.mark.parametrize(("template", "scheme"), DRIVERS)
    def test_an_index_is_built_concurrently_while_three_rivals_wait(
        self, package: Backend, database: Database, template: str, scheme: str
    ) -> None:
        package.initialise(database.url(scheme), template)
        package.table_revision("aa")
        invoke()
        package.revision("bb", "aa", f"{WAIT}\n{INDEX}")
        with gate(database) as open_gate, database.connect() as older:
            builder = Call()
            eventually(lambda: database.rows(AT_GATE))
            rivals = [Call() for _ in range(3)]
            eventually(lambda: len(database.rows(ASKING_FOR_MUTEX)) == 3)
            # The build waits for this snapshot, so that the rivals ask for the mutex while it is under way, too.
            older.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            older.execute("SELECT 1 FROM aa")
            open_gate()
            eventually(lambda: database.rows(BUILDING))
            [(building,)] = database.rows("SELECT clock_timestamp()::text")
            eventually(lambda: len(database.rows(f"{ASKING_FOR_MUTEX} AND query_start > '{building}'")) == 3)
            assert not any(call.is_over() for call in (builder, *rivals))
            older.execute("COMMIT")
        answers = [call.answer() for call in (builder, *rivals)]
        assert [answer["status"] for answer in answers] == ["complete"] * 4
        assert [len(answer["applied"]) for answer in answers] == [1, 0, 0, 0]
        assert database.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_aa'::regclass") == [(True,)]


class TestBusyTables:
    @pytest.mark.parametrize(("template", "scheme"), DRIVERS)
    def test_a_revision_is_retried_until_the_table_is_free(
        self,
        package: Backend,
        database: Database,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        template: str,
        scheme: str,
    ) -> None:
        set_settings(monkeypatch, limits={"lockTimeoutSeconds": 0.3})
        package.initialise(database.url(scheme), template)
        package.table_revision("aa")
        invoke()
        tries = count_tries(database)
        package.revision("bb", "aa", f'{COUNT_TRIES}op.create_table("bb", sa.Column("id", sa.Integer))\n{ALTER}')
        with busy(database, until=lambda: tries() >= 2):
            answer = invoke()
        assert [item["revision"] for item in answer["applied"]] == ["bb"]
        assert '"event": "lock_retry"' in capsys.readouterr().out
        assert database.versions() == ["bb"]

    def test_a_run_that_cannot_write_the_record_warns_only_once(
        self, backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        set_settings(monkeypatch, limits={"lockTimeoutSeconds": 0.3})
        database.execute("CREATE SCHEMA cdk_alembic; CREATE TABLE cdk_alembic.run_revision (of_someone_else int)")
        backend.table_revision("aa")
        invoke()
        tries = count_tries(database)
        backend.revision("bb", "aa", f"{COUNT_TRIES}{ALTER}")
        capsys.readouterr()
        with busy(database, until=lambda: tries() >= 2):
            answer = invoke()
        assert answer["to"] == ["bb"]
        assert [warning.partition(":")[0] for warning in answer["warnings"]] == ["the run history could not be written"]
        assert capsys.readouterr().out.count('"event": "history_not_written"') == 1

    def test_a_table_that_stays_busy_is_reported_when_the_time_is_used_up(
        self, backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_settings(monkeypatch, limits={"lockTimeoutSeconds": 0.2, "lockRetrySeconds": 1.5})
        backend.table_revision("aa")
        invoke()
        backend.revision("bb", "aa", 'op.create_table("bb", sa.Column("id", sa.Integer))\n' + ALTER)
        started = time.monotonic()
        with busy(database):
            answer = failure()
        assert time.monotonic() - started >= 1.5
        assert (answer["error"]["code"], answer["error"]["revision"]) == ("lock_not_available", "bb")
        assert answer["error"]["sqlState"] == "55P03"
        assert "rolled back" in answer["error"]["next"]
        assert database.versions() == ["aa"]
        assert database.tables() == ["aa", "alembic_version"]

    @pytest.mark.parametrize(
        ("committed", "words"),
        [
            ('with op.get_context().autocommit_block():\n    op.execute("CREATE TABLE half (id int)")', "committed"),
            (f"{HALF}\nop.get_bind().commit()", "committed"),
            (f'{HALF}\nop.execute("COMMIT")', "committed"),
            ('op.execute("-- once\\nCREATE TABLE half (id int); /* now */ COMMIT")', "committed"),
            (f"{HALF}\nop.get_bind().connection.commit()", "may have committed"),
            (f'{HALF}\nop.get_bind().connection.cursor().execute("COMMIT")', "may have committed"),
        ],
    )
    def test_a_revision_that_has_committed_is_not_retried(
        self, backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, committed: str, words: str
    ) -> None:
        set_settings(monkeypatch, limits={"lockTimeoutSeconds": 0.2})
        backend.table_revision("aa")
        invoke()
        backend.revision("bb", "aa", f"{committed}\n{ALTER}")
        with busy(database):
            answer = failure()
        assert (answer["error"]["code"], answer["error"]["revision"]) == ("lock_not_available", "bb")
        assert "in 1 tries" in answer["error"]["message"]
        assert answer["error"]["next"].startswith(f"it {words} part of its work")
        assert database.tables() == ["aa", "alembic_version", "half"]

    def test_a_lock_timeout_that_a_revision_sets_lasts_until_its_end(
        self, backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_settings(monkeypatch, limits={"lockTimeoutSeconds": 0.2, "lockRetrySeconds": 0})
        # The runner's limits are set anew before each statement.
        monkeypatch.setattr(session, "REFRESH_SECONDS", 0)
        backend.table_revision("aa")
        invoke()
        backend.revision("bb", "aa", f'op.execute("SET lock_timeout = 60000")\nop.execute("SELECT 1")\n{ALTER}')
        backend.revision("cc", "bb", "op.execute(\"CREATE TABLE timeout AS SELECT current_setting('lock_timeout')\")")
        waits_longer = BLOCKED.format("ALTER") + " AND clock_timestamp() - query_start > interval '0.5 s'"
        with busy(database, until=lambda: database.rows(waits_longer)):
            assert invoke()["to"] == ["cc"]
        assert database.rows("SELECT * FROM timeout") == [("200ms",)]

    @pytest.mark.parametrize(
        "upgrade",
        [
            'op.create_table("t", sa.Column("id", sa.Integer))',
            "op.execute(\"SELECT set_config('lock_timeout', '0', false)\")",
            'op.execute("DO $$ BEGIN SET lock_timeout = 0; END $$")',
            'op.execute("CREATE TABLE t (id int); SET lock_timeout = 0")',
            'op.execute("RESET ALL")',
            'with op.get_context().autocommit_block():\n    op.execute("DISCARD ALL")',
            'op.get_bind().get_transaction().rollback()\nop.get_bind().begin()\nop.execute("CREATE TABLE t (id int)")',
            'with op.get_bind().begin_nested() as nested:\n    op.execute("CREATE TABLE t (id int)")\n    nested.rollback()',
        ],
    )
    def test_settings_that_a_revision_changes_are_restored_for_the_next_one(
        self, backend: Backend, database: Database, upgrade: str
    ) -> None:
        shown = "op.execute(\"CREATE TABLE timeout AS SELECT current_setting('lock_timeout') AS found\")"
        backend.table_revision("aa")
        backend.revision("bb", "aa", upgrade)
        backend.revision("cc", "bb", shown)
        try:
            invoke()
        except MigrationFailed as error:
            assert "bb" in str(error)  # it ended Alembic's transaction
            invoke()
        assert database.rows("SELECT found FROM timeout") == [("5s",)]

    @pytest.mark.every_driver
    @pytest.mark.parametrize(("template", "scheme"), DRIVERS)
    @pytest.mark.parametrize("seconds", [session.REFRESH_SECONDS, 0])
    def test_an_error_that_a_revision_catches_around_a_savepoint_is_forgotten(
        self, package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, template: str, scheme: str, seconds: float
    ) -> None:
        monkeypatch.setattr(session, "REFRESH_SECONDS", seconds)
        package.initialise(database.url(scheme), template)
        package.revision(
            "aa",
            None,
            'op.create_table("aa", sa.Column("id", sa.Integer))\n'
            "try:\n"
            "    with op.get_bind().begin_nested():\n"
            '        op.create_table("aa", sa.Column("id", sa.Integer))\n'
            "except sa.exc.ProgrammingError:\n"
            '    op.execute("INSERT INTO aa VALUES (1)")\n'
            'op.execute("SAVEPOINT own")\n'
            "try:\n"
            '    op.execute("SELECT 1 / 0")\n'
            "except sa.exc.DBAPIError:\n"
            '    op.execute("ROLLBACK TO SAVEPOINT own")\n'
            "op.execute(\"INSERT INTO aa SELECT 2 WHERE current_setting('lock_timeout') = '5s'\")",
        )
        assert invoke()["to"] == ["aa"]
        assert database.rows("SELECT id FROM aa ORDER BY id") == [(1,), (2,)]

    def test_the_application_never_waits_longer_than_the_lock_timeout(
        self, backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, record_property: object
    ) -> None:
        timeout = 0.5
        set_settings(monkeypatch, limits={"lockTimeoutSeconds": timeout})
        backend.table_revision("aa")
        invoke()
        tries = count_tries(database)
        backend.revision("bb", "aa", COUNT_TRIES + ALTER)
        waits: list[float] = []
        over = threading.Event()

        def query() -> None:
            with database.connect() as application:
                # With a pause: three that never stop would take most of a processor.
                while not over.wait(0.02):
                    started = time.monotonic()
                    application.execute("SELECT count(*) FROM aa")
                    waits.append(time.monotonic() - started)

        readers = [threading.Thread(target=query) for _ in range(3)]
        for reader in readers:
            reader.start()
        began = time.monotonic()
        with busy(database, until=lambda: tries() >= 8):
            assert invoke()["to"] == ["bb"]
        lasted = time.monotonic() - began
        over.set()
        for reader in readers:
            reader.join()
        record_property("longest_wait_seconds", max(waits))
        print(f"{len(waits)} queries of the application, the longest waited {max(waits):.3f} s; lock timeout {timeout} s")
        # They queued behind a try of the migration, and not for as long as the table was busy.
        assert timeout * 0.8 < max(waits) < lasted / 2


class TestInvalidIndexes:
    UNIQUE = (
        "with op.get_context().autocommit_block():\n"
        '    op.create_index("ux_aa", "aa", ["code"], unique=True, postgresql_concurrently=True, if_not_exists=True)'
    )

    def fail_to_build(self, package: Backend, database: Database, scheme: str, template: str) -> None:
        package.initialise(database.url(scheme), template)
        package.revision("aa", None, 'op.execute("CREATE TABLE aa (code int)")\nop.execute("INSERT INTO aa VALUES (1), (1)")')
        package.revision("bb", "aa", self.UNIQUE)
        answer = failure()
        assert (answer["error"]["code"], answer["error"]["revision"]) == ("migration_failed", "bb")
        assert answer["error"]["sqlState"] == "23505"
        assert database.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ux_aa'::regclass") == [(False,)]

    @pytest.mark.parametrize(("template", "scheme"), DRIVERS)
    def test_an_index_left_behind_is_named_and_dropped_only_on_request(
        self, package: Backend, database: Database, template: str, scheme: str
    ) -> None:
        self.fail_to_build(package, database, scheme, template)
        before = database.rows("SELECT oid FROM pg_class WHERE relname = 'ux_aa'")
        answer = failure()
        assert (answer["error"]["code"], answer["error"]["revision"]) == ("invalid_index", "bb")
        assert "public.ux_aa on aa" in answer["error"]["message"]
        assert "DROP INDEX CONCURRENTLY public.ux_aa" in answer["error"]["next"]
        assert database.rows("SELECT oid FROM pg_class WHERE relname = 'ux_aa'") == before
        assert database.versions() == ["aa"]
        with database.connect() as connection:
            connection.execute("DELETE FROM aa WHERE ctid = '(0,1)'")
        assert invoke({"allow": ["drop_invalid_indexes"]})["to"] == ["bb"]
        assert database.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ux_aa'::regclass") == [(True,)]

    def test_an_invalid_index_that_no_pending_revision_names_is_a_warning(self, backend: Backend, database: Database) -> None:
        with database.connect() as connection:
            connection.execute("CREATE TABLE other (code int)")
            connection.execute("INSERT INTO other VALUES (1), (1)")
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute('CREATE UNIQUE INDEX CONCURRENTLY "Odd ix" ON other (code)')
        backend.table_revision("aa")
        answer = invoke()
        assert answer["to"] == ["aa"]
        assert 'DROP INDEX CONCURRENTLY public."Odd ix"' in answer["warnings"][0]

    def test_an_index_that_is_being_built_is_not_mistaken_for_one_left_behind(self, backend: Backend, database: Database) -> None:
        backend.table_revision("aa")
        invoke()
        backend.revision("bb", "aa", "op.execute(\"COMMENT ON TABLE aa IS 'has ix_aa'\")")
        with database.connect() as older, database.connect() as builder:
            older.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            older.execute("SELECT 1 FROM aa")
            building = threading.Thread(target=builder.execute, args=["CREATE INDEX CONCURRENTLY ix_aa ON aa (id)"])
            building.start()
            eventually(lambda: database.rows(BUILDING))
            run = Call()
            # It has looked at the indexes, and its comment waits for the build to end.
            eventually(lambda: database.rows(BLOCKED.format("COMMENT")))
            older.execute("COMMIT")
            assert run.answer()["to"] == ["bb"]
            building.join()
