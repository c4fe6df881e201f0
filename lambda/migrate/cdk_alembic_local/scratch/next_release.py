"""The code that an earlier revision has for the next release, in a comment: it drops a column with what served old code."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cdk_alembic.catalog import raw

_HEADING = "# The next release needs a revision of its own."
"""Begins the comment that `nextRelease` of lib/review/fix/next-release.ts writes."""


def find_next_release(connection: Any, directives: Iterable[Any], files: Iterable[Path]) -> dict[str, str] | None:
    """The bodies `upgrade` and `downgrade` of the comment that drops one of the columns which the directives drop.

    Alembic's drop_column would fail: a trigger keeps the column equal to its successor. `connection`: to a database at head;
    `files`: the project's revisions."""
    dropped = list(_dropped_columns(directive.upgrade_ops for directive in directives))
    if not dropped:
        return None
    for file in sorted(files):
        for code in _comments(file.read_text(encoding="utf-8", errors="replace")):
            bodies = _bodies(code)
            if bodies and any(_drops(bodies["upgrade"], *one) for one in dropped) and _is_pending(connection, bodies["upgrade"]):
                return bodies
    return None


def carry_out_next_release(connection: Any, scripts: Any, revisions: Iterable[str]) -> list[str]:
    """Runs what these revisions have for the next release, with whose schema the models are compared. Returns the files."""
    files = [Path(one.path) for one in scripts.walk_revisions() if one.revision in set(revisions)]
    return [file.name for file in reversed(files) if _carry_out_comments(connection, file)]


def _carry_out_comments(connection: Any, file: Path) -> bool:
    pending = [
        bodies["upgrade"]
        for code in _comments(file.read_text(encoding="utf-8", errors="replace"))
        if (bodies := _bodies(code)) and _is_pending(connection, bodies["upgrade"])
    ]
    for statement in (text for code in pending for text in _texts(code)):
        raw.execute(connection, statement)
    return bool(pending)


def _dropped_columns(containers: Iterable[Any]) -> Iterator[tuple[str, str]]:
    from alembic.operations import ops

    for container in containers:
        for operation in container.ops:
            if isinstance(operation, ops.OpContainer):
                yield from _dropped_columns([operation])
            elif isinstance(operation, ops.DropColumnOp):
                yield operation.table_name, operation.column_name


def _comments(source: str) -> Iterator[str]:
    """The code in each comment for the next release."""
    lines = source.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip().startswith(_HEADING):
            continue
        block = []
        for later in lines[number:]:
            if not later.strip().startswith("#"):
                break
            block.append(later.strip()[1:])
        yield textwrap.dedent("\n".join(block))


def _bodies(code: str) -> dict[str, str] | None:
    """None if the comment was edited into something else."""
    functions = re.fullmatch(r"def upgrade\(\):\n(.*)\ndef downgrade\(\):\n(.*)", code.strip(), re.DOTALL)
    try:
        ast.parse(code)
    except SyntaxError:
        return None
    if not functions:
        return None
    upgrade, downgrade = (textwrap.dedent(body).strip() for body in functions.groups())
    return {"upgrade": upgrade, "downgrade": downgrade}


def _drops(code: str, table: str, column: str) -> bool:
    pattern = re.compile(rf'ALTER TABLE (?:\S+\.)?"?{re.escape(table)}"? DROP COLUMN "?{re.escape(column)}"?$')
    return any(map(pattern.match, _texts(code)))


def _is_pending(connection: Any, code: str) -> bool:
    """Whether the trigger still exists: an earlier revision may have carried out the comment, and a later one used its names."""
    names = [match[1] for match in map(re.compile(r'DROP TRIGGER "?([^"]+?)"? ON ').match, _texts(code)) if match]
    exists = "SELECT to_json(EXISTS (SELECT FROM pg_trigger WHERE tgname = {}))::text"
    return bool(names) and all(raw.value(connection, exists.format(raw.literal(name))) for name in names)


def _texts(code: str) -> list[str]:
    return [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
