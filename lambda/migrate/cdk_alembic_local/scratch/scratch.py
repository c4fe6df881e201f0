"""The scratch database, the only one that the backend can reach: connects to it, marks it and empties it."""

from __future__ import annotations

import asyncio
import gc
import importlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from cdk_alembic.catalog import raw
from cdk_alembic.catalog.catalog_sql import MARK
from cdk_alembic.connection.destination import bounded, without_address
from cdk_alembic.connection.listeners import listening
from cdk_alembic.database.failures import describe, sql_state
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import RunnerError
from cdk_alembic.protocol.rules import DRIVERS

from .search_path import SearchPath

T = TypeVar("T")

LOCK_NOT_AVAILABLE = "55P03"

_DATABASE_STATE = """
SELECT json_build_object(
  'version', split_part(current_setting('server_version'), ' ', 1),
  'marked', EXISTS (SELECT FROM pg_namespace WHERE nspname = 'cdk_alembic_scratch'),
  'extensions', coalesce((SELECT json_agg(format('%I', extname)
      || CASE n.nspname WHEN 'public' THEN ' SCHEMA public' ELSE '' END ORDER BY e.oid)
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname <> 'plpgsql'), '[]'),
  'found', (
    SELECT json_agg(what) FROM (
      (SELECT 'table ' || c.oid::regclass AS what FROM pg_class c JOIN space ON space.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
          AND NOT EXISTS (SELECT FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') LIMIT 3)
      UNION ALL (SELECT 'function ' || p.oid::regproc FROM pg_proc p JOIN space ON space.oid = p.pronamespace
        WHERE NOT EXISTS (SELECT FROM pg_depend d
          WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') LIMIT 3)
      UNION ALL (SELECT 'type ' || t.oid::regtype FROM pg_type t JOIN space ON space.oid = t.typnamespace
        WHERE t.typtype IN ('e', 'd', 'r')
          AND NOT EXISTS (SELECT FROM pg_depend d
            WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e') LIMIT 3)
    ) AS something)
)::text
FROM (SELECT 1) AS one
"""
_SPACE = "(SELECT oid FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema')"
_CONTENT = """
SELECT json_build_object(
  'tables', coalesce((SELECT json_agg(format('%I.%I', nspname, relname))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'), '[]'),
  'schemas', coalesce((SELECT json_agg(quote_ident(nspname)) FROM pg_namespace
    WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'), '[]'),
  'extensions', coalesce((SELECT json_agg(quote_ident(extname)) FROM pg_extension WHERE extname <> 'plpgsql'), '[]'),
  'triggers', coalesce((SELECT json_agg(quote_ident(evtname)) FROM pg_event_trigger), '[]'),
  'publications', coalesce((SELECT json_agg(quote_ident(pubname)) FROM pg_publication), '[]')
)::text
"""
_SESSIONS = "SELECT to_json(count(*))::text FROM pg_stat_activity"
# env.py may have left a session in a transaction, whose locks would block. An idle session holds no locks and may be in a
# pool.
_END_TRANSACTIONS = """
SELECT coalesce(json_agg(pg_terminate_backend(pid, 5000)), '[]')::text FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid IN ({pids}) AND state <> 'idle'
"""
# The maximum wait for another session's lock. A revision that waits for its own second connection, or this session
# for the revision, would wait forever.
_LOCK_TIMEOUT = "5s"
# The value before: what env.py gives to the connection, such as `connect_args={"options": "-c lock_timeout=2s"}`.
_SET_LOCK_TIMEOUT = f"SELECT current_setting('lock_timeout'), set_config('lock_timeout', '{_LOCK_TIMEOUT}', false)"
# A transaction locks each table and index that it drops, and the server limits the number of locks.
_TABLES_AT_ONCE = 100


