"""The constants that models insert where a row has no value, as SQL."""

from __future__ import annotations

import re
from typing import Any

# A cast at the end, as pg_get_expr writes it: `'x'::character varying(40)`.
_CAST = re.compile(r"::[^:']+$")


def constant_of(column: Any) -> str | None:
    """The default of a model's column in SQL; None if it is no constant, or its type has no literal form (JSON)."""
    from sqlalchemy import literal
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.exc import SQLAlchemyError

    if column.default is None or not column.default.is_scalar:
        return None
    try:
        value = literal(column.default.arg, column.type)
        return str(value.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
    except (SQLAlchemyError, NotImplementedError, TypeError, ValueError):
        return None


def is_constant_of(column: Any, default: str) -> bool:
    """Whether a column's default in the database, as pg_get_expr writes it, is that constant."""
    constant = constant_of(column)
    return constant is not None and _plain(constant) == _plain(default)


def _plain(sql: str) -> str:
    # A negative number has quotes in the catalog.
    return _CAST.sub("", sql).strip("'")
