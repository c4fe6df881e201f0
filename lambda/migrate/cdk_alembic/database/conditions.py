"""Translates database errors that no revision caused into a code, what happened, and the next step."""

from __future__ import annotations

import re
import ssl
from typing import NamedTuple

from ..connection.watchdog import gave_up
from ..protocol.errors import RunnerError
from .failures import describe, origin_of, sql_state

_TLS = re.compile(r"certificate|not support SSL|rejected SSL|refuses SSL")

# PostgreSQL's error classes, https://www.postgresql.org/docs/current/errcodes-appendix.html
_UNREACHABLE_STATES = ("08", "53300", "57P01", "57P02", "57P03", "57P05")
_REFUSED_STATES = ("28", "3D000")

CONNECTION_ENDED = "find out what ended the connection (a failover, a restart, an administrator), and run again"


class Condition(NamedTuple):
    """One kind of error."""

    states: tuple[str, ...]
    """Prefixes of its SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html"""
    code: str
    what: str
    """Followed by the database's message."""
    next: str


POOLED = (
    "connect to PostgreSQL itself: its port is usually 5432, that of PgBouncer 6432; the application may stay behind the pooler; "
    "nothing was changed"
)

CONDITIONS = (
    # A prepared statement exists in another session, or already in this one.
    Condition(
        ("26000", "42P05"),
        "pooled_connection",
        "a pooler gives each transaction another session",
        POOLED,
    ),
    Condition(
        ("42501",),
        "permission_denied",
        "the role lacks a privilege that a migration needs",
        "grant USAGE and CREATE on the schema (since PostgreSQL 15, only its owner may create tables in public), and SELECT, "
        "INSERT, UPDATE and DELETE on the version table; nothing was changed",
    ),
    Condition(
        ("25006",),
        "read_only",
        "the database does not accept writes",
        "connect to the writer, not to a reader or a standby, and check whether default_transaction_read_only is set for the "
        "role or the database; nothing was changed",
    ),
    Condition(
        ("55P03", "40P01"),
        "lock_not_available",
        "another session holds a lock on the version table, or on a table whose definition is read",
        "find out who holds it (pg_locks, pg_stat_activity: a long transaction, VACUUM FULL) and run again; nothing was changed",
    ),
    Condition(
        ("57014", "25P03", "25P04"),
        "timed_out",
        "a timeout of the database or of the role ended a short statement",
        "list their settings (SELECT * FROM pg_db_role_setting), remove the timeout (ALTER ROLE ... RESET statement_timeout) and "
        "run again; nothing was changed",
    ),
    Condition(
        ("42703", "42804", "22P02", "22001", "42883", "42809"),
        "invalid_version_table",
        "the version table is not the one that Alembic creates",
        "its only column is version_num varchar(32) NOT NULL, the primary key: rename or alter the column back, or let env.py "
        "name another version_table",
    ),
    Condition(
        ("53100", "53200", "54"),
        "database_unreachable",
        "the server is out of disk space or memory, or has reached a limit",
        "add disk space or memory to the server, or stay below the limit that it names, and run again; nothing was changed",
    ),
)


def pooled(how: str) -> RunnerError:
    """RunnerError `pooled_connection`. `how`: the evidence of a pooler."""
    return RunnerError(
        "pooled_connection",
        f"a pooler such as PgBouncer gives each transaction another session ({how}), so no lock would hold",
        POOLED,
    )


OF_VERSION_TABLE = ("lock_not_available", "invalid_version_table")


def condition(error: BaseException, of_version_table: bool = True) -> RunnerError | None:
    """The RunnerError for a database error that no revision caused; None for any other exception.
    `of_version_table`: whether the failed statement used only the version table."""
    if not isinstance(error, Exception):
        return None
    state = sql_state(error)
    if "pooling mode" in describe(error):
        return pooled(describe(error))
    for kind in CONDITIONS:
        if not of_version_table and kind.code in OF_VERSION_TABLE:
            continue
        if state is not None and state.startswith(kind.states):
            return RunnerError(kind.code, f"{kind.what}: {describe(error)}", kind.next, sql_state=state)
    return connection_failure(error)


def connection_failure(error: Exception) -> RunnerError | None:
    """The error for a failed connection to the database; None if the exception is something else."""
    state = sql_state(error) or _state_in_words(str(error))
    if (state and state.startswith(_REFUSED_STATES)) or _is_tls(error):
        return RunnerError(
            "database_refused",
            f"the database refused the connection: {describe(error)}",
            "check user, password, database name and TLS of the stage's secret or environment",
            sql_state=state,
        )
    is_gone = (state and state.startswith(_UNREACHABLE_STATES)) or _is_network(error)
    if is_gone and gave_up():
        return RunnerError(
            "database_unreachable",
            f"the database accepted the connection and then stopped answering: {describe(error)}",
            "check whether the server is frozen or failing over, and the network between it and this client; then run again",
            sql_state=state,
        )
    if is_connection_lost(error):
        return RunnerError(
            "database_unreachable",
            f"the connection to the database ended: {describe(error)}",
            CONNECTION_ENDED,
            sql_state=state,
        )
    if is_gone:
        return RunnerError(
            "database_unreachable",
            f"the database is not reachable: {describe(error)}",
            "check host and port, that the database is running, and that its security group allows this client",
            sql_state=state,
        )
    return None


def is_connection_lost(error: BaseException) -> bool:
    """Whether a statement found that its connection had ended."""
    return getattr(error, "connection_invalidated", False) and getattr(error, "statement", None) is not None


def _state_in_words(text: str) -> str | None:
    # libpq reports no SQLSTATE for a refused connection: psycopg and psycopg2 have only the message.
    if "password authentication failed" in text or "no pg_hba.conf entry" in text or "no password supplied" in text:
        return "28P01" if "password authentication" in text else "28000"
    if re.search(r'(role|user) "[^"]*" does not exist', text):
        return "28000"
    if re.search(r'database "[^"]*" does not exist', text):
        return "3D000"
    return None


def _is_tls(error: Exception) -> bool:
    origin = origin_of(error)
    if isinstance(origin, ssl.SSLError) or isinstance(origin.__cause__, ssl.SSLError):
        return True
    return sql_state(error) is None and _TLS.search(str(origin)) is not None


def _is_network(error: Exception) -> bool:
    origin = origin_of(error)
    if isinstance(origin, OSError):
        # That of a file names it.
        return origin.filename is None
    # libpq's connection errors have no SQLSTATE; pg8000's InterfaceError wraps the socket's error.
    return type(origin).__name__ in ("OperationalError", "InterfaceError", "ConnectionTimeout") and sql_state(error) is None
