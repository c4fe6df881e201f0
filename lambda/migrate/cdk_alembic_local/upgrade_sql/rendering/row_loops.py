"""Loops over rows of the database: their table, their columns, and whether they iterate over every row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..values import UNKNOWN, Attribute, Call, External, Item, OneOf, as_text

_RESULTS = ("all", "scalars", "yield_per", "unique", "execute", "fetchall", "mappings", "order_by", "partitions", "stream")
_NARROWING = ("filter", "filter_by", "where", "limit", "offset", "join", "outerjoin", "having", "distinct", "group_by")
_PROGRESS = ("tqdm", "track", "progressbar")
_SELECT_WHERE = re.compile(r'\s*SELECT\s+[\w\s,."*]+?\s+FROM\s+([\w."]+)\s+WHERE\b', re.IGNORECASE)
_JOIN = re.compile(r'\s*SELECT\s+([\w\s,."]+?)\s+FROM\s+(?![^;]*\bWHERE\b)(?=[^;]*\bJOIN\b)', re.IGNORECASE)
_JOINED = re.compile(
    r'\b(?:FROM|JOIN)\s+(?:"?\w+"?\.)?"?(\w+)"?(?:\s+(?:AS\s+)?(?!(?:ON|USING|JOIN|LEFT|INNER)\b)(\w+))?', re.IGNORECASE
)
_SELECT = re.compile(r'\s*SELECT\s+([\w\s,."*]+?)\s+FROM\s+([\w."]+)\s*(?:ORDER\s+BY\s+[\w\s,."]+)?;?\s*\Z', re.IGNORECASE)


def row_of(over: Any) -> tuple[Item, Any]:
    """Any row of a loop over unknown rows, and what the loop binds: the row, or with `enumerate` its number and the row."""
    if isinstance(over, Call) and over.name == "enumerate" and over.args:
        row = Item(over.args[0])
        return row, (UNKNOWN, row)
    row = Item(over)
    return row, row


def loop_row(value: Any) -> tuple[Item, Any] | None:
    """The loop's row that `value` is or comes from, and the column: its name, its position, or None for the row itself."""
    if isinstance(value, Attribute) and isinstance(value.of, Item):
        return value.of, value.name
    if isinstance(value, Item) and isinstance(value.of, Item):
        return value.of, value.key
    return (value, None) if isinstance(value, Item) else None


def row_in(element: Any) -> Item:
    """The row that an element of a list comes from; any element, if it comes from none."""
    parts = element if isinstance(element, tuple) else (element,)
    return next((found[0] for part in parts if (found := loop_row(part))), Item(element))


@dataclass
class Rows:
    """The rows that a loop iterates over."""

    table: Any
    """The table, or its name."""
    columns: list[Any]
    are_all: bool
    not_null: str | None = None
    """The column that is not NULL in them."""


def rows_of_loop(item: Item) -> Rows | None:
    """The rows of a loop; None if their table is unknown."""
    rows, are_all, not_null = item.of, not item.narrowed, None
    while isinstance(rows, Call):
        if rows.name in _RESULTS and rows.name in ("scalars", "execute", "stream") and rows.args:
            rows = rows.args[0]  # session.scalars(select(User)), connection.execute(...)
        elif (rows.name in _PROGRESS and rows.args) or (rows.name == "text" and isinstance(rows.given(0), str)):
            rows = rows.args[0]
        elif rows.name == "islice" and rows.args:
            rows, are_all = rows.args[0], False
        elif rows.name in ("query", "select") and rows.args:
            columns = rows.args[0] if isinstance(rows.args[0], list) else rows.args
            return Rows(columns[0], list(columns), are_all, not_null) if columns else None
        elif rows.name == "select" and not isinstance(rows.function, External):
            return Rows(rows.receiver, [rows.receiver], are_all)  # users.select()
        else:
            required = _not_null(rows) if not_null is None else None
            not_null = not_null or required
            are_all = are_all and (required is not None or rows.name not in _NARROWING)
            rows = rows.receiver
    return _rows_of_text(rows, are_all) if isinstance(rows, str) else None


def columns_of_join(item: Item) -> list[str]:
    """The columns, such as `users.name`, that a text selects from joined tables without a WHERE; none for another query."""
    rows = item.of
    while isinstance(rows, Call):
        rows = rows.args[0] if rows.args and rows.name in ("text", "execute", "exec_driver_sql") else rows.receiver
    found = _JOIN.match(rows) if isinstance(rows, str) else None
    if not found:
        return []
    tables = {name: table for table, alias in _JOINED.findall(rows) for name in (table, alias or table)}
    parts = [column.split()[0].replace('"', "").rpartition(".") for column in found[1].split(",") if column.split()]
    return [f"{tables[of]}.{name}" for of, _dot, name in parts if of in tables]


def _not_null(call: Call) -> str | None:
    """The column of `filter(User.email.isnot(None))`."""
    only = call.args[0] if call.name in ("filter", "where") and len(call.args) == 1 else None
    if isinstance(only, Call) and only.name in ("isnot", "is_not") and only.args == [None]:
        return getattr(only.receiver, "name", None)
    return None


def columns_in(value: Any) -> Iterator[Any]:
    """The columns of a loop's rows that a value is computed from."""
    if isinstance(value, (Attribute, Item)) and column_of(value):
        yield value
    elif isinstance(value, Call):
        for part in (value.function, *value.args, *value.keywords.values()):
            yield from columns_in(part)
    elif isinstance(value, (Attribute, Item)):
        yield from columns_in(value.of)
    elif isinstance(value, (list, tuple, dict, OneOf)):
        for part in value.values() if isinstance(value, dict) else value.values if isinstance(value, OneOf) else value:
            yield from columns_in(part)


def _rows_of_text(sql: str, are_all: bool) -> Rows | None:
    if found := _SELECT.match(sql):
        return Rows(_unquoted(found[2]), [_unquoted(column.strip()) for column in found[1].split(",")], are_all)
    some = _SELECT_WHERE.match(sql)
    return Rows(_unquoted(some[1]), [], False) if some else None


def _unquoted(name: str) -> str:
    return name.replace('"', "")


def column_of_all(value: Any) -> tuple[Any, str] | None:
    """The table and the column of `value`, if it belongs to a loop over all rows."""
    row = loop_row(value)
    source = row and rows_of_loop(row[0])
    return column_of(value) if source and source.are_all and not source.not_null else None


def column_of(value: Any) -> tuple[Any, str] | None:
    """The table and the column of `value`, if it belongs to a loop over rows."""
    row = loop_row(value)
    source = row and rows_of_loop(row[0])
    if not row or not source:
        return None
    _, key = row
    if isinstance(key, int) or key is None:
        columns = _all_columns(source)
        column = columns[key or 0] if (key or 0) < len(columns) else None
        key = column if isinstance(column, str) else getattr(column, "name", None)
    return (source.table, as_text(key).rpartition(".")[2]) if isinstance(key, str) else None


def _all_columns(source: Rows) -> list[Any]:
    """The selected columns; those of `table("users", Column("id"), ...)` if that is what is selected."""
    [first, *others] = source.columns or [None]
    if others or not (isinstance(first, Call) and first.name in ("table", "Table", "TableClause")):
        return source.columns
    return [part.given(0, "name", "text") for part in first.args if isinstance(part, Call) and part.name.lower() == "column"]
