"""Connects to the database, with a timeout and TLS on each connection. Retries while the database is not available: paused,
failing over, starting, or rotating its password."""

from __future__ import annotations

import os
import random
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..protocol.errors import RunnerError
from ..protocol.log import log
from ..protocol.request import Invocation
from .watchdog import WATCHDOG

PAUSE_SECONDS = (0.5, 2.0)

# invalid_password and invalid_authorization_specification
_PASSWORD_STATES = ("28P01", "28000")

# A security group drops packets silently, and three of the four drivers would wait until the function times out.
CONNECT_TIMEOUT_SECONDS = 10

_TIMEOUT_OPTION = {"psycopg": "connect_timeout", "psycopg2": "connect_timeout", "asyncpg": "timeout", "pg8000": "timeout"}


def until_connected(invocation: Invocation, attempt: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Returns the attempt's result. Repeats the attempt while the database is unreachable, within the stage's limit, and once
    after a refused password: each attempt fetches the secret again. Never repeats it after a run has started."""
    give_up = time.monotonic() + invocation.settings.limits.connect_retry
    refusals = 0
    while True:
        try:
            return attempt()
        except RunnerError as error:
            refused = error.code == "database_refused" and error.sql_state in _PASSWORD_STATES
            refusals += refused
            is_fetched = invocation.settings.database["source"] != "environment"
            may_come = error.code == "database_unreachable" or (refused and refusals == 1 and is_fetched)
            if invocation.before is not None or not may_come or time.monotonic() >= give_up or invocation.is_over():
                raise
            invocation.refuse_if_cancelled()
            log("WARNING", "connect_retry", stage=invocation.settings.stage, code=error.code, reason=error.message)
            time.sleep(random.uniform(*PAUSE_SECONDS))


@contextmanager
def bounded_connects() -> Iterator[None]:
    """Limits SQLAlchemy's connection attempts to CONNECT_TIMEOUT_SECONDS, unless env.py sets its own limit. Adds the
    connections to the watchdog."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import Pool

    event.listen(Engine, "do_connect", bounded)
    event.listen(Pool, "connect", _watched)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", bounded)
        event.remove(Pool, "connect", _watched)


def _watched(connection: Any, record: Any) -> None:
    if watchdog := WATCHDOG.get():
        watchdog.add(connection)


def bounded(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    """SQLAlchemy's do_connect event: adds to the options. Returns None, so the dialect connects with them."""
    watchdog = WATCHDOG.get()
    if watchdog and watchdog.is_over:
        raise dialect.dbapi.OperationalError("the deadline is too near to connect again")
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
    context = ssl.create_default_context(cafile=os.environ.get("PGSSLROOTCERT"))
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return context
