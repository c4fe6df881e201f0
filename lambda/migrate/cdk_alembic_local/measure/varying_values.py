"""SQL expressions for values that differ from row to row, for PostgreSQL's types."""

from __future__ import annotations

from ..scratch.sample_values import MODIFIER, is_text

_TEXT_WIDTH = 24
"""Bytes of a text whose width is unknown."""
_MAX_WIDTH = 100_000


def varying_expressions(type_: str, number: str, width: int | None) -> list[str]:
    """Expressions whose value differs for each number, the most likely first. Empty if the type is unknown.

    `number`: an SQL expression, 1 or more. `width`: mean bytes of a value; None: unknown.
    """
    modifier = MODIFIER.search(type_)
    base = MODIFIER.sub("", type_).strip()
    if is_text(type_):
        return _texts(number, width, int(modifier[1]) if modifier else None)
    if base == "numeric" and modifier:
        digits = int(modifier[1]) - int(modifier[2] or 0)
        return [f"({number}) % {10 ** min(digits, 18)}"] if digits > 0 else [f"({number} % 10) / {10 ** int(modifier[2])}.0"]
    if base in ("json", "jsonb"):
        return [f"""('{{"key": ' || {number} || ', "text": "' || {_filler(number, (width or 0) - 24)} || '"}}')"""]
    if base == "bytea":
        return [f"convert_to({_filler(number, width or _TEXT_WIDTH)}, 'UTF8')"]
    found = _BY_TYPE.get(base)
    return [found.replace("#", number)] if found else []


def _texts(number: str, width: int | None, room: int | None) -> list[str]:
    width = min(width or _TEXT_WIDTH, room or _MAX_WIDTH)
    plain = [f"'name' || {number} || '@example.org'", f"'https://example.org/' || {number}", f"({number})::text"]
    # Sixteen digits of a hash are distinct.
    return [_filler(number, width), *plain] if width >= 16 else plain[::-1]


def _filler(number: str, width: int) -> str:
    """A pseudo-random text of this many bytes, which compresses badly."""
    width = min(max(width, 0), _MAX_WIDTH)
    parts = " || ".join(f"md5(({number})::text || '{part}')" for part in range(-(-min(width, 640) // 32)))
    whole = parts if width <= 640 else f"repeat({parts}, {-(-width // 640)})"
    return f"left({whole}, {width})" if width else "''"


_BY_TYPE = {
    "smallint": "(#) % 32767",
    "integer": "(#) % 2147483647",
    "bigint": "#",
    "oid": "#",
    "real": "#",
    "double precision": "#",
    "numeric": "#",
    "money": "#",
    "boolean": "(#) % 2 = 0",
    "date": "date '2000-01-01' + ((#) % 1000000)::int",
    "timestamp without time zone": "timestamp '2000-01-01' + (#) * interval '1 minute'",
    "timestamp with time zone": "timestamptz '2000-01-01 00:00:00+00' + (#) * interval '1 minute'",
    "time without time zone": "time '00:00' + ((#) % 86400) * interval '1 second'",
    "interval": "(#) * interval '1 second'",
    "uuid": "md5((#)::text)::uuid",
    "inet": "inet '10.0.0.0' + ((#) % 16777216)",
}
