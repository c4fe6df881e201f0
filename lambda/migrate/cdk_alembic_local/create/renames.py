"""Distinguishes renames from drops: autogenerate writes a rename as a drop and an add."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any

from cdk_alembic.protocol.errors import RunnerError


def apply_renames(context: Any, directives: list[Any], renames: Sequence[Sequence[str]], *, ask: bool) -> None:
    """Turns the given drops and adds into renames. `renames`: pairs such as `["users.name", "users.full_name"]`.

    `ask`: whether others that look like a rename are refused. Raises RunnerError `looks_like_rename` or `create_failed`.
    """
    wanted = {tuple(pair) for pair in renames}
    upgrade = [directive.upgrade_ops for directive in directives]
    downgrade = [directive.downgrade_ops for directive in directives]
    found = {(one.name, other.name): (one, other) for one, other in _pairs(context, upgrade, anything=True)}
    for pair in wanted:
        if pair not in found:
            raise _not_renamed(*pair)
        _rename(*found[pair], [*upgrade, *downgrade])
    kept = _keep_constraints(upgrade, dict(wanted))
    _keep_constraints(downgrade, {new: old for old, new in wanted}, {(new, old) for old, new in kept})
    likely = _one_to_one((one.name, other.name) for one, other in _pairs(context, upgrade, anything=False))
    if likely and ask:
        shown = "; ".join(f"{old} is dropped and {new}, which looks the same, is added" for old, new in likely)
        options = " ".join(f"--rename {old}={new}" for old, new in likely)
        raise RunnerError(
            "looks_like_rename",
            f"{shown}: a drop loses the data, a rename keeps it",
            f"if it is a rename, pass {options}; if it is not, pass --no-rename",
        )


def write_renamed_tables(directives: list[Any], tables: Sequence[Sequence[str]]) -> None:
    """Adds the renames of tables, which the database has already.

    Raises RunnerError `create_failed` if a table of the old name is created, or one of the new name is dropped."""
    from alembic.operations import ops

    from .own_operations import Code

    upgrade = [operation for directive in directives for _, operation in _flat([directive.upgrade_ops])]
    for old, new in tables:
        if any(
            (isinstance(one, ops.CreateTableOp) and _name(one) == old) or (isinstance(one, ops.DropTableOp) and _name(one) == new)
            for one in upgrade
        ):
            raise _not_renamed(old, new)
        *schema, old_name = old.split(".")
        new_name, where = new.rpartition(".")[2], f", schema={schema[0]!r}" if schema else ""
        # Alembic can't render this operation.
        directives[0].upgrade_ops.ops.insert(0, Code(f"op.rename_table({old_name!r}, {new_name!r}{where})"))
        directives[0].downgrade_ops.ops.append(Code(f"op.rename_table({new_name!r}, {old_name!r}{where})"))


def _not_renamed(old: str, new: str) -> RunnerError:
    return RunnerError(
        "create_failed",
        f"{old} is not dropped while {new} is added, so it can't be renamed",
        "correct --rename: first the name that only the database has, then the one that only the models have",
    )


class _Place:
    """An operation in its container."""

    def __init__(self, container: Any, operation: Any, name: str, like: Any) -> None:
        self.container = container
        self.operation = operation
        self.name = name
        self.like = like


def _pairs(context: Any, containers: list[Any], *, anything: bool) -> Iterator[tuple[_Place, _Place]]:
    """Pairs of a drop and an add: columns of one table, or tables. Unless `anything`, only those with equal types or columns."""
    from alembic.operations import ops

    dropped, added = [], []
    for container, operation in _flat(containers):
        table = _name(operation)
        if isinstance(operation, ops.DropColumnOp):
            column = operation.to_column()
            like = (table, _type(context, column))
            dropped.append(_Place(container, operation, f"{table}.{operation.column_name}", like))
        elif isinstance(operation, ops.AddColumnOp):
            like = (table, _type(context, operation.column))
            added.append(_Place(container, operation, f"{table}.{operation.column.name}", like))
        elif isinstance(operation, ops.DropTableOp):
            dropped.append(_Place(container, operation, table, _columns(context, operation.to_table())))
        elif isinstance(operation, ops.CreateTableOp):
            added.append(_Place(container, operation, table, _columns(context, operation.to_table())))
    for one in dropped:
        for other in added:
            same_kind = isinstance(one.operation, ops.DropTableOp) == isinstance(other.operation, ops.CreateTableOp)
            same_place = "." not in one.name or one.like[0] == other.like[0] or isinstance(one.operation, ops.DropTableOp)
            if same_kind and same_place and (anything or one.like == other.like):
                yield one, other


def _one_to_one(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Pairs of the most similar names, each name in one of them."""
    chosen: dict[str, str] = {}
    for old, new in sorted(pairs, key=lambda pair: SequenceMatcher(None, *pair).ratio(), reverse=True):
        if old not in chosen and new not in chosen.values():
            chosen[old] = new
    return sorted(chosen.items())


