"""The steps from one entry of a column in the catalog to another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from cdk_alembic.drift.names import quoted

from ..scratch.constants import text_of
from .conversions import runs
from .own_operations import execute, literal, named

COLUMN = re.compile(
    r"(?P<head>.*?)(?: GENERATED (?P<identity>ALWAYS|BY DEFAULT) AS IDENTITY)?"
    r"(?P<computed> GENERATED ALWAYS AS \(.*\) (?:STORED|VIRTUAL))?(?: DEFAULT (?P<default>.*))?",
    re.DOTALL,
)
# The head of a column's entry, and what a type has in brackets: Alembic does not see `varchar(50)` become `varchar`.
_HEAD = re.compile(r"(?P<type>.*?)(?: COLLATE (?P<collation>.*?))?(?P<required> NOT NULL)?")
_ARGUMENTS = re.compile(r"\(\d+(?:,\d+)?\)")
# A text with a cast that the column's own type makes unnecessary.
_TYPED = re.compile(r"('(?:[^']|'')*')::[\w ]+(?:\(\d+\))?")


def usings(context: Any, types: list[str], table: str, column: str, old: str, new: str) -> tuple[str, str] | None:
    """What follows a new type, and the old one in the downgrade; None if more differs, or no cast leads there and back.

    Alembic writes such a change itself unless env.py has it compare no types. `types`: statements that create new ones."""
    if _ARGUMENTS.sub("", old) == _ARGUMENTS.sub("", new):
        return "", ""
    (was, *others), (becomes, *wanted) = (_HEAD.fullmatch(head).groups() for head in (old, new))  # type: ignore[union-attr]
    if others != wanted:
        return None
    alter = f"ALTER TABLE {named(table)} ALTER COLUMN {quoted(column)} TYPE"
    casts = ("", f" USING {quoted(column)}::", f" USING {quoted(column)}::text::")
    for up, down in product((cast and cast + becomes for cast in casts), (cast and cast + was for cast in casts)):
        if runs(context, [], *types, f"{alter} {becomes}{up}", f"{alter} {was}{down}"):
            return up, down
    return None


def steps(
    table: str, column: str, old: dict[str, Any], new: dict[str, Any], using: str, modelled: str | None = None
) -> Iterator[str]:
    """`using`: what follows a new type. `modelled`: the column's identity in the models."""
    alter = f"ALTER TABLE {named(table)} ALTER COLUMN {quoted(column)}"
    if old["default"] is not None and new["default"] is None:
        yield f"op.alter_column({table_and(table, 'server_default=None', column)})"
    if old["head"] != new["head"]:
        type_, collation, _ = _HEAD.fullmatch(new["head"]).groups()  # type: ignore[union-attr]
        yield execute(f"{alter} TYPE {type_}{f' COLLATE {quoted(collation)}' if collation else ''}{using}")
    if old["identity"] != new["identity"]:
        if old["identity"] is None:
            identity = modelled or f"GENERATED {new['identity']} AS IDENTITY"
            yield execute(f"{alter} ADD {identity}")
        elif new["identity"] is None:
            yield execute(f"{alter} DROP IDENTITY")
        else:
            yield execute(f"{alter} SET GENERATED {new['identity']}")
    if new["default"] is not None and old["default"] != new["default"]:
        typed = _TYPED.fullmatch(new["default"])
        text = text_of(typed[1]) if typed else None
        default = f"sa.text({literal(new['default'])!r})" if text is None else repr(text)
        yield f"op.alter_column({table_and(table, f'server_default={default}', column)})"


def table_and(table: str, rest: str, column: str | None = None) -> str:
    """The arguments of an operation, with the schema last."""
    schema, _, name = table.rpartition(".")
    names = [repr(one) for one in (name, column) if one is not None]
    return ", ".join([*names, rest, *([f"schema={schema!r}"] if schema else [])])
