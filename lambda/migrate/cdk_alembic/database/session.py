"""Connections and their statements: timeouts, and the statements that the migrating connection sends."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from ..protocol.errors import RunnerError
from ..protocol.request import Cancelled, Invocation
from . import simple_query
from .listeners import listening
from .lookout import Lookout

# The statement timeout is the remaining time at the moment it is set. It is refreshed before a statement this much later.
REFRESH_SECONDS = 5.0

# Shorter than the 350 s after which AWS load balancers and NAT gateways drop an idle connection.
KEEPALIVE_SECONDS = 60

# CREATE INDEX CONCURRENTLY waits for older transactions with a lock that blocks no query. A lock timeout would only leave an
# INVALID index behind.
_WAITS_HARMLESSLY = re.compile(r"\bINDEX\b[^;]*\bCONCURRENTLY\b", re.IGNORECASE)
_OWN_LOCK_TIMEOUT = re.compile(r"\block_timeout\b", re.IGNORECASE)
_PREPARED = "cdk_alembic_prepared"
"""Key in a connection's `info`: its prepared statements by text."""
_PARAMETER = re.compile(r"(?<![:\w]):(\w+)")
OWN_COMMIT = re.compile(r"\s*(?:COMMIT|END)\b(?!\s+PREPARED)", re.IGNORECASE)
_ROLLBACK = re.compile(r"\s*(?:ROLLBACK|ABORT)\b", re.IGNORECASE)

# A session that someone left open with a lock on the version table or on the run history must not block a run.
BRIEFLY = "set_config('lock_timeout', '5000', false), set_config('statement_timeout', '30000', false)"
"""The limits of the runner's own statements, as SQL."""


@contextmanager
def own_connection(context: Any) -> Iterator[Any]:
    """A separate autocommit connection to the MigrationContext's database."""
    with context.connection.engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def brief_connection(context: Any) -> Iterator[Any]:
    """A separate autocommit connection with short timeouts."""
    with own_connection(context) as connection:
        connection.exec_driver_sql(f"SELECT {BRIEFLY}")
        yield connection


def execute(connection: Any, statement: str, **values: Any) -> Any:
    """Executes a statement with parameters such as `:name`."""
    return connection.execute(_text(statement), values)


@cache
def _text(statement: str) -> Any:
    # SQLAlchemy parses the text for parameters; cached for all revisions.
    from sqlalchemy import text

    return text(statement)


def repeated(connection: Any, statement: str, **values: Any) -> Any:
    """The row of a statement that is executed after each revision, in the open transaction. Raises SQLAlchemyError.

    With asyncpg, SQLAlchemy prepares a statement again after each DDL, and closes the old one: three round trips in place of one.
    """
    from sqlalchemy.exc import DBAPIError

    adapted = getattr(connection.connection, "dbapi_connection", None)
    if connection.dialect.driver != "asyncpg" or not hasattr(adapted, "run_async"):
        return execute(connection, statement, **values).one()
    query, names = _numbered(statement)
    prepared = connection.info.setdefault(_PREPARED, {})

    async def fetch(driver: Any) -> Any:
        if query not in prepared:
            prepared[query] = await driver.prepare(query)
        return await prepared[query].fetchrow(*(values[name] for name in names))

    try:
        return adapted.run_async(fetch)
    except Exception as error:
        raise DBAPIError(query, None, error) from error


@cache
def _numbered(statement: str) -> tuple[str, list[str]]:
    """A statement whose parameters are `$1`, `$2` and so on, and their names."""
    names = list(dict.fromkeys(_PARAMETER.findall(statement)))
    return _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", statement), names


def limits(connection: Any, invocation: Invocation, lock_timeout: float | None = None) -> tuple[str, dict[str, str]]:
    """SQL expressions and their parameters that make each later statement of the connection end before the deadline, and the
    session end if this process is killed."""
    version = connection.dialect.server_version_info
    left = invocation.remaining_seconds() - invocation.reserve_seconds
    # The role's and the database's timeouts are for the application: a revision may compute for a while.
    settings = {"idle_in_transaction_session_timeout": "0"}
    if version >= (17,):
        settings["transaction_timeout"] = "0"
    if left == math.inf:
        # A connection that is silent for hours must not expire in any firewall on its route.
        settings["tcp_keepalives_idle"] = str(KEEPALIVE_SECONDS)
    if lock_timeout is not None:
        settings["lock_timeout"] = f"{lock_timeout * 1000:.0f}"
    if version >= (14,):
        # Lambda may kill this process at any time: the server then cancels the statement and releases its locks.
        settings["client_connection_check_interval"] = "1000"
        settings["idle_session_timeout"] = "0"
    # The text is the same for all revisions: SQLAlchemy and PostgreSQL parse it only once.
    calls = [f"set_config('{name}', '{value}', false)" for name, value in settings.items()]
    values = {"statement_timeout": "0" if left == math.inf else f"{max(left * 1000, 1):.0f}"}
    return ", ".join([*calls, "set_config('statement_timeout', :statement_timeout, false)"]), values


def bound(connection: Any, invocation: Invocation, lock_timeout: float | None = None) -> None:
    """Applies `limits` to a connection."""
    calls, values = limits(connection, invocation, lock_timeout)
    execute(connection, f"SELECT {calls}", **values)


def is_autocommit(connection: Any) -> bool:
    """Whether a connection commits each statement by itself."""
    return bool(getattr(_of_driver(connection), "autocommit", False))


