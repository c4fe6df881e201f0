"""Determines whether a database has anything to lose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .history import is_unfinished
from .session import execute
from .version_table import VersionTable

# Excludes the tables of extensions such as PostGIS.
_HOLDS_TABLES = """
SELECT EXISTS (
  SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relkind IN ('r', 'p', 'm', 'f')
    AND left(nspname, 3) <> 'pg_' AND nspname NOT IN ('information_schema', 'cdk_alembic')
    AND (CAST(:schema AS text) IS NULL OR nspname = CAST(:schema AS text))
    AND relname <> CAST(:version_table AS text)
    AND NOT EXISTS (
      SELECT FROM pg_depend WHERE classid = CAST('pg_class' AS regclass) AND objid = pg_class.oid AND deptype = 'e'))
"""


def is_fresh(
    connection: Any, table: VersionTable, heads: Iterable[str], lineage: Iterable[str], schema: str | None = None
) -> bool:
    """Whether a database has nothing to lose: it has no tables but the version table, or its first run is not finished.

    `connection` is in autocommit. `heads` are the version table's revisions, `lineage` these and their ancestors. `schema`:
    the only schema to check; None: all of them. An empty version table proves nothing: Alembic may have been adopted late.
    """
    if heads:
        return is_unfinished(connection, table, lineage)
    return not execute(connection, _HOLDS_TABLES, schema=schema, version_table=table.name).scalar()
