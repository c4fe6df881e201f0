"""The models as env.py imports them: a revision that runs in this process may reflect other tables into their metadata."""

from __future__ import annotations

import re
from typing import Any

_NOW = re.compile(r"\s*now(\(\))?\s*", re.IGNORECASE)


def metadata_of(target: Any) -> list[Any]:
    """env.py's `target_metadata` as a list."""
    if isinstance(target, (list, tuple, set, frozenset)):
        return list(target)
    return [] if target is None else [target]


def write_now_as_function(metadata: list[Any]) -> list[str]:
    """Corrects `server_default="now()"`, a text that PostgreSQL replaces by the time of the migration. Returns the columns."""
    from sqlalchemy import Date, DateTime, Time, text

    corrected = []
    for column in (column for one in metadata for table in one.tables.values() for column in table.columns):
        kind, default = getattr(column.type, "impl", column.type), column.server_default
        value = getattr(default, "arg", None)
        if isinstance(kind, (Date, DateTime, Time)) and isinstance(value, str) and _NOW.fullmatch(value):
            # In place: an operation of autogenerate may have it, too.
            default.arg = text("now()")
            corrected.append(str(column))
    return corrected


class ImportedModels:
    """The tables that the models have before a revision runs."""

    def __init__(self, context: Any) -> None:
        self._tables = [(metadata, set(metadata.tables)) for metadata in metadata_of(context.opts.get("target_metadata"))]

    def restore(self) -> None:
        """Removes the tables that came later."""
        for metadata, own in self._tables:
            for name in set(metadata.tables) - own:
                metadata.remove(metadata.tables[name])
