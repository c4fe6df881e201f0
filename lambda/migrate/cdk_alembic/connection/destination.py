"""Where env.py connects: it decides how, and the function's own database decides where.

Many projects take the address from alembic.ini or from code, and other settings, such as the driver or a search_path, with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..protocol.errors import RunnerError
from ..protocol.log import log
from . import drivers
from .address import DatabaseVariables
from .left_in_pools import closing_what_is_left
from .listeners import listening
from .watchdog import WATCHDOG

DEFAULT_PORT = "5432"

_SERVER = (
    "host", "hostaddr", "port", "user", "password", "passfile", "dbname", "database", "dsn", "service", "unix_sock",
    "target_session_attrs", "connection_class",
)  # fmt: skip
_TLS = (
    "ssl", "ssl_context", "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslnegotiation", "direct_tls",
    "channel_binding",
)  # fmt: skip


# A security group drops packets silently, and three of the four drivers would wait until the function times out.
CONNECT_TIMEOUT_SECONDS = 10

_TIMEOUT_OPTION = {"psycopg": "connect_timeout", "psycopg2": "connect_timeout", "asyncpg": "timeout", "pg8000": "timeout"}


class Server(NamedTuple):
    host: str
    """Empty: a socket, or in an option that is not understood."""
    port: str


class Asked(NamedTuple):
    """The address that env.py asks for."""

    server: Server
    database: str

    def __str__(self) -> str:
        host, port = self.server
        return f"{host or 'a socket'}:{port}{f'/{self.database}' if self.database else ''}"


def asked(driver: str, options: Mapping[str, Any]) -> Asked:
    """The address in the options that SQLAlchemy passes to a driver, or in the variables that the driver reads instead."""
    # pg8000 does not read libpq's variables.
    default = {} if driver == "pg8000" else os.environ
    host = options.get("host") or default.get("PGHOST") or ("localhost" if driver == "pg8000" else "")
    port = options.get("port") or default.get("PGPORT") or DEFAULT_PORT
    database = options.get("dbname") or options.get("database") or default.get("PGDATABASE") or ""
    return Asked(Server(str(host).lower().rstrip("."), str(port)), str(database))


def without_address(options: Mapping[str, Any], keep_tls: bool = False) -> dict[str, Any]:
    """A driver's options but the server, role, password and database. `keep_tls`: and those about encryption."""
    removed = _SERVER if keep_tls else (*_SERVER, *_TLS)
    return {name: value for name, value in options.items() if name not in removed}


class Destination:
    """The database of one request."""

    def __init__(self, variables: DatabaseVariables | None = None) -> None:
        """`variables`: their address is where env.py connects; None: env.py's own address is used."""
        self.refused: RunnerError | None = None
        """Why a connection of the current execution of env.py was refused. env.py may have caught it."""
        self.is_replaced = False
        """Whether the current execution of env.py asked for another server."""
        self.has_one_database = False
        """Whether an execution of env.py without revisions has ended: it connects to one database and migrates once."""
        self._variables = variables
        self._is_migrating = False
        self._asked: set[Asked] = set()
        self._is_logged = False

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """Within this block, which env.py or the application it needs is executed in, `connect` opens SQLAlchemy's connections,
        and the watchdog watches them. None of them stays in a pool."""
        from sqlalchemy.engine import Engine
        from sqlalchemy.pool import Pool

        self.refused, self.is_replaced = None, False
        self._asked.clear()
        listeners: list[tuple[Any, str, Any]] = [(Engine, "do_connect", self.connect)]
        if watchdog := WATCHDOG.get():
            listeners.append((Pool, "connect", watchdog.add))
        with closing_what_is_left(), listening(*listeners):
            yield

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """Within this block, env.py has connected, and revisions may read from other databases."""
        self._is_migrating = True
        try:
            yield
        finally:
            self._is_migrating = False

    def connect(self, dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        """SQLAlchemy's do_connect event. Raises RunnerError `invalid_project` for a second database, before connecting."""
        address = self._variables.address if self._variables else None
        if address is None or dialect.name != "postgresql":
            return bounded(dialect, record, arguments, options)
        found = asked(dialect.driver, options)
        # Another database of the given server may be meant, such as one in which env.py looks whether its own exists.
        is_given = found.server == Server(address["host"].lower().rstrip("."), address["port"])
        if self._is_migrating:
            is_given = is_given or found not in self._asked
        else:
            self._refuse_second(Asked(found.server, "") if is_given else found)
        if is_given:
            return bounded(dialect, record, arguments, options)
        self.is_replaced = True
        if not self._is_logged:
            self._is_logged = True
            given = Asked(Server(address["host"], address["port"]), address["database"])
            log("WARNING", "address_replaced", reason=f"env.py's own address {found} was replaced", own=str(found), by=str(given))
        # The environment has the TLS settings of an RDS server. Another server gets env.py's.
        others = without_address(options, keep_tls="PGSSLMODE" not in os.environ)
        replaced = {**others, **drivers.options(dialect.driver, address)}
        # A copy: SQLAlchemy 1.4 keeps changed options for the engine's next connection, which may have another password.
        return bounded(dialect, record, [], replaced) or dialect.connect(**replaced)

    def warnings(self, database: str) -> list[str]:
        """A sentence if env.py migrates another database than the function's own, on the same server."""
        address = self._variables.address if self._variables else None
        if address is None or address["database"] == database:
            return []
        return [
            f"env.py migrates the database {database}, and the function was given {address['database']}: if not intended, "
            "let env.py read the variables that the function sets"
        ]

    def _refuse_second(self, found: Asked) -> None:
        self._asked.add(found)
        if len(self._asked) > 1:
            names = " and ".join(sorted(str(one) for one in self._asked))
            self.refused = RunnerError(
                "invalid_project",
                f"env.py connects to more than one database: {names}",
                "make env.py connect to one database, and deploy one construct for each; if it only reads from the others, use "
                "MigrationDatabase.fromEnvironment(), which leaves all addresses to env.py",
            )
            raise self.refused


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
    if "ssl_context" not in options and (context := drivers.tls()):
        options["ssl_context"] = context
    connection = dialect.connect(*arguments, **options)
    # pg8000 would apply the connection timeout to every statement.
    connection._usock.settimeout(None)
    return connection
