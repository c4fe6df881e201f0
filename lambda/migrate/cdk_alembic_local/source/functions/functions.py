"""What `upgrade` and `downgrade` of a revision do, in source order: FunctionFacts of lib/contract/facts."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from .autocommit import run_in_autocommit
from .control_flow import early_returns
from .names import Names
from .statements import EXECUTES
from .walk import Context, Walk

_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


class Functions:
    """The functions of one file."""

    def __init__(self, tree: ast.Module, nodes: Iterable[ast.AST]) -> None:
        """`nodes`: all of the tree."""
        self._names = Names(tree, nodes)
        functions = [node for node in nodes if isinstance(node, _FUNCTION)]
        methods = {node for own in nodes if isinstance(own, ast.ClassDef) for node in own.body}
        # A nested function is read where it is used, like the functions of the module.
        names = [node.name for node in functions]
        self._nested = {
            node for node in functions if node not in methods and node not in tree.body and names.count(node.name) == 1
        }
        for node in self._nested:
            self._names.definitions.setdefault(node.name, []).append(node)
        self._in_autocommit = run_in_autocommit(functions, self._names.is_autocommit_block, EXECUTES)

    def facts(self, name: str) -> dict[str, Any] | None:
        """FunctionFacts; None if the file does not define that function."""
        if name not in self._names.definitions:
            return None
        node = self._names.definitions[name][-1]
        body = _without_docstring(node.body) if isinstance(node, _FUNCTION) else [node]
        walk = Walk(self._names, self._nested, self._in_autocommit)
        walk.definition(node, Context())
        for own in self._by_engine(name, node):
            walk.definition(own, Context())
        return {
            "line": node.lineno,
            "empty": all(_does_nothing(statement) for statement in body),
            "raises": len(body) == 1 and isinstance(body[0], ast.Raise),
            "calls": walk.calls,
            "earlyReturns": sorted(early_returns(node)) if isinstance(node, _FUNCTION) else [],
            "sql": walk.sql,
        }

    def _by_engine(self, name: str, node: ast.AST) -> Iterator[ast.stmt]:
        """The functions `upgrade_<engine>` of Alembic's template for several databases, which looks them up in globals()."""
        if any(isinstance(part, ast.Name) and part.id == "globals" for part in ast.walk(node)):
            for own, found in self._names.definitions.items():
                if own.startswith(f"{name}_"):
                    yield from found


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    return body[1:] if is_text else body


def _does_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Return):
        return node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
