"""Reads a revision's file without running it, for the guard and the local review."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
CONTAINER_COMMENT = "# cdk-alembic: run in container"
_IN_CONTAINER = re.compile(r"#\s*cdk-alembic:\s*run\s+in\s+(?:a\s+)?container\s*$")
_ACKNOWLEDGEMENT = re.compile(r"#\s*cdk-alembic:\s*allow\s+([a-z-]+)\s*:\s*(\S.*?)\s*$")


def source_of(path: Path) -> bytes:
    """A revision's source. Empty if the package has only its bytecode (Alembic's `sourceless`)."""
    return b"" if path.suffix == ".pyc" else path.read_bytes()


def acknowledgements(source: bytes) -> Iterator[tuple[str, str, int]]:
    """Rule, reason and line of each comment that acknowledges a finding."""
    if b"cdk-alembic" not in source:
        return
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type == tokenize.COMMENT and (match := _ACKNOWLEDGEMENT.match(token.string)):
            yield match[1], match[2], token.start[0]


def runs_in_container(source: bytes) -> bool:
    """Whether a comment marks the revision to run in a container."""
    if b"cdk-alembic" not in source:
        return False
    tokens = tokenize.tokenize(io.BytesIO(source).readline)
    return any(token.type == tokenize.COMMENT and _IN_CONTAINER.match(token.string) for token in tokens)


def definitions(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    """The module's own functions, classes and variables, by name."""
    found: dict[str, list[ast.stmt]] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names = [name.id for target in targets if target for name in ast.walk(target) if isinstance(name, ast.Name)]
        for name in [*names, *([node.name] if hasattr(node, "name") else [])]:
            found.setdefault(name, []).append(node)
    return found


def text_of(node: ast.AST | None, known: Mapping[str, Any] | None = None) -> str | None:
    """The literal parts of a text, an f-string or a concatenation. Other values are looked up in `known`, or become `_`."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else _value(part, known) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text_of(node.left, known), text_of(node.right, known)
        if left is None and right is None:
            return None
        return f"{left or _value(node.left, known)}{right or _value(node.right, known)}"
    return None


def _value(node: ast.AST, known: Mapping[str, Any] | None) -> str:
    name = node.value if isinstance(node, ast.FormattedValue) and node.format_spec is None else node
    value = known.get(name.id) if known and isinstance(name, ast.Name) else None
    return value if isinstance(value, str) else "_"


def last_name(function: ast.expr) -> str:
    """`create_index` of `op.create_index`."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
