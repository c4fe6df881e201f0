"""On PostgreSQL, `with op.batch_alter_table("users") as batch_op:` does the same as `op`, with the table named only once.

So calls of `batch_op` are reported as calls of `op`: `batch_op.drop_column("email")` as `op.drop_column("users", "email")`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from cdk_alembic.project.sources import last_name

# The position and the name of the table parameter in operations of `op`; others have none (`batch_op.execute`, `batch_op.f`).
_TABLE_FIRST = ("add_column", "alter_column", "drop_column", "create_table_comment", "drop_table_comment")
_TABLE_SECOND = {
    "create_check_constraint": "table_name",
    "create_exclude_constraint": "table_name",
    "create_foreign_key": "source_table",
    "create_index": "table_name",
    "create_primary_key": "table_name",
    "create_unique_constraint": "table_name",
    "drop_constraint": "table_name",
    "drop_index": "table_name",
}


@dataclass(frozen=True)
class Batch:
    """One `batch_alter_table`: its operations object and its table."""

    operations: ast.expr
    table: ast.expr
    schema: ast.expr | None
    line: int
    """Where it runs its operations."""

    @classmethod
    def opened_by(cls, node: ast.expr) -> Batch | None:
        """The batch that a `with` statement opens with this expression."""
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "batch_alter_table"):
            return None
        given = dict(zip(("table_name", "schema"), node.args, strict=False)) | _named(node)
        return cls(node.func.value, given["table_name"], given.get("schema"), node.lineno) if "table_name" in given else None


def batch_of(node: ast.Call, batches: Mapping[str, Batch]) -> Batch | None:
    return batches.get(getattr(getattr(node.func, "value", None), "id", ""))


def without_batch(node: ast.Call, batches: Mapping[str, Batch]) -> tuple[str, list[ast.expr], dict[str, ast.expr]]:
    """The name, arguments and keywords of a call; a call of a batch is translated to a call of `op`."""
    function = node.func
    args, keywords = list(node.args), _named(node)
    batch = batch_of(node, batches)
    if batch is None or not isinstance(function, ast.Attribute):
        return ast.unparse(function), args, keywords
    operation = last_name(function)
    if operation in _TABLE_FIRST:
        args.insert(0, batch.table)
    elif operation in _TABLE_SECOND and args:
        args.insert(1, batch.table)
    elif operation in _TABLE_SECOND:
        keywords[_TABLE_SECOND[operation]] = batch.table
    if batch.schema is not None and (operation in _TABLE_FIRST or operation in _TABLE_SECOND):
        keywords["source_schema" if operation == "create_foreign_key" else "schema"] = batch.schema
    return f"{ast.unparse(batch.operations)}.{operation}", args, keywords


def _named(node: ast.Call) -> dict[str, ast.expr]:
    return {keyword.arg or "**": keyword.value for keyword in node.keywords}
