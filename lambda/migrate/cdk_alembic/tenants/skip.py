"""Finds the tenants at head with one query each over one connection, without env.py.

A first tenant of the same database shows how env.py connects and what its version table is called. If a tenant's table is not
in its schema under that name, env.py runs for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..connection import drivers
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


class Shown(NamedTuple):
    """What env.py showed for a tenant."""

    driver: str
    options: dict[str, Any]
    """The options that SQLAlchemy passed to the driver."""
    table: VersionTable
    """The version table's name, which tenants without a schema share."""


class Found(NamedTuple):
    heads: tuple[str, ...]
    is_free: bool
    """Whether the tenant's mutex was free."""
    drift: dict[str, Any] | None = None
    """The contract's DriftReport, if the command looks for drift and there is none."""
    keeps: bool = True
    """Whether its catalog is kept, or need not be."""


class Present(NamedTuple):
    """What a database has."""

    schemas: set[str]
    """The tenants' schemas that have a version table."""
    keeps: bool
    """Whether it keeps a catalog."""

    def has(self, shown: Shown, tenant: Tenant) -> bool:
        """Whether the tenant has a version table."""
        return (tenant.schema or shown.table.schema) in self.schemas


@contextmanager
def connected(shown: Shown, **waits: Any) -> Iterator[Any]:
    """A connection to the database. `waits`: PostgreSQL settings, as of `drivers.connect`. Raises the driver's exceptions."""
    connection = drivers.connect(shown.driver, shown.options, **waits)
    try:
        yield connection
    finally:
        connection.close()


def present(connection: Any, shown: Shown, tenants: Iterable[Tenant]) -> Present:
    """What the database has. Without this check, failing queries would fill the server's log."""
    schemas = ", ".join(sorted({literal(tenant.schema or shown.table.schema) for tenant in tenants}))
    found, keeps = json.loads(connection.ask(_PRESENT.format(table=literal(shown.table.name), schemas=schemas)))
    return Present(set(found), keeps)


def look(connection: Any, shown: Shown, tenant: Tenant) -> Found:
    """The revisions of a tenant with a version table. Raises the driver's exceptions."""
    table, schema = shown.table.name, tenant.schema or shown.table.schema
    key = key_of(table, tenant.schema or shown.table.own_schema)
    query = _HEADS.format(schema=quoted(schema), table=quoted(table), key=key)
    found = json.loads(connection.ask(query))
    return Found(tuple(found["heads"]), found["free"])


def elsewhere(shown: Shown, address: dict[str, str]) -> Shown:
    """The same for another database, at the address from a secret."""
    return shown._replace(options={**shown.options, **drivers.options(shown.driver, address)})


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
