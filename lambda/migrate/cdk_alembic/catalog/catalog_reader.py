"""Reads snapshots of the catalog. What has not changed since the last ones is not read again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import catalog_sql, raw
from .catalog import Part, Snapshot
from .catalog_sql import MARK

# Each takes a few kilobytes.
_MOST_PARTS = 10_000


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
        state = {name: found or [] for name, found in _ask(connection, "state()").items()}
        names = [(oid, name) for oid, name, *_ in state["relations"]]
        if not state["ordinary"] or state["deep"] != self._deep or not self._are_same(names) or len(self._parts) > _MOST_PARTS:
            self._forget()
        self._deep = state["deep"]
        self._names.update(names)
        parts = self._current(connection, state["own"])
        if parts is None:
            self._forget()
            self._names.update(names)
            parts = self._current(connection, state["own"]) or {}
        if self._rest is None:
            self._rest = _ask(connection, "rest()")
        if self._comments is None or self._comments[0] != state["comments"]:
            self._comments = (state["comments"], _ask(connection, "comments()") if state["comments"] else [])
        return Snapshot(state, parts, [*self._rest, *state["publications"], *self._comments[1]])

    def _current(self, connection: Any, own: list[list[Any]]) -> dict[int, Part] | None:
        """Parts by oid; None if a column was renamed."""
        missing = [owner for owner, version, always in own if always or (owner, version) not in self._parts]
        found: dict[int, Part] = {owner: Part() for owner in missing}
        if missing:
            owners = "NULL" if len(missing) == len(own) else f"'{{{','.join(map(str, missing))}}}'"
            _fill(found, _ask(connection, f"texts({owners})"))
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


def _ask(connection: Any, function: str) -> Any:
    return raw.value(connection, f"SELECT {MARK}.catalog_{function}")


def read(connection: Any, context: Any, schema: str | None = None) -> Snapshot:
    """A snapshot of a database in which nothing may be created, or of one schema. `context`: Alembic's, whose version table is
    excluded."""
    return snapshot_of(raw.value(connection, catalog_sql.everything(context, schema)))


def snapshot_of(everything: dict[str, Any]) -> Snapshot:
    """The snapshot in a result of `catalog_sql.everything`."""
    state = {name: found or [] for name, found in everything.items()}
    parts = {owner: Part() for owner in {owner for _, _, owner, *_ in state["relations"]}}
    _fill(parts, everything["texts"])
    return Snapshot(state, parts, [*state["rest"], *state["publications"], *state["comments"]])


def _fill(parts: dict[int, Part], texts: dict[str, Any]) -> None:
    for column in texts["columns"] or ():
        parts[column[0]].columns.append(column)
    for constraint in texts["constraints"] or ():
        parts[constraint[0]].constraints.append(constraint)
    for index in texts["indexes"] or ():
        parts[index[1]].indexes.append(index)
    for text in texts["entries"] or ():
        parts[text[0]].texts.append(text)
