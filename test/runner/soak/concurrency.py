"""Many functions at once: each revision runs once, and a run that waits too long ends with `locked`."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from conftest import Backend, Database, invoke, set_settings
from interrupted import empty
from processes import Call

PROCESSES = int(os.environ.get("PROCESSES", "50"))
ROUNDS = int(os.environ.get("ROUNDS", "10"))
REVISIONS = [f"r{number}" for number in range(5)]


def test_concurrent_runs_apply_each_revision_once(backend: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    # Each holds two of the server's 100 connections, so some wait to connect.
    set_settings(monkeypatch, limits={"mutexWaitSeconds": 120, "connectRetrySeconds": 120})
    down = None
    for revision in REVISIONS:
        create = 'op.execute("CREATE TABLE IF NOT EXISTS done (revision text)")'
        down = backend.revision(revision, down, f"{create}\nop.execute(\"INSERT INTO done VALUES ('{revision}')\")")
    invoke({"command": "plan"})
    statuses: Counter[str] = Counter()
    for _ in range(ROUNDS):
        calls = [Call() for _ in range(PROCESSES)]
        answers = [call.answer() for call in calls]
        statuses.update(answer["error"]["code"] if "error" in answer else answer["status"] for answer in answers)
        applied = [item["revision"] for answer in answers for item in answer["applied"]]
        assert sorted(applied) == REVISIONS
        for table in ("done", "cdk_alembic.run_revision"):
            assert database.rows(f"SELECT revision FROM {table} ORDER BY 1") == [(revision,) for revision in REVISIONS]
        assert database.versions() == [REVISIONS[-1]]
        empty(database)
    print(f"{PROCESSES} processes at once, {ROUNDS} times: {dict(statuses)}")
    assert set(statuses) <= {"complete", "locked"}
