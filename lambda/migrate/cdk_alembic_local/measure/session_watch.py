"""Watches a revision from other connections: polls its locks, and measures how long reads and writes wait."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any

from cdk_alembic.catalog import raw
from cdk_alembic.catalog.catalog import Relation
from cdk_alembic.database.failures import sql_state

from ..scratch.rows import quoted_table
from ..scratch.scratch import LOCK_NOT_AVAILABLE, Scratch

INTERVAL = 0.003
"""Seconds between two polls, and between two reads or writes."""
MAX_TABLES = 8
"""The maximum number of tables to read and write: each needs two connections."""
_DEADLOCK_DETECTED = "40P01"

_HELD_LOCKS = """
SELECT coalesce(json_agg(json_build_array(relation::bigint, mode)), '[]')::text FROM pg_locks
WHERE locktype = 'relation' AND pid = {pid} AND granted AND relation >= 16384
"""
# Shorter than deadlock_timeout (one second): PostgreSQL's deadlock check could end the revision.
_LOCK_TIMEOUT = "SET lock_timeout = '200ms'"
_READ = "DO $do$ BEGIN PERFORM FROM {table} LIMIT 1; END $do$"
# Takes the locks of an UPDATE of one row, and changes nothing.
_WRITE = """
DO $do$ BEGIN
  LOCK TABLE {table} IN ROW EXCLUSIVE MODE;
  PERFORM FROM {table} LIMIT 1 FOR NO KEY UPDATE;
END $do$
"""


class SessionWatch:
    """Watches a session from other connections, from the start to the end of a `with` block."""

    def __init__(
        self, scratch: Scratch, pid: int, relations: dict[int, Relation], tables: list[str], deadline: float = float("inf")
    ) -> None:
        """`pid`: the session's process. `relations`: those whose locks count. `tables`: those to read and write, largest first.
        `deadline`: a time of time.monotonic(); from then on, the session's statements are canceled."""
        self.locks = Locks(scratch, pid, relations, deadline)
        self.readers = {table: Probe(scratch, table, _READ) for table in tables[:MAX_TABLES]}
        self.writers = {table: Probe(scratch, table, _WRITE) for table in tables[:MAX_TABLES]}

    def __enter__(self) -> SessionWatch:
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.ready.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def end(self) -> None:
        """Ends the threads. Raises the first error of any of them."""
        for thread in self._threads:
            thread.stopped.set()
        for thread in self._threads:
            thread.join()
        for thread in self._threads:
            if thread.failure:
                raise thread.failure

    @property
    def _threads(self) -> list[_Thread]:
        return [self.locks, *self.readers.values(), *self.writers.values()]


class _Thread(threading.Thread):
    """Works on a connection of its own until it is stopped."""

    def __init__(self, scratch: Scratch) -> None:
        super().__init__(daemon=True)
        self.ready = threading.Event()
        """Set after the first round, or a failure."""
        self.stopped = threading.Event()
        self.failure: Exception | None = None
        self._scratch = scratch

    def run(self) -> None:
        try:
            self._scratch.run_separately(self._work)
        except Exception as error:
            self.failure = error
        finally:
            self.ready.set()

    def _work(self, connection: Any) -> None:
        raise NotImplementedError


class Locks(_Thread):
    """Polls pg_locks. A lock held for less than the interval may be missed."""

    def __init__(self, scratch: Scratch, pid: int, relations: dict[int, Relation], deadline: float) -> None:
        super().__init__(scratch)
        self.longest: dict[tuple[str, str], float] = {}
        """The longest time in seconds that a lock was held, by table and mode: up to two intervals too long."""
        self.canceled = False
        """Whether the session was canceled at the deadline."""
        self._pid = pid
        self._relations = relations
        self._deadline = deadline
        self._polls = 0
        self._polled = threading.Condition()

    def wait_for_poll(self) -> None:
        """Returns after a poll that began after this call."""
        with self._polled:
            wanted = self._polls + 2
            while self._polls < wanted and self.is_alive():
                self._polled.wait(1)

    def _work(self, connection: Any) -> None:
        since: dict[tuple[str, str], float] = {}
        before = time.perf_counter()
        while not self.stopped.is_set():
            began = time.perf_counter()
            held = self._held(connection)
            now = time.perf_counter()
            for lock in held - since.keys():
                since[lock] = before
            for lock, start in list(since.items()):
                self.longest[lock] = max(self.longest.get(lock, 0), now - start)
                if lock not in held:
                    del since[lock]
            before = began
            if time.monotonic() >= self._deadline:
                # Set before the statement: the session may fail before this thread gets the result.
                self.canceled = True
                raw.execute(connection, f"SELECT pg_cancel_backend({self._pid})")
            with self._polled:
                self._polls += 1
                self._polled.notify_all()
            self.ready.set()
            self.stopped.wait(INTERVAL)

    def _held(self, connection: Any) -> set[tuple[str, str]]:
        found = raw.value(connection, _HELD_LOCKS.format(pid=self._pid))
        known = [(self._relations.get(oid), mode) for oid, mode in found]
        return {(relation.name, mode) for relation, mode in known if relation and relation.is_table}


class Probe(_Thread):
    """Reads or locks a row of a table again and again, without changing it."""

    def __init__(self, scratch: Scratch, table: str, statement: str) -> None:
        super().__init__(scratch)
        self.longest = 0.0
        """The longest time in seconds that a statement took."""
        self.is_missing = False
        """Whether the table was dropped or renamed."""
        self._statement = statement.format(table=quoted_table(table))

    def _work(self, connection: Any) -> None:
        raw.execute(connection, _LOCK_TIMEOUT)
        while not self.stopped.is_set() and not self.is_missing:
            began = time.perf_counter()
            while not self._try(connection) and not self.stopped.is_set():
                pass
            self.longest = max(self.longest, time.perf_counter() - began)
            self.ready.set()
            self.stopped.wait(INTERVAL)

    def _try(self, connection: Any) -> bool:
        """Returns False if the statement must be tried again."""
        try:
            raw.execute(connection, self._statement)
        except Exception as error:
            if sql_state(error) in (LOCK_NOT_AVAILABLE, _DEADLOCK_DETECTED):
                return False
            if sql_state(error) != "42P01":  # undefined_table
                raise
            self.is_missing = True
        return True
