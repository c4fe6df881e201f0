"""Deferred constraints in a transaction that runs several functions, which Alembic would commit one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cdk_alembic.catalog import raw
from cdk_alembic.catalog.catalog import Snapshot

from ..scratch.rows import quoted
from .watch import Recording

_DEFERRED = re.compile(r"\bINITIALLY DEFERRED\b")
_CHECK = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT format('%I.%I', nspname, conname) FROM pg_constraint c JOIN pg_namespace n ON n.oid = connamespace
    WHERE condeferred
  LOOP
    EXECUTE 'SET CONSTRAINTS ' || name || ' IMMEDIATE';
    EXECUTE 'SET CONSTRAINTS ' || name || ' DEFERRED';
  END LOOP;
END $$"""


def as_existing_rows(connection: Any, state: Snapshot, recordings: list[Recording]) -> None:
    """Keeps checks of rows that a function does not change from being pending, which ALTER TABLE refuses.

    PostgreSQL checks a foreign key again after any UPDATE of a row that the same transaction has inserted, and after one of an
    existing row only if the key's columns change. `state`: the catalog before the function. `recordings`: of it, run before.
    """
    text = " ".join(statement["sql"] for recording in recordings for statement in recording.statements)
    for table, constraint in _deferred(state):
        if not any(re.search(rf"\b{re.escape(column)}\b", text) for column in constraint["columns"]):
            name = f"{quoted(table.rpartition('.')[0] or 'public')}.{quoted(constraint['name'])}"
            raw.execute(connection, f"SET CONSTRAINTS {name} IMMEDIATE")


def check_deferred(connection: Any, state: Snapshot) -> None:
    """Checks what a commit would, after a function. Raises what a violated constraint raises."""
    if any(_deferred(state)):
        raw.execute(connection, _CHECK)


def _deferred(state: Snapshot) -> Iterator[tuple[str, dict[str, Any]]]:
    """Constraints that are checked at the end of a transaction, with their tables."""
    for table, facts in state.tables.items():
        for constraint in facts["constraints"]:
            if _DEFERRED.search(constraint["definition"]):
                yield table, constraint
