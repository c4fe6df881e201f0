"""SIGKILL at random moments, as Lambda does at its deadline or a crash of the machine: the version table equals what is there."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, field

import pytest
from conftest import Backend, Database, eventually, invoke
from each_driver import DRIVERS
from interrupted import REVISIONS, SESSIONS, check, drop_invalid_index, empty, finish, state, write_revisions
from processes import Call

KILLS = int(os.environ.get("KILLS", "8"))
"""For each combination of driver and env.py; the soak has all five."""


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
    write_revisions(package)
    invoke({"command": "plan"})  # what a warm function has loaded
    tally = Tally()
    whole_run = 0.5
    while tally.kills < KILLS:
        after = random.uniform(0, whole_run)
        if not kill_one(database, tally, after):
            # A run takes less time than that: a later kill would come too late again.
            whole_run = after
        elif tally.kills % 4 == 0:
            started = time.monotonic()
            tally.invalid_indexes += finish()
            whole_run = time.monotonic() - started + 0.1
            assert state(database) == (REVISIONS, set(REVISIONS))
            empty(database)
    record_property("kills", tally.kills)
    print(f"{scheme} ({template}): {tally}")


def kill_one(database: Database, tally: Tally, after: float) -> bool:
    """Starts a run, and kills it after this number of seconds. Returns whether it was still running."""
    call = Call()
    time.sleep(after)
    if call.is_over():
        answer = call.answer()
        if answer["status"] == "complete":
            empty(database)
        else:
            drop_invalid_index(answer)
            tally.invalid_indexes += 1
        return False
    call.kill()
    killed = time.monotonic()
    if random.random() < 0.5:
        # Else PostgreSQL finds out itself, and ends what it is at or finishes it before it does.
        database.rows(SESSIONS.replace("SELECT", "SELECT pg_terminate_backend(pid)"))
    eventually(lambda: not database.rows(SESSIONS))
    tally.slowest_end = max(tally.slowest_end, time.monotonic() - killed)
    tally.kills += 1
    applied = check(database)
    where = applied[-1] if applied else "base"
    tally.moments[where] = tally.moments.get(where, 0) + 1
    if applied == REVISIONS:
        empty(database)
    return True
