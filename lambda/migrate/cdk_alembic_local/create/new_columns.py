"""A default for the rows that are there, where a new column requires a value that only the models know."""

from __future__ import annotations

from typing import Any

from ..scratch.drift import flat


def add_defaults(context: Any, directives: list[Any]) -> None:
    """Gives new NOT NULL columns of existing tables the constant that the models insert as a default in the database.

    Without it, the column can't be added to a table with rows, and running code, which does not know it, can't insert any. A
    constant default rewrites nothing.
    """
    from alembic.operations import ops
    from sqlalchemy import DefaultClause

    for directive in directives:
        for operation in flat(directive.upgrade_ops):
            if not isinstance(operation, ops.AddColumnOp) or not _requires_a_value(operation.column):
                continue
            default = _constant(context.dialect, operation.column)
            if default is not None:
                # The models keep theirs as it is.
                operation.column = operation.column._copy()
                operation.column.server_default = DefaultClause(default)


def _requires_a_value(column: Any) -> bool:
    return not column.nullable and column.server_default is None and not column.primary_key


def _constant(dialect: Any, column: Any) -> Any:
    """The models' default for SQLAlchemy's DefaultClause; None if it is no constant."""
    from sqlalchemy import literal, text
    from sqlalchemy.exc import SQLAlchemyError

    if column.default is None or not column.default.is_scalar:
        return None
    value = column.default.arg
    if type(value) is str:
        return value
    try:
        return text(str(literal(value, column.type).compile(dialect=dialect, compile_kwargs={"literal_binds": True})))
    except (SQLAlchemyError, NotImplementedError, TypeError, ValueError):
        # A type without a literal form.
        return None
