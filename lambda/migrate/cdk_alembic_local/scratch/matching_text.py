"""Texts that satisfy a CHECK with a regular expression, a LIKE or a length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_TEXT = r"\s*\(?'((?:[^']|'')*)'"
_PATTERN = re.compile(rf"(?<![!~])~\*?(?!~){_TEXT}")
_LIKE = re.compile(rf"(?<!!)~~\*?{_TEXT}")
_LENGTH = re.compile(r"length\(.*?\)+\s*(=|>=|>)\s*(\d+)")
# PostgreSQL's names for what Python writes as ranges.
_CLASSES = {
    "alpha": "A-Za-z",
    "digit": "0-9",
    "alnum": "A-Za-z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "xdigit": "0-9a-f",
    "space": " ",
}
_MAX_LENGTH = 1000


def matching_texts(checks: str, number: int) -> list[str]:
    """Texts that satisfy the conditions, the most likely first; different for each `number` where possible.

    `checks`: constraints as pg_get_constraintdef writes them.
    """
    patterns = [matching(found.replace("''", "'"), number) for found in _PATTERN.findall(checks)]
    likes = [re.sub(r"[%_]", str(number), found) for found in _LIKE.findall(checks)]
    lengths = [int(length) + (sign == ">") for sign, length in _LENGTH.findall(checks)]
    long = [str(number).ljust(length, "x")[:length] for length in lengths if length <= _MAX_LENGTH]
    return [*(text for text in patterns if text is not None), *likes, *long]


def matching(pattern: str, number: int) -> str | None:
    """A text that matches a regular expression; None if none is found."""
    translated = re.sub(r"\[:(\w+):\]", lambda found: _CLASSES.get(found[1], ""), pattern)
    try:
        text = "".join(_parts(parser.parse(translated), number))
        return text if len(text) <= _MAX_LENGTH and re.search(translated, text) else None
    except (re.error, OverflowError, ValueError, RecursionError):
        return None


def _parts(tokens: Any, number: int) -> Iterator[str]:
    for kind, value in tokens:
        name = str(kind)
        if name == "LITERAL":
            yield chr(value)
        elif name == "IN":
            yield _member(value, number)
        elif name in ("ANY", "NOT_LITERAL"):
            yield chr(ord("a") + number)
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, inner = value
            yield from (part for _ in range(min(max(least, 1), most, _MAX_LENGTH)) for part in _parts(inner, number))
        elif name == "SUBPATTERN":
            yield from _parts(value[-1], number)
        elif name == "BRANCH":
            yield from _parts(value[1][number % len(value[1])], number)


def _member(choices: list[Any], number: int) -> str:
    kind, value = choices[0]
    name = str(kind)
    if name == "RANGE":
        return chr(min(value[0] + number, value[1]))
    if name == "LITERAL":
        return chr(value)
    if name == "CATEGORY":
        return {"CATEGORY_DIGIT": str(number), "CATEGORY_SPACE": " "}.get(str(value), chr(ord("a") + number))
    return chr(ord("a") + number)  # NEGATE
