"""SQLAlchemy connections: the runner's own ones, its statements, and the limits of each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from ..protocol.errors import RunnerError
from ..protocol.process import Process
from .separate_engine import separate_engine

# Shorter than the 350 s after which AWS load balancers and NAT gateways drop an idle connection.
KEEPALIVE_SECONDS = 60

_PREPARED = "cdk_alembic_prepared"
"""Key in a connection's `info`: its prepared statements by text."""
_PARAMETER = re.compile(r"(?<![:\w]):(\w+)")

# A session that someone left open with a lock on the version table or on the run history must not block a run.
BRIEFLY = "set_config('lock_timeout', '5000', false), set_config('statement_timeout', '30000', false)"
"""The limits of the runner's own statements, as SQL."""


@contextmanager
def own_connection(context: Any) -> Iterator[Any]:
    """A separate autocommit connection to the MigrationContext's database."""
    with separate_engine(context.connection.engine).connect() as connection:
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


def fetch_prepared(connection: Any, statement: str, **values: Any) -> Any:
    """Executes a statement that follows each revision, in the open transaction, and returns its row. Raises SQLAlchemyError.

    With asyncpg, SQLAlchemy prepares a statement again after each DDL, and closes the old one: three round trips instead of one.
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


def limits(
    connection: Any, process: Process, lock_timeout: float | None = None, left: float | None = None
) -> tuple[str, dict[str, str]]:
    """SQL expressions and their parameters that make each later statement of the connection end before the deadline, and the
    session end if this process is killed. `left`: seconds for each statement; None: the process's, without the reserve."""
    version = connection.dialect.server_version_info
    left = process.seconds_left() if left is None else left
    # The role's and the database's timeouts are meant for the application: a revision may run longer.
    settings = {"idle_in_transaction_session_timeout": "0"}
    if version >= (17,):
        settings["transaction_timeout"] = "0"
    if left == math.inf:
        # No firewall on the way may drop a connection that is silent for hours.
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


def bound(connection: Any, process: Process, lock_timeout: float | None = None) -> None:
    """Applies `limits` to a connection."""
    calls, values = limits(connection, process, lock_timeout)
    execute(connection, f"SELECT {calls}", **values)


def is_autocommit(connection: Any) -> bool:
    """Whether a connection commits each statement by itself."""
    return bool(getattr(driver_connection(connection), "autocommit", False))


def driver_connection(connection: Any) -> Any:
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
