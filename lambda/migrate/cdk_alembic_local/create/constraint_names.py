"""The names of constraints that the models leave to PostgreSQL."""

from __future__ import annotations

from collections import Counter
from typing import Any

from alembic.operations import ops
from sqlalchemy import ForeignKeyConstraint, UniqueConstraint

from ..scratch.drift import flatten


def name_constraints(directives: list[Any]) -> None:
    """Names unnamed constraints as PostgreSQL does: a later revision can't drop one without a name."""
    for directive in directives:
        for operation in [*flatten(directive.upgrade_ops), *flatten(directive.downgrade_ops)]:
            if isinstance(operation, ops.CreateTableOp):
                _name_constraints_of(operation)
            made = operation._reverse if isinstance(operation, ops.DropConstraintOp) else operation
            if getattr(operation, "constraint_name", "") is not None:
                continue
            operation.constraint_name = chosen_name(made)


def _name_constraints_of(table: Any) -> None:
    """PostgreSQL numbers names that it would use twice: these stay unnamed."""
    kinds = {ForeignKeyConstraint: "fkey", UniqueConstraint: "key"}
    found = [(one, suffix) for one in table.columns for kind, suffix in kinds.items() if isinstance(one, kind)]
    names = {
        one: name_of(table.table_name, [column.name for column in one.columns], suffix) for one, suffix in found if not one.name
    }
    taken = Counter([*names.values(), *(one.name for one, _ in found)])
    for one, name in names.items():
        one.name = name if taken[name] == 1 else None


def chosen_name(made: Any) -> str | None:
    """The name that PostgreSQL chooses for an unnamed constraint of an operation; None if unknown."""
    if isinstance(made, ops.CreateForeignKeyOp):
        return name_of(made.source_table, made.local_cols, "fkey")
    return name_of(made.table_name, made.columns, "key") if isinstance(made, ops.CreateUniqueConstraintOp) else None


def table_of(made: Any) -> str:
    """The table of an operation that creates a constraint or an index."""
    return made.source_table if isinstance(made, ops.CreateForeignKeyOp) else made.table_name


def name_of(table: str, columns: list[str], suffix: str) -> str | None:
    """The name that PostgreSQL chooses; None if it is truncated."""
    name = "_".join([table, *columns, suffix])
    return name if len(name.encode()) < 64 else None  # NAMEDATALEN
