"""Evaluates Python expressions as far as their values are known."""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterable
from typing import Any

from ..rendering.queries import columns_read
from ..rendering.row_loops import row_of
from ..values import (
    MARK,
    PLAIN,
    SYMBOLS,
    UNKNOWN,
    Call,
    Elements,
    External,
    Function,
    Item,
    OneOf,
    Text,
    as_text,
    either,
    is_many,
    narrowed,
)
from . import builtin_calls
from .modules import Scope

_MAX_TEXT = 8 * 1024 * 1024
_OPERATORS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Mod: operator.mod, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.BitOr: operator.or_, ast.BitAnd: operator.and_,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right, ast.NotIn: lambda left, right: left not in right,
    ast.Is: operator.is_, ast.IsNot: operator.is_not,
}  # fmt: skip


_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"}
_COMPARISONS = {
    ast.Eq: "=",
    ast.Is: "=",
    ast.NotEq: "<>",
    ast.IsNot: "<>",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


class Expressions:
    """Part of Interpreter."""

    def _value(self, node: ast.expr) -> Any:
        self._count_step()
        return getattr(self, f"_get_{type(node).__name__.lower()}", self._get_other)(node)

    def _get_other(self, node: ast.expr) -> Any:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._value(child)
        return UNKNOWN

    def _get_constant(self, node: ast.Constant) -> Any:
        return self._literal(node, node.value) if isinstance(node.value, str) else node.value

    def _literal(self, node: ast.expr, text: str) -> str:
        """A text literal, with its line if its lines are lines of the file."""
        if self._scope.module is self._module and node.end_lineno - node.lineno == text.count("\n"):
            text = Text(text)
            text.line = node.lineno
        return text

    def _get_joinedstr(self, node: ast.JoinedStr) -> Any:
        parts = [self._value(part) for part in node.values]
        return self._for_each_combination(lambda *values: self._literal(node, "".join(map(as_text, values))), parts)

    def _get_formattedvalue(self, node: ast.FormattedValue) -> Any:
        value = self._value(node.value)
        if isinstance(value, tuple) and all(isinstance(one, (str, int)) for one in value):
            return str(value)  # WHERE status IN {("old", "new")}
        return value if node.format_spec is None else MARK if not isinstance(value, str) else value

    def _get_name(self, node: ast.Name) -> Any:
        return self._scope.look_up(node.id)

    def _get_list(self, node: Any) -> list[Any]:
        return Elements(self._values(node.elts))

    def _get_tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self._values(node.elts))

    _get_set = _get_list

    def _values(self, nodes: Iterable[ast.expr]) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                found.extend(_elements(self._value(node.value)))
            else:
                found.append(self._value(node))
        return found

    def _get_dict(self, node: ast.Dict) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                more = self._value(value)
                found.update(more if isinstance(more, dict) else {})
                continue
            name = self._value(key)
            found[name if isinstance(name, (str, int, *SYMBOLS)) else as_text(name)] = self._value(value)
        return found

    def _get_lambda(self, node: ast.Lambda) -> Function:
        return Function(node, self._scope)

    def _get_yield(self, node: ast.Yield) -> Any:
        value = self._value(node.value) if node.value else None
        self._yielded[-1].append(value)
        if self._at_yield and self._at_yield[-1] is not None:
            self._at_yield[-1](value)
        return UNKNOWN

    def _get_yieldfrom(self, node: ast.YieldFrom) -> Any:
        self._yielded[-1].extend(_elements(self._value(node.value)))
        return UNKNOWN

    def _get_await(self, node: ast.Await) -> Any:
        return self._value(node.value)

    def _get_namedexpr(self, node: ast.NamedExpr) -> Any:
        value = self._value(node.value)
        self._bind(node.target, value)
        return value

    def _get_ifexp(self, node: ast.IfExp) -> Any:
        decided = builtin_calls.truth(self._value(node.test))
        if decided is not None:
            return self._value(node.body if decided else node.orelse)
        return either([self._value(node.body), self._value(node.orelse)])

    def _get_boolop(self, node: ast.BoolOp) -> Any:
        is_or, found = isinstance(node.op, ast.Or), []
        for part in node.values:
            value = self._value(part)
            decided = builtin_calls.truth(value)
            if decided is is_or:
                return either([*found, value]) if found else value
            if decided is None or part is node.values[-1]:
                found.append(value)
        return either(found)

    def _get_unaryop(self, node: ast.UnaryOp) -> Any:
        value = self._value(node.operand)
        if isinstance(node.op, ast.Not):
            decided = builtin_calls.truth(value)
            return UNKNOWN if decided is None else not decided
        if isinstance(node.op, ast.Invert):
            return Call(External("sqlalchemy.not_"), [value], {})
        return -value if isinstance(node.op, ast.USub) and isinstance(value, (int, float)) else UNKNOWN

    def _get_binop(self, node: ast.BinOp) -> Any:
        return self._combine(type(node.op), self._value(node.left), self._value(node.right))

    def _get_compare(self, node: ast.Compare) -> Any:
        values = [self._value(node.left), *(self._value(part) for part in node.comparators)]
        if len(values) > 2 or isinstance(values[0], OneOf):
            return UNKNOWN
        if all(isinstance(value, PLAIN) for value in values):
            return self._combine(type(node.ops[0]), *values)
        sign = _COMPARISONS.get(type(node.ops[0]))
        return Call(External(f"operator.{sign}"), values, {}) if sign and isinstance(values[0], SYMBOLS) else UNKNOWN

    def _combine(self, kind: type, left: Any, right: Any) -> Any:
        return self._for_each_combination(lambda one, other: self._combined(kind, one, other), [left, right])

    def _combined(self, kind: type, left: Any, right: Any) -> Any:
        textual = isinstance(left, (str, bytes)) or isinstance(right, (str, bytes))
        if kind is ast.Add and textual and not isinstance(left, (list, tuple)):
            return as_text(left) + as_text(right)
        if kind is ast.Mod and isinstance(left, (str, bytes)):
            return _percent(as_text(left), right)
        if kind in (ast.BitAnd, ast.BitOr) and isinstance(left, SYMBOLS):
            return Call(External("sqlalchemy.and_" if kind is ast.BitAnd else "sqlalchemy.or_"), [left, right], {})
        if kind in _ARITHMETIC and (isinstance(left, SYMBOLS) or isinstance(right, SYMBOLS)):
            return Call(External(f"operator.{_ARITHMETIC[kind]}"), [left, right], {})
        if isinstance(left, Elements) and kind in (ast.Sub, ast.BitAnd) and any(isinstance(one, SYMBOLS) for one in left):
            return left.some()  # a set without some of its elements
        if not all(isinstance(value, PLAIN) for value in (left, right)):
            return UNKNOWN
        if any(map(_has_unknown, (left, right))):
            return UNKNOWN if kind in (ast.Eq, ast.NotEq, ast.In, ast.NotIn) else self._computed(kind, left, right)
        if textual and kind in (ast.Eq, ast.NotEq, ast.In, ast.NotIn) and any(map(_is_vague, (left, right))):
            return UNKNOWN
        return self._computed(kind, left, right)

    def _computed(self, kind: type, left: Any, right: Any) -> Any:
        try:
            result = _OPERATORS[kind](left, right)
        except Exception:
            return UNKNOWN
        if isinstance(result, list):
            return Elements.of(result, many=is_many(left) or is_many(right))
        return result if not hasattr(result, "__len__") or len(result) < _MAX_TEXT else UNKNOWN

    def _for_each_combination(self, function: Any, values: list[Any]) -> Any:
        """Calls a function for each possible combination of its arguments."""
        index = next((index for index, value in enumerate(values) if isinstance(value, OneOf)), None)
        if index is None:
            return function(*values)
        return either(
            [
                self._for_each_combination(function, [*values[:index], one, *values[index + 1 :]])
                for one in values[index].values[:8]
            ]
        )

    def _comprehension(self, generators: list[Any], element: Any) -> Elements:
        if not generators:
            return Elements([element()])
        first, *rest = generators
        over, found = self._value(first.iter), []
        items = builtin_calls.elements(over)
        many = items is None or is_many(over)
        if items is None:
            row, bound = row_of(over)
            row.narrowed, items = bool(first.ifs), [bound]
            self._report_reads(columns_read(row))
        for item in items:
            self._bind(first.target, narrowed(item) if first.ifs and is_many(over) else item)
            if all(builtin_calls.truth(self._value(test)) is not False for test in first.ifs):
                inner = self._comprehension(rest, element)
                many = many or inner.many
                found.extend(inner)
        return Elements.of(found, many=many)

    def _get_listcomp(self, node: Any) -> list[Any]:
        outer, self._scope = self._scope, Scope(self._scope, self._scope.module)
        try:
            return self._comprehension(node.generators, lambda: self._value(node.elt))
        finally:
            self._scope = outer

    _get_setcomp = _get_generatorexp = _get_listcomp

    def _get_dictcomp(self, node: ast.DictComp) -> dict[Any, Any]:
        outer, self._scope = self._scope, Scope(self._scope, self._scope.module)
        try:
            pairs = self._comprehension(node.generators, lambda: (as_text(self._value(node.key)), self._value(node.value)))
        finally:
            self._scope = outer
        return dict(pairs)


