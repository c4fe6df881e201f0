"""Turns SQL as SQLAlchemy sends it into SQL as PostgreSQL reads it."""

from __future__ import annotations

# Where parameters begin with a percent sign, SQLAlchemy doubles all others, and the driver undoes that: PEP 249.
_DOUBLING = ("format", "pyformat")


def as_read(sql: str, paramstyle: str) -> str:
    """The SQL without doubled percent signs; placeholders stay. `paramstyle`: the dialect's."""
    return sql.replace("%%", "%") if paramstyle in _DOUBLING else sql
