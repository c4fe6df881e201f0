"""Locks and waits beside a session: each test holds its lock until it has seen what it waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from backends import Database
from cdk_alembic.catalog.catalog import Relation
from cdk_alembic_local.measure.session_watch import SessionWatch
from cdk_alembic_local.scratch.scratch import Scratch


@pytest.fixture
def session(database: Database) -> Iterator[psycopg.Connection]:
    """The session that is watched, in a transaction."""
    database.execute("CREATE TABLE users (id int); INSERT INTO users VALUES (1); CREATE TABLE others (id int)")
    with psycopg.connect(database.url("postgresql")) as connection:
        yield connection
        connection.rollback()


def session_watch(database: Database, session: psycopg.Connection, *tables: str, **options: Any) -> SessionWatch:
    found = database.rows("SELECT oid::int, relname FROM pg_class WHERE relname IN ('users', 'others')")
    relations = {oid: Relation(name, name, "r", None) for oid, name in found}
    return SessionWatch(Scratch(database.url("postgresql")), session.info.backend_pid, relations, list(tables), **options)


def until(condition: Callable[[], Any]) -> None:
    while not condition():
        time.sleep(0.005)


def a_writer_waits(database: Database, pid: int) -> bool:
    query = f"SELECT FROM pg_stat_activity WHERE {pid} = ANY (pg_blocking_pids(pid)) AND query LIKE '%NO KEY UPDATE%'"
    return bool(database.rows(query))


def a_reader_waits(database: Database, pid: int) -> bool:
    query = f"SELECT FROM pg_stat_activity WHERE {pid} = ANY (pg_blocking_pids(pid)) AND query LIKE '%BEGIN PERFORM FROM%'"
    return bool(database.rows(query))


@pytest.mark.parametrize("mode", ["ShareLock", "AccessExclusiveLock"])
def test_a_lock_is_seen_with_its_mode_and_blocked_sessions_wait(
    database: Database, session: psycopg.Connection, mode: str
) -> None:
    with session_watch(database, session, "users", "others") as watched:
        session.execute(f"LOCK TABLE users IN {'SHARE' if mode == 'ShareLock' else 'ACCESS EXCLUSIVE'} MODE")
        until(lambda: a_writer_waits(database, session.info.backend_pid))
        if mode == "AccessExclusiveLock":
            until(lambda: a_reader_waits(database, session.info.backend_pid))
        since = time.perf_counter()
        watched.locks.wait_for_poll()
        until(lambda: time.perf_counter() - since > 0.3)  # longer than a writer's lock_timeout
        held = time.perf_counter() - since
        session.commit()
        watched.locks.wait_for_poll()
    assert watched.locks.longest.keys() == {("users", mode)}
    assert watched.locks.longest[("users", mode)] >= held
    assert watched.writers["users"].longest >= held
    if mode == "AccessExclusiveLock":
        assert watched.readers["users"].longest >= held
    assert watched.writers.keys() == watched.readers.keys() == {"users", "others"}


def test_a_writer_also_waits_for_a_row(database: Database, session: psycopg.Connection) -> None:
    with session_watch(database, session, "users") as watched:
        session.execute("UPDATE users SET id = 2")
        until(lambda: a_writer_waits(database, session.info.backend_pid))
        since = time.perf_counter()
        # The revision gets a stronger lock although a writer is in its way: no deadlock ends it.
        session.execute("ALTER TABLE users ADD COLUMN name text")
        held = time.perf_counter() - since
        session.commit()
    assert watched.writers["users"].longest >= held
    assert database.rows("SELECT id, name FROM users") == [(2, None)]


def test_locks_outside_of_a_transaction_are_seen(database: Database, session: psycopg.Connection) -> None:
    session.commit()
    session.autocommit = True
    with session_watch(database, session, "users") as watched, database.connect() as other:
        other.execute("BEGIN; LOCK TABLE users IN ROW EXCLUSIVE MODE")

        def release() -> bool:
            """As soon as CREATE INDEX CONCURRENTLY waits for this transaction and its lock was seen."""
            seen = ("users", "ShareUpdateExclusiveLock") in watched.locks.longest
            if seen:
                other.execute("COMMIT")
            return seen

        thread = threading.Thread(target=until, args=(release,))
        thread.start()
        session.execute("CREATE INDEX CONCURRENTLY ix ON users (id)")
        thread.join()
    assert ("users", "ShareUpdateExclusiveLock") in watched.locks.longest


def test_a_dropped_table_ends_its_reader_and_its_writer(database: Database, session: psycopg.Connection) -> None:
    with session_watch(database, session, "users") as watched:
        session.execute("DROP TABLE users")
        session.commit()
        until(lambda: not watched.writers["users"].is_alive() and not watched.readers["users"].is_alive())
    assert watched.writers["users"].is_missing and watched.readers["users"].is_missing


def test_the_session_is_canceled_at_the_deadline(database: Database, session: psycopg.Connection) -> None:
    with session_watch(database, session, deadline=time.monotonic()) as watched, pytest.raises(psycopg.errors.QueryCanceled):
        session.execute("SELECT pg_sleep(600)")
    assert watched.locks.canceled


def test_a_failure_of_the_second_connection_is_raised(database: Database, session: psycopg.Connection) -> None:
    watched = session_watch(database, session, "users")
    watched.writers["users"]._statement = "SELECT 1 / 0"
    with pytest.raises(Exception, match="division by zero"), watched:
        pass
