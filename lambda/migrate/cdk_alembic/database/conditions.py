"""Translates database errors that no revision caused into a code, what happened, and the next step."""

from __future__ import annotations

from typing import NamedTuple

from ..protocol.errors import RunnerError
from .failures import connection_failure, describe, sql_state


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
        "the role may not do what a migration needs",
        "grant USAGE and CREATE on the schema (since PostgreSQL 15, only its owner may create tables in public), and SELECT, "
        "INSERT, UPDATE and DELETE on the version table; nothing was changed",
    ),
    Condition(
        ("25006",),
        "read_only",
        "the database takes no writes",
        "connect to the writer, not to a reader or a standby, and check whether default_transaction_read_only is set for the "
        "role or the database; nothing was changed",
    ),
    Condition(
        ("55P03", "40P01"),
        "lock_not_available",
        "another session holds the version table",
        "find who holds it (pg_locks, pg_stat_activity: a long transaction, VACUUM FULL) and run again; nothing was changed",
    ),
    Condition(
        ("57014", "25P03", "25P04"),
        "timed_out",
        "a timeout of the database or of the role ended a short statement",
        "list what is set for them (SELECT * FROM pg_db_role_setting), remove it (ALTER ROLE ... RESET statement_timeout) and "
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
        "the database has run out of something",
        "give the server disk or memory, as its message says, and run again; nothing was changed",
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
