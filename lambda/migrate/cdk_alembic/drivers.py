"""One query over the backend's own driver, on a connection that waits for nothing long.

No connection is kept between two calls: a frozen function would hold a session that stops Aurora from pausing, a database from
being dropped and a proxy from reusing it, and meet a dead one after a failover.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

CONNECT_SECONDS = 3
# A migration that changes the version table itself holds it back from every reader.
_WAITS = {"lock_timeout": "1000", "statement_timeout": "3000"}

_loop: Any = None


def ask(driver: str, address: Mapping[str, Any], query: str) -> str | None:
    """The only value of the query's only row, None if there is no row. Raises whatever the driver raises."""
    host, port, user, password, database = (address[part] for part in ("host", "port", "user", "password", "database"))
    return _ASK[driver](str(host), int(port), str(user), str(password), str(database), query)


def _libpq(connect: Any, host: str, port: int, user: str, password: str, database: str, query: str) -> str | None:
    options = " ".join(f"-c {name}={value}" for name, value in _WAITS.items())
    connection = connect(
        host=host, port=port, user=user, password=password, dbname=database, connect_timeout=CONNECT_SECONDS, options=options
    )
    return _fetch(connection, query)


def _fetch(connection: Any, query: str) -> str | None:
    try:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(query)
        row = cursor.fetchone()
    finally:
        connection.close()
    return row[0] if row else None


def _psycopg(*where: Any) -> str | None:
    import psycopg

    return _libpq(psycopg.connect, *where)


def _psycopg2(*where: Any) -> str | None:
    import psycopg2

    return _libpq(psycopg2.connect, *where)


def _asyncpg(host: str, port: int, user: str, password: str, database: str, query: str) -> str | None:
    import asyncio

    import asyncpg

    async def ask() -> str | None:
        connection = await asyncpg.connect(
            host=host,
            port=port,
            user=user,
            password=password,
            database=database,
            timeout=CONNECT_SECONDS,
            command_timeout=CONNECT_SECONDS * 2,
            server_settings=_WAITS,
        )
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close(timeout=1)

    global _loop
    # asyncio.run would make one for each call, which takes as long as the query.
    _loop = _loop or asyncio.new_event_loop()
    return _loop.run_until_complete(ask())


def _pg8000(host: str, port: int, user: str, password: str, database: str, query: str) -> str | None:
    import pg8000.dbapi

    from .connecting import tls

    connection = pg8000.dbapi.connect(
        user,
        host=host,
        port=port,
        password=password,
        database=database,
        timeout=CONNECT_SECONDS * 2,
        ssl_context=tls(),
        startup_params=_WAITS,
    )
    return _fetch(connection, query)


_ASK = {"psycopg": _psycopg, "psycopg2": _psycopg2, "asyncpg": _asyncpg, "pg8000": _pg8000}
