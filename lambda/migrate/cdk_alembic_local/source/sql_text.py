"""Splits SQL text into its statements."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Tokens that may contain a semicolon. A doubled quote counts as two adjacent literals.
_TOKEN = re.compile(
    r"""(?P<quoted>\b[eE]'(?:[^'\\]|\\.)*'|'[^']*'|"[^"]*"|(?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag))"""
    r"""|(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<end>;)""",
    re.DOTALL,
)
_COMMENTS = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
_COPY = re.compile(r"COPY\s.*\sFROM\s+stdin\b", re.IGNORECASE | re.DOTALL)
_ATOMIC = re.compile(r"\bBEGIN\s+ATOMIC\b", re.IGNORECASE)
_END = re.compile(r"\bEND\s*$", re.IGNORECASE)

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def statements(text: str) -> Iterator[str]:
    """Each statement without its semicolon and the comments before it.

    psql's own commands (`\\connect`) are omitted. Rows after `COPY ... FROM stdin` become INSERTs.
    """
    position = 0
    while True:
        start = _COMMENTS.match(text, position).end()
        if start >= len(text):
            return
        if text[start] == "\\":
            position = _line_end(text, start)
            continue
        end = _statement_end(text, start)
        statement, position = text[start:end].strip(), end + 1
        if _COPY.match(statement):
            data_start = _line_end(text, position - 1)
            data_end = text.find("\n\\.", data_start - 1)
            data_end = len(text) if data_end < 0 else data_end
            yield from _inserts(statement, text[data_start:data_end])
            position = _line_end(text, data_end + 1)
        elif statement:
            yield statement


def _statement_end(text: str, start: int) -> int:
    for token in _TOKEN.finditer(text, start):
        if token["end"]:
            statement = text[start : token.start()]
            if not _ATOMIC.search(statement) or _END.search(statement):
                return token.start()
    return len(text)


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end + 1


def _inserts(copy: str, data: str) -> Iterator[str]:
    target = re.sub(r"^COPY\s+|\s+FROM\s+stdin\b.*$", "", copy, flags=re.IGNORECASE | re.DOTALL)
    rows = [f"({', '.join(_literal(value) for value in line.split(chr(9)))})" for line in data.split("\n") if line]
    for first in range(0, len(rows), 500):
        yield f"INSERT INTO {target} OVERRIDING SYSTEM VALUE VALUES {', '.join(rows[first : first + 500])}"  # noqa: S608


def _literal(value: str) -> str:
    if value == "\\N":
        return "NULL"
    plain = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), value)
    return "'" + plain.replace("'", "''") + "'"
