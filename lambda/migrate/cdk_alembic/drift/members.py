"""Finds out from catalog entries what belongs to a table."""

from __future__ import annotations

import re
from collections.abc import Mapping

_INDEXED = re.compile(r"\bON (?:ONLY )?(\S+) USING ")
_MEMBERS = ("column ", "constraint ", "trigger ", "rule ", "policy ")


def with_indexes(tables: set[str], *entries: Mapping[str, str]) -> set[str]:
    """The tables and their indexes: comments name both."""
    if not tables:
        return tables
    found = (
        key[6:]
        for catalog in entries
        for key, text in catalog.items()
        if key.startswith("index ") and belongs_to(key, text, tables)
    )
    return {*tables, *found}


def belongs_to(key: str, text: str, tables: set[str]) -> bool:
    """Whether an entry is one of these tables or belongs to one of them. `tables`: to include comments on indexes, those of
    `with_indexes`."""
    kind, _, name = key.partition(" ")
    if f"{kind} " in _MEMBERS:
        return _is_within(name, tables)
    if kind == "index":
        indexed = _INDEXED.search(_unquoted(text))
        return indexed is not None and indexed[1] in tables
    if kind == "table":
        return name in tables
    if kind == "sequence":
        owner = re.search(r"OWNED BY (\S+)\.\S+$", _unquoted(text))
        return owner is not None and owner[1] in tables
    if kind in ("grants", "comment"):
        # `grants on column a.b`, `comment on table constraint c on a`. PostgreSQL's identity has the schema, the grants' name
        # omits `public`.
        on = _unquoted(key).rpartition(" ")[2].removeprefix("public.")
        return on in tables or _is_within(on, tables)
    return False


def _is_within(name: str, tables: set[str]) -> bool:
    return any(name[: dot.start()] in tables for dot in re.finditer(r"\.", name))


def _unquoted(text: str) -> str:
    """Names as the keys of entries have them: definitions quote a schema such as `tenant-4`."""
    return text.replace('"', "")
