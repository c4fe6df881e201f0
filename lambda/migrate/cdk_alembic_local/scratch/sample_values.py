"""Sample values for PostgreSQL's types."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cdk_alembic.catalog.raw import literal

from .matching_text import matching_texts

_TEXT_IN_CHECK = re.compile(r"'((?:[^']|'')*)'")
_NUMBER_IN_CHECK = re.compile(r"(?<![\w.'])(-?\d+(?:\.\d+)?)(?![\w'])")
TEXTS = ("text", "character varying", "character", "citext", "name", "bpchar", '"char"')
MODIFIER = re.compile(r"\((\d+)(?:,\s*(\d+))?\)")


def candidates(type_: str, number: int, entries: Mapping[str, str], checks: str = "") -> list[str]:
    """Literals for a column of this type, the most likely first; each `number` has different ones. Empty if the type is unknown.

    `entries`: the snapshot's, for enums and domains. `checks`: the text of CHECK constraints on the column.
    """
    if type_.endswith("[]"):
        inside = candidates(type_[:-2], number, entries)
        return [literal("{" + _unquoted(inside[0]) + "}")] if inside and _is_simple(inside[0]) else ["'{}'"]
    definition = entries.get(f"type {_plain(type_)}") or entries.get(f"domain {_plain(type_)}")
    if definition:
        return _for_user_type(definition, number, entries, checks)
    modifier = MODIFIER.search(type_)
    size = int(modifier[1]) if modifier else None
    base = MODIFIER.sub("", type_).strip()
    named = [_quote(text) for text in _TEXT_IN_CHECK.findall(checks)]
    named = named[number % len(named) :] + named[: number % len(named)] if named else []
    meant = [literal(text) for text in matching_texts(checks, number)] if base in TEXTS else []
    return [*meant, *named, *(literal(text) for text in _plain_values(base, size, modifier, number, checks))]


def is_text(type_: str) -> bool:
    """Whether columns of the type hold any text."""
    return MODIFIER.sub("", type_).strip() in TEXTS


def _for_user_type(definition: str, number: int, entries: Mapping[str, str], checks: str) -> list[str]:
    if definition.startswith("ENUM "):
        labels = [_quote(text) for text in _TEXT_IN_CHECK.findall(definition)]
        return labels[number % len(labels) :] + labels[: number % len(labels)] if labels else []
    if definition.startswith(("AS (", "RANGE ")):
        return []
    base = re.split(r" NOT NULL| DEFAULT | \S+ CHECK ", definition)[0]
    return candidates(base, number, entries, f"{checks} {definition}")


def _plain_values(base: str, size: int | None, modifier: re.Match[str] | None, number: int, checks: str) -> list[str]:
    if base in ("smallint", "integer", "bigint", "real", "double precision", "numeric", "money", "oid"):
        near = [float(found) for found in _NUMBER_IN_CHECK.findall(checks)]
        tried = [str(int(value + step)) for value in near for step in (number + 1, 0, -number - 1)]
        if base == "numeric" and modifier and size is not None and size - int(modifier[2] or 0) < 4:
            return [*tried, str(number + 1), f"0.{number + 1}"]
        return [*tried, str(1001 + number), str(number + 1)]
    if base in TEXTS:
        room = size or (1 if base in ("character", '"char"') else 63)
        texts = [f"text {number}", f"{number}text", f"name{number}@example.org", f"https://example.org/{number}", str(number)]
        short = [text if len(text) <= room else str(number)[:room] for text in texts]
        return [text.ljust(size, "x") if base == "character" and size else text for text in short]
    if base.startswith("timestamp"):
        return [f"2024-01-0{number + 1} 10:00:00"]
    if base.startswith("time"):
        return [f"1{number}:00:00"]
    if base in ("bit", "bit varying"):
        return [("1" * number).rjust(size or 1, "0")[: size or 1]]
    if base in ("vector", "halfvec"):
        return ["[" + ",".join([str(number + 1)] * (size or 3)) + "]"]
    return [text.replace("#", str(number + 1)) for text in _BY_TYPE.get(base, ())]


_BY_TYPE = {
    "boolean": ("true", "false"),
    "date": ("2024-01-0#",),
    "interval": ("# days",),
    "uuid": ("00000000-0000-4000-8000-00000000000#",),
    "json": ('{"key": #}', "[#]"),
    "jsonb": ('{"key": #}', "[#]"),
    "bytea": ("\\x0#",),
    "inet": ("10.0.0.#",),
    "cidr": ("10.0.#.0/24",),
    "macaddr": ("08:00:2b:01:02:0#",),
    "tsvector": ("word#",),
    "tsquery": ("word#",),
    "xml": ("<a>#</a>",),
    "hstore": ("key=>#",),
    "ltree": ("a.b#",),
    "point": ("(#,0)",),
    "box": ("(#,1),(0,0)",),
    "circle": ("<(#,0),1>",),
    "line": ("{1,#,0}",),
    "lseg": ("[(0,0),(#,1)]",),
    "path": ("[(0,0),(#,1)]",),
    "polygon": ("((0,0),(#,1),(1,0))",),
    "int4range": ("[#,9)",),
    "int8range": ("[#,9)",),
    "numrange": ("[#,9)",),
    "daterange": ("[2024-01-0#,2024-02-01)",),
    "tsrange": ("[2024-01-0#,2024-02-01)",),
    "tstzrange": ("[2024-01-0#,2024-02-01)",),
    "geometry": ("POINT(# 0)",),
    "geography": ("POINT(# 0)",),
}


def _plain(type_: str) -> str:
    return type_.replace('"', "")


def _is_simple(value: str) -> bool:
    return not re.search(r"""[{},\\"]""", value)


def _unquoted(value: str) -> str:
    return '"' + value[1:-1].replace("''", "'") + '"'


def _quote(found: str) -> str:
    return f"'{found}'"
