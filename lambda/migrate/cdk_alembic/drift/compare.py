"""Reads the catalog in a form that does not depend on the session, and compares it with the kept one."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

from ..catalog.catalog_reader import read
from ..database.session import execute
from ..database.version_table import VersionTable
from .ddl import restoring
from .kept import Entries

# PostgreSQL prints names and values by these. Without a search path, all names have their schema.
_CANONICAL = {
    "search_path": "",
    "quote_all_identifiers": "off",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "xmlbinary": "base64",
    "jit": "off",
    "lock_timeout": "5000",
    "statement_timeout": "60000",
}
_SET = "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _CANONICAL.items())


def entries_now(context: Any, table: VersionTable) -> Entries:
    """The catalog's entries, without the version table. Raises SQLAlchemyError."""
    named = SimpleNamespace(version_table_schema=table.schema, version_table=table.name)
    with context.connection.engine.connect() as connection, connection.begin():
        execute(connection, _SET)
        return read(connection, named).entries


def differences(kept: Entries, now: Entries) -> list[dict[str, Any]]:
    """The contract's DriftedObject for each difference, sorted. Partitions that came or went are not among them: jobs add and
    drop them every day."""
    coming = _of_partitions(kept, now)
    going = _of_partitions(now, kept)
    found: list[dict[str, Any]] = []
    for key in sorted(kept.keys() | now.keys()):
        before, after = kept.get(key), now.get(key)
        if before == after or key in coming or key in going:
            continue
        change = "added" if before is None else "removed" if after is None else "changed"
        one = {"change": change, "object": key, "kept": before, "found": after, "ddl": restoring(key, before, after, kept)}
        found.append({name: value for name, value in one.items() if value is not None})
    # What a dropped or an added table had is not listed beside it.
    whole = {
        one["object"].removeprefix("table ") for one in found if one["change"] != "changed" and one["object"].startswith("table ")
    }
    return [one for one in found if one["object"].startswith("table ") or not _is_of_any(one, whole)]


def merged(kept: Entries, before: Entries, after: Entries) -> Entries:
    """The kept catalog with what a run changed, so that an earlier drift stays a drift."""
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    return {
        **{key: text for key, text in kept.items() if key not in changed},
        **{key: after[key] for key in changed if key in after},
    }


def _of_partitions(without: Entries, having: Entries) -> set[str]:
    """Entries of the partitions that only `having` has."""
    names = {
        key.removeprefix("table ")
        for key, text in having.items()
        if key.startswith("table ") and " PARTITION OF " in f" {text}" and key not in without
    }
    return {key for key, text in having.items() if _is_of(key, text, names)} if names else set()


def _is_of_any(one: dict[str, Any], tables: set[str]) -> bool:
    return _is_of(one["object"], one.get("found") or one.get("kept") or "", tables)


_INDEXED = re.compile(r"\bON (?:ONLY )?(\S+) USING ")
_MEMBERS = ("column ", "constraint ", "trigger ", "rule ", "policy ")


def _is_of(key: str, text: str, tables: set[str]) -> bool:
    kind, _, name = key.partition(" ")
    if f"{kind} " in _MEMBERS:
        return name.rpartition(".")[0] in tables
    if kind == "index":
        indexed = _INDEXED.search(text)
        return indexed is not None and indexed[1] in tables
    if kind == "table":
        return name in tables
    if kind == "sequence":
        owner = re.search(r"OWNED BY (\S+)\.\S+$", text)
        return owner is not None and owner[1] in tables
    if kind in ("grants", "comment"):
        what = key.split(" ", 3)
        on = what[3] if len(what) > 3 else ""
        # PostgreSQL's identity has the schema, the grants' name omits `public`.
        on = on.removeprefix("public.")
        return on in tables or on.rpartition(".")[0] in tables
    return False
