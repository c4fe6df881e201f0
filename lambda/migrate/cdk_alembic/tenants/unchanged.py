"""Finds the tenants without drift with one query each over one connection, without env.py. For the others, env.py's run finds
the objects that differ."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..connection.quoting import identifier, literal
from ..database.version_table import full_name
from ..drift import compare
from ..drift.kept import ABOUT, digest_of
from ..protocol.tenant_request import Tenant
from .skip import Access, TenantState

# The same as in `compare.settings`, so that the connection does not give up earlier.
TIMEOUTS = {"lock_timeout": "5000", "statement_timeout": "60000"}

_NAMES = "SELECT coalesce(json_agg(version_table), '[]')::text FROM cdk_alembic.kept_catalog WHERE version_table IN ({names})"
_STATE = """
SELECT json_build_object('heads', ARRAY(SELECT version_num FROM {table} ORDER BY 1),
  'postgres', current_setting('server_version_num')::int / 10000, 'kept', {kept}, 'catalog', ({catalog})::json)::text
"""


def with_kept_catalog(connection: Any, access: Access, tenants: Iterable[Tenant]) -> set[str]:
    """The tenants whose catalog is kept. Call it if the database keeps any."""
    names = {_version_table(access, tenant): tenant.name for tenant in tenants}
    query = _NAMES.format(names=", ".join(map(literal, names)))
    return {names[name] for name in json.loads(connection.fetch_value(query))}


def prepare(connection: Any, tenants: Iterable[Tenant]) -> None:
    """Call it once before `read_state`."""
    schema = next((tenant.schema for tenant in tenants if tenant.schema), None)
    connection.fetch_value(compare.settings(schema, of_transaction=False))


def read_state(connection: Any, access: Access, tenant: Tenant) -> TenantState:
    """The revisions of a tenant with a version table, and a DriftReport if it has no drift. Raises the driver's exceptions."""
    schema = tenant.schema or access.table.schema
    query = _STATE.format(
        table=f"{identifier(schema)}.{identifier(access.table.name)}",
        kept=ABOUT.format(version_table=literal(_version_table(access, tenant))),
        catalog=compare.query(tenant.schema, schema, access.table.name),
    )
    state = json.loads(connection.fetch_value(query))
    heads = tuple(state["heads"])
    if state["kept"] is None:
        return TenantState(heads, True)
    kept_heads, kept_at, postgres, digest = state["kept"]
    is_same = (json.loads(kept_heads), postgres) == (state["heads"], state["postgres"])
    if not is_same or digest_of(compare.entries_in(state["catalog"])) != digest:
        return TenantState(heads, True)
    return TenantState(heads, True, {"status": "none", "keptAt": kept_at, "objects": []})


def _version_table(access: Access, tenant: Tenant) -> str:
    return full_name(access.table.name, tenant.schema or access.table.own_schema)
