"""A default for existing rows if a new column requires a value that only the models know."""

from __future__ import annotations

from typing import Any

from ..scratch.constants import constant_of, text_of
from ..scratch.drift import flatten


def add_defaults(directives: list[Any]) -> list[str]:
    """Gives new NOT NULL columns of existing tables the constant that the models insert as a default in the database.

    Without it, the column can't be added to a table with rows, and running code, which does not know it, can't insert any. A
    constant default rewrites nothing. Returns the columns with their defaults, as the models would have them.
    """
    from alembic.operations import ops
    from sqlalchemy import DefaultClause, text

    added = []
    for directive in directives:
        for operation in flatten(directive.upgrade_ops):
            if not isinstance(operation, ops.AddColumnOp) or not _requires_a_value(operation.column):
                continue
            constant = constant_of(operation.column)
            # Alembic strips a quote at either end of the text.
            if constant is None or constant.startswith("'''") or constant.endswith("'''"):
                continue
            literal = text_of(constant)
            # The model's own column stays unchanged.
            operation.column = operation.column._copy()
            operation.column.server_default = DefaultClause(text(constant) if literal is None else literal)
            default = f"sa.text({constant!r})" if literal is None else repr(literal)
            added.append(f"server_default={default} of {operation.table_name}.{operation.column.name}")
    return added


def _requires_a_value(column: Any) -> bool:
    return not column.nullable and column.server_default is None and not column.primary_key
