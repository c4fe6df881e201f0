"""Locates a tenant's version table in env.py's configuration: it must be in the tenant's schema.

An env.py that ignores `-x tenant=` would migrate one schema a thousand times and report success.
"""

from __future__ import annotations

from typing import Any

from ..database.version_table import VersionTable, find
from ..protocol.errors import RunnerError
from ..protocol.tenant_request import Tenant

HOW_TO = "docs/tenants-env.md shows env.py for tenants; `alembic -x tenant={} current` must read the tenant's own version table"


def locate(context: Any, tenant: Tenant, database: str | None) -> VersionTable:
    """The version table of Alembic's MigrationContext, which env.py configured for the tenant. `database`: the name in the
    tenant's own secret. Raises RunnerError if the version table is not the tenant's."""
    table = find(context, tenant.schema)
    if database is not None and table.database != database:
        raise _not_followed(tenant, f"connects to the database {table.database}, and the tenant's secret names {database}")
    if tenant.schema and not table.has_schema:
        raise RunnerError(
            "database_refused",
            f"the schema {tenant.schema} of tenant {tenant.name} does not exist in the database {table.database}",
            "create the schema, make env.py create it, or remove the tenant from the list; nothing was changed",
            sql_state="3F000",
        )
    if table.schema is None:
        raise _not_followed(tenant, "sets a search_path without a schema that exists")
    if tenant.schema and table.schema != tenant.schema:
        raise _not_followed(tenant, f"keeps the version table {table.name} in schema {table.schema}, not in {tenant.schema}")
    if table.is_translated:
        # Alembic would not find the existing table, and would start from base.
        raise _not_followed(
            tenant,
            f"translates the version table's schema to {table.schema}, which Alembic ignores when it searches for the table",
        )
    # A search_path that resolves to the tenant's schema counts like a configured schema.
    return table._replace(own_schema=tenant.schema) if tenant.schema else table


def _not_followed(tenant: Tenant, what: str) -> RunnerError:
    return RunnerError(
        "invalid_project",
        f"env.py does not follow -x tenant={tenant.argument}: it {what}",
        f"read the schema with context.get_x_argument() and set version_table_schema to it; {HOW_TO.format(tenant.argument)}",
    )
