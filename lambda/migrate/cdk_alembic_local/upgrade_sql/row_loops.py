"""Loops over rows of the database: whether they iterate over every row of a table."""

from __future__ import annotations

import re
from typing import Any

from .values import Attribute, Called, Item, as_text

_RESULTS = ("all", "scalars", "yield_per", "unique", "execute", "fetchall", "mappings", "order_by", "partitions", "stream")
_NARROWING = ("filter", "filter_by", "where", "limit", "offset", "join", "outerjoin", "having", "distinct", "group_by")
_SELECT = re.compile(r'\s*SELECT\s+([\w\s,."*]+?)\s+FROM\s+([\w."]+)\s*(?:ORDER\s+BY\s+[\w\s,."]+)?;?\s*\Z', re.IGNORECASE)


def looped(value: Any) -> tuple[Item, Any] | None:
    """The loop's row that `value` is or belongs to, and the column: its name, its position, or None for the row itself."""
    if isinstance(value, Attribute) and isinstance(value.of, Item):
        return value.of, value.name
    if isinstance(value, Item) and isinstance(value.of, Item):
        return value.of, value.key
    return (value, None) if isinstance(value, Item) else None


def selected(item: Item) -> tuple[Any, list[Any]] | None:
    """The table (or its name) and the columns of a loop's rows. None if the loop does not iterate over all rows."""
    rows = item.of
    if item.narrowed:
        return None
    while isinstance(rows, Called) and rows.name in _RESULTS:
        # session.scalars(select(User)), connection.execute(...)
        statement = rows.args[0] if rows.name in ("scalars", "execute", "stream") and rows.args else rows.receiver
        if isinstance(statement, str):
            return _written(statement)
        rows = statement
    while isinstance(rows, Called):
        if rows.name in _NARROWING:
            return None
        if rows.name == "text" and isinstance(rows.given(0), str):
            return _written(rows.args[0])
        if rows.name in ("query", "select"):
            columns = rows.args[0] if rows.args and isinstance(rows.args[0], list) else rows.args
            return (columns[0], columns) if columns else None
        rows = rows.receiver
    return None


def _written(sql: str) -> tuple[str, list[str]] | None:
    found = _SELECT.match(sql)
    return (found[2], [column.strip() for column in found[1].split(",")]) if found else None


def column_of_all(value: Any) -> tuple[Any, str] | None:
    """The table and the column of `value`, if it belongs to a loop over all rows."""
    row = looped(value)
    source = row and selected(row[0])
    if not row or not source:
        return None
    _, key = row
    table, columns = source
    if isinstance(key, int) or key is None:
        column = columns[key or 0] if (key or 0) < len(columns) else None
        key = column if isinstance(column, str) else getattr(column, "name", None)
    return (table, as_text(key).rpartition(".")[2]) if isinstance(key, str) else None