def _elements(value: Any) -> list[Any]:
    """A value's elements; one Item for all of them if they are unknown."""
    items = builtin_calls.elements(value)
    return [Item(value)] if items is None else items


def _percent(text: str, values: Any) -> str:
    """`"DROP TABLE %s" % name`"""

    def shown(value: Any) -> Any:
        return value if isinstance(value, (str, int, float)) else as_text(value)

    if isinstance(values, dict):
        given: Any = {key: shown(value) for key, value in values.items()}
    else:
        given = tuple(shown(value) for value in values) if isinstance(values, tuple) else (shown(values),)
    for attempt in (given, tuple(as_text(value) for value in given) if isinstance(given, tuple) else given):
        try:
            return text % attempt
        except (TypeError, ValueError, KeyError):
            continue
    return MARK


def _has_unknown(value: Any) -> bool:
    """Whether a list, a tuple or a set has an unknown element."""
    return isinstance(value, (list, tuple, set, frozenset)) and any(
        not isinstance(one, PLAIN) or _has_unknown(one) for one in value
    )


def _is_vague(value: Any) -> bool:
    """Whether a text, or a text in a list, is partly unknown."""
    parts = value if isinstance(value, (list, tuple, set, frozenset, dict)) else [value]
    return any(MARK in as_text(part) for part in parts)