def _of_driver(connection: Any) -> Any:
    """The driver's connection; for an async driver, SQLAlchemy's wrapper."""
    pooled = connection.connection
    return getattr(pooled, "dbapi_connection", None) or pooled.connection


def refuse_autocommit(connection: Any) -> None:
    """Raises RunnerError if env.py's connection commits each statement by itself."""
    if is_autocommit(connection):
        raise RunnerError(
            "invalid_project",
            "env.py's engine is in AUTOCOMMIT: what a revision did before it failed could not be rolled back",
            "remove isolation_level='AUTOCOMMIT' from env.py, and run what can't run in a transaction in "
            "op.get_context().autocommit_block()",
        )


def enter_autocommit(connection: Any) -> None:
    """Call it before a connection's isolation level becomes AUTOCOMMIT."""
    if connection.dialect.driver == "pg8000":
        # Alembic's autocommit_block first reads the isolation level. For that query pg8000 starts a transaction and stays in it,
        # so CREATE INDEX CONCURRENTLY would fail.
        connection.connection.rollback()


class Session:
    """Watches one connection while revisions' functions run on it. Alembic's own statements between them update the version table
    and have no limit: the revision's work is already done."""

    def __init__(self, connection: Any, invocation: Invocation, lookout: Lookout) -> None:
        self.statements = 0
        """Number of statements in the last revision."""
        self.left_transaction = False
        """Whether the last revision committed something itself, with an autocommit block or a commit."""
        self.connection = connection
        self._invocation = invocation
        self._lookout = lookout
        self._is_watching = False
        self._lock_timeout: float | None = None
        """The lock timeout of the revision's next statement; None if the revision set its own."""
        self._set_at = -math.inf
        """When the limits were set; -inf: never, or a revision or a rollback may have changed them since."""
        self._refresh = min(REFRESH_SECONDS, invocation.reserve_seconds / 2)

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
            self._lookout.rest()
        if self._invocation.cancelled:
            raise Cancelled

    def _set(self, lock_timeout: float | None) -> None:
        was_watching, self._is_watching = self._is_watching, False
        try:
            bound(self.connection, self._invocation, lock_timeout)
        finally:
            self._is_watching = was_watching
        self._lock_timeout = lock_timeout
        self._set_at = time.monotonic()

    def end_revision(self, statement: str, **values: Any) -> Any:
        """The row of the statement that ends a revision, which also sets the next one's limits, until a rollback. Raises
        SQLAlchemyError."""
        self._lock_timeout = self._invocation.settings.limits.lock_timeout
        calls, parameters = limits(self.connection, self._invocation, self._lock_timeout)
        row = repeated(self.connection, f"{statement}, {calls}", **values, **parameters)
        self._set_at = time.monotonic()
        return row

    def second_connection(self, connection: Any, *_: Any) -> None:
        """SQLAlchemy's engine_connect event: a connection must not wait forever for what the revision's own transaction has
        locked."""
        if not self._is_watching or connection.dialect.name != "postgresql":
            return
        other = _of_driver(connection)
        if other is _of_driver(self.connection):
            return  # a branch of SQLAlchemy 1.4, in the revision's own transaction
        lock_timeout = self._invocation.settings.limits.lock_timeout
        cursor = other.cursor()
        cursor.execute(f"SELECT pg_backend_pid(), set_config('lock_timeout', '{lock_timeout * 1000:.0f}', false)")
        self._lookout.second_connection(cursor.fetchone()[0], lock_timeout)
        cursor.close()
        other.commit()

    def before_statement(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        """SQLAlchemy's before_cursor_execute event."""
        if not self._is_watching:
            return
        if self._invocation.cancelled:
            raise Cancelled
        self.statements += 1
        if _ROLLBACK.match(statement):
            # Also to a savepoint. It undoes the settings, and in a transaction that has failed nothing else is possible.
            self._set_at = -math.inf
            return
        if OWN_COMMIT.match(statement):
            self.left_transaction = True
        if _OWN_LOCK_TIMEOUT.search(statement):
            self._lock_timeout = None
        needed = self._lock_timeout
        if needed is not None:
            needed = 0.0 if _WAITS_HARMLESSLY.search(statement) else self._invocation.settings.limits.lock_timeout
        if needed != self._lock_timeout or time.monotonic() - self._set_at > self._refresh:
            self._set(needed)
        self._lookout.statement(needed, self.left_transaction)

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
def watched(connection: Any, pid: int, invocation: Invocation, lookout: Lookout) -> Iterator[Session]:
    """The session of a connection while it migrates. `pid`: its process id. Raises RunnerError if it can't roll back."""
    from sqlalchemy.engine import Engine

    refuse_autocommit(connection)
    session, pooled = Session(connection, invocation, lookout), connection.connection
    lookout.watch(pid)
    if hasattr(pooled, "driver_connection"):
        invocation.connection = pooled.driver_connection
    else:
        # SQLAlchemy before 1.4.24
        invocation.connection = getattr(pooled.connection, "_connection", pooled.connection)
    sending = [(connection.engine, "do_execute", simple_query.send)] if connection.dialect.driver == "asyncpg" else []
    try:
        with listening(
            *sending,
            (Engine, "engine_connect", session.second_connection),
            (connection, "before_cursor_execute", session.before_statement),
            (connection, "commit", session.before_commit),
            (connection, "rollback", session.before_rollback),
            (connection, "set_connection_execution_options", session.before_options),
        ):
            yield session
    finally:
        invocation.connection = None
