"""Whether a database holds something that its migrations have not made."""

from __future__ import annotations

from typing import Any

from .session import execute
from .version_table import VersionTable

# Not the tables of extensions, such as PostGIS's.
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


def holds_tables(connection: Any, table: VersionTable, schema: str | None = None) -> bool:
    """Whether there are tables besides the version table. `schema`: only those in it; None: in any."""
    return bool(execute(connection, _HOLDS_TABLES, schema=schema, version_table=table.name).scalar())
