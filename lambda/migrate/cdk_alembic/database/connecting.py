"""What each connection gets, whichever driver env.py uses: an end to waiting, and TLS where the environment asks for it."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# A packet that a security group drops is never answered, and three of the four drivers would wait for it until the function ends.
CONNECT_TIMEOUT_SECONDS = 10

_TIMEOUT_OPTION = {"psycopg": "connect_timeout", "psycopg2": "connect_timeout", "asyncpg": "timeout", "pg8000": "timeout"}


@contextmanager
def bounded_connects() -> Iterator[None]:
    """Meanwhile a connection that SQLAlchemy makes waits for CONNECT_TIMEOUT_SECONDS at most, unless env.py says otherwise."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    event.listen(Engine, "do_connect", bounded)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", bounded)


def bounded(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    """SQLAlchemy's event do_connect: adds to the options. None: the dialect is to connect with them."""
    option = _TIMEOUT_OPTION.get(dialect.driver)
    if option is None or option in options:
        return None
    options[option] = CONNECT_TIMEOUT_SECONDS
    if dialect.driver != "pg8000":
        return None
    if "ssl_context" not in options and (context := tls()):
        options["ssl_context"] = context
    connection = dialect.connect(*arguments, **options)
    # pg8000 would hold every statement to it.
    connection._usock.settimeout(None)
    return connection


def tls() -> ssl.SSLContext | None:
    """What libpq and asyncpg read from the environment by themselves; pg8000 does not."""
    mode = os.environ.get("PGSSLMODE")
    if mode not in ("require", "verify-ca", "verify-full"):
        return None
    context = ssl.create_default_context(cafile=os.environ.get("PGSSLROOTCERT"))
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return context
