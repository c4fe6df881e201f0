"""Goes through an upgrade as Python would, both ways where a condition is not known, and collects what it does."""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from . import builtin_calls as known
from .modules import Module, Modules, Scope
from .operations import effects_of
from .values import (
    CALLABLE,
    MARK,
    PLAIN,
    SYMBOLS,
    UNKNOWN,
    Attribute,
    Bound,
    Builtin,
    Called,
    Class,
    External,
    Function,
    Instance,
    Item,
    Method,
    OneOf,
    Text,
    as_text,
    either,
)

_MAX_STEPS = 100_000
_MAX_DEPTH = 25
_MAX_TEXT = 8 * 1024 * 1024
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_OPERATORS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Mod: operator.mod, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.BitOr: operator.or_, ast.BitAnd: operator.and_,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right, ast.NotIn: lambda left, right: left not in right,
    ast.Is: operator.is_, ast.IsNot: operator.is_not,
}  # fmt: skip


class TooMuch(Exception):
    """The upgrade is too long to be read."""


class Interpreter:
    """Reads the revision at `path`; `roots` are folders that hold the backend's modules, all of them below `root`."""

    def __init__(self, path: Path, root: Path, roots: list[Path], source: bytes) -> None:
        self.effects: list[dict[str, Any]] = []
        self._root = root
        self._modules = Modules(roots, self._run_statement_of_module)
        self._module = Module(path, self._run_statement_of_module, source)
        self._scope: Any = self._module
        self._line = 1
        self._stack: list[ast.AST] = []
        self._returned: list[list[Any]] = [[]]
        self._yielded: list[list[Any]] = [[]]
        self._quiet = 0
        self._steps = 0

    def run(self, name: str) -> None:
        """Collects the effects of a function of the module. Raises TooMuch."""
        function = self._module.look_up(name)
        if isinstance(function, (*CALLABLE, OneOf)):
            self._call(function, [], {})

    def _run_statement_of_module(self, module: Module, statement: ast.stmt) -> None:
        scope, line, self._scope = self._scope, self._line, module
        self._quiet += 1  # A module is loaded before a database is there.
        try:
            self._statement(statement)
        finally:
            self._scope, self._line = scope, line
            self._quiet -= 1

    # Statements give None, or what ended the block: "return", "raise", "break", "continue".

    def _block(self, statements: Iterable[ast.stmt]) -> str | None:
        for statement in statements:
            if end := self._statement(statement):
                return end
        return None

    def _statement(self, node: ast.stmt) -> str | None:
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise TooMuch
        return getattr(self, f"_do_{type(node).__name__.lower()}", self._do_nothing)(node)

    def _do_nothing(self, node: ast.stmt) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._value(child)

    def _do_expr(self, node: ast.Expr) -> None:
        self._value(node.value)

    def _do_return(self, node: ast.Return) -> str:
        self._returned[-1].append(self._value(node.value) if node.value else None)
        return "return"

    def _do_raise(self, node: ast.Raise) -> str:
        if node.exc:
            self._value(node.exc)
        return "raise"

    def _do_break(self, node: ast.Break) -> str:
        return "break"

    def _do_continue(self, node: ast.Continue) -> str:
        return "continue"

    def _do_assign(self, node: ast.Assign) -> None:
        value = self._value(node.value)
        for target in node.targets:
            self._bind(target, value)

    def _do_annassign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self._bind(node.target, self._value(node.value))

    def _do_augassign(self, node: ast.AugAssign) -> None:
        before = self._value(node.target) if not isinstance(node.target, ast.Name) else self._scope.look_up(node.target.id)
        self._bind(node.target, self._combine(type(node.op), before, self._value(node.value)))

    def _do_functiondef(self, node: Any) -> None:
        value: Any = Function(node, self._scope)
        for decorator in reversed(node.decorator_list):
            wrapper = self._value(decorator)
            if isinstance(wrapper, (Function, Bound)):
                wrapped = self._call(wrapper, [value], {})
                value = wrapped if isinstance(wrapped, CALLABLE) else value
        self._scope.names[node.name] = value

    _do_asyncfunctiondef = _do_functiondef

    def _do_classdef(self, node: ast.ClassDef) -> None:
        bases = [self._value(base) for base in node.bases]
        outer, self._scope = self._scope, Scope(self._scope, self._scope.module)
        try:
            self._block(node.body)
            names = self._scope.names
        finally:
            self._scope = outer
        self._scope.names[node.name] = Class(node, names, bases)

    def _do_import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.name if alias.asname else alias.name.split(".")[0]
            found = self._modules.find(name, self._scope.module)
            self._scope.names[alias.asname or name] = found or External(name)

    def _do_importfrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                found = self._modules.find(node.module or "", self._scope.module, node.level)
                for name in found.matching(lambda name: not name.startswith("_")) if found else ():
                    self._scope.names[name] = found.look_up(name)
            else:
                name = alias.asname or alias.name
                self._scope.names[name] = self._modules.member(node.module or "", alias.name, self._scope.module, node.level)

    def _do_if(self, node: ast.If) -> str | None:
        decided = known.truth(self._value(node.test))
        if decided is not None:
            return self._block(node.body if decided else node.orelse)
        return self._branches([node.body, node.orelse])

    def _branches(self, blocks: list[list[ast.stmt]]) -> str | None:
        """All blocks, each from here; a name has one of the values it got in those that go on."""
        before, ends, states = dict(self._scope.names), [], []
        for block in blocks:
            self._scope.names = dict(before)
            ends.append(self._block(block))
            if ends[-1] is None:
                states.append(self._scope.names)
        if not states:
            self._scope.names = before
            return ends[0]
        names = {name for state in states for name in state}
        self._scope.names = {name: either([state[name] for state in states if name in state]) for name in names}
        return None

    def _do_match(self, node: Any) -> str | None:
        self._value(node.subject)
        return self._branches([*(case.body for case in node.cases), []])

    def _do_for(self, node: Any) -> str | None:
        over = self._value(node.iter)
        items = known.elements(over)
        for item in [Item(over)] if items is None else items:
            self._bind(node.target, item)
            end = self._block(node.body)
            if end == "break":
                break
            if end in ("return", "raise") and items is not None:
                return end
        return self._block(node.orelse)

    _do_asyncfor = _do_for

    def _do_while(self, node: ast.While) -> str | None:
        if known.truth(self._value(node.test)) is False:
            return None
        self._branches([node.body, []])
        return self._block(node.orelse)

    def _do_with(self, node: Any) -> str | None:
        for item in node.items:
            value = self._value(item.context_expr)
            if item.optional_vars:
                self._bind(item.optional_vars, value)
        return self._block(node.body)

    _do_asyncwith = _do_with

    def _do_try(self, node: Any) -> str | None:
        end = self._block(node.body)
        if end is None:
            end = self._block(node.orelse)
        if node.handlers:
            other = self._branches([[], *(handler.body for handler in node.handlers)])
            end = end if other or (end == "return" and all(_ends(handler.body) for handler in node.handlers)) else None
        return self._block(node.finalbody) or end

    _do_trystar = _do_try

    def _bind(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self._scope.names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            items = known.elements(value)
            fits = (
                items is not None and len(items) == len(target.elts) and not any(isinstance(t, ast.Starred) for t in target.elts)
            )
            for index, part in enumerate(target.elts):
                self._bind(part.value if isinstance(part, ast.Starred) else part, items[index] if fits else Item(value))
        elif isinstance(target, ast.Attribute):
            owner = self._value(target.value)
            if isinstance(owner, (Instance, Class)):
                owner.names[target.attr] = value
        elif isinstance(target, ast.Subscript):
            owner, key = self._value(target.value), self._value(target.slice)
            if isinstance(owner, (dict, list)) and isinstance(key, (str, int)):
                try:
                    owner[key] = value
                except IndexError:
                    owner.append(value)

    # Expressions

    def _value(self, node: ast.expr) -> Any:
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise TooMuch
        return getattr(self, f"_get_{type(node).__name__.lower()}", self._get_other)(node)

    def _get_other(self, node: ast.expr) -> Any:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._value(child)
        return UNKNOWN

    def _get_constant(self, node: ast.Constant) -> Any:
        return self._literal(node, node.value) if isinstance(node.value, str) else node.value

    def _literal(self, node: ast.expr, text: str) -> str:
        """A text whose lines are the file's has its line."""
        if self._scope.module is self._module and node.end_lineno - node.lineno == text.count("\n"):
            text = Text(text)
            text.line = node.lineno
        return text

    def _get_joinedstr(self, node: ast.JoinedStr) -> Any:
        parts = [self._value(part) for part in node.values]
        return self._lifted(lambda *values: self._literal(node, "".join(map(as_text, values))), parts)

    def _get_formattedvalue(self, node: ast.FormattedValue) -> Any:
        value = self._value(node.value)
        return value if node.format_spec is None else MARK if not isinstance(value, str) else value

    def _get_name(self, node: ast.Name) -> Any:
        return self._scope.look_up(node.id)

    def _get_list(self, node: Any) -> list[Any]:
        return list(self._all(node.elts))

    def _get_tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self._all(node.elts))

    _get_set = _get_list

    def _all(self, nodes: Iterable[ast.expr]) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                value = self._value(node.value)
                found.extend(known.elements(value) or [Item(value)])
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
        self._yielded[-1].append(self._value(node.value) if node.value else None)
        return UNKNOWN

    def _get_yieldfrom(self, node: ast.YieldFrom) -> Any:
        value = self._value(node.value)
        self._yielded[-1].extend(known.elements(value) or [Item(value)])
        return UNKNOWN

    def _get_await(self, node: ast.Await) -> Any:
        return self._value(node.value)

    def _get_namedexpr(self, node: ast.NamedExpr) -> Any:
        value = self._value(node.value)
        self._bind(node.target, value)
        return value

    def _get_ifexp(self, node: ast.IfExp) -> Any:
        decided = known.truth(self._value(node.test))
        if decided is not None:
            return self._value(node.body if decided else node.orelse)
        return either([self._value(node.body), self._value(node.orelse)])

    def _get_boolop(self, node: ast.BoolOp) -> Any:
        is_or, found = isinstance(node.op, ast.Or), []
        for part in node.values:
            value = self._value(part)
            decided = known.truth(value)
            if decided is is_or:
                return either([*found, value]) if found else value
            if decided is None or part is node.values[-1]:
                found.append(value)
        return either(found)

    def _get_unaryop(self, node: ast.UnaryOp) -> Any:
        value = self._value(node.operand)
        if isinstance(node.op, ast.Not):
            decided = known.truth(value)
            return UNKNOWN if decided is None else not decided
        return -value if isinstance(node.op, ast.USub) and isinstance(value, (int, float)) else UNKNOWN

    def _get_binop(self, node: ast.BinOp) -> Any:
        return self._combine(type(node.op), self._value(node.left), self._value(node.right))

    def _get_compare(self, node: ast.Compare) -> Any:
        values = [self._value(node.left), *(self._value(part) for part in node.comparators)]
        if len(values) > 2 or isinstance(values[0], OneOf):
            return UNKNOWN
        return self._combine(type(node.ops[0]), *values) if all(isinstance(value, PLAIN) for value in values) else UNKNOWN

    def _combine(self, kind: type, left: Any, right: Any) -> Any:
        return self._lifted(lambda one, other: self._combined(kind, one, other), [left, right])

    def _combined(self, kind: type, left: Any, right: Any) -> Any:
        textual = isinstance(left, (str, bytes)) or isinstance(right, (str, bytes))
        if kind is ast.Add and textual and not isinstance(left, (list, tuple)):
            return as_text(left) + as_text(right)
        if kind is ast.Mod and isinstance(left, (str, bytes)):
            return _percent(as_text(left), right)
        if not all(isinstance(value, PLAIN) for value in (left, right)):
            return UNKNOWN
        if textual and kind in (ast.Eq, ast.NotEq, ast.In, ast.NotIn) and any(MARK in as_text(value) for value in (left, right)):
            return UNKNOWN
        try:
            result = _OPERATORS[kind](left, right)
        except Exception:
            return UNKNOWN
        return result if not hasattr(result, "__len__") or len(result) < _MAX_TEXT else UNKNOWN

    def _lifted(self, function: Any, values: list[Any]) -> Any:
        """A function of values, of which each may be one of several."""
        index = next((index for index, value in enumerate(values) if isinstance(value, OneOf)), None)
        if index is None:
            return function(*values)
        return either([self._lifted(function, [*values[:index], one, *values[index + 1 :]]) for one in values[index].values[:8]])

    def _get_attribute(self, node: ast.Attribute) -> Any:
        return self._attribute(self._value(node.value), node.attr)

    def _attribute(self, value: Any, name: str) -> Any:
        if isinstance(value, OneOf):
            return either([self._attribute(one, name) for one in value.values])
        if isinstance(value, Module):
            inner = self._modules.member("", name, value, 1) if not value.defines(name) else None
            return value.look_up(name) if value.defines(name) else inner
        if isinstance(value, External):
            return External(f"{value.name}.{name}")
        if isinstance(value, Path):
            if name == "parents":
                return list(value.parents)
            return getattr(value, name) if name in ("parent", "name", "stem", "suffix") else Method(value, name)
        if isinstance(value, str) and name in ("value", "name"):
            return value  # a member of an enum
        if isinstance(value, PLAIN):
            return Method(value, name)
        if isinstance(value, (Instance, Class)):
            return self._member(value, name)
        if known.is_open(value) or (isinstance(value, Called) and value.keywords.get("template")):
            return Attribute(value, name)
        # env.py is PostgreSQL's: `op.get_bind().dialect.name`
        if name == "name" and isinstance(value, (Attribute, External)) and value.name.rpartition(".")[2] in ("dialect", "engine"):
            return "postgresql"
        return Attribute(value, name)

    def _member(self, value: Instance | Class, name: str) -> Any:
        cls = value.cls if isinstance(value, Instance) else value
        if isinstance(value, Instance) and name in value.names:
            return value.names[name]
        found = cls.find(name)
        if found is None:
            return Attribute(value, name)
        if isinstance(found, Function):
            kinds = [getattr(decorator, "id", "") for decorator in getattr(found.node, "decorator_list", ())]
            if "staticmethod" in kinds:
                return found
            if "property" in kinds and isinstance(value, Instance):
                return self._call(found, [value], {})
            return Bound(found, [value]) if isinstance(value, Instance) or "classmethod" in kinds else found
        return found

    def _get_subscript(self, node: ast.Subscript) -> Any:
        value, key = self._value(node.value), self._value(node.slice)
        if isinstance(value, Builtin) and value.name in ("globals", "locals"):
            return self._of_globals(key)
        if isinstance(value, (dict, list, tuple, str)) and isinstance(key, (str, int)):
            if (isinstance(value, dict) and isinstance(key, str) and MARK in key) or (
                key not in value and isinstance(value, dict)
            ):
                return either(list(value.values()))
            try:
                return value[key]
            except Exception:
                return UNKNOWN
        if isinstance(value, (dict, list, tuple)) and not isinstance(node.slice, ast.Slice):
            return either(list(value.values() if isinstance(value, dict) else value))
        return Item(value, key)

    def _get_slice(self, node: ast.Slice) -> Any:
        return UNKNOWN

    def _of_globals(self, key: Any) -> Any:
        """`globals()["upgrade_%s" % engine_name]` of Alembic's template for several databases: all that fit."""
        before, mark, after = as_text(key).partition(MARK)
        module = self._scope.module
        if not mark:
            return module.look_up(before)
        names = module.matching(lambda name: name.startswith(before) and name.endswith(after))
        return either(
            [found for name in names if isinstance(found := module.look_up(name), Function) and found.node not in self._stack]
        )

    def _comprehension(self, generators: list[Any], element: Any) -> list[Any]:
        if not generators:
            return [element()]
        first, *rest = generators
        over, found = self._value(first.iter), []
        items = known.elements(over)
        for item in [Item(over)] if items is None else items:
            self._bind(first.target, item)
            if all(known.truth(self._value(test)) is not False for test in first.ifs):
                found.extend(self._comprehension(rest, element))
        return found

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

    # Calls

    def _get_call(self, node: ast.Call) -> Any:
        function = self._value(node.func)
        args = self._all(node.args)
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self._value(keyword.value)
            if keyword.arg is None:
                keywords.update(
                    {name: one for name, one in value.items() if isinstance(name, str)} if isinstance(value, dict) else {}
                )
            else:
                keywords[keyword.arg] = value
        if self._scope.module is self._module:
            self._line = node.lineno
        return self._call(function, args, keywords)

    def _call(self, function: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        if isinstance(function, OneOf):
            return either([self._call(one, args, keywords) for one in function.values])
        if isinstance(function, Bound):
            return self._call(function.function, [*function.args, *args], {**function.keywords, **keywords})
        if isinstance(function, Function):
            return self._enter(function, args, keywords)
        if isinstance(function, Class):
            instance = Instance(function)
            start = function.find("__init__")
            if isinstance(start, Function):
                self._enter(start, [instance, *args], keywords)
            elif any(isinstance(node, ast.AnnAssign) for node in function.node.body):  # a dataclass
                fields = [
                    node.target.id
                    for node in function.node.body
                    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
                ]
                instance.names.update({**dict(zip(fields, args, strict=False)), **keywords})
            return instance
        if isinstance(function, Instance) and isinstance(inner := function.cls.find("__call__"), Function):
            return self._enter(inner, [function, *args], keywords)
        if isinstance(function, Method):
            return self._lifted(
                lambda of, *rest: known.method(Method(of, function.name), list(rest), keywords, self._root), [function.of, *args]
            )
        if isinstance(function, Builtin):
            return self._builtin(function.name, args, keywords)
        return self._outside(function, args, keywords)

    def _builtin(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        if name == "getattr" and len(args) > 1:
            if isinstance(args[1], str) and MARK not in args[1]:
                return self._attribute(args[0], args[1])
            return (
                either([self._attribute(args[0], one) for one in args[1].values])
                if isinstance(args[1], OneOf)
                else Attribute(args[0], "unread()")
            )
        if name in ("globals", "locals", "vars"):
            return Builtin("globals")
        if name == "map" and args:
            items = known.elements(args[1]) if len(args) > 1 else None
            return [self._call(args[0], [item], {}) for item in ([Item(UNKNOWN)] if items is None else items)]
        if name == "__import__" and args and isinstance(args[0], str):
            return External(args[0])
        if name in ("exec", "eval") and args:
            return self._evaluate(args[0])
        if name == "super":
            return UNKNOWN
        return self._lifted(lambda *rest: known.builtin(name, list(rest), keywords, self._root), args)

    def _evaluate(self, text: Any) -> Any:
        try:
            tree = ast.parse(text.strip()) if isinstance(text, str) and MARK not in text else None
        except SyntaxError:
            tree = None
        if tree is None:
            self._report({"unread": "Python code"})
            return UNKNOWN
        line = self._line
        for statement in tree.body:
            self._statement(statement)
            self._line = line
        return UNKNOWN

    def _outside(self, function: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        name = function.name if isinstance(function, (External, Attribute)) else ""
        if isinstance(function, External):
            if name == "functools.partial" and args:
                return Bound(args[0], args[1:], keywords)
            if name == "importlib.import_module" and args and isinstance(args[0], str):
                return self._modules.find(args[0], self._scope.module) or External(args[0])
            if name in ("importlib.resources.files", "pkgutil.get_data") and args and isinstance(args[0], str):
                package = self._modules.find(args[0], self._scope.module)
                folder = package.path.parent if package else UNKNOWN
                if name == "importlib.resources.files" or package is None:
                    return folder
                return known.read_file(folder / as_text(args[1]), self._root) if len(args) > 1 else UNKNOWN
            if name in ("alembic.op.f", "sqlalchemy.schema.conv") and args:
                return args[0]
            result = self._lifted(lambda *rest: _or_called(known.library(name, list(rest), keywords, self._root), rest), args)
            if result is not _CALLED:
                return result
        elif isinstance(function, Attribute):
            if name == "f" and args and isinstance(args[0], str):
                return args[0]
            if (
                name in ("substitute", "safe_substitute")
                and isinstance(function.of, Called)
                and function.of.keywords.get("template")
            ):
                return known.substituted(function.of, {**(args[0] if args and isinstance(args[0], dict) else {}), **keywords})
            if known.is_open(function.of):
                content = function.of.args[0]
                return content.splitlines(keepends=True) if name == "readlines" and isinstance(content, str) else content
        if known.is_open(function):
            return function
        called = Called(function, args, keywords)
        if name.endswith("unread()"):
            self._report({"unread": "an operation"})
        for effect in effects_of(called):
            self._report(effect)
        # Whoever gets a function may call it: op.run_async(), connection.run_sync(), asyncio.run().
        for given in (*args, *keywords.values()):
            if isinstance(given, (Function, Bound)):
                self._call(given, [UNKNOWN, *args[1:]] if name.rpartition(".")[2] in ("run_async", "run_sync") else [], {})
        return called

    def _report(self, effect: dict[str, Any]) -> None:
        if not self._quiet:
            spread = "line" in effect
            self.effects.append({"line": self._line, "spread": spread, **effect})

    def _enter(self, function: Function, args: list[Any], keywords: dict[str, Any]) -> Any:
        node = function.node
        if self._stack.count(node) > 2 or len(self._stack) > _MAX_DEPTH:
            return UNKNOWN
        scope = Scope(function.scope, function.scope.module)
        self._bind_arguments(scope, node.args, function, args, keywords)
        outer, line, self._scope = self._scope, self._line, scope
        self._stack.append(node)
        self._returned.append([])
        self._yielded.append([])
        try:
            if isinstance(node, ast.Lambda):
                return self._value(node.body)
            self._block(node.body)
            values = self._returned[-1]
            if any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in ast.walk(node)):
                return self._yielded[-1]
            return either(values) if values else None
        finally:
            self._returned.pop()
            self._yielded.pop()
            self._stack.pop()
            self._scope, self._line = outer, line

    def _bind_arguments(
        self, scope: Scope, given: ast.arguments, function: Function, args: list[Any], keywords: dict[str, Any]
    ) -> None:
        outer, self._scope = self._scope, function.scope
        try:
            names = [arg.arg for arg in (*given.posonlyargs, *given.args)]
            defaults = dict(zip(names[len(names) - len(given.defaults) :], given.defaults, strict=False))
            defaults |= {
                arg.arg: value for arg, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value is not None
            }
            for name in (*names, *(arg.arg for arg in given.kwonlyargs)):
                scope.names[name] = self._value(defaults[name]) if name in defaults else UNKNOWN
        finally:
            self._scope = outer
        scope.names.update(zip(names, args, strict=False))
        if given.vararg:
            scope.names[given.vararg.arg] = list(args[len(names) :])
        known_names = {*names, *(arg.arg for arg in given.kwonlyargs)}
        scope.names.update({name: value for name, value in keywords.items() if name in known_names})
        if given.kwarg:
            scope.names[given.kwarg.arg] = {name: value for name, value in keywords.items() if name not in known_names}


_CALLED = object()


def _or_called(result: Any, _: Any) -> Any:
    return _CALLED if result is None else result


def _ends(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], (ast.Return, ast.Raise))


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
