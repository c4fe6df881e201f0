"""Inserts rows to observe what a revision does to them: a few sample values per affected table, based on its columns."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cdk_alembic.catalog import raw
from cdk_alembic.catalog.catalog import Snapshot
from cdk_alembic.catalog.catalog_sql import MARK

from .sample_values import candidates, is_text

# A row with all values, one that shares as many of its values as possible, and one with NULL wherever possible.
FULL, TWIN, BARE = 0, 1, 2
ALL = (FULL, TWIN, BARE)

_TRIES = 5
_MAX_DEPTH = 8

Rows = dict[str, list[dict[str, Any]]]


def prepare(connection: Any) -> None:
    """Call it before inserting rows, in the marked database."""
    for signature, variables, body in _WITHOUT_TRIGGERS:
        parts = {"mark": MARK, "signature": signature, "variables": variables, "body": body}
        # Triggers do not run, as for production's existing rows. SECURITY DEFINER, because a revision may change the role.
        fast = _FUNCTION.format(options="SECURITY DEFINER SET session_replication_role = replica", **parts)
        slow = _FUNCTION.format(options="SECURITY DEFINER", **parts)
        raw.execute(
            connection,
            f"DO $do$ BEGIN EXECUTE {raw.literal(fast)}; "
            f"EXCEPTION WHEN insufficient_privilege THEN EXECUTE {raw.literal(slow)}; END $do$",
        )
    raw.execute(connection, _INSERT_UNTIL)


# Without the privilege to set session_replication_role, the function disables each trigger.
_FUNCTION = """
CREATE OR REPLACE FUNCTION {mark}.{signature} LANGUAGE plpgsql {options} AS $insert$
DECLARE change text; {variables}
  changes text[] := ARRAY(SELECT format('ALTER TABLE %s %%s TRIGGER %I', tgrelid::regclass, tgname) FROM pg_trigger
    WHERE NOT tgisinternal AND tgenabled = 'O' AND current_setting('session_replication_role') <> 'replica');
BEGIN
  FOREACH change IN ARRAY changes LOOP EXECUTE format(change, 'DISABLE'); END LOOP;
  {body}
  -- A table with checks that are still to come can't be altered.
  IF changes <> '{{}}' THEN SET CONSTRAINTS ALL IMMEDIATE; END IF;
  FOREACH change IN ARRAY changes LOOP EXECUTE format(change, 'ENABLE'); END LOOP;
  RETURN done;
