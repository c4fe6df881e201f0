"""Texts and names as SQL. `catalog.raw` has a `literal` of its own, because that room imports nothing."""

from __future__ import annotations


def literal(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """The name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
