"""Where env.py keeps a tenant's version table: it has to lie in the tenant's schema.

An env.py that ignores `-x tenant=` would migrate one schema a thousand times and call it success.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..database.history import execute
from ..protocol.errors import RunnerError
from ..protocol.tenant_contract import Tenant

HOW_TO = "docs/tenants-env.md shows env.py for tenants; `alembic -x tenant={} current` must read the tenant's own version table"

_PLACE = """
SELECT pg_postmaster_start_time()::text, current_database()::text, current_schema()::text,
  (SELECT nspname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
   WHERE pg_class.oid = to_regclass(quote_ident(CAST(:table AS text)))),
  EXISTS (SELECT FROM pg_namespace WHERE nspname = CAST(:schema AS text))
"""


class Place(NamedTuple):
    """A version table."""

    server: str
    """When it was started tells one server from another."""
    database: str
    schema: str
    table: str
    own_schema: str | None
    """Its schema in the names of mutex and history: without one they are those of a run that knows no tenants."""


def place_of(context: Any, tenant: Tenant, database: str | None) -> Place:
    """Where Alembic's MigrationContext, which env.py has configured for the tenant, keeps its version table. `database`: the name
    that the tenant's own secret gives. Raises RunnerError for a place that is not the tenant's."""
    connection = context.connection
    was_in_transaction = connection.in_transaction()
    server, name, current, found, exists = execute(connection, _PLACE, table=context.version_table, schema=tenant.schema).one()
    if not was_in_transaction:
        connection.rollback()
    if database is not None and name != database:
        raise _elsewhere(tenant, f"connects to the database {name}, and the tenant's secret names {database}")
    if tenant.schema and not exists:
        raise RunnerError(
            "database_refused",
            f"the schema {tenant.schema} of tenant {tenant.name} does not exist in the database {name}",
            "create the schema with the tenant, let env.py create it, or take the tenant out of the list; nothing was changed",
            sql_state="3F000",
        )
    visible = found or current
    translated = connection.schema_for_object(context._version)
    schema = translated or visible
    if schema is None:
        raise _elsewhere(tenant, "sets a search_path without a schema that exists")
    if tenant.schema and schema != tenant.schema:
        raise _elsewhere(tenant, f"keeps the version table {context.version_table} in schema {schema}, not in {tenant.schema}")
    if translated != (context.version_table_schema or None) and (context.version_table_schema or translated != visible):
        # Alembic's search for the table knows no translation: it would find none, and begin from base.
        raise _elsewhere(
            tenant,
            f"has the version table's schema translated to {translated}, which Alembic does not follow when it looks for it",
        )
    return Place(server, name, schema, context.version_table, tenant.schema or context.version_table_schema or None)


def heads_in(connection: Any, place: Place) -> tuple[str, ...]:
    """What a version table that exists holds, read over a connection that need not be env.py's."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    rows = connection.exec_driver_sql(f"SELECT version_num FROM {quote(place.schema)}.{quote(place.table)}")  # noqa: S608 - quoted
    return tuple(sorted(row[0] for row in rows))


def _elsewhere(tenant: Tenant, what: str) -> RunnerError:
    return RunnerError(
        "invalid_project",
        f"env.py does not follow -x tenant={tenant.argument}: it {what}",
        f"take the schema from context.get_x_argument() and set version_table_schema to it; {HOW_TO.format(tenant.argument)}",
    )
