"""Renders what an upgrade selects as SQL, and the checks that stop it while a query still finds rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..values import MARK, SYMBOLS, Attribute, Call, Item
from .names import column_name, quoted, table_of
from .row_loops import column_of, column_of_all, columns_of_join, rows_of_loop
from .statements import condition, expression, sql_of

_RESULTS = (
    "scalar", "scalar_one", "scalar_one_or_none", "scalars", "first", "fetchone", "fetchall", "all", "one", "one_or_none",
)  # fmt: skip
_ONE_ROW = ("first", "fetchone", "one", "one_or_none", "get")
_WHOLE_ROW = ("_mapping", "_asdict", "__dict__", "items", "values")
_VALUES = ("scalar", "scalar_one", "scalar_one_or_none")
# Queries whose first value is true if they find a row. The first value of others may be NULL, 0 or an empty text.
_TRUE_IF_FOUND = re.compile(r"\s*SELECT\s+(?:count\s*\(|EXISTS\b|[1-9]\d*\s|TRUE\b|(?:\"?\w+\"?\.)*\"?id\"?\s)", re.IGNORECASE)
_RUNS = ("execute", "exec_driver_sql", "scalar", "scalars")
_ROW_PRESERVING = ("order_by", "where", "filter", "select_from", "execution_options", "with_for_update", "options", "yield_per")


def select_of(value: Any) -> str | None:
    """A select or a query as SQL; None if a part of it is unknown."""
    found = sql_of(value) if not isinstance(value, Call) or value.name in ("text", "SQL") else None
    if found:
        return found[0] if len(found) == 1 and MARK not in found[0] else None
    wheres: list[str] = []
    table = ""
    while isinstance(value, Call) and value.name not in ("select", "query"):
        if value.name in ("where", "filter"):
            wheres += map(condition, value.args)
        elif value.name == "select_from" and len(value.args) == 1:
            table = table_of(value.args[0])
        elif value.name not in _ROW_PRESERVING:
            return None
        value = value.receiver
    if not isinstance(value, Call):
        return None
    of_table = value.name == "select" and isinstance(value.receiver, SYMBOLS) and not value.args  # users.select()
    given = value.args[0] if value.args and isinstance(value.args[0], (list, tuple)) else value.args
    columns = [f"{table_of(value.receiver)}.*"] if of_table else [_select_item(one) for one in given]
    table = table or (table_of(value.receiver if of_table else given[0]) if of_table or given else "")
    sql = f"SELECT {', '.join(columns)} FROM {table}{' WHERE ' + ' AND '.join(wheres) if wheres else ''}"  # noqa: S608
    return None if MARK in sql or not columns else sql


def column_read(value: Any) -> str | None:
    """The column, such as `users.name`, that an attribute or an element of a query's row is; None for any other value."""
    of = value.of
    found = column_of(_of_row(value, Item(of)) if isinstance(of, Call) and of.name in _ONE_ROW else value)
    if found is None:
        return None
    table, column = found
    column = "*" if column in _WHOLE_ROW else column
    name = f"{table if isinstance(table, str) else table_of(table)}.{column}".replace('"', "")
    return None if MARK in name else name


def _of_row(value: Attribute | Item, row: Item) -> Attribute | Item:
    return Attribute(row, value.name) if isinstance(value, Attribute) else Item(row, value.key)


def columns_read(item: Item) -> list[str]:
    """The columns, such as `users.name`, that a query names whose rows a loop iterates over."""
    found = rows_of_loop(item)
    if found is None:
        return columns_of_join(item)
    names = [name for column in found.columns if (name := _column_read(column, found.table))]
    return [] if any(MARK in name for name in names) else names


def _column_read(column: Any, table: Any) -> str | None:
    if isinstance(column, str):
        is_name = column == "*" or column.isidentifier()
        return f"{table}.{column}".replace('"', "") if isinstance(table, str) and is_name else None
    return (
        expression(column).replace('"', "") if isinstance(column, (Attribute, Item)) and not isinstance(column.of, Item) else None
    )


