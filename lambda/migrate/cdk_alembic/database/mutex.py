"""The mutex that allows only one run of a version table at a time: an advisory lock, on a separate connection."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ..connection.statements import BRIEFLY, bound, execute
from ..connection.watchdog import expect
from ..protocol.errors import RunnerError
from ..protocol.process import Process
from ..protocol.request import Invocation
from .blockers import holder_query, parse_report
from .conditions import pooled
from .version_table import VersionTable

# A session that waits in pg_advisory_lock holds a snapshot, and CREATE INDEX CONCURRENTLY waits for snapshots: a deadlock.
# Polling in autocommit holds none between two tries, https://www.postgresql.org/docs/current/explicit-locking.html
POLL_SECONDS = (0.1, 0.5)

MAX_NAME_LENGTH = 63
"""The limit of pg_stat_activity.application_name."""

_HOLDER = """
SELECT activity.pid, activity.application_name, date_trunc('second', activity.backend_start)::text
FROM pg_locks AS lock JOIN pg_stat_activity AS activity USING (pid)
WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
  AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (lock.classid::bigint << 32) | lock.objid::bigint = {key}
"""

# The session that holds the mutex also holds the lock with this number and its process id.
_OF_SESSION = 1_667_523_425

# Only the session that started may take the lock: a pooler could switch to another one. Without the lock of its process id
# it still holds the mutex, and `require_mutex` confirms it before each revision.
_TRY = f"""
SELECT pg_backend_pid(), CASE WHEN pg_backend_pid() = :pid AND pg_try_advisory_lock(:key)
  THEN pg_try_advisory_lock({_OF_SESSION}, pg_backend_pid()) IS NOT NULL END
"""
_RELEASE = f"SELECT pg_advisory_unlock({_OF_SESSION}, pg_backend_pid()), pg_advisory_unlock(:key)"
_IS_HELD = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND granted)"

PID = "cdk_alembic_pid"
"""Key in the `info` of the connection that holds the mutex: its session's process id."""


@contextmanager
def hold_mutex(connection: Any, invocation: Invocation, table: VersionTable) -> Iterator[None]:
    """Holds the version table's mutex over a separate autocommit connection.

    Waits within the stage's limit and the remaining time, then raises RunnerError `locked`, which names the holder.
    """
    from sqlalchemy.exc import SQLAlchemyError

    wait = max(0.0, min(invocation.settings.limits.mutex_wait, invocation.process.seconds_left()))
    key = key_of(table.name, table.own_schema)
    started = time.monotonic()
    # This connection writes only the run's record. A later commit flushes it: a revision's, or that of the run's end (FLUSHED).
    pid = execute(
        connection,
        "SELECT pg_backend_pid(), set_config('application_name', :holder, false), "
        "set_config('synchronous_commit', 'off', false), " + BRIEFLY,
        holder=invocation.holder[:MAX_NAME_LENGTH],
    ).scalar()
    if pid == table.pid:
        raise pooled(f"two connections share the backend {pid}")
    connection.info[PID] = pid
    _acquire(connection, key, wait, invocation.process)
    invocation.lock_wait_seconds += time.monotonic() - started
    try:
        bound(connection, invocation.process)
        yield
    finally:
        try:
            execute(connection, _RELEASE, key=key)
        except SQLAlchemyError:
            # A session that has ended holds no lock.
            with suppress(SQLAlchemyError):
                connection.invalidate()


def key_of(name: str, schema: str | None) -> int:
    """The key of a version table's advisory lock: a positive bigint. PostgreSQL keeps advisory locks per database."""
    text = f"cdk-alembic:{schema or ''}:{name}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def held_by(pid: str) -> str:
    """SQL that tests whether another session, with this process id, still holds the mutex. It looks up one lock;
    pg_locks would list those of all sessions."""
    return f"NOT pg_try_advisory_xact_lock_shared({_OF_SESSION}, {pid})"


def require_mutex(connection: Any) -> None:
    """Raises RunnerError if the session that holds the mutex has ended: another run may hold it by now."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        held = connection.exec_driver_sql(_IS_HELD).scalar()
    except SQLAlchemyError:
        held = False
    if not held:
        raise mutex_lost()


def mutex_lost() -> RunnerError:
    return RunnerError(
        "database_unreachable",
        "someone ended the session that holds the mutex, so the run stopped between two revisions",
        "find out who ended it (a failover, an administrator), then run again: it continues from there",
    )


def is_locked(connection: Any, context: Any) -> bool:
    """Whether a run holds the mutex of the MigrationContext's version table."""
    key = key_of(context.version_table, context.version_table_schema or None)
    return connection.exec_driver_sql(_HOLDER.format(key=key)).first() is not None


def _acquire(connection: Any, key: int, wait_seconds: float, process: Process) -> None:
    pid = connection.info[PID]
    end = time.monotonic() + wait_seconds
    while True:
        process.refuse_if_cancelled()
        expect()
        now, is_held = execute(connection, _TRY, key=key, pid=pid).one()
        if now != pid:
            raise pooled(f"the backend changed from {pid} to {now}")
        if is_held:
            return
        if time.monotonic() >= end:
            raise _locked(connection, key, wait_seconds)
        time.sleep(random.uniform(*POLL_SECONDS))


def _locked(connection: Any, key: int, waited: float) -> RunnerError:
    holder = connection.exec_driver_sql(_HOLDER.format(key=key)).first()
    found = None
    if holder is None:
        who, remedy = "a run that has just ended", ""
    else:
        pid, name, since = holder
        found = parse_report(connection.exec_driver_sql(holder_query(pid)).scalar()).blockers
        who = f"{name or 'an unnamed session'} (backend {pid}, connected since {since})"
        remedy = f"; if that run has died, end its session: SELECT pg_terminate_backend({pid})"
    return RunnerError(
        "locked",
        f"another migration run holds the mutex: {who}; waited {waited:.0f} s",
        f"wait for it to end and run again{remedy}",
        blockers=found,
    )
