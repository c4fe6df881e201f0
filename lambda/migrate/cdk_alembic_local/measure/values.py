"""The values of generated rows, as SQL. Shares of NULLs, numbers of distinct values and widths are those of production."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cdk_alembic.catalog import raw
from cdk_alembic.catalog.catalog import Snapshot

from ..scratch.rows import checks_on, quoted, quoted_table, unique_columns
from ..scratch.sample_values import candidates, is_text
from .varying_values import varying_expressions

# Multiples of a prime, modulo the number of values, scatter the rows. These are the primes of xxHash.
_PRIMES = (2654435761, 2246822519, 3266489917, 668265263, 374761393)


@dataclass(frozen=True)
class TargetSchema:
    """The tables after the revision: generated rows must satisfy its new constraints."""

    tables: dict[str, dict[str, Any]]
    """TableFacts by name."""
    entries: dict[str, str]
    """Catalog entries that the revision adds, such as an enum."""


class Source:
    """The facts and statistics of the tables, and the keys that rows may refer to."""

    def __init__(self, connection: Any, snapshot: Snapshot, target: TargetSchema, production: dict[str, dict[str, Any]]) -> None:
        """`production`: TableTarget by name."""
        self._connection = connection
        self._snapshot = snapshot
        self._later = target
        self._entries = {**snapshot.entries, **target.entries}
        self._production = production
        self._keys: dict[tuple[str, ...], tuple[str, int]] = {}

    def facts(self, name: str) -> dict[str, Any]:
        """The table, with the constraints and unique indexes that the revision adds to its columns."""
        facts = self._snapshot.tables[name]
        target = self._later.tables.get(name)
        if target is None:
            return facts
        columns = {column["name"] for column in facts["columns"]}
        added = {
            kind: [one for one in target[kind] if one not in facts[kind] and columns.issuperset(filter(None, one["columns"]))]
            for kind in ("constraints", "indexes")
        }
        return {**facts, **{kind: [*facts[kind], *added[kind]] for kind in added}}

    def later_type(self, name: str, column: dict[str, Any]) -> str:
        """The type that the revision gives to a column."""
        columns = self._later.tables.get(name, {}).get("columns", [])
        return next((one["type"] for one in columns if one["name"] == column["name"]), column["type"])

    def candidates(self, type_: str, number: int, checks: str) -> list[str]:
        return candidates(type_, number, self._entries, checks)

    def statistics(self, name: str, column: str) -> dict[str, Any]:
        """ColumnStatistics; empty if there are none."""
        found = self._production.get(name, {}).get("columns", [])
        return next((one for one in found if one["name"] == column), {})

    def rows(self, name: str) -> int:
        """The number of rows in production; at least one."""
        return max(1, self._production.get(name, {}).get("rows", 0))

    def keys(self, table: str, columns: list[str]) -> tuple[str, int]:
        """A temporary table with the keys of another one, numbered from 0 as `n`, and their number."""
        found = self._keys.get((table, *columns))
        if found is None:
            name = f"pg_temp.cdk_alembic_keys_{len(self._keys)}"
            chosen = ", ".join(f"{quoted(column)} AS k{at}" for at, column in enumerate(columns))
            filled = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
            raw.execute(
                self._connection,
                f"CREATE TABLE {name} AS SELECT row_number() OVER () - 1 AS n, {chosen} "  # noqa: S608
                f"FROM {quoted_table(table)} WHERE {filled}",
            )
            count = raw.value(self._connection, f"SELECT count(*)::text FROM {name}")  # noqa: S608
            found = self._keys[(table, *columns)] = (name, count)
        return found

    def forget_keys(self) -> None:
        for name, _ in self._keys.values():
            raw.execute(self._connection, f"DROP TABLE {name}")
        self._keys.clear()


class Values:
    """The values of a statement that inserts rows, by column, over the numbers `g.i`."""

    def __init__(self, source: Source, name: str, facts: dict[str, Any], attempt: int) -> None:
        self._source = source
        self._name = name
        self._facts = facts
        self._attempt = attempt
        self._unique = unique_columns(facts)
        self._joins: list[str] = []

    def all(self) -> tuple[dict[str, str], list[str]]:
        values = self._references()
        for place, column in enumerate(self._facts["columns"]):
            own = column["name"]
            counted = column["identity"] or "nextval(" in column.get("default", "")
            if own not in values and not column["generated"] and not counted:
                value = self._value(column, place)
                if value is not None:
                    values[own] = f"({value})::{column['type']}"
                elif "default" not in column:
                    values[own] = "NULL"
            if own in values and not column["notNull"]:
                values[own] = self._with_nulls(values[own], own, place)
        return values, self._joins

    def _references(self) -> dict[str, str]:
        """Keys of the referenced tables."""
        values: dict[str, str] = {}
        stride = 1
        foreign = [one for one in self._facts["constraints"] if "references" in one]
        referring = {column for one in foreign for column in one["columns"]}
        for place, constraint in enumerate(foreign):
            table, columns = constraint["references"]["table"], constraint["references"]["columns"]
            if not values.keys().isdisjoint(constraint["columns"]):
                continue
            if table == self._name:
                values.update(dict.fromkeys(constraint["columns"], "NULL"))
                continue
            keys, count = self._source.keys(table, columns)
            if self._in_key_of_references(constraint, referring):
                # Use each combination of keys once.
                number = f"(g.i / {stride}) % {max(1, count)}"
                stride *= max(1, count)
            else:
                number = _scattered(place, max(1, count))
            self._joins.append(f"LEFT JOIN {keys} f{place} ON f{place}.n = {number}")
            values.update({own: f"f{place}.k{at}" for at, own in enumerate(constraint["columns"])})
        return values

    def _in_key_of_references(self, constraint: dict[str, Any], referring: set[str]) -> bool:
        """Whether a unique key with only references includes the foreign key."""
        keys = [index["columns"] for index in self._facts["indexes"] if index["unique"]]
        return any(referring.issuperset(key) and not set(key).isdisjoint(constraint["columns"]) for key in keys)

    def _value(self, column: dict[str, Any], place: int) -> str | None:
        own, type_ = column["name"], column["type"]
        target = self._source.later_type(self._name, column)
        checks = checks_on(own, self._facts["constraints"])
        statistics = self._source.statistics(self._name, own)
        number = "g.i" if own in self._unique else f"1 + {_scattered(place, self._distinct(statistics))}"
        wanted = target if is_text(type_) and not is_text(target) else type_
        found = varying_expressions(wanted, number, statistics.get("width"))
        if found and (not checks or own in self._unique):
            # Some values of a unique column satisfy the CHECK.
            return found[self._attempt % len(found)]
        tried = [self._source.candidates(wanted, kind, checks) for kind in range(3)]
        if not tried[0]:
            return None
        if self._attempt > 0:
            return tried[0][(self._attempt - 1) % len(tried[0])]
        firsts = [one[0] for one in tried]
        cases = " ".join(f"WHEN {at} THEN {first}::{type_}" for at, first in enumerate(firsts))
        return f"CASE ({number}) % {len(firsts)} {cases} END"

    def _distinct(self, statistics: dict[str, Any]) -> int:
        """The number of distinct values in production. As in pg_stats, a negative number is a fraction of the rows."""
        rows = self._source.rows(self._name)
        distinct = statistics.get("distinct", -1)
        return max(1, round(distinct if distinct >= 0 else -distinct * rows))

    def _with_nulls(self, value: str, own: str, place: int) -> str:
        nulls = round(1000 * self._source.statistics(self._name, own).get("nulls", 0))
        return f"CASE WHEN (g.i * 7919 + {131 * place}) % 1000 < {nulls} THEN NULL ELSE {value} END" if nulls else value


def _scattered(place: int, count: int) -> str:
    """Pseudo-random numbers below `count`, evenly distributed."""
    return f"(g.i * {_PRIMES[place % len(_PRIMES)]}) % {count}"
