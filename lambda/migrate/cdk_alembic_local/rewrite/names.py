"""The names that Python code reads and binds."""

from __future__ import annotations

import ast
from collections.abc import Iterable


def names_read(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that are read."""
    return {part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


def names_bound(node: ast.stmt) -> set[str]:
    """Names that a statement binds."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def names_missing(nodes: Iterable[ast.stmt]) -> set[str]:
    """Names that statements read, or add to, before they bind them."""
    missing: set[str] = set()
    bound: set[str] = set()
    for node in nodes:
        added = {part.target for part in ast.walk(node) if isinstance(part, ast.AugAssign)}
        missing |= (names_read([node]) | {one.id for one in added if isinstance(one, ast.Name)}) - bound
        bound |= names_bound(node)
    return missing


def required_statements(names: set[str], statements: list[ast.stmt]) -> set[ast.stmt]:
    """The statements that bind these names, and those that they need in turn."""
    found: set[ast.stmt] = set()
    look = set(names)
    while look:
        name = look.pop()
        for statement in statements:
            if statement not in found and name in names_bound(statement):
                found.add(statement)
                look |= names_read([statement])
    return found
