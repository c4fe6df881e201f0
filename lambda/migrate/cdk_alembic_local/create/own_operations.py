"""Operations that Alembic does not have, or does not render, and the texts that it does not write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from alembic.autogenerate import renderers
from alembic.operations import ops
from cdk_alembic.drift.names import quoted

from .constraint_names import table_of


class Code(ops.MigrateOperation):
    """Verbatim lines of Python."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)


@renderers.dispatch_for(Code)
def _render(_: Any, operation: Code) -> list[str]:
    return operation.lines


class RenameColumn(ops.AlterColumnOp):
    """Renames a column. Alembic before 1.18 leaves out the new name when it renders its own operation."""


@renderers.dispatch_for(RenameColumn)
def _render_rename(_: Any, operation: RenameColumn) -> str:
    arguments = [f"{operation.table_name!r}, {operation.column_name!r}, new_column_name={operation.modify_name!r}"]
    if operation.modify_nullable is not None:
        arguments.append(f"nullable={operation.modify_nullable}")
    if operation.schema:
        arguments.append(f"schema={operation.schema!r}")
    return f"op.alter_column({', '.join(arguments)})"


class RenameConstraint(ops.MigrateOperation):
    """Renames a constraint or an index of a renamed column. PostgreSQL keeps it, and its name."""

    def __init__(self, made: Any, name: str, new_name: str) -> None:
        """`made`: the operation that creates it."""
        self.is_index = isinstance(made, ops.CreateIndexOp)
        self.table_name = table_of(made)
        self.schema = getattr(made, "schema", None) or getattr(made, "kw", {}).get("source_schema")
        self.constraint_name = name
        self.modify_name = new_name


@renderers.dispatch_for(RenameConstraint)
def _render_rename_of_constraint(_: Any, operation: RenameConstraint) -> list[str]:
    old, new = quoted(operation.constraint_name), quoted(operation.modify_name)
    if old == new:
        return []
    schema = f"{quoted(operation.schema)}." if operation.schema else ""
    if operation.is_index:
        return [execute(f"ALTER INDEX {schema}{old} RENAME TO {new}")]
    return [execute(f"ALTER TABLE {schema}{quoted(operation.table_name)} RENAME CONSTRAINT {old} TO {new}")]


def out_of_batches(directives: list[Any]) -> None:
    """Moves operations that only `op` has out of a table's batch (`render_as_batch`), which runs its own at its end."""
    for directive in directives:
        for container in (directive.upgrade_ops, directive.downgrade_ops):
            container.ops[:] = [part for operation in container.ops for part in _parts(operation)]


def _parts(operation: Any) -> Iterator[Any]:
    if not isinstance(operation, ops.ModifyTableOps):
        yield operation
        return
    for is_own, group in groupby(operation.ops, lambda one: isinstance(one, (Code, RenameColumn, RenameConstraint))):
        own = list(group)
        yield from own if is_own else [ops.ModifyTableOps(operation.table_name, own, schema=operation.schema)]


def execute(sql: str) -> str:
    return f"op.execute({literal(sql)!r})"


def literal(sql: str) -> str:
    """For SQLAlchemy, to which `:name` is a parameter."""
    return re.sub(r"(?<![:\w\\]):(?=\w)", r"\\:", sql)


def named(name: str) -> str:
    return ".".join(map(quoted, name.split(".")))
