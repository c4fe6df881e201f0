"""The tables that a revision changes, locks or refers to, and what RevisionFacts say of them."""

from __future__ import annotations

import re
from typing import Any

from cdk_alembic.catalog.catalog import Snapshot

from .watch import Recording

_WORD = re.compile(r"\w+")
_UPDATED = re.compile(r"\bUPDATE\s+(?:ONLY\s+)?(?:\"?\w+\"?\s*\.\s*)?\"?(\w+)", re.IGNORECASE)
_CHANGES_TYPE = re.compile(r"\bALTER\b.*\bTYPE\b", re.IGNORECASE | re.DOTALL)
_CREATED_IF_MISSING = re.compile(
    r"\bCREATE\s+(?:UNLOGGED\s+)?TABLE\s+IF\s+NOT\s+EXISTS\s+(?:\"?\w+\"?\s*\.\s*)?\"?(\w+)", re.IGNORECASE
)
_OF_A_TABLE = ("column ", "constraint ", "trigger ", "policy ", "rule ")


def affected_tables(before: Snapshot, after: Snapshot, recordings: list[Recording]) -> set[str]:
    """Names of the tables that changed or were locked, and of the tables that they refer to."""
    tables = set(before.tables) | set(after.tables)
    owners = {
        relation.name: relation.table
        for owner in before.changed_owners(after)
        for snapshot in (before, after)
        if owner in snapshot.parts
        for relation in snapshot.parts[owner].relations.values()
    }
    names: set[str] = set()
    for key in (key for part in before.change_to(after).values() for key in part):
        kind, _, name = key.partition(" ")
        if kind in ("index", "table", "sequence"):
            names.add(owners.get(name, name))
        elif key.startswith(_OF_A_TABLE):
            names.add(name.rpartition(".")[0])
    for recording in recordings:
        names |= recording.tables()
        # Outside of a transaction, a statement has released its locks before they can be read.
        words = {
            word for statement in recording.statements if statement["transaction"] < 0 for word in _WORD.findall(statement["sql"])
        }
        # It locks no table that exists.
        words |= {word for statement in recording.statements for word in _CREATED_IF_MISSING.findall(statement["sql"])}
        names |= {name for name in tables if name.rpartition(".")[2] in words}
    names &= tables
    for snapshot in (before, after):
        for name in list(names):
            for constraint in snapshot.tables.get(name, {}).get("constraints", ()):
                if "references" in constraint:
                    names.add(constraint["references"]["table"])
    return names & tables


def referring_tables(snapshot: Snapshot, recording: Recording) -> set[str]:
    """Names of the tables with a foreign key to a table that the recorded statements update."""
    updated = {word for statement in recording.statements for word in _UPDATED.findall(statement["sql"])}
    return {
        name
        for name, table in snapshot.tables.items()
        for constraint in table["constraints"]
        if "references" in constraint and constraint["references"]["table"].rpartition(".")[2] in updated
    }


def tables_of(before: Snapshot, after: Snapshot, names: set[str]) -> dict[str, Any]:
    """`before` and `after` of RevisionFacts: these tables."""
    return {
        "before": {name: _with_comments(before, name) for name in sorted(names) if name in before.tables},
        "after": {name: _with_comments(after, name) for name in sorted(names) if name in after.tables},
    }


def _with_comments(snapshot: Snapshot, name: str) -> dict[str, Any]:
    """TableFacts with the comments on columns."""
    table = snapshot.tables[name]
    start = f"{name}."
    comments = {
        key.removeprefix(start).strip('"').replace('""', '"'): text
        for key, text in snapshot.column_comments.items()
        if key.startswith(start)
    }
    if not comments:
        return table
    return {
        **table,
        "columns": [
            {**column, "comment": comments[column["name"]]} if column["name"] in comments else column
            for column in table["columns"]
        ],
    }


def changes_a_type(statements: list[dict[str, Any]]) -> bool:
    """Whether one of these statements changes a column's type, or an enum."""
    return any(_CHANGES_TYPE.search(statement["sql"]) for statement in statements)


def enums_of(snapshot: Snapshot, tables: dict[str, Any]) -> dict[str, str]:
    """The definitions of the enums that the columns have, by name."""
    types = {column["type"] for table in tables.values() for column in table["columns"]}
    found = {name: snapshot.entries.get(f"type {name}", "") for name in types}
    return {name: definition for name, definition in found.items() if definition.startswith("ENUM")}
