"""Where env.py begins the transaction that its migrations run in, and what to write there, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_OF_A_TRANSACTION = ("commit", "rollback", "close", "is_active", "is_valid")


def is_in_block(connection: Any) -> bool:
    """Whether a connection is within `with engine.begin()` or `with connection.begin()`, where it can't be committed."""
    return getattr(connection, "_trans_context_manager", None) is not None


def find_transaction(env: Path, is_outer: bool, in_block: bool) -> dict[str, Any]:
    """The contract's EnvironmentTransaction: `line` and `code` of the `with` that begins the transaction, or else of
    `context.configure()` or run_migrations, or of the file's first line, and what to do there so that Alembic begins the
    transactions, as `words` and as code (`instead`).

    `is_outer`: whether the connection was in the transaction already when env.py called `context.configure()`. `in_block`:
    whether a `with` began it, perhaps in another file.
    """
    source = env.read_bytes()
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        nodes = []
    lines = source.decode(errors="replace").splitlines()
    line, begins = next(_places(nodes), (1, "statement"))
    code = lines[line - 1].strip() if lines else ""
    words, instead = _change(begins, code, is_outer, in_block)
    return {"line": line, "code": code, "words": words, "instead": instead}


def _change(begins: str, code: str, is_outer: bool, in_block: bool) -> tuple[str, str]:
    """What to do at a place of _places(): in words, and as code."""
    if begins == "block":
        return f"remove `{code}` there", f"# without this line: {code}"
    if begins == "statement" and is_outer and in_block:
        instead = "with engine.connect() as connection:  # not engine.begin()"
        return "make the code that opens this connection use connect(), not begin()", instead
    if begins == "statement" and is_outer:
        return "call connection.commit() before it", f"connection.commit()\n{code}"
    if begins == "statement":
        instead = "with context.begin_transaction():\n    context.run_migrations()"
        return "call run_migrations() within `with context.begin_transaction():`", instead
    instead = code.replace(".begin()", ".connect()") if begins == "connection" else "with context.begin_transaction():"
    return f"write `{instead}` there", instead


def _places(nodes: list[Any]) -> Iterator[tuple[int, str]]:
    """Lines, and what begins the transaction there, the likeliest first: `connection` for `engine.begin() as connection`, `block`
    for `connection.begin()`, `migrations` if that replaces Alembic's begin_transaction(), `statement` if earlier statements must
    have begun it."""
    for node in nodes:
        if not isinstance(node, (ast.With, ast.AsyncWith)):
            continue
        for item in node.items:
            if _method(item.context_expr) == "begin":
                yield item.context_expr.lineno, "connection" if _is_used(item.optional_vars, nodes) else _block(node)
    for name in ("configure", "run_migrations"):
        calls = sorted((node for node in nodes if _method(node) == name), key=lambda node: node.lineno)
        online = [node for node in calls if any(keyword.arg == "connection" for keyword in node.keywords)]
        # The first function is usually the one for offline mode.
        for node in (*online, *reversed(calls)):
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
