"""PostgreSQL crashes at random moments of a run: the answer has a code, nothing is half applied, and the next run succeeds."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress

import psycopg
import pytest
from cdk_alembic.protocol import rules
from conftest import Backend, Database, eventually, invoke
from each_driver import DRIVERS
from interrupted import REVISIONS, SESSIONS, check, drop_invalid_index, empty, finish, write_revisions
from processes import Call

pytestmark = pytest.mark.every_driver

RESTARTS = max(1, int(os.environ.get("RESTARTS", "40")) // len(DRIVERS))
"""For each combination of driver and env.py."""


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_crash_of_the_server_is_an_answer_and_the_next_run_succeeds(
    package: Backend, database: Database, template: str, scheme: str
) -> None:
    package.initialise(database.url(scheme), template)
    write_revisions(package)
    invoke({"command": "plan"})
    codes: dict[str, int] = {}
    for _ in range(RESTARTS):
        call = Call()
        time.sleep(random.uniform(0, 0.6))
        crash(database)
        answer = call.answer()
        code = answer["error"]["code"] if "error" in answer else answer["status"]
        codes[code] = codes.get(code, 0) + 1
        assert code in (*rules.RUNNER_CODES, "complete") and code != "internal_error", answer
        eventually(lambda: is_back(database))
        check(database)
        if code == "invalid_index":
            drop_invalid_index(answer)
        finish()
        assert check(database) == REVISIONS
        empty(database)
    print(f"{scheme} ({template}): {RESTARTS} crashes, {codes}")


def crash(database: Database) -> None:
    """Kills a process of the server, which then ends all sessions and recovers."""
    with suppress(psycopg.OperationalError), database.connect() as connection:
        os.kill(connection.execute("SELECT pg_backend_pid()").fetchone()[0], signal.SIGKILL)


def is_back(database: Database) -> bool:
    with suppress(psycopg.OperationalError):
        return not database.rows(SESSIONS)
    return False
