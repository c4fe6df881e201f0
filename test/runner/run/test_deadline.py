"""The function's deadline, and what PostgreSQL does when the function is gone."""

from __future__ import annotations

import time

import pytest
from cdk_alembic.connection import watchdog
from cdk_alembic.protocol import process
from conftest import (
    AT_GATE,
    NEAR_DEADLINE,
    SECOND_LEFT,
    WAIT,
    Backend,
    Context,
    Database,
    eventually,
    failure,
    gate,
    invoke,
)
from each_driver import DRIVERS
from network import closed_port, freezing, port_of
from processes import Call

SLEEPERS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
)


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
class TestEveryDriver:
    @pytest.mark.usefixtures("long_reserve")
    def test_a_statement_that_runs_until_the_deadline_is_cancelled_and_rolled_back(
        self, package: Backend, database: Database, template: str, scheme: str
    ) -> None:
        package.initialise(database.url(scheme), template)
        package.table_revision("aa")
        half = 'op.create_table("half", sa.Column("id", sa.Integer))'
        package.revision("bb", "aa", f'{half}\n{SECOND_LEFT}op.execute("SELECT pg_sleep(600)")')
        answer = failure()
        assert time.monotonic() < Context.latest.deadline
        assert (answer["error"]["code"], answer["error"]["revision"]) == ("deadline_reached", "bb")
        assert answer["error"]["sqlState"] == "57014"
        assert "the last committed revision is aa" in answer["error"]["message"]
        assert [item["revision"] for item in answer["applied"]] == ["aa"]
        assert database.tables() == ["aa", "alembic_version"]
        assert database.versions() == ["aa"]
        eventually(lambda: not database.rows(SLEEPERS))

    @pytest.mark.every_driver
    def test_the_error_does_not_claim_a_rollback_if_the_server_freezes_in_a_revision(
        self, package: Backend, database: Database, template: str, scheme: str
    ) -> None:
        with closed_port() as bound, freezing(bound, b"CREATE TABLE frozen"):
            port, database.port = database.port, str(port_of(bound))
            package.initialise(database.url(scheme), template)
            database.port = port
            package.table_revision("frozen")
            error = failure(seconds=20)["error"]
        assert error["code"] == "deadline_reached"
        assert "stopped answering" in error["message"]
        assert "rolled back" not in error["message"] + error["next"]

    def test_the_session_of_a_killed_function_ends_before_its_statement(
        self, package: Backend, database: Database, template: str, scheme: str, record_property: object
    ) -> None:
        package.initialise(database.url(scheme), template)
        package.revision("aa", None, 'op.execute("CREATE TABLE aa (id int)")\nop.execute("SELECT pg_sleep(600)")')
        call = Call()
        eventually(lambda: database.rows(SLEEPERS))
        call.kill()
        killed = time.monotonic()
        eventually(lambda: not database.rows(SLEEPERS))
        lasted = time.monotonic() - killed
        record_property("seconds_after_kill", lasted)
        print(f"{scheme} ({template}): the session ended {lasted:.2f} s after the kill")
        assert database.tables() == ["alembic_version"] or database.tables() == []


@pytest.mark.usefixtures("long_reserve")
def test_many_short_statements_end_before_the_deadline_too(backend: Backend, database: Database) -> None:
    backend.table_revision("aa")
    backend.revision("bb", "aa", SECOND_LEFT + 'for _ in range(1000):\n    op.execute("SELECT pg_sleep(0.2)")')
    answer = failure()
    assert time.monotonic() < Context.latest.deadline
    assert (answer["error"]["code"], answer["error"]["revision"]) == ("deadline_reached", "bb")
    assert database.versions() == ["aa"]


def test_a_statement_timeout_of_the_revision_itself_is_not_the_deadline(backend: Backend) -> None:
    backend.revision("aa", None, 'op.execute("SET LOCAL statement_timeout = 100")\nop.execute("SELECT pg_sleep(60)")')
    answer = failure()
    assert (answer["error"]["code"], answer["error"]["sqlState"]) == ("migration_failed", "57014")


