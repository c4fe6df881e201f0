"""The code for the next release that earlier revisions have in comments: it drops a column with what old code needed, or
requires a column that had no value."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cdk_alembic.catalog import raw

_HEADING = "# The next release needs a revision of its own."
"""Begins the comment that `nextRelease` of lib/review/fix/next-release.ts writes."""
_CODE = re.compile(r"#(?:\s{2}|$)")
"""A line of such a comment. Another comment may follow it."""
_DROPPED = re.compile(r'ALTER TABLE (?P<table>(?:"[^"]+"|[^\s"])+) DROP COLUMN (?P<column>"[^"]+"|\S+)$')
_TRIGGER = re.compile(r'DROP TRIGGER "?([^"]+?)"? ON ')
_REQUIRED = re.compile(r'ALTER TABLE (?P<table>(?:"[^"]+"|[^\s"])+) ALTER COLUMN (?P<column>"[^"]+"|\S+) SET NOT NULL$')
_DROPS = frozenset(("drop", "drops", "remove", "removes", "delete", "deletes"))
_REQUIRES = frozenset(("require", "requires"))
_TRIGGER_COLUMNS = """
SELECT coalesce(json_agg(json_build_array(
  CASE WHEN pg_table_is_visible(c.oid) THEN '' ELSE nspname || '.' END || relname, attname)), 'null')::text
FROM pg_trigger t JOIN pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.objid = t.oid
JOIN pg_attribute a ON d.refclassid = 'pg_class'::regclass AND a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND attnum > 0
JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE tgname = {}
"""
_MAY_BE_NULL = """
SELECT (count(*) > 0)::text FROM pg_attribute
WHERE attrelid = to_regclass({}) AND attname = {} AND NOT attisdropped AND NOT attnotnull
"""


class NextRelease(NamedTuple):
    """What one comment has. It is pending while its trigger exists, or its column may be NULL."""

    revision: str
    file: str
    upgrade: str
    """The body of the function."""
    downgrade: str
    dropped: list[tuple[str, str]]
    """Tables, with a schema unless the search_path finds them, and columns."""
    served: list[tuple[str, str]]
    """The columns that the trigger reads or writes."""
    required: list[tuple[str, str]]
    """The columns that get NOT NULL."""

    def is_named_in(self, description: str) -> bool:
        """Whether a description says that a column is dropped or required: `Drop name of users`."""
        words = _words(description)
        named = (self.dropped if _DROPS & words else []) + (self.required if _REQUIRES & words else [])
        return any(_words(column) <= words for _, column in named)

    def descriptions(self) -> list[str]:
        """Those that name what it changes."""
        dropped = [f"Drop {column} of {table}" for table, column in self.dropped]
        return dropped or [f"Require {column} of {table}" for table, column in self.required]


def pending(connection: Any, scripts: Any) -> list[NextRelease]:
    """What revisions have for the next release, in their order. `connection`: to a database at head."""
    oldest_first = reversed(list(scripts.walk_revisions()))
    return [one for script in oldest_first for one in _of_file(connection, script.revision, Path(script.path))]


def carry_out(connection: Any, releases: Iterable[NextRelease]) -> None:
    """Runs their upgrades, with whose schema the models are compared."""
    for statement in (text for one in releases for text in _texts(one.upgrade)):
        if required := _REQUIRED.match(statement):
            # Nobody has filled the rows of a scratch database.
            raw.execute(connection, f"TRUNCATE {required['table']} CASCADE")
        raw.execute(connection, statement)


def done_in_models(releases: Iterable[NextRelease], models: Iterable[Any]) -> list[NextRelease]:
    """Those whose columns the models do not have anymore, or require. `models`: their metadata."""
    tables = (table for metadata in models for table in metadata.tables.values())
    columns = {(_key(table), column.name): column.nullable for table in tables for column in table.columns}
    return [
        one
        for one in releases
        if not columns.keys() & set(one.dropped) and all(columns.get(place) is False for place in one.required)
    ]


def in_one(releases: Iterable[NextRelease]) -> dict[str, str]:
    """The bodies `upgrade` and `downgrade` of one revision for all of them."""
    all_ = list(releases)
    return {
        "upgrade": "\n".join(one.upgrade for one in all_),
        "downgrade": "\n".join(one.downgrade for one in reversed(all_)),
    }


def _key(table: Any) -> str:
    return table.name if table.schema in (None, "public") else f"{table.schema}.{table.name}"


def _of_file(connection: Any, revision: str, path: Path) -> Iterator[NextRelease]:
    for code in _comments(path.read_text(encoding="utf-8", errors="replace")):
        bodies = _bodies(code)
        if not bodies:
            continue
        statements = _texts(bodies[0])
        served = [_columns_of(connection, match[1]) for match in map(_TRIGGER.match, statements) if match]
        dropped = [(_plain(match["table"]), _plain(match["column"])) for match in map(_DROPPED.match, statements) if match]
        required = [match for match in map(_REQUIRED.match, statements) if match]
        # An earlier revision may have carried out the comment, and a later one used its names.
        if dropped and served and None not in served:
            yield NextRelease(revision, path.name, *bodies, dropped, [column for one in served for column in one or []], [])
        elif not dropped and required and all(_may_be_null(connection, one) for one in required):
            places = [(_plain(one["table"]), _plain(one["column"])) for one in required]
            yield NextRelease(revision, path.name, *bodies, [], [], places)


def _comments(source: str) -> Iterator[str]:
    """The code in each comment for the next release."""
    lines = source.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip().startswith(_HEADING):
            continue
        block = []
        for later in lines[number:]:
            if not _CODE.match(later.strip()):
                break
            block.append(later.strip()[1:])
        yield textwrap.dedent("\n".join(block))


def _bodies(code: str) -> tuple[str, str] | None:
    """The bodies of the upgrade and the downgrade; None if the comment was edited into something else."""
    functions = re.fullmatch(r"def upgrade\(\):\n(.*)\ndef downgrade\(\):\n(.*)", code.strip(), re.DOTALL)
    try:
        ast.parse(code)
    except SyntaxError:
        return None
    if not functions:
        return None
    upgrade, downgrade = (textwrap.dedent(body).strip() for body in functions.groups())
    return upgrade, downgrade


def _columns_of(connection: Any, trigger: str) -> list[tuple[str, str]] | None:
    """The columns in the trigger's condition; None if there is no such trigger."""
    found = raw.value(connection, _TRIGGER_COLUMNS.format(raw.literal(trigger)))
    return found and [(table, column) for table, column in found]


def _may_be_null(connection: Any, found: re.Match[str]) -> bool:
    name, column = raw.literal(found["table"]), raw.literal(_plain(found["column"]))
    return bool(raw.value(connection, _MAY_BE_NULL.format(name, column)))


def _plain(name: str) -> str:
    """A name without quotes."""
    return name.replace('"', "")


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _texts(code: str) -> list[str]:
    return [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
