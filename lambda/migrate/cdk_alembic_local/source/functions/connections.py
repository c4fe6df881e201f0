"""Connections and savepoints other than Alembic's, by the names that a file gives them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from cdk_alembic.project.sources import last_name

from ..literals import Bound

_AUTOCOMMIT = re.compile(r"isolation_level=[\"']AUTOCOMMIT")


def separate_connections(bound: Bound) -> set[str]:
    """Names of savepoints and separate connections: `savepoint = bind.begin_nested()`, `with engine.connect() as own`."""
    return {name for name, values in bound.items() if all(map(opens_connection_or_savepoint, values))}


def autocommit_connections(bound: Bound, nodes: Iterable[ast.AST]) -> set[str]:
    """Names of separate connections with `execution_options(isolation_level="AUTOCOMMIT")`, or of an engine with it."""
    if not any(isinstance(node, ast.Constant) and node.value == "AUTOCOMMIT" for node in nodes):
        return set()
    found = [(name, value) for name, values in bound.items() for value in values if value is not None]
    found += [
        (node.value.func.value.id, node.value)
        for node in nodes
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and isinstance(node.value.func.value, ast.Name)
    ]
    engines = {name for name, value in found if _AUTOCOMMIT.search(ast.unparse(value))}
    opened = {name for name, value in found if getattr(_receiver(value), "id", None) in engines}
    alembic = {name for name, value in found if last_name(getattr(value, "func", value)) == "get_bind"}
    return (engines | opened) - alembic


def _receiver(node: ast.expr) -> ast.expr | None:
    return node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None


def opens_connection_or_savepoint(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) in ("begin_nested", "connect")


def opens_savepoint(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) == "begin_nested"
