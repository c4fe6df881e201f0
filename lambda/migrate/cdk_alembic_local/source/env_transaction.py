"""Where env.py begins the transaction that its migrations run in, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_OF_A_TRANSACTION = ("commit", "rollback", "close", "is_active", "is_valid")


def find_transaction(env: Path) -> dict[str, Any]:
    """`line` and `code` of the `with` that begins the transaction, or else of `context.configure()` or run_migrations.

    `begins`: `connection` for `engine.begin() as connection`, `block` for `connection.begin()`, `migrations` if that replaces
    Alembic's begin_transaction(), `statement` if earlier statements must have begun it. If the file has none of these, its
    first line.
    """
    source = env.read_bytes()
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        nodes = []
    lines = source.decode(errors="replace").splitlines()
    line, begins = next(_places(nodes), (1, "statement"))
    return {"line": line, "code": lines[line - 1].strip() if lines else "", "begins": begins}


def _places(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if not isinstance(node, (ast.With, ast.AsyncWith)):
            continue
        for item in node.items:
            if _method(item.context_expr) == "begin":
                yield item.context_expr.lineno, "connection" if _is_used(item.optional_vars, nodes) else _block(node)
    for name in ("configure", "run_migrations"):
        # The last one: the first function is usually the one for offline mode.
        for node in reversed(nodes):
            if _method(node) == name:
                yield node.lineno, "statement"


def _is_used(name: ast.expr | None, nodes: list[ast.AST]) -> bool:
    """Whether `as name` is a connection: a transaction is at most committed or rolled back."""
    if not isinstance(name, ast.Name):
        return name is not None
    ends = {id(node.value) for node in nodes if isinstance(node, ast.Attribute) and node.attr in _OF_A_TRANSACTION}
    return any(
        isinstance(node, ast.Name) and node.id == name.id and isinstance(node.ctx, ast.Load) and id(node) not in ends
        for node in nodes
    )


def _block(node: ast.With | ast.AsyncWith) -> str:
    calls = {_method(within) for within in ast.walk(node)}
    return "migrations" if "run_migrations" in calls and not calls & {"configure", "begin_transaction"} else "block"


def _method(node: ast.AST) -> str | None:
    return node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
