"""The statements of `upgrade` and `downgrade`, one by one: BodyFacts of lib/contract/facts.ts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cdk_alembic.protocol.errors import RunnerError

from ..source.source import parse

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
NOTHING: Mapping[Path, str] = MappingProxyType({})
_BLOCKS = ("batch_alter_table", "autocommit_block")
# Alembic's template writes these around what it generates.
_GENERATED = re.compile(r"^\s*# ### .* ###\s*$")


@dataclass(frozen=True)
class Part:
    """A statement of a function with the comments above it."""

    node: ast.stmt
    line: int
    end: int
    """Its last line, counted from 1 like `line`."""
    opened: int
    """The line on which its block starts; 0: it is in none."""
    within: str
    """The line that opens its block: `with op.batch_alter_table(...) as batch_op:`; empty: it is in none."""


class Source:
    """A revision's file."""

    def __init__(self, path: Path, texts: Mapping[Path, str]) -> None:
        """`texts`: of files that are not written yet. Raises RunnerError `invalid_project`."""
        source = texts[path].encode() if path in texts else path.read_bytes()
        self.text = source.decode()
        self.lines = self.text.splitlines(keepends=True)
        self.tree = parse(source, path)

    def function(self, name: str) -> ast.FunctionDef | None:
        """The function, if it can be rewritten: its body starts on a line of its own."""
        found = [node for node in self.tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
        if len(found) != 1 or found[0].body[0].lineno == found[0].lineno:
            return None
        return found[0]

    def parts(self, function: ast.FunctionDef) -> Iterator[Part]:
        """Every statement; those of a batch or an autocommit block one by one."""
        body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
        before = body_start(self.lines, function)
        if body is not function.body:
            before = function.body[0].end_lineno or before
        yield from self._parts(body, before, 0, "")

    def _parts(self, body: list[ast.stmt], before: int, opened: int, within: str) -> Iterator[Part]:
        for node in body:
            end = node.end_lineno or node.lineno
            head = None if within else self._head(node)
            if head and isinstance(node, ast.With):
                yield from self._parts(node.body, node.items[-1].context_expr.end_lineno or node.lineno, node.lineno, head)
            else:
                yield Part(node, before + 1, end, opened, within)
            before = end

    def _head(self, node: ast.stmt) -> str | None:
        """The head of a `with` whose statements can stand alone, without its indentation."""
        if not isinstance(node, ast.With) or len(node.items) != 1:
            return None
        call = node.items[0].context_expr
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _BLOCKS):
            return None
        # Comments below it belong to its first statement.
        end = call.end_lineno or node.lineno
        while end < node.body[0].lineno - 1 and not self.lines[end - 1].partition("#")[0].rstrip().endswith(":"):
            end += 1
        return "".join(self.lines[node.lineno - 1 : end]).strip()

    def code(self, part: Part) -> str:
        """As written, with its indentation."""
        lines = [line for line in self.lines[part.line - 1 : part.end] if not _GENERATED.match(line)]
        return "".join(lines).strip("\n")


def body_start(lines: list[str], function: ast.FunctionDef) -> int:
    """The line on which the function's signature ends."""
    signature = [*function.args.args, *function.args.kwonlyargs, *([function.returns] if function.returns else [])]
    line = max([function.lineno, *(node.end_lineno or 0 for node in signature)])
    while not lines[line - 1].partition("#")[0].rstrip().endswith(":"):
        line += 1
    return line


def bodies(path: Path, texts: Mapping[Path, str] = NOTHING) -> dict[str, Any]:
    """BodyFacts of a revision's file. `texts`: of files that are not written yet. Raises RunnerError `invalid_project`."""
    source = Source(path, texts)
    return {name: _units(source, source.function(name)) for name in ("upgrade", "downgrade")}


def _units(source: Source, function: ast.FunctionDef | None) -> list[dict[str, Any]] | None:
    if function is None:
        return None
    return [
        {
            "line": part.node.lineno,
            "endLine": part.end,
            "code": source.code(part),
            "within": part.within,
            "opened": part.opened,
            "kind": _kind(part.node),
        }
        for part in source.parts(function)
    ]


def _kind(node: ast.stmt) -> str:
    if isinstance(node, (ast.Pass, ast.Return)) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return "nothing"
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom)):
        return "names"
    return "plain" if isinstance(node, ast.Expr) else "block"


def refused(path: Path, why: str) -> RunnerError:
    return RunnerError("invalid_project", f"{path.name} can't be rewritten: {why}", "change it by hand, as the review shows")
