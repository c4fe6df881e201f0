"""Names of columns and tables that `create --keep-dropped` sets aside: `users.name_drop_after_20261226`.

lib/contract/set-aside.ts reads them; keep both in step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

_FORM = re.compile(r"_drop_after_(\d{8})$")
_MAX_LENGTH = 63
"""Bytes of a name: NAMEDATALEN."""


def today() -> date:
    return datetime.now(UTC).date()


def set_aside_name(name: str, until: date) -> str:
    """The name under which a column or table is kept through this day. A long name is cut."""
    suffix = f"_drop_after_{until:%Y%m%d}"
    return name.encode()[: _MAX_LENGTH - len(suffix)].decode(errors="ignore") + suffix


def is_set_aside(name: str) -> bool:
    return _FORM.search(name) is not None


def is_kept(name: str) -> bool:
    """Whether it is set aside, and its last day has not passed."""
    found = _FORM.search(name)
    return found is not None and found[1] >= f"{today():%Y%m%d}"


def remove_drops(operations: Any, is_left: Callable[[str], bool]) -> None:
    """Removes operations from a container that drop a column or table of such a name, or an index or constraint of one."""
    remove(operations, lambda operation: any(map(is_left, dropped_names(operation))))


def remove(operations: Any, is_removed: Callable[[Any], bool]) -> None:
    """Removes such operations from a container and from those within it."""
    left = []
    for operation in operations.ops:
        if hasattr(operation, "ops"):
            remove(operation, is_removed)
            if operation.ops:
                left.append(operation)
        elif not is_removed(operation):
            left.append(operation)
    operations.ops[:] = left


def dropped_names(operation: Any) -> set[str]:
    """The names in a drop: the table, and the columns of the dropped column, index or constraint."""
    from alembic.operations import ops

    if isinstance(operation, ops.DropTableOp):
        return {operation.table_name}
    if isinstance(operation, ops.DropColumnOp):
        return {operation.table_name, operation.column_name}
    if isinstance(operation, (ops.DropIndexOp, ops.DropConstraintOp)):
        return {operation.table_name, *column_names(operation._reverse)}
    return set()


def column_names(made: Any) -> set[str]:
    """The columns of an operation that creates an index or a constraint; for an expression, all its words."""
    parts: Iterable[Any] = getattr(made, "local_cols", None) or getattr(made, "columns", None) or ()
    where = getattr(made, "kw", {}).get("postgresql_where")
    texts = [*(getattr(part, "name", None) or str(part) for part in parts), *([str(where)] if where is not None else [])]
    return {name for text in texts for name in (text, *re.findall(r"\w+", text))}
