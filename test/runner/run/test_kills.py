"""SIGKILL at random moments, as Lambda does at its deadline or a crash of the machine: the version table equals what is there."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, field

import pytest
from conftest import DRIVERS, Backend, Database, eventually, invoke
from processes import Call

KILLS = int(os.environ.get("KILLS", "40"))
"""For each of the five combinations of driver and env.py."""

SESSIONS = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
BLOCK = "with op.get_context().autocommit_block():\n    "

# Revision: its upgrade and what is there when it is applied. Those that commit by themselves can be run again.
SLEEP = 'op.execute("SELECT pg_sleep(0.02)")'
# An index over it takes a while, so that kills meet it half built.
SLOW = "CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.002); RETURN $1; END $$"
TRANSACTIONAL = {
    "r0": ['op.create_table("r0", sa.Column("id", sa.Integer))', 'op.execute("INSERT INTO r0 SELECT generate_series(1, 20)")'],
    "r2": ['op.execute("CREATE TABLE r2 (id int)")', SLEEP, 'op.execute("CREATE TABLE r2b (id int)")', f'op.execute("{SLOW}")'],
    "r4": ['op.add_column("r0", sa.Column("r4", sa.Text))', "op.execute(\"UPDATE r0 SET r4 = 'x'\")"],
    "r6": ['op.execute("ALTER TABLE r2 RENAME TO r6")', SLEEP, 'op.execute("CREATE TABLE r2 (id int)")'],
}
BY_ITSELF = {
    "r1": [BLOCK + 'op.create_index("ix_r1", "r0", ["id"], postgresql_concurrently=True, if_not_exists=True)'],
    "r3": [BLOCK + 'op.execute("CREATE TABLE IF NOT EXISTS r3 (id int)")', SLEEP],
    "r5": [BLOCK + 'op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_r5 ON r0 (slow(id))")'],
}
REVISIONS = sorted({**TRANSACTIONAL, **BY_ITSELF})

# What each revision leaves: true or false, in one query.
PRESENT = {
    "r0": "to_regclass('r0') IS NOT NULL",
    "r1": "EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('ix_r1') AND indisvalid)",
    "r2": "to_regclass('r2') IS NOT NULL AND to_regclass('r2b') IS NOT NULL",
    "r3": "to_regclass('r3') IS NOT NULL",
    "r4": "EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('r0') AND attname = 'r4')",
    "r5": "EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('ix_r5') AND indisvalid)",
    "r6": "to_regclass('r6') IS NOT NULL",
}


@dataclass
class Tally:
    kills: int = 0
    moments: dict[str, int] = field(default_factory=dict)
    invalid_indexes: int = 0
    slowest_end: float = 0


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_after_a_kill_the_version_table_equals_what_is_there_and_the_next_run_succeeds(
    package: Backend, database: Database, template: str, scheme: str, record_property: object
) -> None:
    package.initialise(database.url(scheme), template)
    down = None
    for revision in REVISIONS:
        down = package.revision(revision, down, "\n".join({**TRANSACTIONAL, **BY_ITSELF}[revision]))
    invoke({"command": "plan"})  # what a warm function has loaded
    tally = Tally()
    whole_run = 0.5
    while tally.kills < KILLS:
        kill_one(database, tally, random.uniform(0, whole_run))
        if tally.kills % 4 == 0:
            started = time.monotonic()
            finish(tally)
            if whole_run == 0.5:
                whole_run = time.monotonic() - started + 0.1
            assert state(database) == (REVISIONS, set(REVISIONS))
            empty(database)
    record_property("kills", tally.kills)
    print(f"{scheme} ({template}): {tally}")


def kill_one(database: Database, tally: Tally, after: float) -> None:
    call = Call()
    time.sleep(after)
    if call.is_over():
        answer = call.answer()
        if answer["status"] == "complete":
            empty(database)
        else:
            accept_only_an_invalid_index(answer, tally)
        return
    call.kill()
    killed = time.monotonic()
    if random.random() < 0.5:
        # Else PostgreSQL finds out itself, and ends what it is at or finishes it before it does.
        database.rows(SESSIONS.replace("SELECT", "SELECT pg_terminate_backend(pid)"))
    eventually(lambda: not database.rows(SESSIONS))
    tally.slowest_end = max(tally.slowest_end, time.monotonic() - killed)
    tally.kills += 1
    applied, present = state(database)
    where = applied[-1] if applied else "base"
    tally.moments[where] = tally.moments.get(where, 0) + 1
    assert present >= set(applied), f"stamped {applied}, and there is {sorted(present)}"
    assert not (present - set(applied)) & set(TRANSACTIONAL), f"stamped {applied}, and there is {sorted(present)}"
    recorded = recorded_revisions(database)
    assert recorded == set(applied), f"stamped {applied}, and recorded {sorted(recorded)}"
    if applied == REVISIONS:
        empty(database)


def finish(tally: Tally) -> None:
    """The next run succeeds, or names what stands in its way and succeeds when it may take it away."""
    call = Call()
    answer = call.answer()
    if answer["status"] != "complete":
        accept_only_an_invalid_index(answer, tally)
        answer = Call({"allow": ["drop_invalid_indexes"]}).answer()
    assert answer["status"] == "complete", answer
    assert answer["to"] == ["r6"]


def accept_only_an_invalid_index(answer: dict[str, object], tally: Tally) -> None:
    assert answer["error"]["code"] == "invalid_index", answer
    tally.invalid_indexes += 1
    assert Call({"allow": ["drop_invalid_indexes"], "sliceSeconds": 0}).answer()["status"] in ("partial", "complete")


def state(database: Database) -> tuple[list[str], set[str]]:
    """The revisions that the version table says are applied, and those whose work is there."""
    with database.connect() as connection:
        row = connection.execute(f"SELECT {', '.join(PRESENT.values())}").fetchone()
        has_versions = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()[0]
        versions = connection.execute("SELECT version_num FROM alembic_version").fetchall() if has_versions else []
    assert len(versions) <= 1
    applied = REVISIONS[: REVISIONS.index(versions[0][0]) + 1] if versions else []
    return applied, {revision for revision, there in zip(PRESENT, row, strict=True) if there}


def recorded_revisions(database: Database) -> set[str]:
    with database.connect() as connection:
        if not connection.execute("SELECT to_regclass('cdk_alembic.run_revision') IS NOT NULL").fetchone()[0]:
            return set()
        return {row[0] for row in connection.execute("SELECT revision FROM cdk_alembic.run_revision")}


def empty(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS cdk_alembic CASCADE")
