"""Where env.py connects: env.py decides how, the function's database decides where.

Many projects read the address from alembic.ini or from code, together with settings such as the driver or a search_path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..protocol.errors import RunnerError
from ..protocol.log import log
from . import drivers
from .address import DEFAULT_PORT, DatabaseVariables
from .listeners import listening
from .pooled_connections import closing_pooled_connections
from .watchdog import WATCHDOG

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
    """Empty: a socket, or an option that is not parsed here."""
    port: str


class RequestedAddress(NamedTuple):
    """The address that env.py asks for."""

    server: Server
    database: str

    def __str__(self) -> str:
        host, port = self.server
        return f"{host or 'a socket'}:{port}{f'/{self.database}' if self.database else ''}"


def requested_address(driver: str, options: Mapping[str, Any]) -> RequestedAddress:
    """The address in the options that SQLAlchemy passes to a driver, or in the variables that the driver reads instead."""
    # pg8000 does not read libpq's variables.
    default = {} if driver == "pg8000" else os.environ
    host = options.get("host") or default.get("PGHOST") or ("localhost" if driver == "pg8000" else "")
    port = options.get("port") or default.get("PGPORT") or DEFAULT_PORT
    database = options.get("dbname") or options.get("database") or default.get("PGDATABASE") or ""
    return RequestedAddress(Server(str(host).lower().rstrip("."), str(port)), str(database))


def without_address(options: Mapping[str, Any], keep_tls: bool = False) -> dict[str, Any]:
    """A driver's options without server, role, password and database; and without TLS, unless `keep_tls`."""
    removed = _SERVER if keep_tls else (*_SERVER, *_TLS)
    return {name: value for name, value in options.items() if name not in removed}


class Destination:
    """The database of one request."""

    def __init__(self, variables: DatabaseVariables | None = None) -> None:
        """`variables`: have the address to connect to; None: env.py's own address is used."""
        self.refused: RunnerError | None = None
        """Why a connection of the current execution of env.py was refused. env.py may have caught it."""
        self.is_replaced = False
        """Whether the current execution of env.py asked for another server."""
        self.has_one_database = False
        """Whether env.py ran once without revisions: it connects to one database and migrates once."""
        self._variables = variables
        self._is_migrating = False
        self._requested: set[RequestedAddress] = set()
        self._is_logged = False

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """Wraps an execution of env.py, or of the application it needs: `connect` opens SQLAlchemy's connections, the watchdog
        watches them, and none stays in a pool."""
        from sqlalchemy.engine import Engine
        from sqlalchemy.pool import Pool

        self.refused, self.is_replaced = None, False
        self._requested.clear()
        listeners: list[tuple[Any, str, Any]] = [(Engine, "do_connect", self.connect)]
        if watchdog := WATCHDOG.get():
            listeners.append((Pool, "connect", watchdog.add))
        with closing_pooled_connections(), listening(*listeners):
            yield

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """Wraps the revisions: env.py has connected, and they may read from other databases."""
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
        requested = requested_address(dialect.driver, options)
        # Accepts another database on the given server: env.py may check there whether its own exists.
        is_given = requested.server == Server(address["host"].lower().rstrip("."), address["port"])
        if self._is_migrating:
            is_given = is_given or requested not in self._requested
        else:
            self._refuse_second(RequestedAddress(requested.server, "") if is_given else requested)
        if is_given:
            return bounded(dialect, record, arguments, options)
        self.is_replaced = True
        if not self._is_logged:
            self._is_logged = True
            given = RequestedAddress(Server(address["host"], address["port"]), address["database"])
            log(
                "WARNING",
                "address_replaced",
                reason=f"env.py's own address {requested} was replaced",
                own=str(requested),
                by=str(given),
            )
        # The environment has the TLS settings of an RDS server. Another server gets env.py's.
        others = without_address(options, keep_tls="PGSSLMODE" not in os.environ)
        replaced = {**others, **drivers.options(dialect.driver, address)}
        # A copy: SQLAlchemy 1.4 keeps changed options for the engine's next connection, which may have another password.
        return bounded(dialect, record, [], replaced) or dialect.connect(**replaced)

    def warnings(self, database: str) -> list[str]:
        """A warning if env.py migrates a database on this server that is not the function's."""
        address = self._variables.address if self._variables else None
        if address is None or address["database"] == database:
            return []
        return [
            f"env.py migrates the database {database}, and the function was given {address['database']}: if not intended, "
            "let env.py read the variables that the function sets"
        ]

    def _refuse_second(self, requested: RequestedAddress) -> None:
        self._requested.add(requested)
        if len(self._requested) > 1:
            names = " and ".join(sorted(str(address) for address in self._requested))
            self.refused = RunnerError(
                "invalid_project",
                f"env.py connects to more than one database: {names}",
                "make env.py connect to one database, and deploy one construct for each; if it only reads from the others, use "
                "MigrationDatabase.fromEnvironment(), which leaves all addresses to env.py",
            )
            raise self.refused


def bounded(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    """SQLAlchemy's do_connect event: limits the attempt to CONNECT_TIMEOUT_SECONDS in the options, unless env.py sets its own
    limit. Returns None if the dialect should connect with the options."""
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