@pytest.mark.usefixtures("long_reserve")
def test_a_revision_split_after_a_deadline_resumes_from_the_last_committed_one(backend: Backend, database: Database) -> None:
    backend.table_revision("aa")
    backend.revision("bb", "aa", f'{SECOND_LEFT}op.execute("SELECT pg_sleep(600)")')
    assert failure()["error"]["code"] == "deadline_reached"
    backend.table_revision("bb", "aa")
    answer = invoke()
    assert [item["revision"] for item in answer["applied"]] == ["bb"]


@pytest.mark.usefixtures("long_reserve")
def test_waiting_for_the_mutex_ends_before_the_deadline(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "RESERVE_SHARE", 1)
    backend.revision("aa", None, WAIT)
    with gate(database):
        holder = Call()
        eventually(lambda: database.rows(AT_GATE))
        # Six seconds more than the reserve.
        assert failure(seconds=66)["error"]["code"] == "locked"
        assert time.monotonic() < Context.latest.deadline
    assert holder.answer()["status"] == "complete"


@pytest.mark.usefixtures("long_reserve")
def test_a_revision_that_finishes_at_the_deadline_is_recorded_and_not_cancelled(backend: Backend, database: Database) -> None:
    # The limits are set anew before each statement of a revision, but not before that of Alembic after it.
    backend.revision("aa", None)
    invoke()
    with database.connect() as connection:
        connection.execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.1); RETURN new; END $$"
        )
        connection.execute("CREATE TRIGGER slow BEFORE UPDATE ON alembic_version FOR EACH ROW EXECUTE FUNCTION slow()")
    backend.revision("bb", "aa", f'op.execute("CREATE TABLE bb (id int)")\n{NEAR_DEADLINE}')
    assert invoke()["to"] == ["bb"]


SLOW_COMMIT = """
op.execute("CREATE TABLE slow (id int)")
op.execute("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(4); RETURN new; END $$")
op.execute("CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED"
           " FOR EACH ROW EXECUTE FUNCTION slow()")
op.execute("INSERT INTO slow VALUES (1)")
"""


@pytest.mark.parametrize("begun_by", ["connect", "begin"])
def test_a_commit_that_checks_deferred_constraints_may_take_as_long_as_its_revision(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch, begun_by: str
) -> None:
    monkeypatch.setattr(watchdog, "ANSWER_SECONDS", 3)
    env = (backend.directory / "alembic" / "env.py").read_text()
    assert "connectable.connect()" in env
    backend.write_env(env.replace("connectable.connect()", f"connectable.{begun_by}()"))
    backend.revision("aa", None, SLOW_COMMIT)
    assert invoke()["to"] == ["aa"]
    assert database.rows("SELECT id FROM slow") == [(1,)]


TIMEOUT_AT_COMMIT = """
op.execute("CREATE TABLE at_commit (timeout int)")
op.execute("CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
           " UPDATE at_commit SET timeout = (SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout');"
           " RETURN new; END $$")
op.execute("CREATE CONSTRAINT TRIGGER note AFTER INSERT ON at_commit DEFERRABLE INITIALLY DEFERRED"
           " FOR EACH ROW EXECUTE FUNCTION note()")
op.execute("INSERT INTO at_commit VALUES (NULL)")
"""


@pytest.mark.usefixtures("long_reserve")
def test_the_commit_of_a_revision_that_finished_at_the_deadline_may_use_the_reserve(backend: Backend, database: Database) -> None:
    backend.revision("aa", None, f"{TIMEOUT_AT_COMMIT}{NEAR_DEADLINE}")
    backend.table_revision("bb", "aa")
    answer = invoke()
    assert (answer["status"], answer["to"]) == ("partial", ["aa"])
    assert database.rows("SELECT timeout > 1000 FROM at_commit") == [(True,)]
