"""Finds the tenants at head with one query each over one connection, without env.py.

The first tenant of a database shows how env.py connects and what its version table is called. If a tenant's schema has no table
of that name, env.py runs for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..connection import drivers
from ..connection.quoting import identifier, literal
from ..database.mutex import key_of
from ..database.version_table import VersionTable
from ..protocol.tenant_request import Tenant

_PRESENT = """
SELECT json_build_array(coalesce(json_agg(nspname::text), '[]'), to_regclass('cdk_alembic.kept_catalog') IS NOT NULL)::text
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relname = {table} AND nspname IN ({schemas})
"""
_HEADS = """
SELECT json_build_object('heads', ARRAY(SELECT version_num FROM {schema}.{table} ORDER BY 1),
  'free', pg_try_advisory_xact_lock_shared({key}))::text
"""


class Access(NamedTuple):
    """How env.py reached a tenant."""

    driver: str
    options: dict[str, Any]
    """The options that SQLAlchemy passed to the driver."""
    table: VersionTable
    """The version table's name, which tenants without a schema share."""


class TenantState(NamedTuple):
    """A tenant's revisions, read without env.py."""

    heads: tuple[str, ...]
    is_free: bool
    """Whether the tenant's mutex was free."""
    drift: dict[str, Any] | None = None
    """The contract's DriftReport, if the command looks for drift and found none."""
    keeps_catalog: bool = True
    """Whether its catalog is kept, or does not need to be."""


class Contents(NamedTuple):
    """The version tables and kept catalogs of a database."""

    schemas: set[str]
    """The tenants' schemas that have a version table."""
    keeps_catalog: bool
    """Whether it keeps catalogs."""

    def has(self, access: Access, tenant: Tenant) -> bool:
        """Whether the tenant has a version table."""
        return (tenant.schema or access.table.schema) in self.schemas


@contextmanager
def connected(access: Access, **timeouts: Any) -> Iterator[Any]:
    """A connection to the database. `timeouts`: PostgreSQL settings, as of `drivers.connect`. Raises the driver's exceptions."""
    connection = drivers.connect(access.driver, access.options, **timeouts)
    try:
        yield connection
    finally:
        connection.close()


def read_contents(connection: Any, access: Access, tenants: Iterable[Tenant]) -> Contents:
    """Reads the contents of the database. Without this check, failing queries would fill the server's log."""
    schemas = ", ".join(sorted({literal(tenant.schema or access.table.schema) for tenant in tenants}))
    found, keeps_catalog = json.loads(connection.fetch_value(_PRESENT.format(table=literal(access.table.name), schemas=schemas)))
    return Contents(set(found), keeps_catalog)


def read_state(connection: Any, access: Access, tenant: Tenant) -> TenantState:
    """The revisions of a tenant with a version table. Raises the driver's exceptions."""
    table, schema = access.table.name, tenant.schema or access.table.schema
    key = key_of(table, tenant.schema or access.table.own_schema)
    query = _HEADS.format(schema=identifier(schema), table=identifier(table), key=key)
    found = json.loads(connection.fetch_value(query))
    return TenantState(tuple(found["heads"]), found["free"])


def at_address(access: Access, address: dict[str, str]) -> Access:
    """The access to another database, at the address from a secret."""
    return access._replace(options={**access.options, **drivers.options(access.driver, address)})