class Scratch:
    """The database at a `postgresql` URL, with the backend's driver."""

    def __init__(self, url: str, disposable: bool = False) -> None:
        """`disposable`: the server is removed afterwards."""
        from sqlalchemy.engine import make_url

        self._url = make_url(url)
        self._disposable = disposable
        self.refused: RunnerError | None = None
        """Why env.py's connection was refused."""
        self.version = ""
        """The server's version, such as `18.4`."""
        self.search_path: SearchPath | None = None
        """That of `run`'s connections, if it is env.py's."""
        self._own_connections: set[int] = set()
        self._files: set[int] = set()
        """Ids of new connections to SQLite."""
        self._sessions: set[int] = set()
        """Process ids of the server's sessions that were opened here."""
        self.connects_with_lock_timeout = False
        """Whether the connection that env.py opened last had a lock_timeout."""
        self._extensions: list[str] = []
        """Extensions that the database had at the start: they are created again after it is emptied."""

    @contextmanager
    def redirecting(self, project: Project) -> Iterator[None]:
        """Within this block, redirects all of SQLAlchemy's connections here, and rejects databases other than PostgreSQL."""
        from sqlalchemy.engine import Engine
        from sqlalchemy.pool import Pool

        url = self._url.set(drivername=self._scheme(project)).render_as_string(hide_password=False)
        project.config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
        with listening((Engine, "do_connect", self._connect), (Pool, "connect", self._connected)):
            yield

    def has_lock_timeout(self, connection: Any) -> bool:
        """Whether env.py gave its connection a lock_timeout, when it opened it or since."""
        now = connection.exec_driver_sql("SHOW lock_timeout").scalar()
        return self.connects_with_lock_timeout if now == _LOCK_TIMEOUT else now != "0"

    def run(self, work: Callable[[Any], T]) -> T:
        """Runs the work on a separate autocommit connection, and ends sessions that env.py left in a transaction.

        Do not call it while env.py runs. Raises RunnerError `lock_not_available`."""

        def alone(connection: Any) -> T:
            raw.execute(connection, f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
            if self.search_path:
                self.search_path.set_on(connection)
            if self._sessions:
                raw.value(connection, _END_TRANSACTIONS.format(pids=", ".join(map(str, self._sessions))))
            try:
                return work(connection)
            except Exception as error:
                if sql_state(error) != LOCK_NOT_AVAILABLE:
                    raise
                raise RunnerError(
                    "lock_not_available",
                    f"another session holds a lock in the scratch database: {describe(error)}",
                    "end the other session (pg_stat_activity shows it), or use another database",
                    sql_state=LOCK_NOT_AVAILABLE,
                ) from error

        return self.run_separately(alone)

    def run_separately(self, work: Callable[[Any], T]) -> T:
        """Runs the work on a separate autocommit connection. While env.py runs, call it in another thread."""
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        driver = self._driver()
        url = self._url.set(drivername=f"postgresql+{driver}")
        options: dict[str, Any] = {"poolclass": NullPool, "isolation_level": "AUTOCOMMIT"}
        if driver != "asyncpg":
            with create_engine(url, future=True, **options).connect() as connection:
                return work(connection)

        async def run() -> T:
            from sqlalchemy.ext.asyncio import create_async_engine

            async with create_async_engine(url, **options).connect() as connection:
                return await connection.run_sync(work)

        return asyncio.run(run())

    def prepare(self, overwrite: bool) -> None:
        """Empties and marks the database. Raises RunnerError `scratch_not_empty` if its content is not a replay's."""

        def mark(connection: Any) -> None:
            found = raw.value(connection, _DATABASE_STATE.replace("JOIN space", f"JOIN {_SPACE} AS space"))
            self.version = found["version"]
            if found["found"] and not (found["marked"] or overwrite or self._disposable):
                raise RunnerError(
                    "scratch_not_empty",
                    f"the database {self._url.database} is not empty: it has {', '.join(found['found'][:3])}",
                    "use an empty database, or pass --overwrite to empty this one",
                )
            if not found["found"]:
                self._extensions = found["extensions"]
            self._drop(connection)
            raw.execute(connection, f"CREATE SCHEMA {MARK}")

        try:
            self.run(mark)
        except RunnerError:
            raise
        except Exception as error:
            if self.version:
                raise
            raise RunnerError(
                "database_unreachable",
                f"the scratch database is not reachable: {describe(error)}",
                "check its URL, and that the server is running",
            ) from error

    @property
    def own_name(self) -> str | None:
        """The name of the database, with its server, if nobody else uses that."""
        return f"{self._url.host}:{self._url.port}/{self._url.database}" if self._disposable else None

    def keep(self, name: str) -> bool:
        """Copies the database on its server. Returns whether that worked: env.py may have left a session in it."""
        return self._copy(self._url.database, f"{self._url.database}_{name}")

    def restore(self, name: str) -> bool:
        """Replaces the database by its copy of that name. Returns whether that worked."""
        return self._copy(f"{self._url.database}_{name}", self._url.database)

    def _copy(self, source: str | None, target: str | None) -> bool:
        def copy(connection: Any) -> None:
            # PostgreSQL would wait for them.
            if raw.value(connection, f"{_SESSIONS} WHERE datname = {raw.literal(source)}"):
                raise RuntimeError("env.py has left a session")
            raw.execute(connection, f'DROP DATABASE IF EXISTS "{target}"')
            raw.execute(connection, f'CREATE DATABASE "{target}" TEMPLATE "{source}"')

        # Closes the connections of engines that are no longer referenced.
        gc.collect()
        own, self._url = self._url, self._url.set(database="template1")
        try:
            self.run_separately(copy)
        except Exception:
            return False
        finally:
            self._url = own
        return True

    def leave(self) -> None:
        """Ends what env.py has left open, and drops everything in the database unless its server is removed anyway."""
        self.run(lambda connection: None if self._disposable else self._drop(connection))

    def empty(self, keep_mark: bool = False) -> None:
        """Drops everything in the database."""

        self.run(lambda connection: self._drop(connection, keep_mark))

    def _drop(self, connection: Any, keep_mark: bool = False) -> None:
        content = raw.value(connection, _CONTENT)
        for name in content["triggers"]:
            raw.execute(connection, f"DROP EVENT TRIGGER {name}")
        for name in content["publications"]:
            raw.execute(connection, f"DROP PUBLICATION {name}")
        tables = content["tables"]
        if len(tables) > _TABLES_AT_ONCE:
            for first in range(0, len(tables), _TABLES_AT_ONCE):
                raw.execute(connection, f"DROP TABLE IF EXISTS {', '.join(tables[first : first + _TABLES_AT_ONCE])} CASCADE")
        for name in content["extensions"]:
            raw.execute(connection, f"DROP EXTENSION IF EXISTS {name} CASCADE")
        schemas = [name for name in content["schemas"] if not (keep_mark and name == MARK)]
        if schemas:
            raw.execute(connection, f"DROP SCHEMA IF EXISTS {', '.join(schemas)} CASCADE")
        raw.execute(connection, "CREATE SCHEMA public")
        raw.execute(connection, "GRANT USAGE ON SCHEMA public TO PUBLIC")
        for extension in self._extensions:
            raw.execute(connection, f"CREATE EXTENSION {extension} CASCADE")

    def _connect(self, dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        """SQLAlchemy's do_connect event."""
        if dialect.driver == "pysqlite" and _is_configured() and (read := _read_only(arguments)):
            # A revision may read from SQLite.
            connection = dialect.connect(*read, **{**options, "uri": True})
            self._files.add(id(connection))
            return connection
        if dialect.name != "postgresql":
            self.refused = _not_reached(
                f"env.py connects to {dialect.name}",
                "let it read a postgresql:// address, which need not exist: set its variable in this shell, or with the setting "
                '"environment" in cdk-alembic.json',
            )
            raise self.refused
        here, there = dialect.create_connect_args(self._url.set(drivername=f"postgresql+{dialect.driver}"))
        here = [argument for argument in here if argument]
        there = {**without_address(options), **there}
        connection = bounded(dialect, record, here, there) or dialect.connect(*here, **there)
        self._own_connections.add(id(connection))
        return connection

    def _connected(self, connection: Any, record: Any) -> None:
        """SQLAlchemy's connect event: includes connections from env.py's own `creator`."""
        if id(connection) in self._files:
            self._files.discard(id(connection))
            return
        if id(connection) not in self._own_connections:
            self.refused = _not_reached(
                "env.py creates its connections itself (`creator`)",
                "make it connect with SQLAlchemy's create_engine, create_async_engine or engine_from_config",
            )
            raise self.refused
        self._own_connections.discard(id(connection))
        cursor = connection.cursor()
        cursor.execute(_SET_LOCK_TIMEOUT)
        [before, _] = cursor.fetchone()
        self.connects_with_lock_timeout = before != "0"
        cursor.close()
        connection.commit()
        if (pid := raw.backend_pid(connection)) is not None:
            self._sessions.add(pid)

    def _driver(self) -> str:
        found = next((driver for driver in DRIVERS if _can_be_imported(driver)), None)
        if found is None:
            raise RunnerError(
                "scratch_not_reached",
                f"the backend's Python has no driver for PostgreSQL ({', '.join(DRIVERS)} with greenlet)",
                "install one into the backend's environment, such as psycopg[binary]; for asyncpg, sqlalchemy[asyncio] too",
            )
        return found

    def _scheme(self, project: Project) -> str:
        """The scheme of the URL in env.py's configuration: its driver, if it is supported."""
        from sqlalchemy.engine import make_url

        try:
            url = make_url(project.config.get_main_option("sqlalchemy.url") or "")
            if url.get_backend_name() == "postgresql" and (
                url.drivername == "postgresql" or _can_be_imported(url.get_driver_name())
            ):
                return url.drivername
        except Exception:  # noqa: S110 - a placeholder is no URL, and an interpolation may have no value here
            pass
        env = _env_file(project)
        if env and re.search(r"\b(?:create_async_engine|async_engine_from_config)\b", env):
            return f"postgresql+{'asyncpg' if _can_be_imported('asyncpg') else 'psycopg'}"
        return f"postgresql+{self._driver()}"


def _env_file(project: Project) -> str:
    file = Path(project.script.dir) / "env.py"
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _is_configured() -> bool:
    """Whether env.py has given Alembic its connection to PostgreSQL."""
    from alembic import context

    try:
        return context.get_context().dialect.name == "postgresql"
    except Exception:  # Alembic has no context outside env.py, and none before context.configure().
        return False


def _read_only(arguments: list[Any]) -> list[Any] | None:
    """Arguments that open an SQLite database read-only, without creating it; None if unknown."""
    file, *more = arguments or [""]
    if file == ":memory:":
        return ["file::memory:", *more]
    return None if not file or str(file).startswith("file:") else [f"{Path(file).absolute().as_uri()}?mode=ro", *more]


def _not_reached(why: str, step: str) -> RunnerError:
    return RunnerError("scratch_not_reached", f"{why}, so it can't be redirected to the scratch database", step)


def _can_be_imported(driver: str) -> bool:
    try:
        importlib.import_module(driver)
        if driver == "asyncpg":
            # SQLAlchemy does not install it by default, and reports that it is missing only when it connects.
            importlib.import_module("greenlet")
        importlib.import_module(f"sqlalchemy.dialects.postgresql.{driver}")
    except ImportError:
        return False
    return True
