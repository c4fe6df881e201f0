"""Runs Python's statements, and follows their control flow."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from typing import Any

from ..rendering.operations import update_rows
from ..rendering.queries import columns_read, queries_without_rows
from ..rendering.row_loops import row_in, row_of
from ..values import (
    CALLABLE,
    SYMBOLS,
    UNKNOWN,
    BoundFunction,
    Call,
    Class,
    ContextManager,
    External,
    Function,
    Instance,
    Item,
    OneOf,
    Unless,
    as_text,
    either,
    is_many,
)
from . import builtin_calls
from .modules import Scope

# A savepoint, the end of the transaction, and autocommit: statements run after one that has failed.
_RECOVERS = re.compile(r"begin_nested|SAVEPOINT|rollback|autocommit", re.IGNORECASE)
_LEAVES = (ast.Continue, ast.Break, ast.Return, ast.Raise)


class Statements:
    """Part of Interpreter. A statement returns None, or how it ended the block: "return", "raise", "break" or "continue"."""

    def _block(self, statements: Iterable[ast.stmt]) -> str | None:
        for statement in statements:
            if end := self._statement(statement):
                return end
        return None

    def _statement(self, node: ast.stmt) -> str | None:
        self._count_step()
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
            if isinstance(wrapper, External) and wrapper.name.endswith(("contextmanager", "asynccontextmanager")):
                value.is_context_manager = True
            if isinstance(wrapper, (Function, BoundFunction)):
                wrapped = self._call(wrapper, [value], {})
                value = wrapped if isinstance(wrapped, CALLABLE) else value
        self._assign(node.name, value)

    _do_asyncfunctiondef = _do_functiondef

    def _do_classdef(self, node: ast.ClassDef) -> None:
        bases = [self._value(base) for base in node.bases]
        outer, self._scope = self._scope, Scope(self._scope, self._scope.module)
        try:
            self._block(node.body)
            names = self._scope.names
        finally:
            self._scope = outer
        cls = Class(node, names, bases)
        for value in names.values():
            if isinstance(value, Function):
                value.owner = cls
        self._assign(node.name, cls)

    def _do_global(self, node: ast.Global) -> None:
        module = self._scope.module
        for name in node.names:
            module.look_up(name)
            self._scope.declared[name] = module

    def _do_nonlocal(self, node: ast.Nonlocal) -> None:
        for name in node.names:
            owner = self._scope.outer
            while name not in owner.names and isinstance(owner, Scope):
                owner = owner.outer
            self._scope.declared[name] = owner

    def _assign(self, name: str, value: Any) -> None:
        self._scope.declared.get(name, self._scope).names[name] = value

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
        is_not = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
        test = self._value(node.test.operand if is_not else node.test)
        decided = builtin_calls.truth(test)
        if decided is not None:
            return self._block(node.body if decided is not is_not else node.orelse)
        narrowed = [(item, item.narrowed) for item in self._loops]
        for item, _ in narrowed:
            item.narrowed = True
        empty = [queries_without_rows(test, is_true is not is_not) for is_true in (True, False)]
        usual = None if decided is not None else self._usual_truth(node.test)
        on_failure = () if usual is None else (1,) if usual else (0,)
        end = self._branches([node.body, node.orelse], empty, on_failure)
        # After a conditional `continue`, the rest of the loop runs for some elements only.
        leaves = any(isinstance(inner, _LEAVES) for branch in (node.body, node.orelse) for inner in branch)
        for item, before in narrowed:
            item.narrowed = before or leaves
        return end

    def _usual_truth(self, test: ast.expr) -> bool | None:
        """The value of a test unless a statement has failed; None if unknown, or if it does not depend on that."""
        names = self._scope.names
        usual = {
            name.id: value.usual
            for name in ast.walk(test)
            if isinstance(name, ast.Name) and isinstance(value := names.get(name.id), Unless)
        }
        if not usual:
            return None
        self._scope.names = {**names, **usual}
        try:
            return builtin_calls.truth(self._value(test))
        finally:
            self._scope.names = names

    def _branches(
        self, blocks: list[list[ast.stmt]], empty: Sequence[Iterable[str]] = (), on_failure: Iterable[int] = ()
    ) -> str | None:
        """Runs each block from the current state, and merges the names of the blocks that continue.

        `empty`: for each block, the queries that find nothing when it runs. `on_failure`: the blocks that only a failed statement
        leads to."""
        before, ends, states = dict(self._scope.names), [], []
        outer = self._empty
        found = []
        for index, block in enumerate(blocks):
            self._scope.names = dict(before)
            self._empty = [*outer, *(empty[index] if empty else ())]
            branch = self._branch
            self._branch += 1
            self._failures += index in on_failure
            ends.append(self._block(block))
            self._branch = branch
            self._failures -= index in on_failure
            if ends[-1] is None:
                states.append(self._scope.names)
            if ends[-1] != "raise":
                found.append(self._empty)
        # A block that raises stops the upgrade: if only one other block continues, its knowledge holds from then on.
        self._empty = found[0] if len(found) == 1 else outer
        if not states:
            self._scope.names = before
            return ends[0]
        if "return" in ends:
            self._branch += 1  # up to the end of the function
        names = {name for state in states for name in state}
        self._scope.names = {name: either([state[name] for state in states if name in state]) for name in names}
        return None

    def _do_match(self, node: Any) -> str | None:
        self._value(node.subject)
        return self._branches([*(case.body for case in node.cases), []])

    def _do_for(self, node: Any) -> str | None:
        over = self._value(node.iter)
        items = builtin_calls.elements(over)
        if items is None:
            self._loop_once(over, node)
            return self._block(node.orelse)
        if is_many(over):
            for item in items:
                self._repeat(node, item, row_in(item))
            return self._block(node.orelse)
        for item in items:
            self._bind(node.target, item)
            end = self._block(node.body)
            if end == "break":
                return None
            if end in ("return", "raise"):
                return end
        return self._block(node.orelse)

    def _loop_once(self, over: Any, node: Any) -> None:
        item, bound = row_of(over)
        self._report_reads(columns_read(item))
        self._repeat(node, bound, item)

    def _repeat(self, node: Any, bound: Any, row: Item) -> None:
        """Runs a loop's body once, in place of any number of times."""
        self._loops.append(row)
        try:
            self._bind(node.target, bound)
            self._block(node.body)
        finally:
            self._loops.pop()

    _do_asyncfor = _do_for

    def _do_while(self, node: ast.While) -> str | None:
        if builtin_calls.truth(self._value(node.test)) is False:
            return None
        self._whiles += 1
        try:
            self._branches([node.body, []])
        finally:
            self._whiles -= 1
        return self._block(node.orelse)

    def _do_with(self, node: Any) -> str | None:
        return self._enter_managers(node.items, node.body)

    def _enter_managers(self, items: list[ast.withitem], body: list[ast.stmt]) -> str | None:
        if not items:
            return self._block(body)
        (item, *others), ends, autocommit = items, [], self._autocommit
        value = self._value(item.context_expr)

        def run_body(given: Any) -> None:
            if item.optional_vars:
                self._bind(item.optional_vars, given)
            ends.append(self._enter_managers(others, body))

        if isinstance(value, ContextManager):
            self._enter(value.function, value.args, value.keywords, self._run_at_yield(run_body))
        elif isinstance(value, Instance) and value.cls.find("__enter__") is not None:
            run_body(self._call(self._attribute(value, "__enter__"), [], {}))
            self._call(self._attribute(value, "__exit__"), [None, None, None], {})
        elif any(isinstance(one, Call) and one.name == "autocommit_block" for one in _alternatives(value)):
            self._autocommit += 1
            run_body(value)
        else:
            run_body(value)
        self._autocommit = autocommit  # An ExitStack may have entered a block, too.
        end = ends[0] if ends else None
        return None if end == "raise" and isinstance(value, Call) and value.name == "suppress" else end

    def _run_at_yield(self, run_body: Any) -> Any:
        """Returns a function that runs `run_body` once, at the manager's `yield`, in the scope of the `with`."""
        scope, stack, pending = self._scope, len(self._returned), [run_body]

        def resume(given: Any) -> None:
            if not pending:
                return
            inner, self._scope = self._scope, scope
            returned, self._returned = self._returned, self._returned[:stack]
            try:
                pending.pop()(given)
            finally:
                self._scope, self._returned = inner, returned

        return resume

    _do_asyncwith = _do_with

    def _do_try(self, node: Any) -> str | None:
        before, steps = self._empty, len(self.steps)
        end = self._block(node.body)
        if end is None:
            end = self._block(node.orelse)
        if node.handlers:
            self._empty = before  # A handler may catch the exception of a check in the body.
            blocks = [[], *(handler.body for handler in node.handlers)]
            aborts = len(self.steps) > steps and self._aborts_transaction(node)
            usual = dict(self._scope.names)
            self._branches(blocks, (), range(1, len(blocks)) if aborts else ())
            for name, value in self._scope.names.items() if aborts else ():
                if isinstance(value, OneOf) and usual.get(name) is not value:
                    self._scope.names[name] = Unless(value.values, usual.get(name, UNKNOWN))
            end = end if end == "return" and all(_always_ends(handler.body) for handler in node.handlers) else None
        return self._block(node.finalbody) or end

    _do_trystar = _do_try

    def _aborts_transaction(self, node: ast.Try) -> bool:
        """Whether a statement that fails in it aborts the revision's transaction, so that its handlers can't write anything.

        In a loop over rows, Python may fail, too."""
        return not (self._loops or self._whiles or self._autocommit or _RECOVERS.search(ast.unparse(node)))

    def _set_attribute(self, owner: Any, name: str, value: Any) -> None:
        if isinstance(owner, (Instance, Class)):
            owner.names[name] = value
        elif isinstance(owner, Item):
            for effect in update_rows(owner, name, value):
                self._report(effect)

    def _bind(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self._assign(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            if is_many(value):
                for part in target.elts:
                    is_rest = isinstance(part, ast.Starred)
                    self._bind(part.value if is_rest else part, value.some() if is_rest else either(value.some()))
                return
            items = builtin_calls.elements(value)
            star = next((index for index, part in enumerate(target.elts) if isinstance(part, ast.Starred)), None)
            if items is not None and star is not None and len(items) >= len(target.elts) - 1:
                after = star + 1 + len(items) - len(target.elts)
                items = [*items[:star], items[star:after], *items[after:]]
            fits = items is not None and len(items) == len(target.elts)
            for index, part in enumerate(target.elts):
                self._bind(part.value if isinstance(part, ast.Starred) else part, items[index] if fits else Item(value, index))
        elif isinstance(target, ast.Attribute):
            if self._scope.module is self._module:
                self._line = target.lineno
            self._set_attribute(self._value(target.value), target.attr, value)
        elif isinstance(target, ast.Subscript):
            owner, key = self._value(target.value), self._value(target.slice)
            if isinstance(owner, dict):
                owner[key if isinstance(key, (str, int, *SYMBOLS)) else as_text(key)] = value
            elif isinstance(owner, list) and isinstance(key, int):
                try:
                    owner[key] = value
                except IndexError:
                    owner.append(value)


def _alternatives(value: Any) -> list[Any]:
    return value.values if isinstance(value, OneOf) else [value]


def _always_ends(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], (ast.Return, ast.Raise))
