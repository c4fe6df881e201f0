"""Finds the tenants without drift with one query each over one connection, without env.py. Which objects of the others differ is
found by env.py's run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..database.version_table import full_name
from ..drift import compare
from ..drift.kept import ABOUT, digest_of
from ..protocol.tenant_request import Tenant
from . import skip
from .skip import Found, Shown

# Those of `compare.settings`: the connection gives up later.
WAITS = {"lock_timeout": "5000", "statement_timeout": "60000"}

_NAMES = "SELECT coalesce(json_agg(version_table), '[]')::text FROM cdk_alembic.kept_catalog WHERE version_table IN ({names})"
_LOOK = """
SELECT json_build_object('heads', ARRAY(SELECT version_num FROM {table} ORDER BY 1),
  'postgres', current_setting('server_version_num')::int / 10000, 'kept', {kept}, 'catalog', ({catalog})::json)::text
"""


def with_kept(connection: Any, shown: Shown, tenants: Iterable[Tenant]) -> set[str]:
    """The tenants whose catalog is kept. Call it if the database keeps any."""
    names = {_version_table(shown, tenant): tenant.name for tenant in tenants}
    query = _NAMES.format(names=", ".join(map(skip.literal, names)))
    return {names[found] for found in json.loads(connection.ask(query))}


def prepare(connection: Any, tenants: Iterable[Tenant]) -> None:
    """Call it once before `look`."""
    schema = next((tenant.schema for tenant in tenants if tenant.schema), None)
    connection.ask(compare.settings(schema, of_transaction=False))


def look(connection: Any, shown: Shown, tenant: Tenant) -> Found:
    """The revisions of a tenant with a version table, and its drift if there is none. Raises the driver's exceptions."""
    schema = tenant.schema or shown.table.schema
    query = _LOOK.format(
        table=f"{skip.quoted(schema)}.{skip.quoted(shown.table.name)}",
        kept=ABOUT.format(version_table=skip.literal(_version_table(shown, tenant))),
        catalog=compare.query(tenant.schema, schema, shown.table.name),
    )
    found = json.loads(connection.ask(query))
    heads = tuple(found["heads"])
    if found["kept"] is None:
        return Found(heads, True)
    kept_heads, kept_at, postgres, digest = found["kept"]
    is_same = (json.loads(kept_heads), postgres) == (found["heads"], found["postgres"])
    if not is_same or digest_of(compare.entries_in(found["catalog"])) != digest:
        return Found(heads, True)
    return Found(heads, True, {"status": "none", "keptAt": kept_at, "objects": []})


def _version_table(shown: Shown, tenant: Tenant) -> str:
    return full_name(shown.table.name, tenant.schema or shown.table.own_schema)
