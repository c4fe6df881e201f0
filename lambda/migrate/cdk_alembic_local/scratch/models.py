"""The models as env.py imports them: a revision that runs in this process may reflect other tables into their metadata."""

from __future__ import annotations

import re
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

_IMPORTED = "cdk_alembic_imported"
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
        self._metadata = metadata_of(context.opts.get("target_metadata"))
        self._models = [_imported(metadata) for metadata in self._metadata]

    @contextmanager
    def watching(self, files: Collection[str]) -> Iterator[list[tuple[str, int]]]:
        """Collects file and line of each call that creates the models' tables in these files."""
        from sqlalchemy import Table, event

        found: list[tuple[str, int]] = []

        def before_create(table: Any, *_: Any, **__: Any) -> None:
            if table.metadata in self._metadata:
                places = ((frame.f_code.co_filename, line) for frame, line in traceback.walk_stack(None))
                found.extend(place for place in places if place[0] in files)

        event.listen(Table, "before_create", before_create)
        try:
            yield found
        finally:
            event.remove(Table, "before_create", before_create)

    def restore(self) -> None:
        """Removes the tables that came later, and what came later into the others."""
        for one in self._models:
            one.restore()


def _imported(metadata: Any) -> _Imported:
    # The process may have run revisions for an earlier request.
    if _IMPORTED not in metadata.info:
        metadata.info[_IMPORTED] = _Imported(metadata)
    return metadata.info[_IMPORTED]


class _Imported:
    """One metadata."""

    def __init__(self, metadata: Any) -> None:
        self._metadata = metadata
        self._members = {name: _members(table) for name, table in metadata.tables.items()}
        self._copy = _copy_of(metadata)

    def restore(self) -> None:
        tables = self._metadata.tables
        for name in tables.keys() - self._members.keys():
            self._metadata.remove(tables[name])
        if self._copy and any(_members(table) != self._members[name] for name, table in tables.items()):
            # All: a foreign key remembers the table that it refers to.
            self._metadata.clear()
            _copy_tables(self._copy, self._metadata)


def _members(table: Any) -> list[Any]:
    return [list(table.columns), table.constraints.copy(), table.indexes.copy()]


def _copy_of(metadata: Any) -> Any:
    """None: it can't be copied, as with a column of a class that refuses it."""
    from sqlalchemy import MetaData

    with suppress(Exception):
        copy = MetaData(schema=metadata.schema, naming_convention=metadata.naming_convention)
        _copy_tables(metadata, copy)
        return copy
    return None


def _copy_tables(source: Any, target: Any) -> None:
    for table in source.tables.values():
        table.to_metadata(target, schema=table.schema)
