"""Finds out who holds the lock that a revision's statement waits for. It must look while the statement waits: PostgreSQL's
error does not name the holder.

Runs in a thread with its own connection: the statement occupies one of the run's connections, and with an async driver the other
one belongs to the same event loop. The connection is opened only for a slow statement of a revision that failed to get a lock
before, or that has no further attempt.
"""

from __future__ import annotations

import json
import math
import threading
import time
from typing import Any

from ..connection import drivers
from ..connection.watchdog import WATCHDOG
from ..database.blockers import (
    BlockerReport,
    backend_query,
    end_query,
    in_words,
    own_tables_query,
    parse_report,
    remedies,
    self_deadlock_query,
)
from ..database.failures import describe, sql_state
from ..protocol.errors import RunnerError
from ..protocol.log import log
from ..protocol.request import Invocation

# PostgreSQL ends the wait after the whole lock timeout.
SHARE_OF_LOCK_TIMEOUT = 0.2
# Before a statement is canceled because of the deadline.
DEADLINE_MARGIN_SECONDS = 3.0
_CLOSE_SECONDS = 1.0
NO_BLOCKERS = BlockerReport([], "")


class BlockerWatch:
    """Watches the attempts of one run. `close` ends its thread."""

    def __init__(self, invocation: Invocation) -> None:
        self.last_found = NO_BLOCKERS
        """The latest report with blockers."""
        self.latest = NO_BLOCKERS
        """The latest report."""
        self.waits_for_itself = False
        """Whether the revision deadlocked itself: another one of its connections, or of env.py's, holds the lock or waits for
        it."""
        # A tenant's run is retried after the other tenants.
        self.is_alert = invocation.settings.limits.lock_retry == 0 and invocation.tenant is None
        """Whether the running revision failed to get a lock before, or has no further attempt."""
        self._invocation = invocation
        self._pid = 0
        self._others: set[int] = set()
        """Process ids of the revision's other connections."""
        self._address: tuple[str, dict[str, Any]] | None = None
        self._next_check = math.inf
        self._pause = 0.0
        self._may_end = True
        """False after the database has refused to end a session."""
        self._is_closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, pid: int) -> None:
        """Sets the session to watch. `pid`: process id of the new session that migrates."""
        watchdog = WATCHDOG.get()
        self._pid, self._address = pid, watchdog.address if watchdog else None
        self._others.clear()
        self.waits_for_itself = False

    def statement(self, lock_timeout: float | None, is_last: bool) -> None:
        """A statement starts. `lock_timeout`: in seconds; 0: it may wait until the deadline; None: the revision's own.
        `is_last`: whether the revision has no further attempt."""
        limits = self._invocation.settings.limits
        if lock_timeout == 0:
            left = self._invocation.process.seconds_left() - DEADLINE_MARGIN_SECONDS
            self._check_in(max(left, 0.0), DEADLINE_MARGIN_SECONDS)
        elif self.is_alert or is_last:
            pause = SHARE_OF_LOCK_TIMEOUT * (lock_timeout or limits.lock_timeout)
            self._check_in(pause, pause)
        else:
            self.rest()

    def second_connection(self, pid: int, lock_timeout: float) -> None:
        """A revision has another connection, with this process id."""
        self._others.add(pid)
        self.statement(lock_timeout, is_last=True)

    def rest(self) -> None:
        """Stops watching until the next statement."""
        if self._thread is not None:
            with self._changed:
                self._next_check = math.inf

    def close(self) -> None:
        """Ends the thread, without waiting for a server that does not answer."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)

    def _check_in(self, seconds: float, pause: float) -> None:
        if self._address is None or seconds == math.inf:
            return
        with self._changed:
            self._next_check, self._pause = time.monotonic() + seconds, pause
            self._changed.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        connection = None
        try:
            while self._wait():
                connection = connection or drivers.connect(*self._address)
                self.latest = parse_report(connection.fetch_value(backend_query(self._pid)))
                if self._others:
                    self.waits_for_itself |= connection.fetch_value(self_deadlock_query(self._pid, self._others)) == "true"
                if self.latest.blockers:
                    self.last_found = self.latest
                    self._end(connection)
        except Exception as error:
            log("WARNING", "blockers_not_seen", stage=self._invocation.settings.stage, reason=describe(error))
        finally:
            if connection is not None:
                connection.close()

    def _end(self, connection: Any) -> None:
        """Ends the blockers that the stage's limits allow to end."""
        allowed, stage = self._invocation.settings.limits.end_blockers, self._invocation.settings.stage
        if allowed is None or not self._may_end:
            return
        try:
            pids = json.loads(connection.fetch_value(end_query(self._pid, allowed)))
        except Exception as error:
            if sql_state(error) is None:
                raise
            self._may_end = False
            reason = f"{describe(error)}; GRANT pg_signal_backend TO {self.latest.role}"
            self._invocation.warnings.append(f"limits.endBlockers could not end a session: {reason}")
            log("WARNING", "blocker_not_ended", stage=stage, reason=reason)
            return
        # A busy server still lists a session that was already ended.
        ended = self._invocation.ended_blockers
        known = [(blocker["pid"], blocker.get("since")) for blocker in ended]
        for blocker in self.latest.blockers:
            if blocker.get("pid") in pids and (blocker["pid"], blocker.get("since")) not in known:
                ended.append(blocker)
                log("WARNING", "blocker_ended", stage=stage, **blocker)

    def _wait(self) -> bool:
        """Waits until the next check is due. Returns False at the end."""
        with self._changed:
            while not self._is_closed:
                left = self._next_check - time.monotonic()
                if left <= 0:
                    self._next_check = time.monotonic() + self._pause
                    return True
                self._changed.wait(None if left == math.inf else left)
        return False


def name_holders(error: RunnerError, version_table: str) -> None:
    """Adds the holders to an error about a lock on the version table or the run history. Call it outside an event loop."""
    watchdog = WATCHDOG.get()
    if error.code != "lock_not_available" or error.revision is not None or watchdog is None or watchdog.address is None:
        return
    try:
        connection = drivers.connect(*watchdog.address)
        try:
            report = parse_report(connection.fetch_value(own_tables_query(version_table)))
        finally:
            connection.close()
    except Exception as failure:
        log("WARNING", "blockers_not_seen", reason=describe(failure))
        return
    if report.blockers:
        error.message += f"; held by {in_words(report.blockers)}"
        error.next = f"{remedies(report)}; then run again; nothing was changed"
        error.blockers = report.blockers
