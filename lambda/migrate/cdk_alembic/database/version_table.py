"""The version table: where env.py keeps it, its revisions, and the mutex that allows only one run at a time."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from ..protocol.errors import RunnerError
from ..protocol.request import Invocation
from .blockers import of_session, seen
from .conditions import pooled
from .session import BRIEFLY, bound, brief_connection, execute
from .watchdog import expect

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


# The session that holds the mutex also holds the lock of this number and its process id.
_OF_SESSION = 1_667_523_425


def held_beside(pid: str) -> str:
    """SQL that tests whether another session, with this process id, still holds the mutex. It looks up one lock;
    pg_locks would go over those of all sessions."""
    return f"NOT pg_try_advisory_xact_lock_shared({_OF_SESSION}, {pid})"


PID = "cdk_alembic_pid"
"""Key in the `info` of the connection that holds the mutex: its session's process id."""

_FIND = f"""
SELECT pg_postmaster_start_time()::text, current_database()::text, current_schema()::text,
  (SELECT nspname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
   WHERE pg_class.oid = to_regclass(quote_ident(CAST(:name AS text)))),
  EXISTS (SELECT FROM pg_namespace WHERE nspname = CAST(:schema AS text)), pg_backend_pid(), {BRIEFLY}
"""  # noqa: S608 - BRIEFLY is a constant


class VersionTable(NamedTuple):
    """A version table, which may not exist yet."""

    server: str
    """The server's start time, which identifies it."""
    database: str
    name: str
    own_schema: str | None
    """env.py's version_table_schema; for a tenant, its schema. It names the mutex and the history."""
    schema: str | None
    """The schema in which Alembic reads and writes it; None: no schema of the search_path exists."""
    is_translated: bool
    """Whether Alembic writes it to another schema than it searches: the search ignores schema_translate_map."""
    has_asked_schema: bool
    """Whether the database has the schema passed to `find`."""
    pid: int
    """Process id of the server that env.py's connection is to."""

    @property
    def full_name(self) -> str:
        """Its name in the run history."""
        return full_name(self.name, self.own_schema)


def full_name(name: str, schema: str | None) -> str:
    return ".".join(part for part in (schema, name) if part)


def find(context: Any, schema: str | None = None) -> VersionTable:
    """The version table of Alembic's MigrationContext, and whether the database has a `schema`. From now on, statements of
    env.py's connection have short timeouts; revisions have their own limits."""
    connection = context.connection
    with _outside_transaction(connection):
        row = execute(connection, _FIND, name=context.version_table, schema=schema).one()
    server, database, current, found, has_schema, pid, *_ = row
    configured, visible = context.version_table_schema or None, found or current
    translated = connection.schema_for_object(context._version)
    is_translated = translated != configured and (configured is not None or translated != visible)
    schema = translated or visible
    return VersionTable(server, database, context.version_table, configured, schema, is_translated, has_schema, pid)


def prepare(connection: Any) -> None:
    """Sets short timeouts for the statements of env.py's connection."""
    with _outside_transaction(connection):
        connection.exec_driver_sql(f"SELECT {BRIEFLY}")


@contextmanager
def _outside_transaction(connection: Any) -> Iterator[None]:
    """Ends a transaction that this started: Alembic would mistake it for env.py's own, and not commit."""
    was_in_transaction = connection.in_transaction()
    yield
    # SQLAlchemy 2 has started a transaction; 1.4 has not.
    if connection.in_transaction() and not was_in_transaction:
        connection.commit()


def heads_in(connection: Any, table: VersionTable) -> tuple[str, ...]:
    """The version table's revisions, read over an autocommit connection; empty if the table does not exist."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    name = f"{quote(table.schema)}.{quote(table.name)}"
    if not execute(connection, "SELECT to_regclass(CAST(:name AS text)) IS NOT NULL", name=name).scalar():
        return ()
    rows = connection.exec_driver_sql(f"SELECT version_num FROM {name}")  # noqa: S608 - quoted
    return tuple(sorted((row[0] for row in rows), key=str))


def heads_after(context: Any, table: VersionTable, mutex: Any) -> tuple[str, ...] | None:
    """The version table's revisions after an execution of env.py, read over the connection that holds the mutex, or a new one;
    None if they can't be read here."""
    from sqlalchemy.exc import SQLAlchemyError

    if table.schema is None or table.is_translated:
        # Only Alembic's own statements find a translated table.
        return None
    heads = None
    try:
        heads = heads_in(mutex, table)
    except SQLAlchemyError:
        # The mutex's session was ended.
        with suppress(SQLAlchemyError), brief_connection(context) as connection:
            heads = heads_in(connection, table)
    # Rows that Alembic never writes are not revisions.
    return heads if heads is not None and all(isinstance(head, str) for head in heads) else None


@contextmanager
def hold_mutex(connection: Any, invocation: Invocation, table: VersionTable) -> Iterator[None]:
    """Holds the version table's mutex over an autocommit connection of its own.

    Waits within the stage's limit and the remaining time, then raises RunnerError `locked`, which names the holder.
    """
    from sqlalchemy.exc import SQLAlchemyError

    left = invocation.remaining_seconds() - invocation.reserve_seconds
    wait = max(0.0, min(invocation.settings.limits.mutex_wait, left))
    key = key_of(table.name, table.own_schema)
    started = time.monotonic()
    # This connection writes only the run's record: a later commit flushes it, of a revision or of the run's end (FLUSHED).
    pid = execute(
        connection,
        "SELECT pg_backend_pid(), set_config('application_name', :holder, false), "
        "set_config('synchronous_commit', 'off', false), " + BRIEFLY,
        holder=invocation.holder[:MAX_NAME_LENGTH],
    ).scalar()
    if pid == table.pid:
        raise pooled(f"two connections share the backend {pid}")
    connection.info[PID] = pid
    _acquire(connection, key, wait, invocation)
    invocation.lock_wait_seconds += time.monotonic() - started
    try:
        bound(connection, invocation)
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


def still_held(connection: Any) -> None:
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


# Only the session that started may take the lock: a pooler could switch to another one. Without the lock of its own number
# it holds the mutex all the same, and `still_held` confirms it before each revision.
_TRY = f"""
SELECT pg_backend_pid(), CASE WHEN pg_backend_pid() = :pid AND pg_try_advisory_lock(:key)
  THEN pg_try_advisory_lock({_OF_SESSION}, pg_backend_pid()) IS NOT NULL END
"""
_RELEASE = f"SELECT pg_advisory_unlock({_OF_SESSION}, pg_backend_pid()), pg_advisory_unlock(:key)"
_IS_HELD = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND granted)"


def is_locked(connection: Any, context: Any) -> bool:
    """Whether a run holds the mutex of the MigrationContext's version table."""
    key = key_of(context.version_table, context.version_table_schema or None)
    return connection.exec_driver_sql(_HOLDER.format(key=key)).first() is not None


def _acquire(connection: Any, key: int, wait_seconds: float, invocation: Invocation) -> None:
    pid = connection.info[PID]
    end = time.monotonic() + wait_seconds
    while True:
        invocation.refuse_if_cancelled()
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
        found = seen(connection.exec_driver_sql(of_session(pid)).scalar()).blockers
        who = f"{name or 'an unnamed session'} (backend {pid}, connected since {since})"
        remedy = f"; if that run has died, end its session: SELECT pg_terminate_backend({pid})"
    return RunnerError(
        "locked",
        f"another migration run holds the mutex: {who}; waited {waited:.0f} s",
        f"wait for it to end and run again{remedy}",
        blockers=found,
    )
