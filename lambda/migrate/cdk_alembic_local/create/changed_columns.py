"""The existing columns that a revision's operations change or drop."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..scratch.drift import flatten

_TYPE = re.compile(r'ALTER TABLE (\S+) ALTER COLUMN ("[^"]+"|\S+) TYPE ')


def changed_columns(operations: Any) -> Iterator[tuple[str, str]]:
    """Tables, with a schema unless it is `public`, and columns that are dropped, or get another name or type."""
    from alembic.operations import ops

    from .own_operations import Code

    for operation in flatten(operations):
        if isinstance(operation, Code):
            yield from (
                (table.replace('"', ""), column.replace('"', "")) for table, column in _TYPE.findall("\n".join(operation.lines))
            )
        elif isinstance(operation, ops.DropColumnOp) or (isinstance(operation, ops.AlterColumnOp) and _is_changed(operation)):
            table = operation.table_name
            yield table if operation.schema in (None, "public") else f"{operation.schema}.{table}", operation.column_name


def _is_changed(operation: Any) -> bool:
    return operation.modify_type is not None or operation.modify_name is not None
