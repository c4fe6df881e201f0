"""Sets columns and tables aside under a name with a date, in place of dropping them."""

from __future__ import annotations

from datetime import date
from typing import Any

from cdk_alembic.catalog import raw
from cdk_alembic.protocol.errors import RunnerError

from ..scratch.drift import flatten
from ..scratch.rows import quoted
from ..scratch.set_aside import column_names, set_aside_name
from .own_operations import Code, RenameColumn

# The CHECK constraints that name a column, and the columns that they read.
_CHECKS = """
SELECT coalesce(json_agg(json_build_object('name', conname, 'expression', pg_get_expr(conbin, conrelid), 'columns', (
  SELECT json_agg(json_build_object('name', attname, 'type', format_type(atttypid, atttypmod),
    'default', CASE WHEN attgenerated = '' THEN pg_get_expr(adbin, adrelid) END))
  FROM pg_attribute LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
  WHERE attrelid = conrelid AND attnum = ANY (conkey)))), '[]')::text
FROM pg_constraint WHERE contype = 'c' AND conrelid = {table}::regclass
  AND (SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = {column}) = ANY (conkey)
"""
_PASSES = "SELECT coalesce(to_json({check}), 'true')::text FROM (SELECT {values}) one"


def keep_dropped(context: Any, directives: list[Any], until: date) -> None:
    """Turns each drop of a column or a table into a rename; its indexes and constraints stay with it.

    Raises RunnerError `create_failed` if inserts that do not name a column would fail.
    """
    from alembic.operations import ops

    for directive in directives:
        upgrade, downgrade = directive.upgrade_ops, directive.downgrade_ops
        for drop in list(flatten(upgrade)):
            if isinstance(drop, ops.DropTableOp):
                _keep_table(upgrade, downgrade, drop, until)
            elif isinstance(drop, ops.DropColumnOp):
                _keep_column(context, upgrade, downgrade, drop, until)


def _keep_table(upgrade: Any, downgrade: Any, drop: Any, until: date) -> None:
    from alembic.operations import ops

    kept = set_aside_name(drop.table_name, until)
    # Alembic can't render this operation.
    schema = f", schema={drop.schema!r}" if drop.schema else ""
    _move_along(upgrade, downgrade, _table(drop), None)
    _replace(upgrade, drop, [Code(f"op.rename_table({drop.table_name!r}, {kept!r}{schema})")])
    for made in list(flatten(downgrade)):
        if isinstance(made, ops.CreateTableOp) and _table(made) == _table(drop):
            _replace(downgrade, made, [Code(f"op.rename_table({kept!r}, {drop.table_name!r}{schema})")])


def _keep_column(context: Any, upgrade: Any, downgrade: Any, drop: Any, until: date) -> None:
    from alembic.operations import ops

    column = drop.to_column()
    _refuse_what_stops_inserts(context, drop, column)
    name, kept = drop.column_name, set_aside_name(drop.column_name, until)
    # The new code's rows have no value in it. A default, an identity and a computed value need nothing.
    is_required = not column.nullable and column.server_default is None
    loosened = {"modify_nullable": True} if is_required else {}
    _move_along(upgrade, downgrade, _table(drop), name)
    _replace(upgrade, drop, [RenameColumn(drop.table_name, name, modify_name=kept, schema=drop.schema, **loosened)])
    for made in list(flatten(downgrade)):
        if isinstance(made, ops.AddColumnOp) and _table(made) == _table(drop) and made.column.name == name:
            _replace(downgrade, made, [RenameColumn(drop.table_name, kept, modify_name=name, schema=drop.schema)])
            if is_required:
                _after(downgrade, drop.table_name, drop.schema, Code(*_required_again(drop)))


def _required_again(drop: Any) -> list[str]:
    table = ".".join(quoted(part) for part in (drop.schema, drop.table_name) if part)
    required = f"ALTER TABLE {table} ALTER COLUMN {quoted(drop.column_name)} SET NOT NULL"
    warning = f"{drop.table_name}.{drop.column_name} stays without NOT NULL: rows that were written meanwhile have no value"
    body = f"BEGIN {required}; EXCEPTION WHEN not_null_violation THEN RAISE WARNING {raw.literal(warning)}; END"
    return [
        "# rows that were written meanwhile have no value; NOT NULL is restored only without them",
        f"op.execute({f'DO $$ {body} $$'!r})",
    ]


