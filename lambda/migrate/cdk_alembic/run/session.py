"""The connection that migrates: limits its statements, and notices when a revision commits by itself."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..connection import simple_query
from ..connection.listeners import listening
from ..connection.statement_starts import statement_starts
from ..connection.statements import bound, driver_connection, enter_autocommit, fetch_prepared, limits, refuse_autocommit
from ..database.failures import LastFailure
from ..protocol.process import Cancelled
from ..protocol.request import Invocation
from .blocker_watch import BlockerWatch

# The statement timeout is the remaining time when it is set. Statements that start this much later refresh it.
REFRESH_SECONDS = 5.0

# CREATE INDEX CONCURRENTLY waits for older transactions with a lock that blocks no query. A lock timeout would only leave an
# INVALID index behind.
_WAITS_HARMLESSLY = re.compile(r"\bINDEX\b[^;]*\bCONCURRENTLY\b", re.IGNORECASE)
_OWN_LOCK_TIMEOUT = re.compile(r"\block_timeout\b", re.IGNORECASE)
OWN_COMMIT = re.compile(r"(?:COMMIT|END)\b(?!\s+PREPARED)", re.IGNORECASE)
_ROLLBACK = re.compile(r"(?:ROLLBACK|ABORT)\b", re.IGNORECASE)


class Session:
    """Watches one connection while revisions' functions run on it. Alembic's own statements between them update the version table
    and have no limit: the revision's work is already done."""

    def __init__(self, connection: Any, invocation: Invocation, blocker_watch: BlockerWatch) -> None:
        self.statements = 0
        """Number of statements in the last revision."""
        self.left_transaction = False
        """Whether the last revision committed something itself, with an autocommit block or a commit."""
        self.connection = connection
        self.last_failure = LastFailure()
        self._invocation = invocation
        self._blocker_watch = blocker_watch
        self._is_watching = False
        self._lock_timeout: float | None = None
        """The lock timeout of the revision's next statement; None if the revision set its own."""
        self._set_at = -math.inf
        """When the limits were set; -inf: never, or a revision or a rollback may have changed them since."""
        self._refresh = min(REFRESH_SECONDS, invocation.process.reserve_seconds / 2)

    def run(self, migrate: Callable[..., None], **arguments: Any) -> None:
        """Runs a revision's function. Raises Cancelled if the run must end."""
        if self._set_at == -math.inf:
            self._set(self._invocation.settings.limits.lock_timeout)
        self.statements = 0
        self.left_transaction = False
        self._is_watching = True
        try:
            migrate(**arguments)
        finally:
            self._is_watching = False
            self._set_at = -math.inf
            self._blocker_watch.rest()
        if self._invocation.process.cancelled:
            raise Cancelled

    def _set(self, lock_timeout: float | None) -> None:
        was_watching, self._is_watching = self._is_watching, False
        try:
            bound(self.connection, self._invocation.process, lock_timeout)
        finally:
            self._is_watching = was_watching
        self._lock_timeout = lock_timeout
        self._set_at = time.monotonic()

    def end_revision(self, statement: str, **values: Any) -> Any:
        """Executes the statement that ends a revision, sets the next one's limits with it, and returns its row. A rollback resets
        the limits. Raises SQLAlchemyError."""
        self._lock_timeout = self._invocation.settings.limits.lock_timeout
        process = self._invocation.process
        is_near = process.seconds_left() < process.reserve_seconds
        # The commit comes next, and its revision's work is done: it may use the reserve. The next revision sets its own limits.
        left = process.seconds_with_database() if is_near else None
        calls, parameters = limits(self.connection, process, self._lock_timeout, left)
        row = fetch_prepared(self.connection, f"{statement}, {calls}", **values, **parameters)
        self._set_at = -math.inf if is_near else time.monotonic()
        return row

    def second_connection(self, connection: Any, *_: Any) -> None:
        """SQLAlchemy's engine_connect event: another connection must not wait forever for a lock of the revision's own
        transaction."""
        if not self._is_watching or connection.dialect.name != "postgresql":
            return
        other = driver_connection(connection)
        if other is driver_connection(self.connection):
            return  # a branch of SQLAlchemy 1.4, in the revision's own transaction
        lock_timeout = self._invocation.settings.limits.lock_timeout
        cursor = other.cursor()
        cursor.execute(f"SELECT pg_backend_pid(), set_config('lock_timeout', '{lock_timeout * 1000:.0f}', false)")
        self._blocker_watch.second_connection(cursor.fetchone()[0], lock_timeout)
        cursor.close()
        other.commit()

    def before_statement(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        """SQLAlchemy's before_cursor_execute event."""
        if not self._is_watching:
            return
        if self._invocation.process.cancelled:
            raise Cancelled
        self.statements += 1
        starts = statement_starts(statement)
        if any(map(OWN_COMMIT.match, starts)):
            self.left_transaction = True
        if any(map(_ROLLBACK.match, starts)):
            # Includes a rollback to a savepoint. It undoes the settings, and a failed transaction accepts nothing else.
            self._set_at = -math.inf
            return
        if _OWN_LOCK_TIMEOUT.search(statement):
            self._lock_timeout = None
        needed = self._lock_timeout
        if needed is not None:
            needed = 0.0 if _WAITS_HARMLESSLY.search(statement) else self._invocation.settings.limits.lock_timeout
        if needed != self._lock_timeout or time.monotonic() - self._set_at > self._refresh:
            self._set(needed)
        self._blocker_watch.statement(needed, self.left_transaction)

    def before_commit(self, connection: Any) -> None:
        """SQLAlchemy's commit event."""
        if self._is_watching:
            self.left_transaction = True

    def before_rollback(self, *_: Any) -> None:
        """SQLAlchemy's rollback event: it undoes the settings."""
        self._set_at = -math.inf

    def before_options(self, connection: Any, options: dict[str, Any]) -> None:
        """SQLAlchemy's set_connection_execution_options event."""
        if options.get("isolation_level") == "AUTOCOMMIT":
            self.left_transaction = True
            self._set_at = -math.inf
            enter_autocommit(connection)


@contextmanager
def watched(connection: Any, pid: int, invocation: Invocation, blocker_watch: BlockerWatch) -> Iterator[Session]:
    """The session of a connection while it migrates. `pid`: its process id. Raises RunnerError if it can't roll back."""
    from sqlalchemy.engine import Engine

    refuse_autocommit(connection)
    session, pooled = Session(connection, invocation, blocker_watch), connection.connection
    blocker_watch.watch(pid)
    if hasattr(pooled, "driver_connection"):
        invocation.process.connection = pooled.driver_connection
    else:
        # SQLAlchemy before 1.4.24
        invocation.process.connection = getattr(pooled.connection, "_connection", pooled.connection)
    sending = [(connection.engine, "do_execute", simple_query.send)] if connection.dialect.driver == "asyncpg" else []
    try:
        with listening(
            *sending,
            session.last_failure.listener(connection.engine),
            (Engine, "engine_connect", session.second_connection),
            (connection, "before_cursor_execute", session.before_statement),
            (connection, "commit", session.before_commit),
            (connection, "rollback", session.before_rollback),
            (connection, "set_connection_execution_options", session.before_options),
        ):
            yield session
    finally:
        invocation.process.connection = None
