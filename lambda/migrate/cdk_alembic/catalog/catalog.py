"""A snapshot of the catalog: the definitions that a downgrade must restore, and the tables as TableFacts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

_KINDS = {
    "p": "primary key",
    "u": "unique",
    "f": "foreign key",
    "c": "check",
    "x": "exclude",
    "n": "not null",
}
_PARTITION = re.compile(r".*\bPARTITION OF (\S+)")
_PUBLIC = re.compile(r"\bpublic\.")


@dataclass(frozen=True)
class Relation:
    """A table, index, view or sequence."""

    name: str
    table: str
    """The table that it belongs to, or its own name."""
    kind: str
    """`pg_class.relkind`."""
    file: int | None
    """Number of the file with its rows; null if it has none."""

    @property
    def is_table(self) -> bool:
        return self.kind in "rpf"


class Part:
    """The catalog entries of one table, view or sequence."""

    def __init__(self) -> None:
        self.relations: dict[int, Relation] = {}
        """Itself and its indexes, by oid."""
        self.columns: list[list[Any]] = []
        self.constraints: list[list[Any]] = []
        self.indexes: list[list[Any]] = []
        self.texts: list[list[Any]] = []
        self._table: dict[str, Any] | None = None

    @cached_property
    def attributes(self) -> dict[int, str]:
        """Names of columns by their number."""
        return {number: name for _, number, name, *_ in self.columns}

    @cached_property
    def entries(self) -> dict[str, str]:
        """`<kind> <name>` and its definition in PostgreSQL. Don't modify it."""
        return dict(self._read())

    def with_texts(self, changed: Callable[[str], str]) -> Part:
        """A copy, with each of its names and definitions changed."""
        copy = Part()
        copy.relations = {
            oid: replace(relation, name=changed(relation.name), table=changed(relation.table))
            for oid, relation in self.relations.items()
        }
        copy.columns, copy.constraints, copy.indexes, copy.texts = (
            _with_texts(rows, changed) for rows in (self.columns, self.constraints, self.indexes, self.texts)
        )
        return copy

    def table(self, relations: Mapping[int, Relation], parts: Mapping[int, Part]) -> dict[str, Any]:
        """TableFacts without partitions and publications. Cached: don't modify them.

        `relations`, `parts`: of the whole snapshot. A part's names never change while it is in use."""
        if self._table is None:
            self._table = {
                "columns": [_column(column) for column in self.columns],
                "constraints": sorted(
                    (self._constraint(constraint, relations, parts) for constraint in self.constraints), key=_name
                ),
                "indexes": sorted((self._index(index) for index in self.indexes), key=_name),
            }
        return self._table

    def _read(self) -> Iterator[tuple[str, str]]:
        names = {oid: relation.name for oid, relation in self.relations.items()}
        for _, key, definition in self.texts:
            yield plain(key), plain(definition or "")
        for oid, _, name, type_, not_null, default, identity, generated, collation in self.columns:
            parts = [plain(type_)]
            if collation:
                parts.append(f"COLLATE {collation}")
            if not_null:
                parts.append("NOT NULL")
            if identity:
                parts.append(f"GENERATED {'ALWAYS' if identity == 'a' else 'BY DEFAULT'} AS IDENTITY")
            if generated:
                parts.append(f"GENERATED ALWAYS AS ({plain(default)}) {'STORED' if generated == 's' else 'VIRTUAL'}")
            elif default is not None:
                parts.append(f"DEFAULT {plain(default)}")
            yield f"column {names[oid]}.{name}", " ".join(parts)
        with_index = {index for _, _, kind, *_, index in self.constraints if kind in "pux"}
        for oid, name, kind, definition, _, validated, *_ in self.constraints:
            # The column's entry includes NOT NULL; PostgreSQL 18 also has a constraint for it.
            if kind != "n" or not validated:
                yield f"constraint {names[oid]}.{name}", plain(definition)
        for oid, _, definition, _, _, _, valid, _ in self.indexes:
            if oid not in with_index:
                yield f"index {names[oid]}", plain(definition) + ("" if valid else " INVALID")

    def _constraint(self, constraint: list[Any], relations: Mapping[int, Relation], parts: Mapping[int, Part]) -> dict[str, Any]:
        _, name, kind, definition, key, validated, other, other_key, _ = constraint
        facts = {
            "name": name,
            "kind": _KINDS[kind],
            "definition": plain(definition),
            # Attribute 0 is an expression in an EXCLUDE constraint.
            "columns": [self.attributes[number] for number in key or () if number > 0],
            "validated": validated,
        }
        if kind == "f" and other in parts:
            columns = [parts[other].attributes[number] for number in other_key]
            facts["references"] = {"table": relations[other].name, "columns": columns}
        return facts

    def _index(self, index: list[Any]) -> dict[str, Any]:
        oid, _, definition, key, key_length, unique, valid, partial = index
        return {
            "name": self.relations[oid].name,
            "definition": plain(definition),
            "columns": [self.attributes.get(number) for number in key[:key_length]],
            "unique": unique,
            "valid": valid,
            "partial": partial,
        }


