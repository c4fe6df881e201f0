"""Connects to the database, with a timeout and TLS on each connection, retries while it is not available (paused, failing over,
starting, or rotating its password), and ends the wait for a server that no longer answers.

When a host freezes or a firewall drops the connection, a driver waits in a system call that neither a statement timeout nor a
signal ends. Shutting down its socket from another thread ends it, with any of the four drivers.
"""

from __future__ import annotations

import math
import os
import random
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from ..protocol.errors import RunnerError
from ..protocol.log import log
from ..protocol.request import Invocation

PAUSE_SECONDS = (0.5, 2.0)

# invalid_password and invalid_authorization_specification
_PASSWORD_STATES = ("28P01", "28000")

# A security group drops packets silently, and three of the four drivers would wait until the function times out.
CONNECT_TIMEOUT_SECONDS = 10

_TIMEOUT_OPTION = {"psycopg": "connect_timeout", "psycopg2": "connect_timeout", "asyncpg": "timeout", "pg8000": "timeout"}


# The connection ends if sent data is not acknowledged for this long. While nothing is sent, keepalive probes end it.
USER_TIMEOUT_SECONDS = 30
# The limit for connecting, and for each answer to one of the runner's statements, which have a statement timeout.
ANSWER_SECONDS = 60
# The share of the reserve for answering without the database: 2 s of the usual 10 s.
ANSWERING_SHARE = 0.2
KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}

WATCHDOG: ContextVar[Watchdog | None] = ContextVar("watchdog", default=None)
"""The watchdog of the current request."""


class Retries:
    """The tries of one request to reach its database: each fetches the secret again."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._give_up = time.monotonic() + invocation.settings.limits.connect_retry
        self._refusals = 0

    def pause(self, error: RunnerError) -> None:
        """Waits before the next try. Raises the error if no other try may follow: an unreachable database is tried again within
        the stage's limit, a refused password once, and nothing after a run has started."""
        settings = self._invocation.settings
        is_refused = error.code == "database_refused" and error.sql_state in _PASSWORD_STATES
        self._refusals += is_refused
        is_fetched = settings.database["source"] != "environment"
        may_come = error.code == "database_unreachable" or (is_refused and self._refusals == 1 and is_fetched)
        has_time = time.monotonic() < self._give_up and not self._invocation.is_over()
        if self._invocation.before is not None or not may_come or not has_time:
            raise error
        self._invocation.refuse_if_cancelled()
        log("WARNING", "connect_retry", stage=settings.stage, code=error.code, reason=error.message)
        time.sleep(random.uniform(*PAUSE_SECONDS))


def bounded(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    """SQLAlchemy's do_connect event: limits the attempt to CONNECT_TIMEOUT_SECONDS in the options, unless env.py sets its own
    limit. Returns None if the dialect should connect with them."""
    watchdog = WATCHDOG.get()
    if watchdog and watchdog.is_over:
        raise dialect.dbapi.OperationalError("the deadline is too near to connect again")
    if watchdog and not arguments:
        watchdog.address = (dialect.driver, options)
    option = _TIMEOUT_OPTION.get(dialect.driver)
    if option is None or option in options:
        return None
    options[option] = CONNECT_TIMEOUT_SECONDS
    if dialect.driver != "pg8000":
        return None
    if "ssl_context" not in options and (context := tls()):
        options["ssl_context"] = context
    connection = dialect.connect(*arguments, **options)
    # pg8000 would apply the connection timeout to every statement.
    connection._usock.settimeout(None)
    return connection


def tls() -> ssl.SSLContext | None:
    """TLS for pg8000, which does not read the environment variables of libpq and asyncpg."""
    mode = os.environ.get("PGSSLMODE")
    if mode not in ("require", "verify-ca", "verify-full"):
        return None
    # Like libpq and asyncpg. From Python 3.13 on, create_default_context() also refuses authorities that lack an extension.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if bundle := os.environ.get("PGSSLROOTCERT"):
        context.load_verify_locations(bundle)
    else:
        context.load_default_certs()
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return context


class Watchdog:
    """As a context manager, watches the connections of a request."""

    def __init__(self, remaining_seconds: Callable[[], float], reserve_seconds: float) -> None:
        """`remaining_seconds`: until the process is killed; math.inf: never. `reserve_seconds`: kept for verifying and answering;
        connections may use all of it but the last ANSWERING_SHARE."""
        self.is_over = False
        """Whether the deadline is too near to wait for a server."""
        self.gave_up = False
        """Whether connections were ended since the last one was opened."""
        self.address: tuple[str, dict[str, Any]] | None = None
        """Driver and options of the latest connection, for another one to the same database; None: none yet, or env.py opens its
        connections itself."""
        self._remaining_seconds = remaining_seconds
        self._spare_seconds = reserve_seconds * ANSWERING_SHARE
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self._give_up_at = math.inf
        self._wakes_at = math.inf
        """When the thread looks again by itself: to wake it for each revision costs more than a look."""
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watchdog:
        self._token = WATCHDOG.set(self)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        WATCHDOG.reset(self._token)
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def add(self, connection: Any, *_: Any) -> None:
        """Watches a driver's connection from now on. SQLAlchemy's connect event."""
        # SQLAlchemy wraps async connections.
        connection = getattr(connection, "_connection", connection)
        with suppress(Exception), _socket_of(connection) as peer:
            _keep_alive(peer)
        with self._changed:
            self.gave_up = False
            self._connections.add(connection)
            if self._give_up_at < math.inf:
                # The time that env.py used before it connected does not count.
                self._give_up_at = max(self._give_up_at, time.monotonic() + ANSWER_SECONDS)

    def answer_by(self, at: float) -> None:
        """Sets the time by which the server must answer, of time.monotonic(); math.inf: until the deadline."""
        with self._changed:
            self._give_up_at = at
            if at < self._wakes_at:
                self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                until_deadline = self._remaining_seconds() - self._spare_seconds
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
    """Removes that limit: a revision may take long."""
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