END $insert$"""
_VARIABLES = "statement text; accepted boolean; done int := 0;"
_TRY = """FOR statement IN SELECT json_array_elements_text(tried) LOOP
    BEGIN
      EXECUTE statement;
      accepted := true;
    EXCEPTION WHEN OTHERS THEN
      accepted := false;
    END;
    EXIT WHEN accepted = wanted;
    done := done + 1;
  END LOOP;"""
_WITHOUT_TRIGGERS = (
    ("insert_until_quietly(wanted boolean, tried json) RETURNS int", _VARIABLES, _TRY),
    # Returns the number of inserted rows. Raises what the statement raises.
    ("insert_rows(statement text) RETURNS bigint", "done bigint;", "EXECUTE statement; GET DIAGNOSTICS done = ROW_COUNT;"),
)
# Returns the position of the first statement that is accepted or rejected, as asked, and runs none after it. Setting
# session_replication_role discards all plans of the session, which takes longest, so it is only set where a trigger or a rule may
# make a difference. The key of a foreign key with one column is taken from the other table, so its check accepts it.
_INSERT_UNTIL = f"""
CREATE OR REPLACE FUNCTION {MARK}.insert_until(wanted boolean, tried json, tables oid[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER AS $insert$
DECLARE {_VARIABLES}
BEGIN
  IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = ANY (tables) AND NOT tgisinternal)
    OR EXISTS (SELECT FROM pg_rewrite WHERE ev_class = ANY (tables))
    OR EXISTS (SELECT FROM pg_constraint WHERE conrelid = ANY (tables) AND (condeferrable OR contype = 'f'
      AND (cardinality(conkey) > 1 OR EXISTS (SELECT FROM pg_inherits WHERE inhparent = confrelid))))
    OR EXISTS (SELECT FROM pg_constraint WHERE conrelid = ANY (tables) AND contype = 'f' GROUP BY conrelid, conkey
      HAVING count(*) > 1)
  THEN
    RETURN {MARK}.insert_until_quietly(wanted, tried);
  END IF;
  {_TRY}
  RETURN done;
END $insert$"""  # noqa: S608
_INDEX_NAME = re.compile(r'CREATE UNIQUE INDEX (?:"(?:[^"]|"")+"|\S+) ON')


class Filler:
    """Inserts rows into tables. A rejected row does not end the transaction."""

    def __init__(
        self,
        connection: Any,
        snapshot: Snapshot,
        kinds: tuple[int, ...] = ALL,
        later: Snapshot | None = None,
        wanted: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        """`later`: the catalog after the revision, for texts that it converts to another type. `wanted`:
        TableFacts of tables whose CHECKs and foreign keys the rows must satisfy, too."""
        self._connection = connection
        self._snapshot = snapshot
        self._kinds = kinds
        self._later = later
        self._later_types = _all_types(later) if later else {}
        self._wanted = wanted or {}
        self._planned: dict[str, None] = {}
        """Tables, in the order of their rows."""
        self._oids: list[int] = []

    def fill(self, names: set[str]) -> list[str]:
        """Fills these tables and those that their foreign keys require. Returns all tables with a row."""
        for name in sorted(names):
            self._plan(name, ())
        with self._wanted_constraints():
            return self._fill()

    def _fill(self) -> list[str]:
        rows = [(name, kind) for name in self._planned for kind in self._kinds]
        self._oids = [oid for oid, relation in self._snapshot.relations.items() if relation.name in self._planned]
        filled: set[str] = set()
        while rows:
            # One round trip for all rows up to one that is rejected.
            firsts = [self._statement(*row, 0) for row in rows]
            done = self._insert_until("false", firsts)
            filled.update(name for name, _ in rows[:done])
            if done < len(rows):
                others = list(dict.fromkeys(self._statement(*rows[done], attempt) for attempt in range(1, _TRIES)))
                if self._insert_until("true", others) < len(others):
                    filled.add(rows[done][0])
            rows = rows[done + 1 :]
        return sorted(filled)

    def _plan(self, name: str, above: tuple[str, ...]) -> None:
        """Adds the table to the plan after those that its foreign keys require."""
        if name in self._planned or name in above or len(above) > _MAX_DEPTH:
            return
        if self._snapshot.is_partition(name):
            return  # a partition gets its rows from its parent
        for constraint in self._constraints(name):
            if "references" in constraint and constraint["references"]["table"] != name:
                self._plan(constraint["references"]["table"], (*above, name))
        self._planned[name] = None

    @contextmanager
    def _wanted_constraints(self) -> Iterator[None]:
        """Within this block, PostgreSQL rejects rows that break a wanted CHECK or a wanted unique index."""
        wanted = [one for name in self._planned for one in (*self._added_checks(name), *self._unique_indexes(name))]
        for add, _ in wanted:
            # It may need a column or a function that the revision creates.
            guarded = f"BEGIN EXECUTE {raw.literal(add)}; EXCEPTION WHEN OTHERS THEN NULL; END"
            raw.execute(self._connection, f"DO {raw.literal(guarded)}")
        yield
        for _, drop in wanted:
            raw.execute(self._connection, drop)

    def _added_checks(self, name: str) -> Iterator[tuple[str, str]]:
        """Statements that add a CHECK which a table does not have yet, and that drop it."""
        own, table = self._snapshot.tables[name]["constraints"], quoted_table(name)
        checks = [one for one in self._constraints(name) if one["kind"] == "check" and one not in own]
        for number, check in enumerate(checks):
            constraint = f"cdk_alembic_wanted_{number}"
            yield (
                f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {check['definition']}",
                f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint}",
            )

    def _unique_indexes(self, name: str) -> Iterator[tuple[str, str]]:
        """The same of unique indexes."""
        own = [one["name"] for one in self._snapshot.tables[name]["indexes"]]
        indexes = [one for one in self._wanted.get(name, {}).get("indexes", []) if one["unique"] and one["name"] not in own]
        for number, index in enumerate(indexes):
            schema, _, table = name.rpartition(".")
            unique = f"cdk_alembic_wanted_{number}_{table}"[:63]
            place = f"{quoted(schema)}." if schema else ""
            yield (
                _INDEX_NAME.sub(f"CREATE UNIQUE INDEX {quoted(unique)} ON", index["definition"], count=1),
                f"DROP INDEX IF EXISTS {place}{quoted(unique)}",
            )

    def _constraints(self, name: str) -> list[dict[str, Any]]:
        """The constraints of a table, and the wanted ones that rows can satisfy already."""
        wanted = self._wanted.get(name, {}).get("constraints", [])
        there = self._snapshot.tables
        own = there[name]["constraints"]
        return [one for one in wanted if one not in own and one.get("references", {"table": name})["table"] in there] + own

    def _insert_until(self, accepted: str, statements: list[str]) -> int:
        tried = raw.literal(json.dumps(statements))
        tables = ", ".join(map(str, self._oids))
        return raw.value(self._connection, f"SELECT {MARK}.insert_until({accepted}, {tried}::json, '{{{tables}}}')::text")

    def _statement(self, name: str, kind: int, attempt: int) -> str:
        # If a twin is not allowed, tries a separate row.
        values = self._values(name, self._snapshot.tables[name], kind, attempt, kind == TWIN and attempt == 0)
        if not values:
            return f"INSERT INTO {quoted_table(name)} DEFAULT VALUES"
        columns = ", ".join(quoted(column) for column in values)
        return f"INSERT INTO {quoted_table(name)} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({', '.join(values.values())})"  # noqa: S608

    def _values(self, name: str, facts: dict[str, Any], kind: int, attempt: int, shares: bool) -> dict[str, str]:
        unique = unique_columns(facts)
        references = {
            column: (constraint["references"], position)
            for constraint in self._constraints(name)
            if "references" in constraint
            for position, column in enumerate(constraint["columns"])
        }
        values = {}
        for column in facts["columns"]:
            own = column["name"]
            number = FULL if shares and own not in unique else kind
            if column["generated"]:
                continue
            counted = column["identity"] or "nextval(" in column.get("default", "")
            if counted and own not in references:
                continue
            if kind == BARE and not column["notNull"]:
                values[own] = "NULL"
            elif own in references:
                values[own] = self._reference(name, *references[own], number, own in unique)
            else:
                found = self._candidates(name, column, number, checks_on(own, self._constraints(name)))
                if found:
                    values[own] = f"{found[attempt % len(found)]}::{column['type']}"
                elif "default" not in column:
                    values[own] = "NULL"
        return values

    def _candidates(self, table: str, column: dict[str, Any], number: int, checks: str) -> list[str]:
        own = column["type"]
        found = candidates(own, number, self._snapshot.entries, checks)
        later = self._later_types.get((table, column["name"]), own)
        if self._later is None or not is_text(own) or is_text(later):
            return found
        return [*candidates(later, number, self._later.entries), *found]

    def _reference(self, name: str, references: dict[str, Any], position: int, number: int, unique: bool) -> str:
        if references["table"] == name:
            return "NULL"
        columns = references["columns"]
        order = ", ".join(quoted(column) for column in columns)
        offset = f"OFFSET {number}" if unique else ""
        return f"(SELECT {quoted(columns[position])} FROM {quoted_table(references['table'])} ORDER BY {order} LIMIT 1 {offset})"  # noqa: S608


def read(connection: Any, snapshot: Snapshot, names: list[str]) -> Rows:
    """All rows of those tables that exist."""
    parts = [
        f"{raw.literal(name)}, (SELECT coalesce(json_agg(to_jsonb(r)), '[]') FROM {quoted_table(name)} r)"  # noqa: S608
        for name in names
        if name in snapshot.tables
    ]
    found: Rows = {}
    # A function accepts at most 100 arguments.
    for first in range(0, len(parts), 40):
        found.update(raw.value(connection, f"SELECT json_build_object({', '.join(parts[first : first + 40])})::text"))
    return found


def tables_with_fewer_rows(before: Rows, after: Rows) -> list[str]:
    """Tables that have fewer rows."""
    return sorted(name for name in before if name in after and len(after[name]) < len(before[name]))


def lost_columns(before: Rows, after: Rows, types: tuple[Snapshot, Snapshot]) -> list[str]:
    """Columns, as `table.column`, that still exist but lost a value. NULL is not a value: it may be filled in."""
    lost = []
    for name in sorted(set(before) & set(after)):
        old_types, new_types = (_types(snapshot, name) for snapshot in types)
        for column in sorted(set(old_types) & set(new_types)):
            if old_types[column] == new_types[column] and _texts(before[name], column) == _texts(after[name], column):
                continue
            old, new = (_value_counts(rows[name], column) for rows in (before, after))
            if len(after[name]) < len(before[name]):
                old, new = new, old
            if old_types[column] == new_types[column]:
                differs = bool(old - new)
            else:
                # A different type may write the same value differently.
                differs = len(new) < len(old) or new.total() < old.total()
            if differs:
                lost.append(f"{name}.{column}")
    return lost


def _value_counts(rows: list[dict[str, Any]], column: str) -> Counter[str]:
    return Counter(_encode(row[column]) for row in rows if row.get(column) is not None)


def _texts(rows: list[dict[str, Any]], column: str) -> str:
    return _encode([row.get(column) for row in rows])


_encode = json.JSONEncoder(sort_keys=True).encode


def _all_types(snapshot: Snapshot) -> dict[tuple[str, str], str]:
    return {(name, column["name"]): column["type"] for name, facts in snapshot.tables.items() for column in facts["columns"]}


def _types(snapshot: Snapshot, name: str) -> dict[str, str]:
    return {column["name"]: column["type"] for column in snapshot.tables[name]["columns"]}


def unique_columns(facts: dict[str, Any]) -> set[str]:
    """The columns that two rows must not share."""
    unique = set()
    keys = [index for index in facts["indexes"] if index["unique"]]
    keys += [constraint for constraint in facts["constraints"] if constraint["kind"] == "exclude"]
    for key in keys:
        named = [column for column in key["columns"] if column]
        # The column behind an expression is unknown.
        unique.update(named or [column["name"] for column in facts["columns"] if column["name"] in key["definition"]])
    return unique


def checks_on(column: str, constraints: list[dict[str, Any]]) -> str:
    return " ".join(
        constraint["definition"]
        for constraint in constraints
        if constraint["kind"] == "check" and column in constraint["columns"]
    )


def quoted_table(name: str) -> str:
    """A table's name in facts, as SQL."""
    schema, dot, table = name.partition(".")
    return f"{quoted(schema)}.{quoted(table)}" if dot else f"public.{quoted(name)}"


def quoted_parts(name: str) -> str:
    """A table's name as SQL: without a schema, the search_path finds it."""
    return ".".join(map(quoted, name.split(".", 1)))


def quoted(name: str) -> str:
    """An identifier as SQL."""
    return '"' + re.sub('"', '""', name) + '"'
