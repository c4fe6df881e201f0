"""The record of a run is as true as the version table: both are written in the revision's own transaction."""

from __future__ import annotations

import sys
import uuid
from types import SimpleNamespace

import pytest
from cdk_alembic.database import history
from conftest import AT_GATE, WAIT, Backend, Database, eventually, failure, gate, invoke, set_settings
from each_driver import DRIVERS
from processes import Call

RIVAL = """
try:
    import rival
except ImportError:
    pass
else:
    rival.go()
"""
# A transaction that moves the version table fails when it is committed.
UNCOMMITTABLE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON alembic_version DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION refuse()
"""
BLOCK = "with op.get_context().autocommit_block():\n    "


@pytest.mark.every_driver
@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_revision_its_version_and_its_record_are_one_transaction(
    package: Backend, database: Database, template: str, scheme: str
) -> None:
    package.initialise(database.url(scheme), template)
    package.revision("aa", None, 'op.create_table("aa", sa.Column("id", sa.Integer))\nop.execute("INSERT INTO aa VALUES (1)")')
    record = "cdk_alembic.run_revision AS record"
    same = f"SELECT version.xmin = record.xmin FROM alembic_version AS version JOIN {record} ON revision = version_num"
    assert invoke()["to"] == ["aa"]
    assert database.rows(same) == [(True,)]
    assert database.rows(f"SELECT aa.xmin = record.xmin FROM aa, {record}") == [(True,)]
    package.revision("bb", "aa", BLOCK + 'op.execute("CREATE INDEX CONCURRENTLY ix ON aa (id)")')
    with database.connect() as connection:
        connection.execute(UNCOMMITTABLE)
        assert failure()["applied"] == []
        assert database.rows("SELECT revision FROM cdk_alembic.run_revision") == [("aa",)]
        connection.execute("DROP TRIGGER refuse ON alembic_version; DROP INDEX ix")
    assert [item["revision"] for item in invoke()["applied"]] == ["bb"]
    assert database.rows("SELECT revision FROM cdk_alembic.run_revision ORDER BY position") == [("aa",), ("bb",)]


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_role_that_a_revision_sets_does_not_lose_the_record(
    package: Backend, database: Database, template: str, scheme: str
) -> None:
    package.initialise(database.url(scheme), template)
    package.table_revision("aa")
    role = f"role_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {role}; GRANT ALL ON SCHEMA public TO {role}")
        try:
            invoke()
            connection.execute(f"GRANT ALL ON alembic_version TO {role}")
            package.revision("bb", "aa", f'op.execute("SET ROLE {role}")\nop.execute("CREATE TABLE bb (id int)")')
            package.table_revision("cc", "bb")
            answer = invoke()
            assert (answer["status"], [item["revision"] for item in answer["applied"]]) == ("complete", ["bb", "cc"])
            assert database.rows("SELECT revision FROM cdk_alembic.run_revision ORDER BY position") == [("aa",), ("bb",), ("cc",)]
        finally:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_killed_run_is_marked_by_the_next_one(backend: Backend, database: Database) -> None:
    backend.table_revision("aa")
    backend.revision("bb", "aa", WAIT)
    with gate(database):
        call = Call()
        eventually(lambda: database.rows(AT_GATE))
        warnings = invoke({"command": "plan"})["warnings"]
        assert len(warnings) == 1 and warnings[0].startswith("a run has been in progress since 2")
        call.kill()
        database.rows(AT_GATE.replace("SELECT", "SELECT pg_terminate_backend(pid, 60000)"))
        eventually(lambda: "killed" in "".join(invoke({"command": "current"})["warnings"]))
    [run] = invoke({"command": "history"})["runs"]
    assert (run["outcome"], [item["revision"] for item in run["applied"]]) == ("killed", ["aa"])
    assert database.rows("SELECT outcome FROM cdk_alembic.run") == [("running",)]  # nobody has held the mutex since then
    assert invoke()["to"] == ["bb"]
    assert database.rows("SELECT outcome, ended_at IS NULL FROM cdk_alembic.run ORDER BY started_at") == [
        ("killed", False),
        ("complete", False),
    ]
    assert invoke({"command": "plan"})["warnings"] == []


def test_a_run_that_starts_while_the_history_is_read_is_not_killed(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.table_revision("aa")
    invoke()
    database.execute("UPDATE cdk_alembic.run SET outcome = 'running', ended_at = NULL")
    is_locked = history.is_locked

    def then_another_starts(*arguments: object) -> bool:
        was_locked = is_locked(*arguments)
        database.execute(
            "WITH before AS (UPDATE cdk_alembic.run SET outcome = 'killed', ended_at = clock_timestamp()) "
            "INSERT INTO cdk_alembic.run SELECT gen_random_uuid(), version_table, stage, command, requested_by, "
            "clock_timestamp(), NULL, from_revisions, to_revisions, 'running', NULL, fresh FROM cdk_alembic.run"
        )
        return was_locked

    monkeypatch.setattr(history, "is_locked", then_another_starts)
    assert [run["outcome"] for run in invoke({"command": "history"})["runs"]] == ["running", "killed"]


def test_a_plan_says_why_the_last_run_failed(backend: Backend, database: Database) -> None:
    backend.revision("aa", None, 'op.execute("SELECT 1 / 0")')
    run_id = str(uuid.uuid4())
    failure({"runId": run_id, "requestedBy": "deploy app-prod"})
    for command in ("plan", "current"):
        [warning] = invoke({"command": command})["warnings"]
        assert "upgrade of deploy app-prod, failed at 2" in warning and "division by zero" in warning
    backend.revision("aa", None, "pass")
    invoke()
    assert invoke({"command": "plan"})["warnings"] == []


def test_another_run_that_moves_the_version_table_does_not_fail_a_run_that_succeeded(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, allow=["downgrade"])
    backend.table_revision("aa")
    backend.table_revision("bb", "aa")
    rivals = [lambda: Call({"command": "downgrade", "revision": "aa"}).answer()]
    monkeypatch.setitem(sys.modules, "rival", SimpleNamespace(go=lambda: rivals and rivals.pop()()))
    env = (backend.directory / "alembic" / "env.py").read_text()
    # What happens in a transaction of env.py's own can be seen after it, when the mutex is free again.
    env = env.replace("with connectable.connect() as connection:", "with connectable.begin() as connection:")
    backend.write_env(env + RIVAL)
    answer = invoke()
    assert [item["revision"] for item in answer["applied"]] == ["aa", "bb"]
    assert (answer["status"], answer["to"], database.versions()) == ("partial", ["aa"], ["aa"])
