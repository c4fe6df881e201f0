"""The statements of `upgrade` and `downgrade`, one by one: BodyFacts of lib/contract/facts."""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cdk_alembic.protocol.errors import RunnerError

from ..source.source import parse
from .constant_operations import Scope

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
NO_TEXTS: Mapping[Path, str] = MappingProxyType({})
_BLOCKS = ("batch_alter_table", "autocommit_block")
# Alembic's template writes these around the generated code.
_GENERATED = re.compile(r"^\s*# ### .* ###\s*$")
# Comments for a tool, about the line as it was.
_PRAGMA = re.compile(r"#\s*(?:noqa|type:|fmt:|pylint|pyright|mypy|nosec|pragma)", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """A statement of a function with the comments above it."""

    nodes: tuple[ast.stmt, ...]
    """Several if they share lines: `op.f(); op.g()`."""
    line: int
    end: int
    """Its last line, counted from 1 like `line`."""
    opened: int
    """The line on which its block starts; 0 outside of a block."""
    within: str
    """The lines that open its blocks: `with op.batch_alter_table(...) as batch_op:`; empty outside of a block."""
    condition: str
    """The one that tests the kind of database: `if bind.dialect.name == "postgresql":`; empty if there is none."""
    above: tuple[str, ...] = ()
    """The comments above the blocks that it is the first statement of."""
    is_apart: bool = False
    """Whether an empty line is above it, or above the blocks that it is the first statement of."""


class Source:
    """A revision's file."""

    def __init__(self, path: Path, texts: Mapping[Path, str]) -> None:
        """`texts`: of files that are not written yet. Raises RunnerError `invalid_project`."""
        source = texts[path].encode() if path in texts else path.read_bytes()
        self.text = source.decode()
        self.lines = self.text.splitlines(keepends=True)
        self.tree = parse(source, path)

    def function(self, name: str) -> ast.FunctionDef | None:
        """The function if it can be rewritten, which requires that its body starts on a new line."""
        found = [node for node in self.tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
        if len(found) != 1 or found[0].body[0].lineno == found[0].lineno:
            return None
        return found[0]

    def parts(self, function: ast.FunctionDef) -> Iterator[Part]:
        """Every statement; a batch or an autocommit block is split into its statements."""
        body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
        before = body_start(self.lines, function)
        if body is not function.body:
            before = function.body[0].end_lineno or before
        yield from self._parts(body, before, Scope.of(self.tree, function))

    def _parts(
        self,
        body: list[ast.stmt],
        before: int,
        names: Scope,
        opened: int = 0,
        within: str = "",
        condition: str = "",
        above: tuple[str, ...] = (),
        is_apart: bool = False,
    ) -> Iterator[Part]:
        for nodes in _by_lines(body):
            [node, *more] = nodes
            is_apart = is_apart or not self.lines[before].strip()
            inside = (*above, *comments("".join(self.lines[before : node.lineno - 1])))
            end = nodes[-1].end_lineno or nodes[-1].lineno
            head = None if opened or more else self._head(node)
            if head and isinstance(node, ast.With):
                first = node.items[-1].context_expr.end_lineno or node.lineno
                heads = f"{condition}\n{textwrap.indent(head, '    ')}" if condition else head
                yield from self._parts(node.body, first, names, node.lineno, heads, condition, inside, is_apart)
            elif not within and not more and isinstance(node, ast.If) and names.tests_database(node):
                test = self._source_between(
                    node.test.lineno, node.test.col_offset, node.test.end_lineno, node.test.end_col_offset
                )
                met, unmet = f"if {test}:", f"if not ({test}):"
                yield from self._parts(node.body, node.test.end_lineno or node.lineno, names, 0, met, met, inside, is_apart)
                if node.orelse:
                    yield from self._parts(node.orelse, self._else(node), names, 0, unmet, unmet)
            else:
                yield Part(tuple(nodes), before + 1, end, opened, within, condition, above, is_apart)
            before, above, is_apart = end, (), False

    def _source_between(self, line: int, column: int, end: int | None, end_column: int | None) -> str:
        """The source between two positions. Columns are bytes, as in `ast`."""
        lines = [one.encode() for one in self.lines[line - 1 : end or line]]
        lines[-1] = lines[-1][:end_column]
        lines[0] = lines[0][column:]
        return b"".join(lines).decode()

    def _else(self, node: ast.If) -> int:
        """The line of its `else:`."""
        line = node.body[-1].end_lineno or node.lineno
        while not re.match(r"\s*else\s*:", self.lines[line]):
            line += 1
        return line + 1

    def _head(self, node: ast.stmt) -> str | None:
        """The head of a `with` whose statements can be separated, without indentation."""
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

    def lines_of(self, node: ast.stmt) -> str:
        """The source of a statement, with its indentation."""
        return "".join(self.lines[node.lineno - 1 : node.end_lineno]).rstrip("\n")

    def code(self, part: Part) -> str:
        """The source of a part, with its indentation."""
        lines = [line for line in self.lines[part.line - 1 : part.end] if not _GENERATED.match(line)]
        indent = " " * part.nodes[0].col_offset
        return "".join([*(f"{indent}{comment}\n" for comment in part.above), *lines]).strip("\n")


def _inner(node: ast.stmt) -> Iterator[ast.stmt]:
    """The statements in conditions, each on lines of its own."""
    if not isinstance(node, ast.If):
        return
    for body in (node.body, node.orelse):
        for [one, *more] in _by_lines(body):
            if one.lineno > node.lineno and not more:
                yield one
                yield from _inner(one)


def comments(code: str) -> list[str]:
    """The comments of statements that are written anew."""
    tokens = tokenize.generate_tokens(io.StringIO(textwrap.dedent(code)).readline)
    found = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return [text for text in found if not _GENERATED.match(text) and not _PRAGMA.match(text)]


def body_start(lines: list[str], function: ast.FunctionDef) -> int:
    """The line on which the function's signature ends."""
    signature = [*function.args.args, *function.args.kwonlyargs, *([function.returns] if function.returns else [])]
    line = max([function.lineno, *(node.end_lineno or 0 for node in signature)])
    while not lines[line - 1].partition("#")[0].rstrip().endswith(":"):
        line += 1
    return line


def bodies(path: Path, texts: Mapping[Path, str] = NO_TEXTS) -> dict[str, Any]:
    """BodyFacts of a revision's file. `texts`: of files that are not written yet. Raises RunnerError `invalid_project`."""
    source = Source(path, texts)
    return {name: _units(source, source.function(name)) for name in ("upgrade", "downgrade")}


def _units(source: Source, function: ast.FunctionDef | None) -> list[dict[str, Any]] | None:
    if function is None:
        return None
    names = Scope.of(source.tree, function)
    return [
        {
            "line": part.nodes[0].lineno,
            "endLine": part.end,
            "code": source.code(part),
            "comments": comments(source.code(part)),
            "isApart": part.is_apart,
            "within": part.within,
            "opened": part.opened,
            "condition": part.condition,
            "kind": _kind(part, names),
            **({"isConstant": True} if names.is_constant_execution(part.nodes[0]) else {}),
            **({"checks": check._asdict()} if len(part.nodes) == 1 and (check := names.checked_index(part.nodes[0])) else {}),
            "inner": [
                {"line": one.lineno, "endLine": one.end_lineno, "code": source.lines_of(one)}
                for one in _inner(part.nodes[0])
                if names.is_plain(one) or names.is_constant_batch(one)
            ],
        }
        for part in source.parts(function)
    ]


def _by_lines(body: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """The statements, grouped if they share a line."""
    group: list[ast.stmt] = []
    for node in body:
        if group and node.lineno > (group[-1].end_lineno or 0):
            yield group
            group = []
        group.append(node)
    if group:
        yield group


def _kind(part: Part, names: Scope) -> str:
    [node, *more] = part.nodes
    if more:
        return "repeated" if all(names.is_plain(one) for one in part.nodes) else "block"
    if isinstance(node, ast.Try) and "autocommit_block" in part.within:
        return "block"
    if names.is_constant_block(node):
        return "repeated"
    if names.is_own_call(node):
        return "block"
    if isinstance(node, (ast.Pass, ast.Return)) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return "nothing"
    if names.keeps_place(node):
        return "block"
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom)):
        return "names"
    if names.is_guard(node):
        return "guard"
    if isinstance(node, ast.Raise):
        return "raise"
    return "plain" if isinstance(node, ast.Expr) else "block"


def cannot_rewrite(path: Path, why: str) -> RunnerError:
    return RunnerError("invalid_project", f"{path.name} can't be rewritten: {why}", "change it by hand, as the review shows")
