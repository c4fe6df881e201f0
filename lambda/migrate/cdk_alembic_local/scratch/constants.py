"""Defaults of columns: constants that the models insert, and defaults in the database."""

from __future__ import annotations

import re
from typing import Any

# A cast at the end, as pg_get_expr writes it: `'x'::character varying(40)`.
_CAST = re.compile(r"::[^:']+$")

_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_NUMBER = re.compile(r"'?(-?\d+(?:\.\d+)?)'?(?:::[\w ]+(?:\([\d,]+\))?)?")
# Equal to now() without a precision: https://www.postgresql.org/docs/current/functions-datetime.html#FUNCTIONS-DATETIME-CURRENT
# Text literals are skipped.
_NOW = re.compile(r"('(?:[^']|'')*')|\bCURRENT_TIMESTAMP\b(?!\()|\btransaction_timestamp\(\)")
# A text that both types of a pair read the same way: a changed column's default keeps the type that it had.
_SAME_TEXT = re.compile(r"('(?:[^']|'')*')::(?:(jsonb?)|text|character varying)")

# Words within these do not need brackets around them.
_ENCLOSED = re.compile(r"'(?:[^']|'')*'|\([^()']*\)")


def constant_of(column: Any) -> str | None:
    """The default of a model's column in SQL; None if it is no constant, or its type has no literal form (JSON that is not
    empty)."""
    from sqlalchemy import ARRAY, JSON, String, literal
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.exc import SQLAlchemyError

    value = None if column.default is None else _value(column.default)
    if value is None:
        return None
    if value in ([], {}) and isinstance(column.type, (ARRAY, JSON)):
        return "'{}'" if isinstance(column.type, ARRAY) else f"'{value}'"
    if type(value) is str and isinstance(column.type, String):
        return "'" + value.replace("'", "''") + "'"
    try:
        sql = str(literal(value, column.type).compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
    except (SQLAlchemyError, NotImplementedError, TypeError, ValueError):
        return None
    # SQLAlchemy doubles these characters for a driver.
    return None if "%" in sql or "\\" in sql else sql


def text_of(sql: str) -> str | None:
    """The text of an SQL literal; None for any other expression."""
    found = _LITERAL.fullmatch(sql)
    return found[1].replace("''", "'") if found else None


def in_brackets(column: Any) -> None:
    """Puts the default of a model's column in the database into brackets if it is an expression that DEFAULT accepts only in
    them: `now() AT TIME ZONE 'utc'`. ALTER COLUMN accepts it as it is."""
    from sqlalchemy import text
    from sqlalchemy.sql.elements import TextClause

    default = getattr(column.server_default, "arg", None)
    if not isinstance(default, TextClause):
        return
    words, enclosed = default.text, ""
    while words != enclosed:
        words, enclosed = _ENCLOSED.sub("", words), words
    if re.search(r"\S\s+[A-Za-z]", words):
        column.server_default.arg = text(f"({default.text})")


def _value(default: Any) -> Any:
    """The value that is inserted each time; None if it is unknown."""
    # SQLAlchemy wraps a function without arguments in one that takes its context.
    made = getattr(default.arg, "__wrapped__", None) if default.is_callable else None
    if made in (list, dict):
        return made()
    return default.arg if default.is_scalar else None


def is_constant_of(column: Any, default: str) -> bool:
    """Whether a column's default in the database, as pg_get_expr writes it, equals the constant that the model inserts."""
    constant = constant_of(column)
    return constant is not None and _plain(constant) == _plain(default)


def is_same_default(one: str, other: str) -> bool:
    """Whether two defaults, as pg_get_expr writes them for columns of one type, are equivalent: `0` and `'0'::bigint`,
    `now()` and `CURRENT_TIMESTAMP`, `'[]'::json` and `'[]'::jsonb`."""
    return _form(one) == _form(other)


def _form(default: str) -> str:
    if number := _NUMBER.fullmatch(default):
        return number[1]
    if text := _SAME_TEXT.fullmatch(default):
        return f"{text[1]}::{'json' if text[2] else 'text'}"
    return _NOW.sub(lambda found: found[1] or "now()", default)


def _plain(sql: str) -> str:
    # A negative number has quotes in the catalog.
    return without_cast(sql).strip("'")


def without_cast(sql: str) -> str:
    """`'x'` of `'x'::kind`."""
    return _CAST.sub("", sql)
