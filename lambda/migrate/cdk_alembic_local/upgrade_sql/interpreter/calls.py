"""Calls of the backend's functions, of built-ins, and of other libraries."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..rendering.operation_calls import operation_call
from ..rendering.operations import connection_of, effects_of
from ..values import (
    MARK,
    PLAIN,
    UNKNOWN,
    Attribute,
    BoundFunction,
    Builtin,
    Call,
    Class,
    ContextManager,
    Elements,
    External,
    Function,
    Getter,
    Instance,
    Item,
    Method,
    OneOf,
    Super,
    as_text,
    either,
    is_globals,
    is_many,
    last_name,
    narrowed,
)
from . import builtin_calls
from .modules import Scope

_MAX_DEPTH = 25
_NOT_EVALUATED = object()
_STATEMENT = re.compile(
    r"\s*(?:ALTER|CREATE|DROP|UPDATE|DELETE|INSERT|TRUNCATE|WITH|LOCK|REINDEX|VACUUM|CLUSTER|REFRESH|DO)\s", re.I
)
# Libraries whose SQL `effects_of` covers, and functions that only log.
_WITHOUT_SQL = re.compile(rf"(?:alembic|sqlalchemy|{'|'.join(sys.stdlib_module_names)})\b|.*\blog(?:ger|ging)?\b", re.IGNORECASE)
_NAMESPACE = ast.ClassDef("SimpleNamespace", [], [], [], [])


class Calls:
    """Part of Interpreter."""

    def _get_call(self, node: ast.Call) -> Any:
        function = self._value(node.func)
        args = self._values(node.args)
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
        if isinstance(function, BoundFunction):
            return self._call(function.function, [*function.args, *args], {**function.keywords, **keywords})
        if isinstance(function, Function):
            return (
                ContextManager(function, args, keywords) if function.is_context_manager else self._enter(function, args, keywords)
            )
        if isinstance(function, Class):
            instance = Instance(function)
            start = function.find("__init__")
            if isinstance(start, Function):
                self._enter(start, [instance, *args], keywords)
            elif fields := function.fields():  # a dataclass
                instance.names.update({name: self._default(value) for name, value in fields.items() if value is not UNKNOWN})
                instance.names.update({**dict(zip(fields, args, strict=False)), **keywords})
                if isinstance(after := function.find("__post_init__"), Function):
                    self._enter(after, [instance], {})
            else:
                instance.names.update(keywords)  # a model
            return instance
        if isinstance(function, Instance) and isinstance(inner := function.cls.find("__call__"), Function):
            return self._enter(inner, [function, *args], keywords)
        if isinstance(function, Getter):
            chosen = self._attribute(args[0] if args else UNKNOWN, function.name)
            return chosen if function.args is None else self._call(chosen, function.args, function.keywords)
        if isinstance(function, Method):
            if (self._loops or self._whiles) and function.name in ("append", "extend", "insert", "add"):
                if isinstance(function.of, Elements):
                    function.of.many = True
                if any(item.narrowed for item in self._loops):
                    args = [narrowed(one) for one in args]
            return self._for_each_combination(
                lambda of, *rest: builtin_calls.method(Method(of, function.name), list(rest), keywords, self._root),
                [function.of, *args],
            )
        if isinstance(function, Builtin):
            return self._builtin(function.name, args, keywords)
        return self._call_external(function, args, keywords)

    def _default(self, value: Any) -> Any:
        """The default of a dataclass's field: `field(default_factory=list)` is an empty list."""
        if not (isinstance(value, Call) and value.name == "field"):
            return value
        factory = value.keywords.get("default_factory")
        return value.keywords.get("default", UNKNOWN) if factory is None else self._call(factory, [], {})

    def _builtin(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        if name == "getattr" and len(args) > 1:
            if isinstance(args[1], str) and MARK not in args[1]:
                return self._attribute(args[0], args[1])
            return (
                either([self._attribute(args[0], one) for one in args[1].values])
                if isinstance(args[1], OneOf)
                else Attribute(args[0], "unread()")
            )
        if name == "setattr" and len(args) == 3 and isinstance(args[1], str):
            self._set_attribute(args[0], args[1], args[2])
        if name == "vars" and args:
            return self._attribute(args[0], "__dict__")
        if name in ("locals", "vars") and isinstance(self._scope, Scope):
            return dict(self._scope.names)
        if name in ("globals", "locals", "vars"):
            return Builtin("globals")
        if name == "map" and args:
            many = [builtin_calls.elements(one) for one in args[1:]]
            if len(many) == 1 and (many[0] is None or is_many(args[1])):
                rows = [Item(args[1])] if many[0] is None else many[0]
                return Elements.of([self._call(args[0], [row], {}) for row in rows], many=True)
            rows = [[Item(UNKNOWN) for _ in many]] if None in many else zip(*many, strict=False)
            return [self._call(args[0], list(row), {}) for row in rows]
        if name == "__import__" and args and isinstance(args[0], str):
            return External(args[0])
        if name in ("exec", "eval") and args:
            return self._evaluate(args[0], name == "eval")
        if name == "super":
            owner, instance = getattr(self._scope, "method", None) or (None, None)
            return Super(owner, instance) if owner is not None else UNKNOWN
        if name == "filter" and len(args) == 2:
            items = builtin_calls.elements(args[1])
            if items is None or is_many(args[1]):
                some = [narrowed(item) for item in (items or [Item(args[1])])]
                if args[0] is not None:
                    some = [item for item in some if builtin_calls.truth(self._call(args[0], [item], {})) is not False]
                return Elements.of(some, many=True)
            kept = items if args[0] is None else [(item, self._call(args[0], [item], {})) for item in items]
            return [
                pair[0] if isinstance(pair, tuple) and args[0] is not None else pair
                for pair in kept
                if builtin_calls.truth(pair[1] if isinstance(pair, tuple) and args[0] is not None else pair) is not False
            ]
        return self._for_each_combination(lambda *rest: builtin_calls.builtin(name, list(rest), keywords, self._root), args)

    def _evaluate(self, text: Any, is_expression: bool) -> Any:
        try:
            tree = ast.parse(text.strip()) if isinstance(text, str) and MARK not in text else None
        except SyntaxError:
            tree = None
        if tree is None:
            self._report({"unread": "Python code"})
            return UNKNOWN
        line = self._line
        if is_expression and len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
            value = self._value(tree.body[0].value)
            self._line = line
            return value
        for statement in tree.body:
            self._statement(statement)
            self._line = line
        return UNKNOWN

    def _call_external(self, function: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Calls a function outside of the backend. Returns its result if that is known, or else the call as a symbol."""
        if isinstance(function, External):
            result = self._call_imported(function.name, args, keywords)
        elif isinstance(function, Attribute):
            result = self._call_method(function, args, keywords)
        else:
            result = _NOT_EVALUATED
        if result is not _NOT_EVALUATED:
            return result
        if builtin_calls.is_open_file(function):
            return function
        called = Call(function, args, keywords)
        if called.name == "execution_options" and isinstance(called.receiver, Call):
            called.receiver.keywords.update(keywords)  # It changes a connection, and returns it.
        self._report_effects(called)
        return called

    def _call_imported(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        handler, needed = _HANDLERS.get(name, (None, 0))
        if handler is not None and len(args) >= needed:
            return handler(self, args, keywords)
        if name.endswith(".__getattribute__") and args and isinstance(args[0], str):
            return External(f"{name.removesuffix('.__getattribute__')}.{args[0]}")

        def call(*given: Any) -> Any:
            result = builtin_calls.library(name, list(given), keywords, self._root)
            return _NOT_EVALUATED if result is None else result

        return self._for_each_combination(call, args)

    def _module_at(self, args: list[Any], _: dict[str, Any]) -> Any:
        file = Path(as_text(args[1]))
        return (self._modules.at(file) if file.is_relative_to(self._root) else None) or UNKNOWN

    def _import_module(self, args: list[Any], _: dict[str, Any]) -> Any:
        if not isinstance(args[0], str):
            return _NOT_EVALUATED
        return self._modules.find(args[0], self._scope.module) or External(args[0])

    def _files(self, args: list[Any], _: dict[str, Any]) -> Any:
        package = self._modules.find(args[0], self._scope.module) if isinstance(args[0], str) else None
        return package.path.parent if package else UNKNOWN

    def _get_data(self, args: list[Any], keywords: dict[str, Any]) -> Any:
        folder = self._files(args, keywords)
        return folder if folder is UNKNOWN else builtin_calls.read_file(folder / as_text(args[1]), self._root)

    def _reduce(self, args: list[Any], _: dict[str, Any]) -> Any:
        items = builtin_calls.elements(args[1]) or [Item(args[1])]
        found, rest = (args[2], items) if len(args) > 2 else (items[0], items[1:])
        for item in rest:
            found = self._call(args[0], [found, item], {})
        return found

    def _starmap(self, args: list[Any], _: dict[str, Any]) -> Any:
        items = builtin_calls.elements(args[1])
        return [
            self._call(args[0], builtin_calls.elements(one) or [Item(one)], {})
            for one in ([Item(UNKNOWN)] if items is None else items)
        ]

    def _call_method(self, function: Attribute, args: list[Any], keywords: dict[str, Any]) -> Any:
        name, of = function.name, function.of
        first = args[0] if args else None
        if is_globals(of) and name in ("get", "pop", "__getitem__") and args:
            return self._of_globals(first, *args[1:])
        if isinstance(of, Builtin) and args and isinstance(first, PLAIN):
            return self._call(Method(first, name), args[1:], keywords)  # str.join(" ", words)
        if name in ("__getattribute__", "__getattr__") and isinstance(first, str):
            return self._attribute(of, first)
        if name == "enter_context" and isinstance(first, ContextManager):
            entered: list[Any] = []
            self._enter(first.function, first.args, first.keywords, entered.append)
            return entered[0] if entered else UNKNOWN
        if name in ("enter_context", "enter_async_context", "__enter__", "__aenter__"):
            self._autocommit += isinstance(first, Call) and first.name == "autocommit_block"
            return first if args else of
        if name == "f" and isinstance(first, str):
            return first
        if name in ("substitute", "safe_substitute") and isinstance(of, Call) and of.keywords.get("template"):
            return builtin_calls.substitute_template(of, {**(first if isinstance(first, dict) else {}), **keywords})
        if builtin_calls.is_open_file(of):
            content = of.args[0]
            return content.splitlines(keepends=True) if name == "readlines" and isinstance(content, str) else content
        return _NOT_EVALUATED

    def _report_effects(self, called: Call) -> None:
        """Reports the effects of a call, and runs functions among its arguments."""
        function, args, keywords = called.function, called.args, called.keywords
        name = function.name if isinstance(function, (External, Attribute)) else ""
        if name.endswith("unread()"):
            self._report({"unread": "an operation"})
        call = operation_call(called)
        for effect in effects_of(called):
            self._report(effect)
            if not call and "sql" in effect:
                self._add_step({key: effect[key] for key in ("sql", "line") if key in effect}, connection_of(called))
        if call:
            self._add_step({"call": call})
        elif isinstance(function, External) and not _WITHOUT_SQL.match(name):
            for text in (one for one in (*args, *keywords.values()) if isinstance(one, str) and _STATEMENT.match(one)):
                self._add_step({"sql": text})
        if name.rpartition(".")[2] == "invoke" and args and isinstance(args[0], Instance):
            self._run_implementation(args[0])
        elif isinstance(function, External) and name.startswith("alembic.op."):
            self._run_registered(name.removeprefix("alembic.op."), args, keywords)
        # A function that receives a function may call it: op.run_async(), connection.run_sync(), asyncio.run(), a retry library.
        for place, given in enumerate((*args, *keywords.values())):
            if given is keywords.get("target") and "args" in keywords:
                continue
            if isinstance(given, (Function, BoundFunction)):
                self._call(given, [UNKNOWN, *args[1:]] if name.rpartition(".")[2] in ("run_async", "run_sync") else [], {})
            elif last_name(given) == "drop_all" or (
                isinstance(given, External) and given.name.startswith("alembic.op.") and args[place + 1 :]
            ):
                self._call(given, args[place + 1 :], {})
        if (target := keywords.get("target")) is not None and isinstance(keywords.get("args"), (list, tuple)):
            self._call(target, list(keywords["args"]), {})  # threading.Thread(target=op.drop_table, args=("users",))

    def _run_registered(self, name: str, args: list[Any], keywords: dict[str, Any]) -> None:
        """Runs an operation that the backend added with `Operations.register_operation(name)`."""
        for module in (self._module, *self._modules.loaded()):
            for cls, call in module.decorated("register_operation"):
                given = [part.value for part in call.args if isinstance(part, ast.Constant)]
                if isinstance(cls, Class) and given[:1] == [name]:
                    method = cls.find(given[1] if len(given) > 1 else name)
                    if isinstance(method, Function):
                        self._enter(method, [cls, External("alembic.op"), *args], keywords)

    def _run_implementation(self, operation: Instance) -> None:
        """Runs the backend's `Operations.implementation_for(class)` for `operations.invoke(operation)`."""
        found = False
        for module in (self._module, *self._modules.loaded()):
            for function, call in module.decorated("implementation_for"):
                of = call.args[0].id if call.args and isinstance(call.args[0], ast.Name) else None
                if isinstance(function, Function) and of == operation.cls.node.name:
                    self._enter(function, [External("alembic.op"), operation], {})
                    found = True
        if not found:
            self._report({"unread": "an operation"})

    def _enter(self, function: Function, args: list[Any], keywords: dict[str, Any], at_yield: Any = None) -> Any:
        node = function.node
        if self._stack.count(node) > 2 or len(self._stack) > _MAX_DEPTH:
            self._report({"unread": "a recursion"})
            return UNKNOWN
        scope = Scope(function.scope, function.scope.module)
        self._bind_arguments(scope, node.args, function, args, keywords)
        outer, line, branch, self._scope = self._scope, self._line, self._branch, scope
        self._stack.append(node)
        self._returned.append([])
        self._yielded.append([])
        self._at_yield.append(at_yield)
        if function.owner is not None and args:
            scope.method = (function.owner, args[0])
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
            self._at_yield.pop()
            self._stack.pop()
            self._scope, self._line, self._branch = outer, line, branch

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


_Handler = Callable[[Calls, list[Any], dict[str, Any]], Any]

# Handlers of imported functions, and the number of arguments that they need.
_HANDLERS: dict[str, tuple[_Handler, int]] = {
    "functools.partial": (lambda _, args, keywords: BoundFunction(args[0], args[1:], keywords), 1),
    "importlib.util.spec_from_file_location": (Calls._module_at, 2),
    "importlib.machinery.SourceFileLoader": (Calls._module_at, 2),
    "importlib.util.module_from_spec": (lambda _, args, keywords: args[0], 1),
    "importlib.import_module": (Calls._import_module, 1),
    "importlib.resources.files": (Calls._files, 1),
    "pkgutil.get_data": (Calls._get_data, 2),
    "types.SimpleNamespace": (lambda _, args, keywords: Instance(Class(_NAMESPACE, {}, []), dict(keywords)), 0),
    "operator.methodcaller": (lambda _, args, keywords: Getter(as_text(args[0]), args[1:], keywords), 1),
    "operator.attrgetter": (lambda _, args, keywords: Getter(as_text(args[0])), 1),
    "itertools.starmap": (Calls._starmap, 2),
    "functools.reduce": (Calls._reduce, 2),
    "alembic.op.f": (lambda _, args, keywords: args[0], 1),
    "sqlalchemy.schema.conv": (lambda _, args, keywords: args[0], 1),
}
