"""Reads snapshots of the catalog: the first one completely, later ones only where something changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from . import catalog_sql, raw
from .catalog import Part, Relation, Snapshot
from .catalog_sql import MARK


@dataclass(frozen=True)
class _Known:
    """A snapshot, and the state that detects later changes."""

    snapshot: Snapshot
    since: str
    """The oldest transaction whose changes it may lack."""
    deep: str
    counts: dict[int, int]
    """Rows of the catalog, by the oid of a table, view or sequence."""
    columns: dict[tuple[int, int], str]
    """Names of columns, by table and number."""
    rest: list[list[Any]]
    comments: tuple[str | None, list[list[Any]]]

    def is_renamed(self, texts: dict[str, Any]) -> bool:
        """Whether a relation or column that was read again has another name."""
        relations, columns = self.snapshot.relations, self.columns
        return any(oid in relations and relations[oid].name != name for oid, name, *_ in texts.get("relations") or ()) or any(
            columns.get((owner, number), name) != name for owner, number, name, *_ in texts.get("columns") or ()
        )

    def updated(
        self, result: dict[str, Any]
    ) -> tuple[dict[int, Part], dict[int, Relation], dict[tuple[int, int], str], dict[int, int]]:
        """The parts, relations, columns and counts after the changes in a result of `catalog_look`."""
        changed = dict(result["changed"] or ())
        parts, relations = dict(self.snapshot.parts), dict(self.snapshot.relations)
        columns, counts = dict(self.columns), dict(self.counts)
        for owner in [*changed, *(result["gone"] or ())]:
            counts.pop(owner, None)
            for relation in parts.pop(owner, Part()).relations:
                relations.pop(relation, None)
        for owner, part in _parts(result["texts"] or {}, changed).items():
            parts[owner] = part
            relations.update(part.relations)
            columns.update({(owner, number): name for number, name in part.attributes.items()})
        counts.update(changed)
        return parts, relations, columns, counts

    @cached_property
    def arguments(self) -> str:
        """The arguments of `catalog_look`."""
        owners, counts = (",".join(map(str, numbers)) for numbers in (self.counts, self.counts.values()))
        return f"'{self.since}', {raw.literal(self.deep)}, '{{{owners}}}', '{{{counts}}}'"


_NOTHING_KNOWN = _Known(Snapshot({}, {}, [], []), "", "", {}, {}, [], (None, []))


class Catalog:
    """Takes snapshots of one database.

    A text contains the names of other objects. After any of them was renamed, or any schema, type or function has changed, all
    texts are read again.
    """

    def __init__(self) -> None:
        self._known: _Known | None = None
        """The last snapshot of a transaction that had written nothing: writes may be rolled back."""

    def take(self, connection: Any) -> Snapshot:
        """A snapshot on this connection, in its current transaction. `catalog_sql.prepare` must have run in the database."""

        def call(function: str) -> Any:
            return raw.value(connection, f"SELECT {MARK}.catalog_{function}")

        known = self._known
        result = call(f"look({known.arguments if known else _READ_ALL})")
        if known and not result["all"] and known.is_renamed(result["texts"] or {}):
            result = call(f"look({_READ_ALL})")
        if known is None or result["all"]:
            known = _NOTHING_KNOWN
        state = result["state"]
        parts, relations, columns, counts = known.updated(result)
        rest = call("rest()") if known is _NOTHING_KNOWN else known.rest
        comments = known.comments
        if state["comments"] != comments[0]:
            comments = (state["comments"], call("comments()") if state["comments"] else [])
        published, publications = _publications(result["publications"])
        snapshot = Snapshot(relations, parts, [*rest, *publications, *comments[1]], published)
        if state["since"]:
            self._known = _Known(snapshot, state["since"], state["deep"], counts, columns, rest, comments)
        return snapshot


# The arguments that make `catalog_look` read everything.
_READ_ALL = "NULL, NULL, NULL, NULL"


def read(connection: Any, context: Any, schema: str | None = None) -> Snapshot:
    """A snapshot of a database, or of one `schema`, that creates no functions in it. `context`: Alembic's; its version table is
    excluded."""
    return snapshot_of(raw.value(connection, catalog_sql.everything(context, schema)))


def snapshot_of(everything: dict[str, Any]) -> Snapshot:
    """The snapshot in a result of `catalog_sql.everything`."""
    parts = _parts(everything["texts"], ())
    relations = {oid: relation for part in parts.values() for oid, relation in part.relations.items()}
    published, publications = _publications(everything)
    return Snapshot(relations, parts, [*everything["rest"], *publications, *everything["comments"]], published)


def _publications(result: dict[str, Any] | None) -> tuple[list[list[Any]], list[list[Any]]]:
    return ((result["published"] or []), (result["publications"] or [])) if result else ([], [])


def _parts(texts: dict[str, Any], owners: Iterable[int]) -> dict[int, Part]:
    """`owners`: oids that have a part even if it is empty."""
    parts: defaultdict[int, Part] = defaultdict(Part)
    for owner in owners:
        parts[owner] = Part()
    names = {oid: name for oid, name, *_ in texts.get("relations") or ()}
    for oid, name, owner, kind, file in texts.get("relations") or ():
        parts[owner].relations[oid] = Relation(name, names.get(owner, name), kind, file)
    for column in texts.get("columns") or ():
        parts[column[0]].columns.append(column)
    for constraint in texts.get("constraints") or ():
        parts[constraint[0]].constraints.append(constraint)
    for index in texts.get("indexes") or ():
        parts[index[1]].indexes.append(index)
    for text in texts.get("entries") or ():
        parts[text[0]].texts.append(text)
    return dict(parts)
