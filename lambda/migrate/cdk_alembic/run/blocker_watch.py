"""Finds out who holds the lock that a revision's statement waits for, while it waits: PostgreSQL's error does not say it.

A thread with a connection of its own: the statement keeps one of the run's connections, and with an async driver the other one
belongs to the same event loop. It is opened only if a statement takes a while in a revision that could not get a lock before,
or that is not tried again.
"""

from __future__ import annotations

import json
import math
import threading
import time
from typing import Any

from ..connection import drivers
from ..connection.watchdog import WATCHDOG
from ..database.blockers import Seen, in_words, is_circle, of_backend, of_own_tables, remedies, seen, to_end
from ..database.failures import describe, sql_state
from ..protocol.errors import RunnerError
from ..protocol.log import log
from ..protocol.request import Invocation

# PostgreSQL ends the wait after the whole lock timeout.
SHARE_OF_LOCK_TIMEOUT = 0.2
# Before a statement is canceled because of the deadline.
DEADLINE_MARGIN_SECONDS = 3.0
_CLOSE_SECONDS = 1.0
NOBODY = Seen([], "")


class BlockerWatch:
    """The tries of one run. `close` ends its thread."""

    def __init__(self, invocation: Invocation) -> None:
        self.seen = NOBODY
        """The latest look that found someone."""
        self.latest = NOBODY
        """The latest look."""
        self.waits_for_itself = False
        """Whether the revision waited for a lock of its own: another connection of it, or of env.py, holds it or waits for it."""
        # A tenant's run is tried again after the others.
        self.is_alert = invocation.settings.limits.lock_retry == 0 and invocation.tenant is None
        """Whether the running revision could not get a lock before, or is not tried again."""
        self._invocation = invocation
        self._pid = 0
        self._others: set[int] = set()
        """Process ids of the revision's other connections."""
        self._address: tuple[str, dict[str, Any]] | None = None
        self._at = math.inf
        self._pause = 0.0
        self._may_end = True
        """False after the database has refused it."""
        self._is_closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, pid: int) -> None:
        """`pid`: process id of the session that migrates, which was opened just now."""
        watchdog = WATCHDOG.get()
        self._pid, self._address = pid, watchdog.address if watchdog else None
        self._others.clear()
        self.waits_for_itself = False

    def statement(self, lock_timeout: float | None, is_last: bool) -> None:
        """A statement starts. `lock_timeout`: in seconds; 0: it may wait until the deadline; None: the revision's own.
        `is_last`: whether the revision would not be tried again."""
        limits = self._invocation.settings.limits
        if lock_timeout == 0:
            left = self._invocation.process.seconds_left() - DEADLINE_MARGIN_SECONDS
            self._look_in(max(left, 0.0), DEADLINE_MARGIN_SECONDS)
        elif self.is_alert or is_last:
            pause = SHARE_OF_LOCK_TIMEOUT * (lock_timeout or limits.lock_timeout)
            self._look_in(pause, pause)
        else:
            self.rest()

    def second_connection(self, pid: int, lock_timeout: float) -> None:
        """A revision has another connection, with this process id."""
        self._others.add(pid)
        self.statement(lock_timeout, is_last=True)

    def rest(self) -> None:
        """No statement runs that it should look at."""
        if self._thread is not None:
            with self._changed:
                self._at = math.inf

    def close(self) -> None:
        """Ends the thread, without waiting for a server that does not answer."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)

    def _look_in(self, seconds: float, pause: float) -> None:
        if self._address is None or seconds == math.inf:
            return
        with self._changed:
            self._at, self._pause = time.monotonic() + seconds, pause
            self._changed.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        connection = None
        try:
            while self._wait():
                connection = connection or drivers.connect(*self._address)
                self.latest = seen(connection.ask(of_backend(self._pid)))
                if self._others:
                    self.waits_for_itself |= connection.ask(is_circle(self._pid, self._others)) == "true"
                if self.latest.blockers:
                    self.seen = self.latest
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
            pids = json.loads(connection.ask(to_end(self._pid, allowed)))
        except Exception as error:
            if sql_state(error) is None:
                raise
            self._may_end = False
            reason = f"{describe(error)}; GRANT pg_signal_backend TO {self.latest.role}"
            self._invocation.warnings.append(f"limits.endBlockers could not end a session: {reason}")
            log("WARNING", "blocker_not_ended", stage=stage, reason=reason)
            return
        # A busy server still shows a session that an earlier look ended.
        ended = self._invocation.ended_blockers
        known = [(one["pid"], one.get("since")) for one in ended]
        for blocker in self.latest.blockers:
            if blocker.get("pid") in pids and (blocker["pid"], blocker.get("since")) not in known:
                ended.append(blocker)
                log("WARNING", "blocker_ended", stage=stage, **blocker)

    def _wait(self) -> bool:
        """Until the next look is due. Returns False at the end."""
        with self._changed:
            while not self._is_closed:
                left = self._at - time.monotonic()
                if left <= 0:
                    self._at = time.monotonic() + self._pause
                    return True
                self._changed.wait(None if left == math.inf else left)
        return False


def name_holders(error: RunnerError, version_table: str) -> None:
    """Adds to an error about a lock on the version table or the run history who holds it. No event loop runs."""
    watchdog = WATCHDOG.get()
    if error.code != "lock_not_available" or error.revision is not None or watchdog is None or watchdog.address is None:
        return
    try:
        connection = drivers.connect(*watchdog.address)
        try:
            found = seen(connection.ask(of_own_tables(version_table)))
        finally:
            connection.close()
    except Exception as failure:
        log("WARNING", "blockers_not_seen", reason=describe(failure))
        return
    if found.blockers:
        error.message += f"; held by {in_words(found.blockers)}"
        error.next = f"{remedies(found)}; then run again; nothing was changed"
        error.blockers = found.blockers
