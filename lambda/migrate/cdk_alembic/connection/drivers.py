"""The four drivers without SQLAlchemy and env.py: queries on a connection with short timeouts, and canceling a statement."""

from __future__ import annotations

import os
import socket
import ssl
import struct
from collections.abc import Mapping
from typing import Any

from .watchdog import WATCHDOG, expecting

CONNECT_SECONDS = 3
# A migration that alters the version table blocks all its readers.
_TIMEOUTS = {"lock_timeout": "1000", "statement_timeout": "3000"}

# SQLAlchemy's options, which the drivers don't know and which differ between engines.
SQLALCHEMY_OPTIONS = (
    "context",
    "prepared_statement_cache_size",
    "prepared_statement_name_func",
    "async_creator_fn",
    "async_fallback",
)


def options(driver: str, address: Mapping[str, Any]) -> dict[str, Any]:
    """An address and its password as arguments of the driver."""
    name = "database" if driver in ("asyncpg", "pg8000") else "dbname"
    given = {part: str(address[part]) for part in ("host", "user", "password")}
    return {**given, "port": int(address["port"]), name: str(address["database"])}


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


def connect(driver: str, options: Mapping[str, Any], timeouts: Mapping[str, str] = _TIMEOUTS) -> Any:
    """An autocommit connection. Its `fetch_value(query)` returns the only value of the only row. `options` are those that
    SQLAlchemy passes to the driver; `timeouts` are PostgreSQL settings. Raises the driver's exceptions."""
    return _CONNECT[driver]({name: value for name, value in options.items() if name not in SQLALCHEMY_OPTIONS}, timeouts)


def _answer_seconds(timeouts: Mapping[str, str]) -> float:
    return int(timeouts["statement_timeout"]) / 1000 + CONNECT_SECONDS


def _watch(connection: Any) -> None:
    if watchdog := WATCHDOG.get():
        watchdog.add(connection)


class _Blocking:
    def __init__(self, connection: Any, timeouts: Mapping[str, str]) -> None:
        connection.autocommit = True
        self._connection = connection
        self._seconds = _answer_seconds(timeouts)
        _watch(connection)

    def fetch_value(self, query: str) -> str | None:
        with expecting(self._seconds):
            cursor = self._connection.cursor()
            cursor.execute(query)
            row = cursor.fetchone()
            cursor.close()
        return row[0] if row else None

    def close(self) -> None:
        self._connection.close()


class _Asyncpg:
    def __init__(self, connect: Any, timeouts: Mapping[str, str]) -> None:
        import asyncio

        self._loop = asyncio.new_event_loop()
        try:
            self._connection = self._loop.run_until_complete(connect())
        except BaseException:
            self._loop.close()
            raise
        self._seconds = _answer_seconds(timeouts)
        _watch(self._connection)

    def fetch_value(self, query: str) -> str | None:
        with expecting(self._seconds):
            return self._loop.run_until_complete(self._connection.fetchval(query))

    def close(self) -> None:
        self._loop.run_until_complete(self._connection.close(timeout=1))
        self._loop.close()


def _libpq(connect: Any, options: dict[str, Any], timeouts: Mapping[str, str]) -> _Blocking:
    settings = " ".join(f"-c {name}={value}" for name, value in timeouts.items())
    options["options"] = f"{options.get('options', '')} {settings}".strip()
    return _Blocking(connect(**{"connect_timeout": CONNECT_SECONDS, **options}), timeouts)


def _psycopg(options: dict[str, Any], timeouts: Mapping[str, str]) -> _Blocking:
    import psycopg

    return _libpq(psycopg.connect, options, timeouts)


def _psycopg2(options: dict[str, Any], timeouts: Mapping[str, str]) -> _Blocking:
    import psycopg2

    return _libpq(psycopg2.connect, options, timeouts)


def _asyncpg(options: dict[str, Any], timeouts: Mapping[str, str]) -> _Asyncpg:
    import asyncpg

    settings = {**options.pop("server_settings", {}), **timeouts}
    limits = {"timeout": CONNECT_SECONDS, "command_timeout": _answer_seconds(timeouts)}

    async def connect() -> Any:
        return await asyncpg.connect(**{**limits, **options, "server_settings": settings})

    return _Asyncpg(connect, timeouts)


def _pg8000(options: dict[str, Any], timeouts: Mapping[str, str]) -> _Blocking:
    import pg8000.dbapi

    settings = {**options.pop("startup_params", {}), **timeouts}
    defaults = {"timeout": _answer_seconds(timeouts), "ssl_context": tls()}
    return _Blocking(pg8000.dbapi.connect(**{**defaults, **options, "startup_params": settings}), timeouts)


_CONNECT = {"psycopg": _psycopg, "psycopg2": _psycopg2, "asyncpg": _asyncpg, "pg8000": _pg8000}

# https://www.postgresql.org/docs/current/protocol-message-formats.html
_CANCEL_REQUEST = 80877102
_CANCEL_TIMEOUT_SECONDS = 3


def cancel(connection: Any) -> None:
    """Asks the server to cancel the connection's current statement, if any. Requires no password, which may have been rotated
    since the connection was opened."""
    if hasattr(connection, "_backend_key_data"):  # pg8000
        _send_cancel(connection._usock.getpeername(), connection._backend_key_data)
    elif hasattr(connection, "get_server_pid"):  # asyncpg
        protocol = connection._protocol
        _send_cancel(connection._addr, struct.pack("!ii", protocol.backend_pid, protocol.backend_secret))
    else:  # psycopg and psycopg2 can, from any thread
        connection.cancel()


def _send_cancel(address: Any, key: bytes) -> None:
    with socket.socket(socket.AF_UNIX) if isinstance(address, str) else socket.create_connection(address[:2]) as connection:
        connection.settimeout(_CANCEL_TIMEOUT_SECONDS)
        if isinstance(address, str):
            connection.connect(address)
        connection.sendall(struct.pack("!ii", 8 + len(key), _CANCEL_REQUEST) + key)
        # The server closes the connection after it has passed on the request.
        connection.recv(1)
