"""Ends the wait for a server that no longer answers.

When a host freezes or a firewall drops the connection, a driver waits in a system call that neither a statement timeout nor a
signal ends. Shutting down its socket from another thread ends it, with any of the four drivers.
"""

from __future__ import annotations

import math
import os
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from ..protocol.process import Process

# The connection ends if sent data is not acknowledged for this long. While nothing is sent, keepalive probes end it.
USER_TIMEOUT_SECONDS = 30
# The limit for connecting, and for each answer to one of the runner's statements, which have a statement timeout.
ANSWER_SECONDS = 60
KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}

WATCHDOG: ContextVar[Watchdog | None] = ContextVar("watchdog", default=None)
"""The watchdog of the current request."""


class Watchdog:
    """Watches the connections of a request."""

    def __init__(self, process: Process) -> None:
        self.is_over = False
        """Whether the deadline is too near to wait for a server."""
        self.gave_up = False
        """Whether connections were ended since the last one was opened."""
        self.address: tuple[str, dict[str, Any]] | None = None
        """Driver and options of the latest connection, for another one to the same database; None: none yet, or env.py opens its
        connections itself."""
        self._process = process
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self._give_up_at = math.inf
        self._wakes_at = math.inf
        """When the thread checks next unless notified. Notifying it for each revision would cost more than a check."""
        self._closed = False
        self._changed = threading.Condition()

    def add(self, connection: Any, *_: Any) -> None:
        """Watches a driver's connection from now on, unless it has no socket, as with SQLite. SQLAlchemy's connect event."""
        # SQLAlchemy wraps async connections.
        connection = getattr(connection, "_connection", connection)
        try:
            peer = _socket_of(connection)
        except Exception:
            return
        with suppress(OSError), peer:
            _keep_alive(peer)
        with self._changed:
            self.gave_up = False
            self._connections.add(connection)
            if self._give_up_at < math.inf:
                # The time that env.py used before it connected does not count.
                self._give_up_at = max(self._give_up_at, time.monotonic() + ANSWER_SECONDS)

    def answer_by(self, deadline: float) -> None:
        """Sets the time by which the server must answer, of time.monotonic(); math.inf: until the deadline."""
        with self._changed:
            self._give_up_at = deadline
            if deadline < self._wakes_at:
                self._changed.notify()

    def close(self) -> None:
        """Ends `watch`."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def watch(self) -> None:
        """Ends connections whose server does not answer in time. Runs in its own thread."""
        with self._changed:
            while not self._closed:
                until_deadline = self._process.seconds_with_database()
                left = min(until_deadline, self._give_up_at - time.monotonic())
                if left > 0:
                    self._wakes_at = time.monotonic() + left
                    self._changed.wait(None if left == math.inf else left)
                    continue
                self.is_over = self.is_over or until_deadline <= 0
                self.gave_up = True
                self._give_up_at = math.inf
                for connection in tuple(self._connections):
                    # A closed connection has no socket.
                    with suppress(Exception), _socket_of(connection) as peer:
                        peer.shutdown(socket.SHUT_RDWR)
                self._connections.clear()
                if self.is_over:
                    return


@contextmanager
def watching(process: Process) -> Iterator[None]:
    """Runs the block with a watchdog."""
    watchdog = Watchdog(process)
    token = WATCHDOG.set(watchdog)
    thread = threading.Thread(target=watchdog.watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        WATCHDOG.reset(token)
        watchdog.close()
        thread.join()


def host_of(connection: Any) -> str | None:
    """The host of SQLAlchemy's connection; None: unknown."""
    watchdog = WATCHDOG.get()
    options = watchdog.address[1] if watchdog and watchdog.address else {}
    return options.get("host") or connection.engine.url.host


def expect(seconds: float | None = None) -> None:
    """Limits the time until the server answers; a later call extends it. None: ANSWER_SECONDS."""
    if watchdog := WATCHDOG.get():
        watchdog.answer_by(time.monotonic() + (ANSWER_SECONDS if seconds is None else seconds))


def relax() -> None:
    """Removes that limit: a revision may run for long."""
    if watchdog := WATCHDOG.get():
        watchdog.answer_by(math.inf)


@contextmanager
def expecting(seconds: float | None = None) -> Iterator[None]:
    """Limits the time until the server answers, within this block."""
    expect(seconds)
    try:
        yield
    finally:
        relax()


def gave_up() -> bool:
    """Whether the current failure is due to a server that did not answer."""
    watchdog = WATCHDOG.get()
    return watchdog is not None and watchdog.gave_up


def _keep_alive(peer: socket.socket) -> None:
    """Makes the kernel end the connection when the peer is silent, if the platform supports it."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in {**KEEPALIVE, "TCP_USER_TIMEOUT": USER_TIMEOUT_SECONDS * 1000}.items():
        if hasattr(socket, name):
            peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _socket_of(connection: Any) -> socket.socket:
    """A duplicate of the connection's socket: closing it has no effect on the connection. Raises the driver's exceptions."""
    if hasattr(connection, "_usock"):  # pg8000
        descriptor = connection._usock.fileno()
    elif hasattr(connection, "get_server_pid"):  # asyncpg
        descriptor = connection._transport.get_extra_info("socket").fileno()
    else:  # psycopg, also async, and psycopg2
        descriptor = connection.fileno()
    return socket.socket(fileno=os.dup(descriptor))