class Snapshot:
    """The catalog at one moment."""

    def __init__(
        self, relations: dict[int, Relation], parts: dict[int, Part], texts: list[list[Any]], published: list[list[Any]]
    ) -> None:
        """`relations`: by oid. `parts`: by the oid of a table, view or sequence. `texts`: all others. `published`: oids of tables
        with the names of publications."""
        self.relations = relations
        self.parts = parts
        self._texts = texts
        self._published = published

    @cached_property
    def owners(self) -> dict[str, str]:
        """The table of each relation, by name."""
        return {relation.name: relation.table for relation in self.relations.values()}

    @cached_property
    def tables(self) -> dict[str, dict[str, Any]]:
        """TableFacts by name."""
        tables: dict[str, dict[str, Any]] = {}
        publications: dict[int, list[str]] = {}
        for oid, publication in self._published:
            publications.setdefault(oid, []).append(publication)
        for oid, relation in self.relations.items():
            if not relation.is_table:
                continue
            facts = self.parts[oid].table(self.relations, self.parts)
            if relation.kind == "p":
                facts = {**facts, "partitions": self._partitions_of(relation.name)}
            if oid in publications:
                facts = {**facts, "publications": publications[oid]}
            tables[relation.name] = facts
        return tables

    @cached_property
    def column_comments(self) -> dict[str, str]:
        """The comments on columns by `table.column`, quoted where PostgreSQL needs it."""
        start = "comment on table column "
        return {plain(key).removeprefix(start): text for key, text in self._texts if key.startswith(start)}

    def _partitions_of(self, table: str) -> list[str]:
        parents = {key: _PARTITION.match(definition) for key, definition in self.entries.items() if key.startswith("table ")}
        return sorted(key.removeprefix("table ") for key, parent in parents.items() if parent and parent[1] == table)

    def is_partition(self, name: str) -> bool:
        """Whether the table is a partition."""
        return "PARTITION OF" in self.entries.get(f"table {name}", "")

    @cached_property
    def entries(self) -> dict[str, str]:
        """`<kind> <name>` and its definition in PostgreSQL."""
        return self._entries_of(self.parts)

    def relative_to(self, schema: str) -> Snapshot:
        """A copy in which names in this schema, like those in `public`, have no schema."""
        # Keys have its name as it is, definitions quoted where PostgreSQL needs it.
        in_quotes = '"' + schema.replace('"', '""') + '"'
        names = f"{re.escape(schema)}|{re.escape(in_quotes)}"
        qualified = re.compile(rf'(?<![\w$".])(?:{names})\.')

        def changed(text: str) -> str:
            return qualified.sub("", text)

        parts = {oid: part.with_texts(changed) for oid, part in self.parts.items()}
        relations = {oid: relation for part in parts.values() for oid, relation in part.relations.items()}
        return Snapshot(relations, parts, _with_texts(self._texts, changed), self._published)

    def change_to(self, after: Snapshot) -> dict[str, Any]:
        """The SchemaChange to a later snapshot. Skips the parts that both share."""
        owners = self.changed_owners(after)
        return change(self._entries_of(owners), after._entries_of(owners))

    def changed_owners(self, other: Snapshot) -> set[int]:
        """Oids of the parts that the two snapshots do not share."""
        return {owner for owner in {*self.parts, *other.parts} if self.parts.get(owner) is not other.parts.get(owner)}

    def _entries_of(self, owners: Iterable[int]) -> dict[str, str]:
        entries = {plain(key): plain(definition or "") for key, definition in self._texts}
        for owner in owners:
            if owner in self.parts:
                entries.update(self.parts[owner].entries)
        return entries


def change(before: dict[str, str], after: dict[str, str]) -> dict[str, Any]:
    """SchemaChange from one snapshot's entries to another's."""
    return {
        "added": {key: after[key] for key in sorted(after.keys() - before.keys())},
        "removed": {key: before[key] for key in sorted(before.keys() - after.keys())},
        "changed": {
            key: [before[key], after[key]] for key in sorted(key for key, text in before.items() if after.get(key, text) != text)
        },
    }


def is_empty(change: dict[str, Any]) -> bool:
    """Whether a SchemaChange is empty."""
    return not any(change.values())


# PostgreSQL prints `code IN ('a', 'b')` on a varchar in this form. After a dump and restore, it prints a cast of each element
# instead.
_CAST_OF_LIST = re.compile(r"\(ARRAY\[((?:(?:, )?'(?:[^']|'')*'::character varying(?:\(\d+\))?)+)\]\)::text\[\]")
_ELEMENT = re.compile(r"'(?:[^']|'')*'::character varying(?:\(\d+\))?")


def plain(text: str) -> str:
    """A definition in normal form: without the schema `public`, and with a cast of each list element."""
    if "])::text[]" in text:
        text = _CAST_OF_LIST.sub(lambda cast: "ARRAY[" + _ELEMENT.sub(r"(\g<0>)::text", cast[1]) + "]", text)
    return _PUBLIC.sub("", text) if "public." in text else text


def _with_texts(rows: list[list[Any]], changed: Callable[[str], str]) -> list[list[Any]]:
    return [[changed(value) if isinstance(value, str) else value for value in row] for row in rows]


def _column(column: list[Any]) -> dict[str, Any]:
    _, _, name, type_, not_null, default, identity, generated, _ = column
    facts = {"name": name, "type": plain(type_), "notNull": not_null}
    if default is not None:
        facts["default"] = plain(default)
    return {**facts, "identity": identity != "", "generated": generated != ""}


def _name(facts: dict[str, Any]) -> str:
    return facts["name"]
