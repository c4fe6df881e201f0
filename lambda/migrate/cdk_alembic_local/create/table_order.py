"""The order in which tables, and the foreign keys between them, are created and dropped."""

from __future__ import annotations

from typing import Any

from alembic.operations import ops

from .constraint_names import name_of


def order_tables(directives: list[Any]) -> None:
    """Drops a table after what refers to it, and moves foreign keys behind both tables if new ones refer to each other, or with
    `use_alter`, which CREATE TABLE omits. The downgrade does the opposite."""
    for directive in directives:
        up, down = directive.upgrade_ops.ops, directive.downgrade_ops.ops
        dropped = _by_reference([one for one in down if isinstance(one, ops.CreateTableOp)])
        names = [_table(one) for one in dropped]
        drops = [one for one in up if isinstance(one, ops.DropTableOp) and _table(one) in names]
        drops.sort(key=lambda one: names.index(_table(one)), reverse=True)
        up[:] = [*(one for one in up if one not in drops), *drops]
        down[:] = [*dropped, *(one for one in down if one not in dropped)]
        _after_both_tables(up, down)
        _after_both_tables(down, up)


def _by_reference(made: list[Any]) -> list[Any]:
    """Tables after those that they refer to, as far as they do not refer to each other."""
    found: list[Any] = []
    while left := sorted((one for one in made if one not in found), key=_table):
        names = {_table(one) for one in left}
        free = [one for one in left if not (set(map(_target, _keys(one))) - {_table(one)}) & names]
        found += free or left[:1]
    return found


def _after_both_tables(operations: list[Any], opposite: list[Any]) -> None:
    later: list[Any] = []
    made = {_table(one) for one in operations if isinstance(one, ops.CreateTableOp)}
    for operation in operations:
        if not isinstance(operation, ops.CreateTableOp):
            continue
        made.discard(_table(operation))
        for key in _keys(operation):
            if key.use_alter or _target(key) in made:
                # A column's == makes an SQL expression.
                operation.columns = [one for one in operation.columns if one is not key]
                later.append(_as_operation(operation, key))
    # Dropping either table needs the keys to be gone.
    operations.extend(later)
    opposite[:0] = [key.reverse() for key in reversed(later)]


def _keys(operation: Any) -> list[Any]:
    """The foreign keys of a new table."""
    from sqlalchemy import ForeignKeyConstraint

    return [one for one in operation.columns if isinstance(one, ForeignKeyConstraint)]


def _as_operation(operation: Any, key: Any) -> Any:
    names = [column if isinstance(column, str) else column.name for column in key.column_keys]
    targets = [element.target_fullname for element in key.elements]
    options = {
        name: getattr(key, name) for name in ("ondelete", "onupdate", "deferrable", "initially", "match") if getattr(key, name)
    }
    *schema, table = _target(key).split(".")
    if schema:
        options["referent_schema"] = schema[0]
    return ops.CreateForeignKeyOp(
        key.name or name_of(operation.table_name, names, "fkey"),
        operation.table_name,
        table,
        names,
        [target.rpartition(".")[2] for target in targets],
        source_schema=operation.schema,
        **options,
    )


def _table(operation: Any) -> str:
    return f"{operation.schema}.{operation.table_name}" if operation.schema else operation.table_name


def _target(key: Any) -> str:
    return key.elements[0].target_fullname.rpartition(".")[0]
