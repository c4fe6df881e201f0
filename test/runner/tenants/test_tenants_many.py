"""Fifty tenants, three of which can't be migrated; a thousand in the soak."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cdk_alembic.database.mutex import key_of
from conftest import Backend, Database, eventually, fresh_database, invoke
from tenancy import VERSION_TABLE_SCHEMA, batch, codes, create_schemas, outcomes, set_tenant_settings, write_env

TENANTS = [f"t{number:04}" for number in range(int(os.environ.get("TENANTS", "50")))]
LOCKED, AHEAD, BROKEN = "t0013", "t0026", "t0039"


@pytest.fixture
def database() -> Iterator[Database]:
    """Of its own: to empty one of so many schemas takes more locks than a server has."""
    with fresh_database() as database:
        yield database


@pytest.fixture
def many_tenants(package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """At the first revision, the second one pending. The tables are written by hand: that is not what is looked at."""
    set_tenant_settings(monkeypatch, limits={"mutexWaitSeconds": 1})
    write_env(package.initialise(database.url("postgresql+psycopg")), VERSION_TABLE_SCHEMA)
    create_schemas(database, TENANTS)
    with database.connect() as connection, connection.pipeline():
        for name in TENANTS:
            connection.execute(f'CREATE TABLE "{name}".alembic_version (version_num varchar(32) PRIMARY KEY)')
            connection.execute(f"INSERT INTO \"{name}\".alembic_version VALUES ('r1')")
            connection.execute(f'CREATE TABLE "{name}".users (email text)')
    package.revision("r1")
    package.revision("r2", "r1", 'op.create_unique_constraint("users_email", "users", ["email"])')
    return package


def positions(database: Database) -> dict[str, list[str]]:
    """Tenants by the revision in their version table."""
    union = " UNION ALL ".join(f"SELECT '{name}', version_num FROM \"{name}\".alembic_version" for name in TENANTS)
    found: dict[str, list[str]] = {}
    for name, revision in database.rows(union):
        found.setdefault(revision, []).append(name)
    return found


def megabytes() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmRSS:")[1].split()[0]) / 1024
    # In bytes on macOS.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def test_three_failed_tenants_do_not_stop_the_others_and_the_next_run_migrates_only_them(
    many_tenants: Backend, database: Database
) -> None:
    with database.connect() as connection:
        connection.execute(f"UPDATE \"{AHEAD}\".alembic_version SET version_num = 'r9'")
        connection.execute(f"INSERT INTO \"{BROKEN}\".users VALUES ('twice'), ('twice')")
    run_id = "0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11"
    with database.connect(application_name="a rival") as rival:
        rival.execute("SELECT pg_advisory_lock(%s)", [key_of("alembic_version", LOCKED)])
        started = time.monotonic()
        answer = invoke(batch(*TENANTS, runId=run_id), seconds=600)
        lasted = time.monotonic() - started
    print(f"{len(TENANTS)} tenants in {lasted:.1f} s")
    assert (answer["status"], answer["failed"], answer["left"], answer["notStarted"]) == ("complete", 3, [], [])
    assert codes(answer) == {LOCKED: "locked", AHEAD: "database_ahead", BROKEN: "migration_failed"}
    assert "a rival" in outcomes(answer)[LOCKED]["error"]["message"]
    assert {name: (o["from"], o["to"], o["pending"]) for name, o in outcomes(answer).items() if "error" in o} == {
        LOCKED: (["r1"], ["r1"], 1),
        AHEAD: (["r9"], ["r9"], 0),
        BROKEN: (["r1"], ["r1"], 1),
    }
    assert [outcome["tenant"] for outcome in answer["outcomes"]] == TENANTS
    assert len(json.dumps(answer)) < 256 * 1024  # what a state of Step Functions hands on
    found = positions(database)
    assert (found.pop("r9"), found.pop("r1")) == ([AHEAD], [LOCKED, BROKEN])
    assert len(found.pop("r2")) == len(TENANTS) - 3 and not found

    recorded = "SELECT count(*), count(DISTINCT id), count(DISTINCT version_table) FROM cdk_alembic.run WHERE outcome = '{}'"
    assert database.rows(recorded.format("complete")) == [(len(TENANTS) - 3,) * 3]
    assert database.rows("SELECT version_table FROM cdk_alembic.run WHERE outcome <> 'complete'") == [
        (f"{BROKEN}.alembic_version",)
    ]
    writes = 'SELECT xmin::text, ctid::text FROM "{}".alembic_version'
    before = {name: database.rows(writes.format(name)) for name in (*TENANTS[:5], LOCKED, BROKEN, AHEAD)}

    with database.connect() as connection:
        connection.execute(f'TRUNCATE "{BROKEN}".users')
        connection.execute(f"UPDATE \"{AHEAD}\".alembic_version SET version_num = 'r1'")
    started = time.monotonic()
    again = invoke(batch(*TENANTS), seconds=600)
    print(f"again in {time.monotonic() - started:.1f} s")
    assert again["failed"] == 0
    assert {name for name, outcome in outcomes(again).items() if outcome["applied"]} == {LOCKED, AHEAD, BROKEN}
    assert positions(database) == {"r2": TENANTS}
    after = {name: database.rows(writes.format(name)) for name in before}
    assert {name for name in before if before[name] != after[name]} == {LOCKED, BROKEN, AHEAD}
    assert database.rows(recorded.format("complete")) == [(len(TENANTS), len(TENANTS), len(TENANTS))]


def test_memory_modules_and_sys_path_do_not_grow_with_the_tenants(many_tenants: Backend, database: Database) -> None:
    sizes = []
    quarter = len(TENANTS) // 4
    # The last call is as long as two others: what grows within a call would show.
    for start, end in ((0, quarter), (quarter, 2 * quarter), (2 * quarter, 4 * quarter)):
        assert invoke(batch(*TENANTS[start:end]), seconds=600)["failed"] == 0
        sizes.append((megabytes(), len(sys.path), len(sys.modules)))
    print(sizes)
    assert sizes[-1][1:] == sizes[0][1:]
    assert sizes[-1][0] - sizes[0][0] < 15
    connections = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    eventually(lambda: database.rows(connections) == [(0,)])
