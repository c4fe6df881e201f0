"""Which statements of a function can run: what a return, a raise or the name of the dialect rules out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_DIALECT = re.compile(r"dialect(?:\.name|_name)?$", re.IGNORECASE)


def reachable(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a block up to one that always leaves it."""
    for statement in body:
        yield statement
        if always_leaves(statement):
            return


def always_leaves(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        decided = constant_condition(statement.test)
        ways = [statement.orelse if decided is False else statement.body, *([] if decided is not None else [statement.orelse])]
        return all(any(map(always_leaves, way)) for way in ways)
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        return any(isinstance(one, ast.Return) for one in statement.body)  # `suppress` catches what is raised
    return isinstance(statement, (ast.Return, ast.Raise, ast.Continue, ast.Break))


def constant_condition(test: ast.expr) -> bool | None:
    """The value of a condition if it is the same in every run on PostgreSQL; None otherwise."""
    return bool(test.value) if isinstance(test, ast.Constant) else _holds_on_postgresql(test)


def _holds_on_postgresql(test: ast.expr) -> bool | None:
    """Whether a comparison with the name of the dialect holds on PostgreSQL; None for any other condition."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        negated = _holds_on_postgresql(test.operand)
        return None if negated is None else not negated
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not _DIALECT.search(ast.unparse(test.left)):
        return None
    try:
        names = ast.literal_eval(test.comparators[0])
    except ValueError:
        return None
    is_it = "postgresql" in (names if isinstance(names, (list, tuple, set)) else [names])
    if isinstance(test.ops[0], (ast.Eq, ast.In)):
        return is_it
    return not is_it if isinstance(test.ops[0], (ast.NotEq, ast.NotIn)) else None


def early_returns(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[int]:
    nodes: list[ast.AST] = list(reachable(function.body))
    # Statements after one that always leaves are never run.
    last = {*_last_returns(function.body), *nodes}
    for node in nodes:
        if isinstance(node, ast.Return) and node not in last:
            yield node.lineno
        if not isinstance(node, _SCOPE):
            nodes.extend(ast.iter_child_nodes(node))


def _last_returns(body: list[ast.stmt]) -> Iterator[ast.Return]:
    """Return statements at the end of a function, which skip nothing."""
    node = body[-1] if body else None
    if isinstance(node, ast.Return):
        yield node
    elif isinstance(node, ast.If):
        yield from _last_returns(node.body)
        yield from _last_returns(node.orelse)
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        yield from _last_returns(node.body)
    elif isinstance(node, ast.Try):
        yield from _last_returns(node.orelse or node.body)
        for handler in node.handlers:
            yield from _last_returns(handler.body)
    elif isinstance(node, ast.Match):
        for case in node.cases:
            yield from _last_returns(case.body)
