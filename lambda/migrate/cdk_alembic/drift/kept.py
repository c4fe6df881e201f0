"""The catalog as the last run left it, kept in the schema of the run history. The first save creates the table."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..connection.statements import execute
from ..database.history import FLUSHED, create_beside_others

_CREATE = (
    "CREATE SCHEMA IF NOT EXISTS cdk_alembic",
    """
CREATE TABLE IF NOT EXISTS cdk_alembic.kept_catalog (
  version_table text PRIMARY KEY,
  heads text NOT NULL,
  kept_at timestamptz NOT NULL,
  postgres integer NOT NULL,
  digest text NOT NULL,
  entries text NOT NULL
)""",
)
EXISTS = "SELECT to_regclass('cdk_alembic.kept_catalog') IS NOT NULL"
_ABOUT = """heads, to_char(kept_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), postgres, digest"""
_LOAD = f"""
SELECT json_build_array({_ABOUT}, entries)::text
FROM cdk_alembic.kept_catalog WHERE version_table = :version_table
"""  # noqa: S608 - a constant
ABOUT = f"(SELECT json_build_array({_ABOUT}) FROM cdk_alembic.kept_catalog WHERE version_table = {{version_table}})"  # noqa: S608
"""An expression with the facts of one kept catalog, without its entries; NULL: none is kept. `version_table` is a literal."""
_SAVE = f"""
INSERT INTO cdk_alembic.kept_catalog (version_table, heads, kept_at, postgres, digest, entries)
SELECT :version_table, :heads, clock_timestamp(), CAST(:postgres AS integer), :digest, :entries WHERE {FLUSHED}
ON CONFLICT (version_table) DO UPDATE SET heads = excluded.heads, kept_at = excluded.kept_at, postgres = excluded.postgres,
  digest = excluded.digest, entries = excluded.entries
"""

Entries = dict[str, str]
"""`<kind> <name>` and its definition in PostgreSQL."""


class Kept(NamedTuple):
    """A catalog as a run left it."""

    heads: list[str]
    """The version table's revisions then, sorted."""
    kept_at: str
    """ISO 8601, UTC."""
    postgres: int
    """Major version of the server, which writes the definitions."""
    digest: str
    entries: Entries


def load(connection: Any, version_table: str) -> Kept | None:
    """The kept catalog; None if there is none. `connection` is in autocommit. Raises SQLAlchemyError."""
    if not connection.exec_driver_sql(EXISTS).scalar():
        return None
    found = execute(connection, _LOAD, version_table=version_table).scalar()
    if found is None:
        return None
    heads, kept_at, postgres, digest, packed = json.loads(found)
    return Kept(json.loads(heads), kept_at, postgres, digest, json.loads(zlib.decompress(base64.b64decode(packed))))


def save(connection: Any, version_table: str, heads: Iterable[str], entries: Entries) -> None:
    """Replaces the kept catalog. `connection` is in autocommit. Raises SQLAlchemyError."""
    create_beside_others(connection, EXISTS, _CREATE)
    text = _text(entries)
    execute(
        connection,
        _SAVE,
        version_table=version_table,
        heads=json.dumps(sorted(heads)),
        postgres=major(connection),
        digest=digest_of(entries),
        entries=base64.b64encode(zlib.compress(text)).decode(),
    )


def digest_of(entries: Entries) -> str:
    """SHA-256 of a catalog's stored form."""
    return hashlib.sha256(_text(entries)).hexdigest()


def _text(entries: Entries) -> bytes:
    return json.dumps(entries, sort_keys=True, separators=(",", ":")).encode()


def major(connection: Any) -> int:
    """Major version of the server."""
    return connection.dialect.server_version_info[0]
