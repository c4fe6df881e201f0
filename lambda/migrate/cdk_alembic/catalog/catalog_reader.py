"""Reads snapshots of the catalog. What has not changed since the last ones is not read again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import catalog_sql, raw
from .catalog import Part, Snapshot
from .catalog_sql import MARK

# Each takes a few kilobytes.
_MOST_PARTS = 10_000


@dataclass(frozen=True)
class _Queries:
    state: Callable[[], dict[str, Any]]
    texts: Callable[[str], dict[str, Any]]
    """Of the tables, views and sequences with these oids: an SQL array, or NULL for all."""
    rest: Callable[[], list[list[Any]]]
    comments: Callable[[], list[list[Any]]]


class Catalog:
    """Takes snapshots of one database.

    A text contains the names of other objects. After any of them was renamed, or any schema, type or function has changed, all
    texts are read again.
    """

    def __init__(self) -> None:
        self._deep = ""
        self._forget()

    def take(self, connection: Any) -> Snapshot:
        """A snapshot on this connection, in its current transaction. `catalog_sql.prepare` must have run in the database."""
        ask = f"SELECT {MARK}.catalog_"
        return self._snapshot(
            _Queries(
                lambda: raw.value(connection, f"{ask}state()"),
                lambda owners: raw.value(connection, f"{ask}texts({owners})"),
                lambda: raw.value(connection, f"{ask}rest()"),
                lambda: raw.value(connection, f"{ask}comments()"),
            )
        )

    def _snapshot(self, queries: _Queries) -> Snapshot:
        state = {name: found or [] for name, found in queries.state().items()}
        names = [(oid, name) for oid, name, *_ in state["relations"]]
        if not state["ordinary"] or state["deep"] != self._deep or not self._are_same(names) or len(self._parts) > _MOST_PARTS:
            self._forget()
        self._deep = state["deep"]
        self._names.update(names)
        parts = self._current(state["own"], queries)
        if parts is None:
            self._forget()
            self._names.update(names)
            parts = self._current(state["own"], queries) or {}
        if self._rest is None:
            self._rest = queries.rest()
        if self._comments is None or self._comments[0] != state["comments"]:
            self._comments = (state["comments"], queries.comments() if state["comments"] else [])
        return Snapshot(state, parts, [*self._rest, *state["publications"], *self._comments[1]])

    def _current(self, own: list[list[Any]], queries: _Queries) -> dict[int, Part] | None:
        """Parts by oid; None if a column was renamed."""
        missing = [owner for owner, version, always in own if always or (owner, version) not in self._parts]
        found: dict[int, Part] = {owner: Part() for owner in missing}
        if missing:
            _fill(found, queries.texts("NULL" if len(missing) == len(own) else f"'{{{','.join(map(str, missing))}}}'"))
        columns = [((owner, number), name) for owner, part in found.items() for number, name in part.attributes.items()]
        if not self._are_same(columns):
            return None
        self._names.update(columns)
        self._parts.update({(owner, version): found[owner] for owner, version, _ in own if owner in found})
        return {owner: self._parts[owner, version] for owner, version, _ in own}

    def _are_same(self, names: Iterable[tuple[Any, str]]) -> bool:
        return all(self._names.get(key, name) == name for key, name in names)

    def _forget(self) -> None:
        self._names: dict[Any, str] = {}
        """Names of relations by oid, and of columns by table and number."""
        self._parts: dict[tuple[int, str], Part] = {}
        """By oid and version."""
        self._rest: list[list[Any]] | None = None
        self._comments: tuple[Any, list[list[Any]]] | None = None


def read(connection: Any, context: Any) -> Snapshot:
    """A snapshot of a database in which nothing may be created. `context`: Alembic's, whose version table is excluded."""
    return Catalog()._snapshot(
        _Queries(
            lambda: raw.value(connection, catalog_sql.state(context)),
            lambda owners: raw.value(connection, catalog_sql.texts(context, f"{owners}::bigint[]")),
            lambda: raw.value(connection, catalog_sql.rest()),
            lambda: raw.value(connection, catalog_sql.comments()),
        )
    )


def _fill(parts: dict[int, Part], texts: dict[str, Any]) -> None:
    for column in texts["columns"] or ():
        parts[column[0]].columns.append(column)
    for constraint in texts["constraints"] or ():
        parts[constraint[0]].constraints.append(constraint)
    for index in texts["indexes"] or ():
        parts[index[1]].indexes.append(index)
    for text in texts["entries"] or ():
        parts[text[0]].texts.append(text)