def _rename(one: _Place, other: _Place, containers: list[Any]) -> None:
    from .own_operations import RenameColumn

    drop, add = one.operation, other.operation
    new = RenameColumn(drop.table_name, drop.column_name, modify_name=add.column.name, schema=drop.schema)
    back = RenameColumn(drop.table_name, add.column.name, modify_name=drop.column_name, schema=drop.schema)
    # An index of the new name comes after the add. A drop by the old name works either way: PostgreSQL ignores the table.
    other.container.ops[other.container.ops.index(add)] = new
    one.container.ops.remove(drop)
    # The downgrade adds what was dropped, and drops what was added.
    for container, operation in list(_flat(containers)):
        if _adds(operation, one.name):
            container.ops[container.ops.index(operation)] = back
        elif _drops(operation, other.name):
            container.ops.remove(operation)


def _keep_constraints(
    containers: list[Any], renames: dict[str, str], pairs: set[tuple[str, str]] | None = None
) -> set[tuple[str, str]]:
    """Turns a drop and an add of one constraint or index into its rename. Returns the pairs of old and new names.

    `renames`: of tables and columns, by `_Place.name`. `pairs`: the only ones; None: any."""
    from alembic.operations import ops

    from .constraint_names import chosen_name
    from .own_operations import RenameConstraint

    def renamed(table: str, columns: list[str]) -> tuple[str, list[str]]:
        own = [renames.get(f"{table}.{column}", column).rpartition(".")[2] for column in columns]
        return renames.get(table, table), own

    kept = set()
    places = list(_flat(containers))
    for container, drop in places:
        made = drop._reverse if isinstance(drop, (ops.DropConstraintOp, ops.DropIndexOp)) else None
        wanted = made and _shape(made, renamed)
        for place, add in places:
            if wanted and type(add) is type(made) and add in place.ops and _shape(add, lambda *same: same) == wanted:
                name, new_name = (_own_name(one) or chosen_name(one) for one in (made, add))
                pair = (name or "", new_name or name or "")
                if pairs is not None and pair not in pairs:
                    continue
                if name:
                    place.ops[place.ops.index(add)] = RenameConstraint(add, *pair)
                    container.ops.remove(drop)
                    kept.add(pair)
                break
    return kept


# Options without a value.
_NOT_GIVEN = ("None", "False", "[]", "{}", "()")


def _own_name(made: Any) -> str | None:
    name = getattr(made, "index_name", None) or getattr(made, "constraint_name", None)
    return None if name is None else str(name)


def _shape(made: Any, renamed: Callable[[str, list[str]], tuple[str, list[str]]]) -> Any:
    """What an operation creates, without its name; None if unknown. `renamed(table, columns)`: the names to compare."""
    from alembic.operations import ops
    from sqlalchemy import Column

    # The catalog writes a predicate in brackets, and a clause has no truth value.
    options = sorted(
        (name, str(value).strip("()"))
        for name, value in made.kw.items()
        if not name.endswith("_schema") and str(value) not in _NOT_GIVEN
    )
    if isinstance(made, ops.CreateForeignKeyOp):
        of, to = (
            table if schema in (None, "public") else f"{schema}.{table}"
            for schema, table in (
                (made.kw.get("source_schema"), made.source_table),
                (made.kw.get("referent_schema"), made.referent_table),
            )
        )
        return renamed(of, list(made.local_cols)), renamed(to, list(made.remote_cols)), options
    if not isinstance(made, (ops.CreateUniqueConstraintOp, ops.CreateIndexOp)):
        return None
    # The text of an expression names columns in its own way.
    if any(not isinstance(column, (str, Column)) for column in made.columns):
        return None
    columns = [column if isinstance(column, str) else column.name for column in made.columns]
    return renamed(_name(made), columns), getattr(made, "unique", None), options


def _drops(operation: Any, name: str) -> bool:
    from alembic.operations import ops

    if isinstance(operation, ops.DropTableOp):
        return _name(operation) == name
    return isinstance(operation, ops.DropColumnOp) and f"{_name(operation)}.{operation.column_name}" == name


def _adds(operation: Any, name: str) -> bool:
    from alembic.operations import ops

    if isinstance(operation, ops.CreateTableOp):
        return _name(operation) == name
    return isinstance(operation, ops.AddColumnOp) and f"{_name(operation)}.{operation.column.name}" == name


def _flat(containers: list[Any]) -> Iterator[tuple[Any, Any]]:
    for container in containers:
        for operation in list(container.ops):
            if hasattr(operation, "ops"):
                yield from _flat([operation])
            else:
                yield container, operation


def _name(operation: Any) -> str:
    schema = getattr(operation, "schema", None)
    table = getattr(operation, "table_name", "")
    return table if schema in (None, "public") else f"{schema}.{table}"


def _type(context: Any, column: Any) -> str:
    return str(column.type.compile(dialect=context.dialect)).lower()


def _columns(context: Any, table: Any) -> Any:
    return sorted((column.name, _type(context, column)) for column in table.columns)
