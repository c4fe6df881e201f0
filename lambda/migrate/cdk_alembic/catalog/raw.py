"""Queries on a connection, hidden from SQLAlchemy and its listeners.

All four drivers accept them: they have no parameters, and results are JSON texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def execute(connection: Any, sql: str) -> None:
    """Executes one statement in the connection's current transaction."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql)
    finally:
        cursor.close()


def value(connection: Any, sql: str) -> Any:
    """The JSON document of a query with one row and one column."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql)
        return json.loads(cursor.fetchone()[0])
    finally:
        cursor.close()


def literal(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def in_transaction(connection: Any) -> bool:
    """Whether the connection has an open transaction, according to the driver."""
    driver = driver_connection(connection)
    if connection.dialect.driver == "asyncpg":
        return driver.is_in_transaction()
    if connection.dialect.driver == "pg8000":
        return driver._in_transaction
    return driver.info.transaction_status != 0


def refuse_aborted(connection: Any) -> None:
    """Raises an error if an earlier one has aborted the connection's open transaction."""
    if in_transaction(connection) and not _has_no_error(connection):
        execute(connection, "SELECT 1")


def _has_no_error(connection: Any) -> bool:
    """Whether the driver knows that its open transaction has no error."""
    return connection.dialect.driver in ("psycopg", "psycopg2") and (
        driver_connection(connection).info.transaction_status == _IN_TRANSACTION
    )


# https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQTRANSACTIONSTATUS
_IN_TRANSACTION = 2


def driver_connection(connection: Any) -> Any:
    """The driver's connection, without SQLAlchemy's adapter for async drivers."""
    fairy = connection.connection
    return getattr(fairy, "driver_connection", None) or fairy.connection


def backend_pid(dbapi_connection: Any) -> int | None:
    """Process id of the server's session; None if the driver does not expose it."""
    driver = getattr(dbapi_connection, "driver_connection", None) or dbapi_connection
    if hasattr(driver, "get_server_pid"):  # asyncpg
        return driver.get_server_pid()
    if key := getattr(driver, "_backend_key_data", None):  # pg8000
        return int.from_bytes(key[:4], "big")
    info = getattr(driver, "info", None)
    return getattr(info, "backend_pid", None)


@contextmanager
def rolled_back(connection: Any) -> Iterator[None]:
    """Runs the block in a transaction that is rolled back."""
    transaction = connection.begin()
    try:
        yield
    finally:
        transaction.rollback()


@contextmanager
def committed(connection: Any) -> Iterator[None]:
    """Runs the block in a transaction that is committed."""
    transaction = connection.begin()
    try:
        yield
    except BaseException:
        transaction.rollback()
        raise
    transaction.commit()


def roll_back(connection: Any) -> None:
    """Rolls back the connection's transaction, whether SQLAlchemy or only the driver knows about it."""
    transaction = connection.get_transaction()
    if transaction is not None:
        transaction.rollback()
    if in_transaction(connection):
        connection.connection.dbapi_connection.rollback()


def commit(connection: Any) -> None:
    """Commits the connection's transaction, whether SQLAlchemy or only the driver knows about it."""
    transaction = connection.get_transaction()
    if transaction is not None:
        transaction.commit()
    if in_transaction(connection):
        connection.connection.dbapi_connection.commit()
