"""Definitions after PostgreSQL has read its own text: it prints `(a AND b) AND (c AND d)` in another form than it was written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from cdk_alembic.catalog import raw
from cdk_alembic.catalog.catalog_reader import Catalog

from .rows import quoted_parts
from .search_path import SearchPath

_INDEX_NAME = re.compile(r'^(CREATE (?:UNIQUE )?INDEX )("(?:[^"]|"")+"|\S+)(?= ON )')


def reread(connection: Any, definitions: Iterable[tuple[str, str, str]], search_path: SearchPath) -> dict[tuple[str, str], str]:
    """What the catalog says after these definitions are executed again; without those that PostgreSQL refuses.

    `definitions`: the entry's key, its table and its text, with names relative to the connection's `search_path`. The result is
    by key and text. The tables keep the new objects: the caller drops them or rolls back.
    """
    asked = [(key, table, text, f"cdk_alembic_reread_{number}") for number, (key, table, text) in enumerate(definitions)]
    if not asked:
        return {}
    attempts = (f"BEGIN EXECUTE {raw.literal(_statement(*one))}; EXCEPTION WHEN others THEN NULL; END;" for one in asked)
    raw.execute(connection, f"DO {raw.literal('BEGIN ' + ' '.join(attempts) + ' END')}")
    entries = search_path.relative(Catalog().take(connection)).entries
    found = {}
    for key, table, text, name in asked:
        kind, _, own = key.partition(" ")
        schema = own.rpartition(".")[0]
        if kind == "index":
            written = entries.get(f"index {schema}.{name}" if schema else f"index {name}")
            written = written and text[: _INDEX_NAME.match(text).end()] + _INDEX_NAME.sub("", written)
        else:
            written = entries.get(f"{kind} {table}.{name}")
        if written is not None:
            found[key, text] = written
    return found


def _statement(key: str, table: str, text: str, name: str) -> str:
    kind = key.partition(" ")[0]
    if kind == "index":
        return _INDEX_NAME.sub(rf"\g<1>{name}", text)
    what = "CONSTRAINT" if kind == "constraint" else "COLUMN"
    return f"ALTER TABLE {quoted_parts(table)} ADD {what} {name} {text}"
