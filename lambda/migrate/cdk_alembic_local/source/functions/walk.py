"""Walks a revision's function, and reports its calls and statements in source order."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from cdk_alembic.project.sources import last_name, text_of

from ..literals import as_json
from .batches import Batch, batch_of, without_batch
from .connections import opens_connection_or_savepoint, opens_savepoint
from .control_flow import always_leaves, constant_condition, reachable
from .names import DRIVER_CONNECTION, Names
from .statements import EXECUTES, executed_text, is_statement

_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)

# Methods that change a relationship of a row, which SQLAlchemy writes to the database: `group.members.append(user)`.
_COLLECTION_METHODS = ("append", "add", "remove", "discard", "extend", "clear")


@dataclass(frozen=True)
class Context:
    in_autocommit_block: bool = False
    in_loop: bool = False
    over_constants: bool = False
    in_branch: bool = False
    if_environment: bool = False
    undone_from: int | None = None
    """In the handler of a `try` whose savepoint has undone its body: the line of the `try`."""
    bound: frozenset[str] = frozenset()
    """Names that a loop binds."""
    constants: frozenset[str] = frozenset()
    """Those of them that the file itself has all values of."""
    rows: frozenset[str] = frozenset()
    """Those of them that may be rows of the database."""
    separate: frozenset[str] = frozenset()
    """Names of separate connections and savepoints that an enclosing `with` opens."""
    batches: dict[str, Batch] = field(default_factory=dict, hash=False, compare=False)


class Walk:
    """Walks a function and the definitions of the same file that it uses, once per kind of context."""

    def __init__(self, names: Names, nested: Collection[ast.AST], in_autocommit: Collection[ast.AST]) -> None:
        """`nested`: functions that are read where they are used. `in_autocommit`: what runs in autocommit mode."""
        self.calls: list[dict[str, Any]] = []
        self.sql: list[dict[str, Any]] = []
        self._names = names
        self._nested = nested
        self._in_autocommit = in_autocommit
        self._visited: set[tuple[ast.AST, Context]] = set()
        self._statements: set[ast.AST] = set()
        self._expression_statements: set[ast.AST] = set()

    def definition(self, node: ast.AST, context: Context) -> None:
        key = (node, replace(context, batches={}))
        if key not in self._visited:
            self._visited.add(key)
            context = replace(context, batches={})
            if isinstance(node, (*_FUNCTION, ast.ClassDef)):
                self._visit_block(node.body, context)
            else:
                self._visit_all([getattr(node, "value", None)], context)

    def _visit_all(self, nodes: Iterable[ast.AST | None], context: Context) -> None:
        for node in nodes:
            if node is not None:
                self._visit(node, context)

    def _visit_block(self, body: list[ast.stmt], context: Context) -> None:
        """After a return that depends on the environment, so does the rest of the block."""
        for statement in reachable(body):
            self._visit(statement, context)
            leaves = isinstance(statement, ast.If) and any(map(always_leaves, (*statement.body, *statement.orelse)))
            if leaves and self._names.asks_environment(statement.test):
                context = replace(context, in_branch=True, if_environment=True)

    def _visit(self, node: ast.AST, context: Context) -> None:
        if node in self._in_autocommit or self._names.is_own_autocommit(node):
            context = replace(context, in_autocommit_block=True)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring
        if isinstance(node, ast.Expr):
            self._expression_statements.add(node.value)
        if (text := text_of(node, self._names.known)) is not None:
            if node in self._statements or is_statement(text):
                place = {"line": node.lineno, "inAutocommitBlock": context.in_autocommit_block}
                self.sql.append({"text": text, **place, **({"ifEnvironment": True} if context.if_environment else {})})
            self._visit_all((child for child in ast.iter_child_nodes(node) if text_of(child) is None), context)
        elif settings := self._names.settings_name(node):
            self._report(node, settings, [], {}, context, isSettings=True)
        elif node in self._nested:
            self._visit_all(node.decorator_list, context)
        elif isinstance(node, ast.Name):
            for own in self._names.definitions.get(node.id, ()) if isinstance(node.ctx, ast.Load) else ():
                self.definition(own, context)
        else:
            self._visit_others(node, context)

    def _visit_others(self, node: ast.AST, context: Context) -> None:
        match node:
            case ast.With() | ast.AsyncWith():
                self._with(node, context)
            case ast.For() | ast.AsyncFor():
                self._for(node, context)
            case ast.While():
                self._visit_all((node.test, *reachable(node.body)), replace(context, in_loop=True, over_constants=False))
                self._visit_all(node.orelse, context)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._visit(node.generators[0].iter, context)
                self._visit_all(ast.iter_child_nodes(node), replace(context, in_loop=True, over_constants=False))
            case ast.comprehension():
                self._visit_all(node.ifs, context)
            case ast.If():
                self._if(node, context)
            case ast.Try() if any(map(opens_savepoint, ast.walk(ast.Module(node.body, [])))):
                inner = replace(context, in_branch=True)
                self._visit_all((*node.body, *node.orelse, *node.finalbody), inner)
                self._visit_all(node.handlers, replace(inner, undone_from=node.lineno))
            case ast.Try() | ast.Match():
                self._visit_all(ast.iter_child_nodes(node), replace(context, in_branch=True))
            case _:
                self._report_use(node, context)
                self._visit_all(ast.iter_child_nodes(node), context)

    def _report_use(self, node: ast.AST, context: Context) -> None:
        match node:
            case ast.Call():
                self._call(node, context)
            case ast.Subscript(ctx=ast.Load()):
                self._subscript(node, context)
            case ast.Attribute(ctx=ast.Store()):
                self._report_change(node, context)
            case ast.Subscript(ctx=ast.Store() | ast.Del()):
                self._report_change(node.value, context)

    def _for(self, node: ast.For | ast.AsyncFor, context: Context) -> None:
        self._visit(node.iter, context)
        is_listed = self._is_listed(node.iter, context) and (context.over_constants or not context.in_loop)
        names = frozenset(name.id for name in ast.walk(node.target) if isinstance(name, ast.Name))
        constants = context.constants | names if self._is_constant(node.iter, context) else context.constants - names
        rows = context.rows | names if self._names.may_have_rows(node.iter) else context.rows - names
        bound = context.bound | names
        inner = replace(context, in_loop=True, over_constants=is_listed, bound=bound, constants=constants, rows=rows)
        self._visit_all(reachable(node.body), inner)
        self._visit_all(node.orelse, context)

    def _if(self, node: ast.If, context: Context) -> None:
        asks = context.if_environment or self._names.asks_environment(node.test)
        decided = constant_condition(node.test)
        body = reachable(node.body) if decided is not False else []
        otherwise = reachable(node.orelse) if decided is not True else []
        self._visit_all((node.test, *body, *otherwise), replace(context, in_branch=True, if_environment=asks))

    def _is_listed(self, node: ast.expr, context: Context) -> bool:
        """Whether the file lists what a loop goes through, with any values: `[{"id": settings.ID}, {"id": settings.OTHER_ID}]`"""
        match node:
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return not any(isinstance(part, ast.Starred) for part in parts)
            case ast.Name(id=name) if name not in context.bound and isinstance(
                value := self._names.values.get(name), (ast.List, ast.Tuple, ast.Set)
            ):
                return self._is_listed(value, context)
            case _:
                return self._is_constant(node, context)

    def _is_constant(self, node: ast.expr, context: Context) -> bool:
        """Whether the file itself has all of a value: `NAMES`, `{**OLD, **NEW}.items()`, `enumerate(("a", "b"))`."""
        match node:
            case ast.Constant():
                return True
            case ast.Name(id=name) if name in context.bound:
                return name in context.constants
            case ast.Name(id=name):
                return name in self._names.values and self._is_constant(self._names.values[name], context)
            case ast.Call(func=ast.Name(id="enumerate" | "sorted" | "reversed" | "list" | "tuple" | "set" | "zip" | "range")):
                return all(self._is_constant(one, context) for one in node.args)
            case ast.Call(func=ast.Attribute(value=of, attr="items" | "keys" | "values" | "get" | "split"), args=args):
                return all(self._is_constant(one, context) for one in (of, *args))
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict() | ast.BinOp() | ast.JoinedStr() | ast.FormattedValue():
                parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
                return all(self._is_constant(part, context) for part in parts)
            case ast.Subscript(value=of):
                return self._is_constant(of, context)
            case _:
                return False

    def _with(self, node: ast.With | ast.AsyncWith, context: Context) -> None:
        if any(map(self._enters_autocommit, node.body)):
            context = replace(context, in_autocommit_block=True)
        for item in node.items:
            self._visit(item.context_expr, context)
            if self._names.is_autocommit_block(item.context_expr):
                context = replace(context, in_autocommit_block=True)
            if isinstance(item.optional_vars, ast.Name):
                name = item.optional_vars.id
                if batch := Batch.opened_by(item.context_expr):
                    context = replace(context, batches={**context.batches, name: batch})
                if opens_connection_or_savepoint(item.context_expr):
                    context = replace(context, separate=context.separate | {name})
        self._visit_all(reachable(node.body), context)

    def _enters_autocommit(self, node: ast.stmt) -> bool:
        """`stack.enter_context(op.get_context().autocommit_block())` of an ExitStack"""
        call = node.value if isinstance(node, (ast.Expr, ast.Assign)) else None
        if not isinstance(call, ast.Call) or last_name(call.func) not in ("enter_context", "enter_async_context"):
            return False
        return any(map(self._names.is_autocommit_block, call.args))

    def _call(self, node: ast.Call, context: Context) -> None:
        if self._ends_other_transaction(node.func, context):
            return
        self._follow_rows(node, context)
        if last_name(node.func) in EXECUTES and (statement := executed_text(node)) is not None:
            self._statements.add(statement)
        name, args, keywords = without_batch(node, context.batches)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
            connection = self._names.alembic_connection(node.func.value)
            name = f"{connection}.commit" if connection else name
        batch = batch_of(node, context.batches)
        self._report(node, self._names.imported(name), args, keywords, context, **({"runsAt": batch.line} if batch else {}))
        if isinstance(node.func, ast.Attribute) and node.func.attr in _COLLECTION_METHODS:
            self._report_change(node.func.value, context)

    def _ends_other_transaction(self, function: ast.expr, context: Context) -> bool:
        """Whether it commits or rolls back a savepoint or a separate connection, so that Alembic's transaction continues."""
        if not isinstance(function, ast.Attribute) or function.attr not in ("commit", "rollback"):
            return False
        owner = function.value
        while isinstance(owner, ast.Attribute) and owner.attr in DRIVER_CONNECTION:
            owner = owner.value
        separate = self._names.separate_connections | context.separate
        return opens_connection_or_savepoint(owner) or (isinstance(owner, ast.Name) and owner.id in separate)

    def _follow_rows(self, node: ast.Call, context: Context) -> None:
        """Follows a loop's row into a function of the file: `for user in users: rename(user)`."""
        for own in self._names.definitions.get(getattr(node.func, "id", ""), ()):
            if isinstance(own, _FUNCTION):
                names = [argument.arg for argument in (*own.args.posonlyargs, *own.args.args)]
                given = [*zip(names, node.args, strict=False), *((keyword.arg, keyword.value) for keyword in node.keywords)]
                rows = frozenset(name for name, value in given if name and getattr(value, "id", None) in context.rows)
                if rows:
                    self.definition(own, replace(context, bound=rows, constants=frozenset(), rows=rows))

    def _subscript(self, node: ast.Subscript, context: Context) -> None:
        """Treats `os.environ["X"]` like `os.environ.get("X")`."""
        name = self._names.imported(ast.unparse(node.value))
        if name == "os.environ":
            self._report(node, name, [node.slice], {}, context)

    def _report_change(self, node: ast.expr, context: Context) -> None:
        """Treats `user.name = "..."` like `setattr(user, "name", "...")` if a loop binds `user`."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in context.rows:
            self._report(node, "setattr", [node.value, ast.Constant(node.attr)], {}, context)

    def _report(
        self, node: ast.expr, name: str, args: list[ast.expr], keywords: dict[str, ast.expr], context: Context, **more: int
    ) -> None:
        self.calls.append(
            {
                "name": name,
                "args": [as_json(value, self._names.known) for value in args],
                "keywords": {key: as_json(value, self._names.known) for key, value in keywords.items()},
                "line": node.lineno,
                "inAutocommitBlock": context.in_autocommit_block,
                "inLoop": context.in_loop,
                **({"overConstants": True} if context.over_constants else {}),
                "inBranch": context.in_branch,
                **({"ifEnvironment": True} if context.if_environment else {}),
                **({"undoneFrom": context.undone_from} if context.undone_from else {}),
                **({"isAlone": True} if node in self._expression_statements else {}),
                **more,
            }
        )
