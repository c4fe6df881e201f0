"""Converts arguments of calls to JSON: literals to their value, anything else to its code."""

from __future__ import annotations

import ast
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from cdk_alembic.project.sources import last_name, text_of


class NotLiteralError(Exception):
    """An expression whose value is known only at run time."""


Bound = dict[str, list[ast.expr | None]]
"""The expressions that names are bound to; None for any other value."""


def bound_values(nodes: Iterable[ast.AST]) -> Bound:
    """What the names among a file's nodes are bound to."""
    bound: Bound = defaultdict(list)
    for node in nodes:
        for name, value in bindings(node):
            bound[name].append(value)
    return bound


def values_bound_once(bound: Bound) -> dict[str, ast.expr]:
    """The expressions of the names that are bound once, and never changed."""
    return {name: value for name, (value, *more) in bound.items() if value is not None and not more}


def known_values(bound: Bound) -> dict[str, Any]:
    """Names that always have the same literal value, such as `TABLE = "users"`."""
    known: dict[str, Any] = {}
    for name, value in values_bound_once(bound).items():
        with suppress(NotLiteralError):
            known[name] = literal(value, known)
    return known


def bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """The names that a node binds, or whose list it changes, with the assigned expression; None for any other value."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend" | "insert" | "add" | "update")):
            yield name, None
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
            yield name, None
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _targets(target, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _targets(target, value)
        case ast.arg(arg=name):
            yield name, None
        case ast.alias(name=name, asname=asname):
            yield (asname or name).split(".")[0], None
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, None
        case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
            yield from _targets(target, value)
        case ast.For() | ast.AsyncFor() | ast.comprehension() | ast.AugAssign() | ast.NamedExpr():
            yield from _targets(node.target, None)


def _targets(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(target, ast.Name):
        yield target.id, value
        return
    for name in ast.walk(target):
        if isinstance(name, ast.Name):
            yield name.id, None


def as_json(node: ast.expr, known: Mapping[str, Any]) -> Any:
    """A literal's value; for a list, each item separately; `{"code": ...}` for anything else, including a dictionary."""
    if isinstance(node, (ast.List, ast.Tuple)):
        return [as_json(item, known) for item in node.elts]
    try:
        return literal(node, known)
    except NotLiteralError:
        return {"code": ast.unparse(node)}


def literal(node: ast.expr, known: Mapping[str, Any]) -> Any:
    """The value of text, a number, a boolean, None or a list of them. Raises NotLiteralError."""
    if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, (str, int, float))):
        if isinstance(node.value, float) and not math.isfinite(node.value):
            raise NotLiteralError
        return node.value
    if isinstance(node, (ast.List, ast.Tuple)):
        return [literal(item, known) for item in node.elts]
    if isinstance(node, ast.Name) and node.id in known:
        return known[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = literal(node.operand, known)
        if isinstance(value, (int, float)):
            return -value
    if isinstance(node, ast.Call) and last_name(node.func) == "f" and len(node.args) == 1:
        return literal(node.args[0], known)  # op.f("ix_users_email") returns that name
    if isinstance(node, (ast.JoinedStr, ast.BinOp)) and _is_known(node, known) and (text := text_of(node, known)) is not None:
        return text
    raise NotLiteralError


def _is_known(node: ast.expr, known: Mapping[str, Any]) -> bool:
    if isinstance(node, ast.JoinedStr):
        return all(
            isinstance(part, ast.Constant)
            or (isinstance(part, ast.FormattedValue) and part.format_spec is None and _is_known(part.value, known))
            for part in node.values
        )
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add) and _is_known(node.left, known) and _is_known(node.right, known)
    if isinstance(node, ast.Name):
        return isinstance(known.get(node.id), str)
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
