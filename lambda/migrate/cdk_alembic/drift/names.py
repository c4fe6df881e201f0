"""Quotes names for DDL. Keys of entries have unquoted names: `a.b.c` is a column of a table in a schema, or of a table whose
name has a dot."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
# Keywords that PostgreSQL 15 to 18 reserves, and that SQLAlchemy's list lacks.
_MORE_RESERVED = frozenset(("collation", "concurrently", "lateral", "system_user", "tablesample"))


class Names:
    """The existing tables and schemas, which tell where a name ends."""

    def __init__(self, *entries: Iterable[str]) -> None:
        self._names: dict[str, set[str]] = {"schema": set(), "table": set()}
        for key in (key for keys in entries for key in keys):
            for kind, group in (("schema", "schema"), ("table", "table"), ("view", "table"), ("materialized view", "table")):
                if key.startswith(f"{kind} "):
                    self._names[group].add(key[len(kind) + 1 :])

    def quoted(self, name: str) -> str | None:
        """An object of a schema, or of `public`; None: unknown."""
        splits = list(self._splits(name, "schema"))
        if len(splits) > 1:
            return None
        return ".".join(quoted(part) for part in splits[0]) if splits else quoted(name)

    def member(self, name: str) -> tuple[str, str] | None:
        """The table and its member, such as a column; None: unknown."""
        splits = list(self._splits(name, "table"))
        table = self.quoted(splits[0][0]) if len(splits) == 1 else None
        return (table, quoted(splits[0][1])) if table else None

    def _splits(self, name: str, kind: str) -> Iterable[tuple[str, str]]:
        for dot in re.finditer(r"\.", name):
            if name[: dot.start()] in self._names[kind]:
                yield name[: dot.start()], name[dot.end() :]


def quoted(name: str) -> str:
    """One identifier for SQL, quoted if needed."""
    from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

    if _PLAIN.fullmatch(name) and name not in RESERVED_WORDS and name not in _MORE_RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'
