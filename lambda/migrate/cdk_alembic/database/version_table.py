"""The version table: where env.py keeps it, and its revisions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from ..connection.statements import BRIEFLY, brief_connection, execute

_FIND = f"""
SELECT pg_postmaster_start_time()::text, current_database()::text, current_schema()::text,
  (SELECT nspname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
   WHERE pg_class.oid = to_regclass(quote_ident(CAST(:name AS text)))),
  EXISTS (SELECT FROM pg_namespace WHERE nspname = CAST(:schema AS text)), pg_backend_pid(), {BRIEFLY}
"""  # noqa: S608 - BRIEFLY is a constant


class VersionTable(NamedTuple):
    """A version table, which may not exist yet."""

    server: str
    """The server's start time, which identifies it."""
    database: str
    name: str
    own_schema: str | None
    """env.py's version_table_schema; for a tenant, its schema. It names the mutex and the history."""
    schema: str | None
    """The schema in which Alembic reads and writes it; None: no schema of the search_path exists."""
    is_translated: bool
    """Whether Alembic writes to another schema than it searches: the search ignores schema_translate_map."""
    has_schema: bool
    """Whether the database has the schema passed to `find`."""
    pid: int
    """Process id of the backend of env.py's connection."""

    @property
    def full_name(self) -> str:
        """Its name in the run history."""
        return full_name(self.name, self.own_schema)


def full_name(name: str, schema: str | None) -> str:
    return ".".join(part for part in (schema, name) if part)


def find(context: Any, schema: str | None = None) -> VersionTable:
    """The version table of Alembic's MigrationContext, and whether the database has a `schema`. From now on, statements on
    env.py's connection have short timeouts; revisions have their own limits."""
    connection = context.connection
    with _outside_transaction(connection):
        row = execute(connection, _FIND, name=context.version_table, schema=schema).one()
    server, database, current, found, has_schema, pid, *_ = row
    configured, visible = context.version_table_schema or None, found or current
    translated = connection.schema_for_object(context._version)
    is_translated = translated != configured and (configured is not None or translated != visible)
    schema = translated or visible
    return VersionTable(server, database, context.version_table, configured, schema, is_translated, has_schema, pid)


def prepare(connection: Any) -> None:
    """Sets short timeouts for the statements of env.py's connection."""
    with _outside_transaction(connection):
        connection.exec_driver_sql(f"SELECT {BRIEFLY}")


@contextmanager
def _outside_transaction(connection: Any) -> Iterator[None]:
    """Commits a transaction that the block started: Alembic would mistake it for env.py's own, and not commit."""
    was_in_transaction = connection.in_transaction()
    yield
    # SQLAlchemy 2 has started a transaction; 1.4 has not.
    if connection.in_transaction() and not was_in_transaction:
        connection.commit()


def heads_in(connection: Any, table: VersionTable) -> tuple[str, ...]:
    """The version table's revisions, read over an autocommit connection; empty if the table does not exist."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    name = f"{quote(table.schema)}.{quote(table.name)}"
    if not execute(connection, "SELECT to_regclass(CAST(:name AS text)) IS NOT NULL", name=name).scalar():
        return ()
    rows = connection.exec_driver_sql(f"SELECT version_num FROM {name}")  # noqa: S608 - quoted
    return tuple(sorted((row[0] for row in rows), key=str))


def heads_after(context: Any, table: VersionTable, mutex: Any) -> tuple[str, ...] | None:
    """The version table's revisions after an execution of env.py, read over the connection that holds the mutex, or a new one;
    None if they can't be read here."""
    from sqlalchemy.exc import SQLAlchemyError

    if table.schema is None or table.is_translated:
        # Only Alembic's own statements find a translated table.
        return None
    heads = None
    try:
        heads = heads_in(mutex, table)
    except SQLAlchemyError:
        # The mutex's session was ended.
        with suppress(SQLAlchemyError), brief_connection(context) as connection:
            heads = heads_in(connection, table)
    # Rows that Alembic never writes are not revisions.
    return heads if heads is not None and all(isinstance(head, str) for head in heads) else None
