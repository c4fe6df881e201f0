"""One run at a time, on a real PostgreSQL."""

from __future__ import annotations

import time

import pytest
from cdk_alembic.database.mutex import key_of
from conftest import ASKING_FOR_MUTEX, MUTEX, Backend, Database, eventually, failure, invoke, set_settings
from processes import Call

KEY = key_of("alembic_version", None)


def test_a_run_that_finds_the_mutex_held_names_the_holder_and_changes_nothing(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, limits={"mutexWaitSeconds": 1})
    backend.table_revision("aa")
    with database.connect(application_name="cdk-alembic prod 1234") as rival:
        rival.execute("SELECT pg_advisory_lock(%s)", [KEY])
        started = time.monotonic()
        answer = failure()
        waited = time.monotonic() - started
    assert answer["error"]["code"] == "locked"
    assert "cdk-alembic prod 1234" in answer["error"]["message"]
    assert waited >= 1
    assert database.tables() == []


def test_a_run_waits_for_the_mutex_and_then_migrates(
    backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, limits={"mutexWaitSeconds": 120})
    backend.table_revision("aa")
    with database.connect() as rival:
        rival.execute("SELECT pg_advisory_lock(%s)", [KEY])
        run = Call()
        eventually(lambda: database.rows(ASKING_FOR_MUTEX))
        assert database.tables() == []
    assert run.answer()["to"] == ["aa"]


@pytest.mark.parametrize("statement", ["SELECT 1", "SELECT 1/0"])
def test_the_mutex_is_free_after_a_run_and_after_a_failure(backend: Backend, database: Database, statement: str) -> None:
    backend.revision("aa", None, f'op.execute("{statement}")')
    failure() if "0" in statement else invoke()
    eventually(lambda: not database.rows(f"SELECT FROM pg_locks WHERE {MUTEX}"))


def test_reading_does_not_wait_for_the_mutex(backend: Backend, database: Database) -> None:
    backend.table_revision("aa")
    with database.connect() as rival:
        rival.execute("SELECT pg_advisory_lock(%s)", [KEY])
        assert invoke({"command": "plan"})["status"] == "pending"


def test_each_version_table_has_its_own_mutex() -> None:
    keys = {key_of("alembic_version", None), key_of("alembic_version", "tenant"), key_of("versions", None)}
    assert len(keys) == 3
    assert all(0 <= key < 2**63 for key in keys)
