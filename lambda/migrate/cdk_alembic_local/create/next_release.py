"""Refuses to drop a column for which an earlier revision already has the code of the next release."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cdk_alembic.protocol.errors import RunnerError

from ..source.graph import relative

_HEADING = "# The next release needs a revision of its own."
"""Begins the comment that `nextRelease` of lib/review/fix/next-release.ts writes."""


def refuse_drop(directives: Iterable[Any], files: Iterable[Path], project: Path) -> None:
    """`files`: the project's revisions. Raises RunnerError `create_failed`: Alembic's drop_column fails, because a trigger keeps
    the column equal to its successor, and leaves the successor's constraints with temporary names."""
    dropped = list(_dropped_columns(directive.upgrade_ops for directive in directives))
    if not dropped:
        return
    for file in sorted(files):
        for line, code in _next_releases(file.read_text(encoding="utf-8", errors="replace")):
            for table, column in dropped:
                if not _drops(code, table, column):
                    continue
                where = f"{relative(file, project)}:{line}"
                raise RunnerError(
                    "create_failed",
                    f"{table}.{column} has a successor that a trigger fills, so dropping the column alone fails; {where} has the "
                    "revision that drops both",
                    f'pass --empty with the message "Drop {column} of {table}", and put the functions of that comment into the '
                    "new revision",
                )


def _dropped_columns(containers: Iterable[Any]) -> Iterator[tuple[str, str]]:
    from alembic.operations import ops

    for container in containers:
        for operation in container.ops:
            if isinstance(operation, ops.OpContainer):
                yield from _dropped_columns([operation])
            elif isinstance(operation, ops.DropColumnOp):
                yield operation.table_name, operation.column_name


def _next_releases(source: str) -> Iterator[tuple[int, str]]:
    """The line and the code of each comment for the next release."""
    lines = source.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip().startswith(_HEADING):
            continue
        block = []
        for later in lines[number:]:
            if not later.strip().startswith("#"):
                break
            block.append(later.strip()[1:])
        yield number, textwrap.dedent("\n".join(block))


def _drops(code: str, table: str, column: str) -> bool:
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return False
    pattern = re.compile(rf'ALTER TABLE (?:\S+\.)?"?{re.escape(table)}"? DROP COLUMN "?{re.escape(column)}"?$')
    return any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and pattern.match(node.value) for node in ast.walk(tree)
    )
