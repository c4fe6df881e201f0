"""Finds the statements of an SQL text and its comments."""

from __future__ import annotations

import re

# What may contain a semicolon that ends no statement. A doubled quote counts as two adjacent literals.
_HIDDEN = re.compile(
    r"""\b[eE]'(?:[^'\\]|\\.)*'|'[^']*'|"[^"]*"|(?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag)"""
    r"""|--[^\n]*|/\*.*?\*/|\bBEGIN\s+ATOMIC\b.*?;\s*END\b""",
    re.DOTALL | re.IGNORECASE,
)


def statement_starts(text: str) -> list[str]:
    """The statements of a text without comments, literals and function bodies: `INSERT INTO users ...; COMMIT` has two."""
    return [statement.strip() for statement in _HIDDEN.sub(" ", text).split(";")]


def without_comments(text: str) -> str:
    """The text from its first statement on, without comments."""
    return _HIDDEN.sub(lambda found: " " if found[0].startswith(("--", "/*")) else found[0], text).lstrip("; \t\r\n")
