"""The connection that migrates: how long its statements may wait and run, and what was sent over it."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..protocol.invocation import Call, Cancelled

# The statement timeout is what is left of the call when it is set. It is set anew for a statement that comes so much later.
REFRESH_SECONDS = 5.0

# Less than the 350 s after which load balancers and NAT gateways of AWS forget a connection.
KEEPALIVE_SECONDS = 60

# CREATE INDEX CONCURRENTLY waits for every older transaction while it holds a lock that stops no query. A lock timeout would
# only leave an INVALID index behind.
_WAITS_HARMLESSLY = re.compile(r"\bINDEX\b[^;]*\bCONCURRENTLY\b", re.IGNORECASE)
_OWN_LOCK_TIMEOUT = re.compile(r"\block_timeout\b", re.IGNORECASE)
# Definitions of tables, indexes and the like change no setting. Anything else could, if only in a function that it calls.
_CHANGES_NO_SETTING = re.compile(
    r"\s*(?:CREATE|DROP|ALTER|COMMENT)\b(?![^;]*\b(?:SET|RESET|SELECT|EXECUTE|ROLE|DATABASE)\b)", re.IGNORECASE
)
OWN_COMMIT = re.compile(r"\s*(?:COMMIT|END)\b(?!\s+PREPARED)", re.IGNORECASE)


def bound(connection: Any, call: Call, lock_timeout: float | None = None) -> None:
    """Ends each further statement of the connection before the call's deadline, and the session if this process is killed."""
    version = connection.dialect.server_version_info
    left = call.remaining_seconds() - call.reserve_seconds
    if left == math.inf:
        settings = {"statement_timeout": 0.0, **({"transaction_timeout": 0.0} if version >= (17,) else {})}
        # A connection that is silent for hours must stay in the tables of every firewall on the way.
        connection.exec_driver_sql(f"SELECT set_config('tcp_keepalives_idle', '{KEEPALIVE_SECONDS}', false)")
    else:
        settings = {"statement_timeout": max(left, 0.001)}
    if lock_timeout is not None:
        settings["lock_timeout"] = lock_timeout
    if version >= (14,):
        # Lambda may kill this process at any time: the server then ends the statement and lets its locks go.
        settings["client_connection_check_interval"] = 1
        settings["idle_session_timeout"] = 0
    calls = ", ".join(f"set_config('{name}', '{round(value * 1000)}', false)" for name, value in settings.items())
    connection.exec_driver_sql(f"SELECT {calls}")


def enter_autocommit(connection: Any) -> None:
    """To be called before a connection's isolation level becomes AUTOCOMMIT."""
    if connection.dialect.driver == "pg8000":
        # Alembic's autocommit_block asks for the isolation level first; pg8000 begins a transaction for that query and stays
        # in it, so that CREATE INDEX CONCURRENTLY fails.
        connection.connection.dbapi_connection.rollback()


class Session:
    """Watches one connection.

    `statements` counts what was sent; `left_transaction` tells whether something has been committed since the last
    `begin_revision`, by an autocommit block or by a commit of the revision's own.
    """

    def __init__(self, connection: Any, call: Call) -> None:
        self.statements = 0
        self.left_transaction = False
        self.in_revision = False
        """Whether a revision's own code runs, not Alembic's around it."""
        self._connection = connection
        self._call = call
        self._ours = False
        self._lock_timeout: float | None = 0.0
        self._set_at = 0.0
        self._may_be_changed = True
        """Whether a statement since the last setting could have set something else."""
        self._refresh = min(REFRESH_SECONDS, call.reserve_seconds / 2)

    def begin_revision(self) -> None:
        """Sets the timeouts, if a revision before may have set others."""
        self.left_transaction = False
        lock_timeout = self._call.settings.limits.lock_timeout
        if self._may_be_changed or lock_timeout != self._lock_timeout or self._is_old():
            self._set(lock_timeout)

    def _set(self, lock_timeout: float | None) -> None:
        self._ours = True
        try:
            bound(self._connection, self._call, lock_timeout)
        finally:
            self._ours = False
        self._lock_timeout = lock_timeout
        self._set_at = time.monotonic()
        self._may_be_changed = False

    def _is_old(self) -> bool:
        return time.monotonic() - self._set_at > self._refresh

    def before_statement(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        """SQLAlchemy's event before_cursor_execute."""
        if self._ours or not self.in_revision:
            # What is Alembic's own is the version table: with the revision's work done, it is not the moment to cut it short.
            return
        if self._call.cancelled:
            raise Cancelled
        self.statements += 1
        if OWN_COMMIT.match(statement):
            self.left_transaction = True
        if _OWN_LOCK_TIMEOUT.search(statement):
            # The revision knows better, until it ends.
            self._lock_timeout = None
        lock_timeout = self._lock_timeout
        if lock_timeout is not None:
            lock_timeout = 0.0 if _WAITS_HARMLESSLY.search(statement) else self._call.settings.limits.lock_timeout
        if lock_timeout != self._lock_timeout or self._is_old():
            self._set(lock_timeout)
        if not _CHANGES_NO_SETTING.match(statement) or ";" in statement:
            self._may_be_changed = True

    def before_commit(self, connection: Any) -> None:
        """SQLAlchemy's event commit."""
        if self.in_revision:
            self.left_transaction = True

    def before_rollback(self, *_: Any) -> None:
        """SQLAlchemy's events rollback and rollback_savepoint: what was set meanwhile is taken back, too."""
        self._may_be_changed = True

    def before_options(self, connection: Any, options: dict[str, Any]) -> None:
        """SQLAlchemy's event set_connection_execution_options."""
        if options.get("isolation_level") == "AUTOCOMMIT":
            self.left_transaction = True
            self._may_be_changed = True
            enter_autocommit(connection)


@contextmanager
def watched(connection: Any, call: Call) -> Iterator[Session]:
    """The session of a connection, as long as it migrates."""
    from sqlalchemy import event

    session = Session(connection, call)
    call.connection = connection.connection.driver_connection
    listeners = {
        "before_cursor_execute": session.before_statement,
        "commit": session.before_commit,
        "rollback": session.before_rollback,
        "rollback_savepoint": session.before_rollback,
        "set_connection_execution_options": session.before_options,
    }
    for name, listener in listeners.items():
        event.listen(connection, name, listener)
    try:
        yield session
    finally:
        call.connection = None
        for name, listener in listeners.items():
            event.remove(connection, name, listener)
