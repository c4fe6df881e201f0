"""Calls of Alembic's operations with their argument values: `Call` of lib/contract/facts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from ..values import MARK, Attribute, Call, Class, External, Instance, Item, OneOf

# The parameters that are names, by position; the others are columns, types, conditions.
_NAMES = {
    "create_table": 1,
    "drop_table": 1,
    "rename_table": 2,
    "create_index": 3,
    "drop_index": 2,
    "add_column": 1,
    "drop_column": 2,
    "alter_column": 2,
    "create_foreign_key": 5,
    "create_unique_constraint": 3,
    "create_primary_key": 3,
    "create_check_constraint": 2,
    "create_exclude_constraint": 2,
    "drop_constraint": 3,
}
_NAMED = (
    "table_name", "old_table_name", "new_table_name", "source_table", "referent_table", "column_name", "new_column_name",
    "index_name", "constraint_name", "name", "columns", "local_cols", "remote_cols",
)  # fmt: skip
# Operations of a batch whose table `op` takes first; the others take it second, or under this name.
_TABLE_FIRST = ("add_column", "alter_column", "drop_column")
_TABLE_NAMES = {"create_foreign_key": "source_table"}


def operation_call(called: Call) -> dict[str, Any] | None:
    """An operation of `op` or of a batch as a call of `op`; None for any other call."""
    name, function = called.name, called.function
    batch = called.receiver if isinstance(called.receiver, Call) and called.receiver.name == "batch_alter_table" else None
    of_alembic = isinstance(function, External) and function.name.startswith("alembic.op.")
    if name not in _NAMES or not (of_alembic or batch or _is_operations(called.receiver)):
        return None
    args, keywords = list(called.args), dict(called.keywords)
    if batch:
        _name_table(name, batch, args, keywords)
    names = _NAMES[name]
    return {
        "name": f"op.{name}",
        "args": [_given(value, at < names) for at, value in enumerate(args)],
        "keywords": {key: _given(value, key in _NAMED) for key, value in keywords.items()},
    }


def _is_operations(value: Any) -> bool:
    """`Operations(MigrationContext.configure(connection))`"""
    return isinstance(value, Call) and value.name == "Operations"


def _name_table(name: str, batch: Call, args: list[Any], keywords: dict[str, Any]) -> None:
    table, schema = batch.given(0, "table_name"), batch.given(1, "schema")
    if name in _TABLE_FIRST:
        args.insert(0, table)
    elif args:
        args.insert(1, table)
    else:
        keywords[_TABLE_NAMES.get(name, "table_name")] = table
    if schema is not None:
        keywords["source_schema" if name == "create_foreign_key" else "schema"] = schema


def _given(value: Any, is_name: bool) -> Any:
    """A literal's value; for a list, each item separately; for anything else its code, or MARK where a name is expected."""
    if isinstance(value, (list, tuple)):
        return [_given(one, is_name) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"code": str(value)}
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return str(value)
    return MARK if is_name and not isinstance(value, Call) else {"code": code_of(value)}


def code_of(value: Any) -> str:
    """A value as Python code, with `...` for an unknown part."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(code_of, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{code_of(key)}: {code_of(one)}' for key, one in value.items())}}}"
    if isinstance(value, OneOf):
        return code_of(value.values[0])
    if isinstance(value, External):
        return _member(value.name)
    if isinstance(value, Call):
        return f"{code_of(value.function)}({', '.join(_arguments(value))})"
    if isinstance(value, Class):
        return value.node.name
    if isinstance(value, Instance):
        return f"{value.cls.node.name}()"
    if isinstance(value, Attribute):
        return f"{code_of(value.of)}.{value.name}"
    return f"{code_of(value.of)}[...]" if isinstance(value, Item) else "..."


def _arguments(called: Call) -> Iterator[str]:
    yield from map(code_of, called.args)
    yield from (f"{name}={code_of(value)}" for name, value in called.keywords.items())


def _member(name: str) -> str:
    """A member of a module by its usual name: `sa.Text`, `postgresql.JSONB`."""
    module, _, member = name.rpartition(".")
    if module.startswith("sqlalchemy.dialects."):
        return f"{module.rpartition('.')[2]}.{member}"
    return f"sa.{name.removeprefix('sqlalchemy.')}" if module.startswith("sqlalchemy") else name.removeprefix("alembic.")
