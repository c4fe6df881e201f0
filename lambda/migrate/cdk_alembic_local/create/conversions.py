"""Writes type changes that PostgreSQL does not convert implicitly with a USING clause, and all without their CHECK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic.autogenerate import render, renderers
from alembic.operations import ops
from cdk_alembic.catalog import raw
from cdk_alembic.drift.names import quoted
from sqlalchemy import DefaultClause, text
from sqlalchemy.exc import SQLAlchemyError

from ..scratch.constants import text_of, without_cast


class ConvertColumn(ops.AlterColumnOp):
    """Changes a column's type with a USING clause, which Alembic accepts but does not render."""


@renderers.dispatch_for(ConvertColumn)
def _render(context: Any, operation: ConvertColumn) -> str:
    written = render._alter_column(context, operation)
    return f"{written.removesuffix(')')},\n{' ' * 11}postgresql_using={operation.kw['postgresql_using']!r})"


def convert(context: Any, directives: list[Any]) -> None:
    """Adds USING clauses to both directions. A default of the old type is dropped before, and set again afterwards."""
    for directive in directives:
        for container, up in list(_type_changes(directive.upgrade_ops)):
            key = (up.schema, up.table_name, up.column_name)
            downs = list(_type_changes(directive.downgrade_ops))
            found = [one for one in downs if (one[1].schema, one[1].table_name, one[1].column_name) == key]
            if len(found) == 1:
                _convert(context, (container, up), found[0])


def without_checks(directives: list[Any]) -> None:
    """Leaves out the CHECK that Alembic would add or drop with a type: it is an operation of its own."""
    for directive in directives:
        for container in (directive.upgrade_ops, directive.downgrade_ops):
            for _, operation in _type_changes(container):
                operation.modify_type = _without_check(operation.modify_type)
                operation.existing_type = _without_check(operation.existing_type)


def _without_check(kind: Any) -> Any:
    if not getattr(kind, "create_constraint", False):
        return kind
    kind = kind.copy()
    kind.create_constraint = False
    return kind


def _type_changes(container: Any) -> Iterator[tuple[Any, Any]]:
    for operation in container.ops:
        if hasattr(operation, "ops"):
            yield from _type_changes(operation)
        elif type(operation) is ops.AlterColumnOp and operation.modify_type is not None:
            yield container, operation


def _convert(context: Any, up: tuple[Any, Any], down: tuple[Any, Any]) -> None:
    new, old = up[1].modify_type, down[1].modify_type
    table, column = _named(up[1])
    alter = f"ALTER TABLE {table} ALTER COLUMN {column}"
    to_new, to_old = (f"{alter} TYPE {_text(context, one)}" for one in (new, old))
    makes = [new] if hasattr(new, "create") else []
    drop_default = f"{alter} DROP DEFAULT"
    if runs(context, makes, to_new, to_old):
        return
    # No cast leads from one enum to another.
    for cast in ("::", "::text::"):
        using_new, using_old = (f"{column}{cast}{_text(context, one)}" for one in (new, old))
        if runs(context, makes, drop_default, f"{to_new} USING {using_new}", f"{to_old} USING {using_old}"):
            break
    else:
        return
    needs_new = not runs(context, makes, drop_default, to_new)
    needs_old = not runs(context, makes, drop_default, f"{to_new} USING {using_new}", to_old)
    was = up[1].existing_server_default
    becomes = _modelled(context, up[1], new)
    _replace(*up, using_new if needs_new else None, was, becomes)
    _replace(*down, using_old if needs_old else None, becomes, was)


def _modelled(context: Any, operation: Any, new: Any) -> Any:
    """The default for the new type: the model's, or else the same value."""
    was = operation.existing_server_default
    metadata = context.opts.get("target_metadata")
    key = f"{operation.schema}.{operation.table_name}" if operation.schema else operation.table_name
    for one in metadata if isinstance(metadata, (list, tuple)) else [metadata]:
        column = one.tables[key].columns.get(operation.column_name) if key in one.tables else None
        if column is not None and column.server_default is not None:
            return column.server_default
    if not hasattr(was, "arg"):
        return was
    literal = text_of(without_cast(str(was.arg)))
    return DefaultClause(text(f"({was.arg})::{_text(context, new)}") if literal is None else literal)


def _replace(container: Any, operation: Any, using: str | None, was: Any, becomes: Any) -> None:
    """`was`, `becomes`: its default before and after."""
    options = {
        name: getattr(operation, name)
        for name in ("schema", "existing_type", "existing_nullable", "existing_comment", "modify_nullable", "modify_type")
    }
    convert = ConvertColumn if using else ops.AlterColumnOp
    own = convert(operation.table_name, operation.column_name, modify_comment=operation.modify_comment, **options)
    own.kw.update({name: value for name, value in operation.kw.items() if name != "autoincrement"})
    if using:
        own.kw["postgresql_using"] = using
    steps = [own]
    if was not in (None, False):
        steps.insert(0, _default(operation, None))
    if becomes not in (None, False):
        steps.append(_default(operation, becomes))
    at = container.ops.index(operation)
    container.ops[at : at + 1] = steps


def _default(operation: Any, default: Any) -> Any:
    return ops.AlterColumnOp(operation.table_name, operation.column_name, schema=operation.schema, modify_server_default=default)


def runs(context: Any, types: list[Any], *statements: str) -> bool:
    """Whether PostgreSQL accepts these statements. Rolls them back."""
    connection = context.connection
    raw.execute(connection, "SAVEPOINT cdk_alembic_conversion")
    try:
        for one in types:
            one.create(connection, checkfirst=True)
        for statement in statements:
            raw.execute(connection, statement)
    except (SQLAlchemyError, context.dialect.dbapi.Error):
        return False
    finally:
        raw.execute(connection, "ROLLBACK TO SAVEPOINT cdk_alembic_conversion")
    return True


def _text(context: Any, type_: Any) -> str:
    return type_.compile(dialect=context.dialect)


def _named(operation: Any) -> tuple[str, str]:
    table = quoted(operation.table_name)
    return f"{quoted(operation.schema)}.{table}" if operation.schema else table, quoted(operation.column_name)