def _move_along(upgrade: Any, downgrade: Any, table: str, column: str | None) -> None:
    """Removes the drops of indexes and constraints that stay with the column or, without one, with the table."""
    from alembic.operations import ops

    created = {_own_name(one) for one in flatten(upgrade) if isinstance(one, (ops.CreateIndexOp, ops.AddConstraintOp))}
    moved = [
        one
        for one in flatten(upgrade)
        if isinstance(one, (ops.DropIndexOp, ops.DropConstraintOp))
        and _table(one) == table
        and (column is None or column in column_names(one._reverse))
        # The name is reused by another one.
        and _own_name(one) not in created
    ]
    for one in moved:
        _replace(upgrade, one, [])
        for made in list(flatten(downgrade)):
            if isinstance(made, (ops.CreateIndexOp, ops.AddConstraintOp)) and _own_name(made) == _own_name(one):
                _replace(downgrade, made, [])


def _refuse_what_stops_inserts(context: Any, drop: Any, column: Any) -> None:
    """The new code inserts rows without the column: they must not fail."""
    why = None
    default = getattr(getattr(column, "server_default", None), "arg", None)
    table = column.table
    if column.primary_key:
        why = "it is part of the primary key"
    elif default is not None and "(" not in str(default) and table is not None and _is_unique(table, column.name):
        why = "it is unique and has a constant default, which only one row can have"
    elif check := _violated(context.connection, drop):
        why = f"the CHECK {check} refuses rows without it"
    if why:
        raise RunnerError(
            "create_failed",
            f"{_table(drop)}.{column.name} can't be kept: {why}, so inserts of the new code would fail",
            "drop what stops the inserts in an earlier revision, or leave out --keep-dropped",
        )


def _is_unique(table: Any, column: str) -> bool:
    from sqlalchemy import UniqueConstraint

    unique = [one for one in table.indexes if one.unique]
    unique += [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    return any(column in one.columns for one in unique)


def _violated(connection: Any, drop: Any) -> str | None:
    """The first CHECK that a row with only defaults in its columns violates."""
    table = raw.literal(".".join(quoted(part) for part in (drop.schema, drop.table_name) if part))
    for check in raw.value(connection, _CHECKS.format(table=table, column=raw.literal(drop.column_name))):
        values = ", ".join(f"({one['default'] or 'NULL'})::{one['type']} AS {quoted(one['name'])}" for one in check["columns"])
        if raw.value(connection, _PASSES.format(check=check["expression"], values=values)) is False:
            return check["name"]
    return None


def _replace(container: Any, operation: Any, others: list[Any]) -> None:
    for at, one in enumerate(list(container.ops)):
        if one is operation:
            container.ops[at : at + 1] = others
            return
        if hasattr(one, "ops"):
            _replace(one, operation, others)
            if not one.ops:
                container.ops.remove(one)
                return


def _after(container: Any, table: str, schema: str | None, code: Code) -> None:
    """Inserts code after the table's operations: a batch runs its own only when it ends."""
    names = [(getattr(one, "table_name", None), getattr(one, "schema", None)) for one in container.ops]
    places = [at for at, name in enumerate(names) if name == (table, schema)]
    container.ops.insert(max(places, default=len(container.ops) - 1) + 1, code)


def _table(operation: Any) -> str:
    schema = getattr(operation, "schema", None) or getattr(operation, "kw", {}).get("source_schema")
    table = getattr(operation, "table_name", None) or getattr(operation, "source_table", "")
    return table if schema in (None, "public") else f"{schema}.{table}"


def _own_name(operation: Any) -> tuple[str, Any]:
    return _table(operation), getattr(operation, "index_name", None) or getattr(operation, "constraint_name", None)
