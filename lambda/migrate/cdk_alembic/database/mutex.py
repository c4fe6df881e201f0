"""One migration run at a time per database and version table."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from ..protocol.errors import RunnerError

# A rival that is blocked in pg_advisory_lock holds a snapshot, and CREATE INDEX CONCURRENTLY waits for snapshots: a deadlock.
# A poll in autocommit holds nothing between two tries, https://www.postgresql.org/docs/current/explicit-locking.html
POLL_SECONDS = (0.1, 0.5)

_HOLDER = """
SELECT activity.pid, activity.application_name, date_trunc('second', activity.backend_start)::text
FROM pg_locks AS lock JOIN pg_stat_activity AS activity USING (pid)
WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
  AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (lock.classid::bigint << 32) | lock.objid::bigint = {key}
"""

HELD = "EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND granted)"
"""Whether the session holds the mutex, as SQL."""


@contextmanager
def mutex(
    context: Any,
    holder: str,
    wait_seconds: float,
    before_try: Callable[[], None] = lambda: None,
    schema: str | None = None,
    connect: Callable[[Any], AbstractContextManager[Any]] | None = None,
) -> Iterator[Any]:
    """Holds the mutex of the MigrationContext's database, on a connection of its own in autocommit, which it gives.

    `holder` is shown in pg_stat_activity.application_name (63 characters at most). Waits up to `wait_seconds`, then raises
    RunnerError `locked` that names who holds it. `before_try` may raise, to end the waiting. `schema`: where the version table
    lies, if that is known better than from the context. `connect` gives another connection in autocommit for the context.
    """
    from sqlalchemy.exc import SQLAlchemyError

    key = key_of(context.version_table, schema or context.version_table_schema)
    with (connect or own_connection)(context) as connection:
        # What is written here is the record of the run: a commit of the next revision, or of the run's end, takes it to the disk.
        _call(
            connection, "set_config('application_name', {}, false), set_config('synchronous_commit', 'off', false)", holder[:63]
        )
        _acquire(connection, key, wait_seconds, before_try)
        try:
            yield connection
        finally:
            try:
                _call(connection, "pg_advisory_unlock({})", key)
            except SQLAlchemyError:
                # A session that has ended holds nothing any more.
                with suppress(SQLAlchemyError):
                    connection.invalidate()


def key_of(version_table: str, version_table_schema: str | None) -> int:
    """The advisory lock's number: a positive bigint. PostgreSQL keeps advisory locks per database."""
    name = f"cdk-alembic:{version_table_schema or ''}:{version_table}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


@contextmanager
def own_connection(context: Any) -> Iterator[Any]:
    """A connection of its own to the MigrationContext's database, in autocommit."""
    with context.connection.engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def still_held(connection: Any) -> None:
    """Raises RunnerError when the session that holds the mutex was ended from outside: a rival may hold it by now."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        held = connection.exec_driver_sql(f"SELECT {HELD}").scalar()
    except SQLAlchemyError:
        held = False
    if not held:
        raise RunnerError(
            "database_unreachable",
            "the session that holds the mutex was ended from outside, so the run stopped between two revisions",
            "what was applied stays; find out who ended it (a failover, an administrator), and run again: it goes on from there",
        )


def _acquire(connection: Any, key: int, wait_seconds: float, before_try: Callable[[], None]) -> None:
    end = time.monotonic() + wait_seconds
    before_try()
    while not _call(connection, "pg_try_advisory_lock({})", key):
        if time.monotonic() >= end:
            row = connection.exec_driver_sql(_HOLDER.format(key=key)).first()
            who = (
                f"{row[1] or 'an unnamed session'} (backend {row[0]}, connected since {row[2]})"
                if row
                else "a run that has just ended"
            )
            raise RunnerError(
                "locked",
                f"another migration run holds the mutex: {who}; waited {wait_seconds:.0f} s",
                "wait for it to end and run again"
                + (f"; if nothing runs any more, end its session: SELECT pg_terminate_backend({row[0]})" if row else ""),
            )
        time.sleep(random.uniform(*POLL_SECONDS))
        before_try()


def _call(connection: Any, function: str, argument: Any) -> Any:
    from sqlalchemy import text

    return connection.execute(text("SELECT " + function.format(":argument")), {"argument": argument}).scalar()