def insert_statement(value: Any, parameters: Any = None) -> str | None:
    """An insert as SQL if it copies rows of a query or a loop, or replaces values; None for any other."""
    methods: list[Call] = []
    while isinstance(value, Call) and value.name != "insert":
        methods.append(value)
        value = value.receiver
    if not isinstance(value, Call):
        return None
    table = value.given(0, "table") if value.args or "table" in value.keywords else value.receiver
    rows, query = [value.given(1, "values"), parameters], None
    conflict = ""
    for method in methods:
        if method.name == "from_select" and len(method.args) == 2:
            names, query = method.args[0], select_of(method.args[1])
            rows = [{name: None for name in names}] if isinstance(names, (list, tuple)) else []
        elif method.name == "values":
            rows += [*method.args, method.keywords]
        elif method.name.startswith("on_conflict"):
            conflict = _conflict(method)
    return insert_of(table, [row for row in rows if row], query, conflict)


def insert_of(table: Any, rows: list[Any], query: str | None = None, conflict: str = "") -> str | None:
    """An insert of rows, each a dictionary, or a list with those of a loop."""
    row: dict[str, Any] = {}
    for one in rows:
        given = one[0] if isinstance(one, (list, tuple)) and len(one) == 1 else one
        row.update({column_name(name): value for name, value in given.items()} if isinstance(given, dict) else {})
    values = [expression(value) for value in row.values()]
    if not row or not (query or "DO UPDATE" in conflict or any(map(column_of_all, row.values()))):
        return None
    source = query or f"VALUES ({', '.join(values)})"
    return f"INSERT INTO {table_of(table)} ({', '.join(map(quoted, row))}) {source}{conflict}"


def _conflict(method: Call) -> str:
    sets = method.given(3, "set_")
    if method.name == "on_conflict_do_nothing" or not isinstance(sets, dict):
        return " ON CONFLICT DO NOTHING"
    written = ", ".join(f"{quoted(column_name(name))} = {_conflict_value(value)}" for name, value in sets.items())
    return f" ON CONFLICT DO UPDATE SET {written}"


def _conflict_value(value: Any) -> str:
    """`statement.excluded.name`"""
    of = value.of if isinstance(value, (Attribute, Item)) else None
    return f"excluded.{quoted(column_name(value))}" if isinstance(of, Attribute) and of.name == "excluded" else expression(value)


def _select_item(value: Any) -> str:
    written = expression(value)
    if MARK not in written or not (isinstance(value, Call) or not isinstance(value, (Attribute, Item))):
        return written
    return f"{table_of(value)}.*"


def queries_without_rows(test: Any, is_true: bool) -> Iterable[str]:
    """Queries that find nothing, or count nothing, when a test is true or not: `if connection.scalar(...): raise`."""
    if not isinstance(test, Call):
        return ()
    if test.name in ("=", "<>", ">", ">=") and len(test.args) == 2:
        left, right = test.args
        is_none = (right == 0 and test.name in ("=", "<>", ">")) or (right == 1 and test.name == ">=") or right is None
        if isinstance(right, bool) or not is_none or (test.name == "=") is not is_true:
            return ()
        return _query_of_test(left)
    return () if is_true else _query_of_test(test)


def _query_of_test(value: Any) -> Iterable[str]:
    is_value = isinstance(value, Item) and value.key == 0
    if is_value:
        value = value.of
    if isinstance(value, Call) and value.name == "count" and isinstance(value.receiver, Call):
        found = select_of(value.receiver)
        return (f"SELECT count(*) FROM ({found}) x",) if found else ()  # noqa: S608
    if isinstance(value, Call) and value.name == "len" and value.args:
        value = value.args[0]
    while isinstance(value, Call) and value.name in _RESULTS:
        is_value = is_value or value.name in _VALUES
        statement = value.args[0] if value.name in _RUNS and value.args else value.receiver
        value = statement
    if isinstance(value, Call) and value.name in _RUNS and value.args:
        value = value.args[0]
    found = select_of(value)
    return (found,) if found and (not is_value or _TRUE_IF_FOUND.match(found)) else ()
