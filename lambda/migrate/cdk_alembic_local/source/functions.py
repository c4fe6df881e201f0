"""What `upgrade` and `downgrade` of a revision do, in source order: FunctionFacts of lib/contract/facts."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from cdk_alembic.project.sources import SQL_COMMENT, definitions, last_name, text_of

from .autocommit import run_in_autocommit
from .batches import Batch, batch_of, without_batch
from .literals import as_json, bindings, known_values, values_bound_once

_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPE = (*_FUNCTION, ast.Lambda, ast.ClassDef)

# Calls whose first argument is a statement, or wraps its text.
_EXECUTES = ("execute", "executemany", "exec_driver_sql", "scalar", "scalars", "DDL")
# Calls that read rows.
_READS = (*_EXECUTES, "query", "all", "fetchall", "fetchmany", "mappings", "yield_per", "partitions", "stream")
_MAX_DEPTH = 5
# The driver's connection below SQLAlchemy's.
_DRIVER_CONNECTION = ("connection", "dbapi_connection", "driver_connection")
_WRAPPERS = ("text", "DDL", "bindparams", "columns", "dedent", "strip", "format", "execution_options")

# Text that is a statement wherever it is written, such as in a constant; not a foreign key's "SET NULL" or a column's comment.
_SQL = re.compile(
    r"\s*(?:"
    r"(?:ALTER|CREATE|DROP)\s+(?:OR\s+REPLACE\s+)?(?:(?:GLOBAL|LOCAL|TEMP|TEMPORARY|UNLOGGED|UNIQUE|MATERIALIZED|FOREIGN|RECURSIVE"
    r"|CONSTRAINT|EVENT|TRUSTED|PROCEDURAL|DEFAULT)\s+)*"
    r"(?:TABLE|INDEX|VIEW|TYPE|DOMAIN|SCHEMA|SEQUENCE|FUNCTION|PROCEDURE|AGGREGATE|TRIGGER|RULE|POLICY|EXTENSION|ROLE|USER"
    r"|DATABASE|SERVER|PUBLICATION|SUBSCRIPTION|STATISTICS|COLLATION|CAST|OPERATOR|LANGUAGE|PRIVILEGES|SYSTEM)\b"
    r"|(?:INSERT\s+INTO|DELETE\s+FROM|MERGE\s+INTO|REFRESH\s+MATERIALIZED|COMMENT\s+ON|TRUNCATE)\s+\S|DO\s+(?:LANGUAGE|\$|')"
    r"|(?:REINDEX|LOCK)\s+(?:\(.*?\)\s*)?(?:TABLE|INDEX|SCHEMA|DATABASE)\b"
    r"|UPDATE\s+(?:ONLY\s+)?[\w\".]+(?:\s+(?:AS\s+)?\w+)?\s+SET\s|SELECT\s.+?\s(?:FROM|AS)\s|SELECT\s+[\w.]+\s*\(|WITH\s+(?:RECURSIVE\s+)?[\w\"]+.*?\sAS\s"
    r"|(?:GRANT|REVOKE)\s.+?\sON\s|SET\s+(?:LOCAL\s+|SESSION\s+)?[\w.]+\s*(?:=|\sTO\s)|COPY\s.+?\s(?:FROM|TO)\s"
    r"|(?:VACUUM|ANALYZE|CLUSTER)\s+[\w\".]+\s*;?\s*$)",
    re.IGNORECASE | re.DOTALL,
)

_DIALECT = re.compile(r"dialect(?:\.name|_name)?$", re.IGNORECASE)
_AUTOCOMMIT = re.compile(r"isolation_level=[\"']AUTOCOMMIT")
_ASKS_ENVIRONMENT = re.compile(r"\b(?:environ|getenv|settings)\b")

# Names of imported settings, such as `settings` or `get_config`; not a model of that name.
_SETTINGS = re.compile(r"(?i)(?!.*\bmodels?\b)(?:.*\.)?(?:(?:get|load|read|app)_)*(?:settings|config|configuration)")
_SETTING = re.compile(r"(?:.*\.)?(?:settings|config)\.[A-Z][A-Z0-9_]*")

# Methods that change a relationship of a row, which SQLAlchemy writes to the database: `group.members.append(user)`.
_COLLECTION_METHODS = ("append", "add", "remove", "discard", "extend", "clear")


@dataclass(frozen=True)
class _Context:
    in_autocommit_block: bool = False
    in_loop: bool = False
    over_constants: bool = False
    in_branch: bool = False
    if_environment: bool = False
    bound: frozenset[str] = frozenset()
    """Names that a loop binds."""
    rows: frozenset[str] = frozenset()
    """Those of them that may be rows of the database."""
    separate: frozenset[str] = frozenset()
    """Names of separate connections and savepoints that an enclosing `with` opens."""
    batches: dict[str, Batch] = field(default_factory=dict, hash=False, compare=False)


class Functions:
    """The functions of one file."""

    def __init__(self, tree: ast.Module, nodes: Iterable[ast.AST]) -> None:
        """`nodes`: all of the tree."""
        self._definitions = definitions(tree)
        self._values = values_bound_once(nodes)
        self._known = known_values(nodes)
        self._aliases = dict(_aliases(nodes))
        self._bound: dict[str, list[ast.expr | None]] = {}
        for name, value in (found for node in nodes for found in bindings(node)):
            self._bound.setdefault(name, []).append(value)
        self._separate_connections = _separate_connections(nodes)
        self._autocommit_connections = _autocommit_connections(nodes)
        functions = [node for node in nodes if isinstance(node, _FUNCTION)]
        methods = {node for own in nodes if isinstance(own, ast.ClassDef) for node in own.body}
        # A nested function is read where it is used, like the functions of the module.
        names = [node.name for node in functions]
        self.nested = {
            node for node in functions if node not in methods and node not in tree.body and names.count(node.name) == 1
        }
        for node in self.nested:
            self._definitions.setdefault(node.name, []).append(node)
        self.in_autocommit = run_in_autocommit(functions, self.is_autocommit_block, _EXECUTES)

    def facts(self, name: str) -> dict[str, Any] | None:
        """FunctionFacts; None if the file does not define that function."""
        if name not in self._definitions:
            return None
        node = self._definitions[name][-1]
        body = _without_docstring(node.body) if isinstance(node, _FUNCTION) else [node]
        walk = _Walk(self)
        walk.definition(node, _Context())
        for own in self._by_engine(name, node):
            walk.definition(own, _Context())
        return {
            "line": node.lineno,
            "empty": all(_does_nothing(statement) for statement in body),
            "raises": len(body) == 1 and isinstance(body[0], ast.Raise),
            "calls": walk.calls,
            "earlyReturns": sorted(_early_returns(node)) if isinstance(node, _FUNCTION) else [],
            "sql": walk.sql,
        }

    def _by_engine(self, name: str, node: ast.AST) -> Iterator[ast.stmt]:
        """The functions `upgrade_<engine>` of Alembic's template for several databases, which looks them up in globals()."""
        if any(isinstance(part, ast.Name) and part.id == "globals" for part in ast.walk(node)):
            for own, found in self._definitions.items():
                if own.startswith(f"{name}_"):
                    yield from found

    def is_autocommit_block(self, node: ast.expr) -> bool:
        """Whether a `with` statement on the expression opens an autocommit block."""
        return any(
            isinstance(part, ast.Attribute) and part.attr == "autocommit_block"
            for root in (node, *self._used_by(node))
            for part in ast.walk(root)
        )

    def is_own_autocommit(self, node: ast.AST) -> bool:
        """Whether it is a call on a separate connection in autocommit mode."""
        of = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
        return isinstance(of, ast.Name) and of.id in self._autocommit_connections

    def _used_by(self, node: ast.AST) -> Iterator[ast.stmt]:
        for name in ast.walk(node):
            if isinstance(name, ast.Name):
                yield from self._definitions.get(name.id, ())


class _Walk:
    """Walks a function and the definitions of the same file that it uses, once per kind of context."""

    def __init__(self, functions: Functions) -> None:
        self.calls: list[dict[str, Any]] = []
        self.sql: list[dict[str, Any]] = []
        self._definitions = functions._definitions
        self._values = functions._values
        self._known = functions._known
        self._aliases = functions._aliases
        self._bound = functions._bound
        self._separate_connections = functions._separate_connections
        self._functions = functions
        self._visited: set[tuple[ast.AST, _Context]] = set()
        self._statements: set[ast.AST] = set()
        self._expression_statements: set[ast.AST] = set()

    def definition(self, node: ast.AST, context: _Context) -> None:
        key = (node, replace(context, batches={}))
        if key not in self._visited:
            self._visited.add(key)
            context = replace(context, batches={})
            if isinstance(node, (*_FUNCTION, ast.ClassDef)):
                self._visit_block(node.body, context)
            else:
                self._visit_all([getattr(node, "value", None)], context)

    def _visit_all(self, nodes: Iterable[ast.AST | None], context: _Context) -> None:
        for node in nodes:
            if node is not None:
                self._visit(node, context)

    def _visit_block(self, body: list[ast.stmt], context: _Context) -> None:
        """After a return that depends on the environment, so does the rest of the block."""
        for statement in _reachable(body):
            self._visit(statement, context)
            leaves = isinstance(statement, ast.If) and any(map(_always_leaves, (*statement.body, *statement.orelse)))
            if leaves and self._asks_environment(statement.test):
                context = replace(context, in_branch=True, if_environment=True)

    def _visit(self, node: ast.AST, context: _Context) -> None:
        if node in self._functions.in_autocommit or self._functions.is_own_autocommit(node):
            context = replace(context, in_autocommit_block=True)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring
        if isinstance(node, ast.Expr):
            self._expression_statements.add(node.value)
        if (text := text_of(node, self._known)) is not None:
            if node in self._statements or _SQL.match(SQL_COMMENT.sub(" ", text)):
                place = {"line": node.lineno, "inAutocommitBlock": context.in_autocommit_block}
                self.sql.append({"text": text, **place, **({"ifEnvironment": True} if context.if_environment else {})})
            self._visit_all((child for child in ast.iter_child_nodes(node) if text_of(child) is None), context)
        elif settings := self._settings_name(node):
            self._report(node, settings, [], {}, context, isSettings=True)
        elif node in self._functions.nested:
            self._visit_all(node.decorator_list, context)
        elif isinstance(node, ast.Name):
            for own in self._definitions.get(node.id, ()) if isinstance(node.ctx, ast.Load) else ():
                self.definition(own, context)
        else:
            self._visit_others(node, context)

    def _visit_others(self, node: ast.AST, context: _Context) -> None:
        match node:
            case ast.With() | ast.AsyncWith():
                self._with(node, context)
            case ast.For() | ast.AsyncFor():
                self._for(node, context)
            case ast.While():
                self._visit_all((node.test, *_reachable(node.body)), replace(context, in_loop=True, over_constants=False))
                self._visit_all(node.orelse, context)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._visit(node.generators[0].iter, context)
                self._visit_all(ast.iter_child_nodes(node), replace(context, in_loop=True, over_constants=False))
            case ast.comprehension():
                self._visit_all(node.ifs, context)
            case ast.If():
                self._if(node, context)
            case ast.Try() | ast.Match():
                self._visit_all(ast.iter_child_nodes(node), replace(context, in_branch=True))
            case _:
                self._report_use(node, context)
                self._visit_all(ast.iter_child_nodes(node), context)

    def _report_use(self, node: ast.AST, context: _Context) -> None:
        match node:
            case ast.Call():
                self._call(node, context)
            case ast.Subscript(ctx=ast.Load()):
                self._subscript(node, context)
            case ast.Attribute(ctx=ast.Store()):
                self._report_change(node, context)
            case ast.Subscript(ctx=ast.Store() | ast.Del()):
                self._report_change(node.value, context)

    def _for(self, node: ast.For | ast.AsyncFor, context: _Context) -> None:
        self._visit(node.iter, context)
        constants = self._is_constant(node.iter, context) and (context.over_constants or not context.in_loop)
        names = frozenset(name.id for name in ast.walk(node.target) if isinstance(name, ast.Name))
        rows = context.rows | names if self._may_read(node.iter) else context.rows - names
        inner = replace(context, in_loop=True, over_constants=constants, bound=context.bound | names, rows=rows)
        self._visit_all(_reachable(node.body), inner)
        self._visit_all(node.orelse, context)

    def _if(self, node: ast.If, context: _Context) -> None:
        asks = context.if_environment or self._asks_environment(node.test)
        decided = _constant_condition(node.test)
        body = _reachable(node.body) if decided is not False else []
        otherwise = _reachable(node.orelse) if decided is not True else []
        self._visit_all((node.test, *body, *otherwise), replace(context, in_branch=True, if_environment=asks))

    def _may_read(self, node: ast.AST, depth: int = 0) -> bool:
        """Whether a value may have rows of the database: it is the result of a query, or unknown, such as an argument."""
        for part in ast.walk(node):
            if isinstance(part, ast.Call) and last_name(part.func) in _READS:
                return True
            if isinstance(part, ast.Name) and part.id not in self._aliases:
                values = self._bound.get(part.id, ())
                if any(value is None or (depth < _MAX_DEPTH and self._may_read(value, depth + 1)) for value in values):
                    return True
        return False

    def _is_constant(self, node: ast.expr, context: _Context) -> bool:
        """Whether the file itself has all of a value: `NAMES`, `{**OLD, **NEW}.items()`, `enumerate(("a", "b"))`."""
        match node:
            case ast.Constant():
                return True
            case ast.Name(id=name) if name in context.bound:
                return context.over_constants
            case ast.Name(id=name):
                return name in self._values and self._is_constant(self._values[name], context)
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

    def _with(self, node: ast.With | ast.AsyncWith, context: _Context) -> None:
        if any(map(self._enters_autocommit, node.body)):
            context = replace(context, in_autocommit_block=True)
        for item in node.items:
            self._visit(item.context_expr, context)
            if self._functions.is_autocommit_block(item.context_expr):
                context = replace(context, in_autocommit_block=True)
            if isinstance(item.optional_vars, ast.Name):
                name = item.optional_vars.id
                if batch := Batch.opened_by(item.context_expr):
                    context = replace(context, batches={**context.batches, name: batch})
                if _opens_connection_or_savepoint(item.context_expr):
                    context = replace(context, separate=context.separate | {name})
        self._visit_all(_reachable(node.body), context)

    def _enters_autocommit(self, node: ast.stmt) -> bool:
        """`stack.enter_context(op.get_context().autocommit_block())` of an ExitStack"""
        call = node.value if isinstance(node, (ast.Expr, ast.Assign)) else None
        if not isinstance(call, ast.Call) or last_name(call.func) not in ("enter_context", "enter_async_context"):
            return False
        return any(map(self._functions.is_autocommit_block, call.args))

    def _call(self, node: ast.Call, context: _Context) -> None:
        if self._ends_other_transaction(node.func, context):
            return
        self._follow_rows(node, context)
        if last_name(node.func) in _EXECUTES and (statement := _statement(node)) is not None:
            self._statements.add(statement)
        name, args, keywords = without_batch(node, context.batches)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
            connection = self._connection(node.func.value)
            name = f"{connection}.commit" if connection else name
        batch = batch_of(node, context.batches)
        self._report(node, self._imported(name), args, keywords, context, **({"runsAt": batch.line} if batch else {}))
        if isinstance(node.func, ast.Attribute) and node.func.attr in _COLLECTION_METHODS:
            self._report_change(node.func.value, context)

    def _connection(self, node: ast.AST | None, depth: int = 0) -> str | None:
        """`op.get_bind()`, or `op.get_bind().connection` for the driver's below it, if a value is always that."""
        match node:
            case ast.Call(func=function) if last_name(function) == "get_bind":
                return "op.get_bind()"
            case ast.Attribute(value=value, attr=attr) if attr in _DRIVER_CONNECTION:
                return self._connection(value, depth) and "op.get_bind().connection"
            case ast.Name(id=name) if depth < _MAX_DEPTH:
                found = {self._connection(value, depth + 1) for value in self._bound.get(name, ())}
                return found.pop() if len(found) == 1 else None
        return None

    def _ends_other_transaction(self, function: ast.expr, context: _Context) -> bool:
        """Whether it commits or rolls back a savepoint or a separate connection, so that Alembic's transaction continues."""
        if not isinstance(function, ast.Attribute) or function.attr not in ("commit", "rollback"):
            return False
        owner = function.value
        while isinstance(owner, ast.Attribute) and owner.attr in _DRIVER_CONNECTION:
            owner = owner.value
        separate = self._separate_connections | context.separate
        return _opens_connection_or_savepoint(owner) or (isinstance(owner, ast.Name) and owner.id in separate)

    def _follow_rows(self, node: ast.Call, context: _Context) -> None:
        """Follows a loop's row into a function of the file: `for user in users: rename(user)`."""
        for own in self._definitions.get(getattr(node.func, "id", ""), ()):
            if isinstance(own, _FUNCTION):
                names = [argument.arg for argument in (*own.args.posonlyargs, *own.args.args)]
                given = [*zip(names, node.args, strict=False), *((keyword.arg, keyword.value) for keyword in node.keywords)]
                rows = frozenset(name for name, value in given if name and getattr(value, "id", None) in context.rows)
                if rows:
                    self.definition(own, replace(context, bound=rows, rows=rows))

    def _subscript(self, node: ast.Subscript, context: _Context) -> None:
        """Treats `os.environ["X"]` like `os.environ.get("X")`."""
        name = self._imported(ast.unparse(node.value))
        if name == "os.environ":
            self._report(node, name, [node.slice], {}, context)

    def _report_change(self, node: ast.expr, context: _Context) -> None:
        """Treats `user.name = "..."` like `setattr(user, "name", "...")` if a loop binds `user`."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in context.rows:
            self._report(node, "setattr", [node.value, ast.Constant(node.attr)], {}, context)

    def _settings_name(self, node: ast.AST) -> str | None:
        """The full name of an imported object with the backend's settings."""
        first = node
        while isinstance(first, ast.Attribute):
            first = first.value
        module = self._aliases.get(first.id) if isinstance(first, ast.Name) else None
        if module is None or module.partition(".")[0] in sys.stdlib_module_names:
            return None
        name = self._imported(ast.unparse(node))
        return name if _SETTINGS.fullmatch(name) or (isinstance(node, ast.Name) and _SETTING.fullmatch(name)) else None

    def _asks_environment(self, test: ast.AST) -> bool:
        """Whether a condition depends on the environment or the settings, also by way of names and functions of the file."""
        found: list[ast.AST] = [test]
        for node in found:
            if _ASKS_ENVIRONMENT.search(ast.unparse(node)) or any(map(self._settings_name, ast.walk(node))):
                return True
            names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            values = (one for name in names for one in (*self._bound.get(name, ()), *self._definitions.get(name, ())))
            found += [one for one in values if one is not None and one not in found]
        return False

    def _imported(self, name: str) -> str:
        """The name with its module: after `from httpx import get`, `get` is `httpx.get`."""
        first, dot, rest = name.partition(".")
        return self._aliases.get(first, first) + dot + rest

    def _report(
        self, node: ast.expr, name: str, args: list[ast.expr], keywords: dict[str, ast.expr], context: _Context, **more: int
    ) -> None:
        self.calls.append(
            {
                "name": name,
                "args": [as_json(value, self._known) for value in args],
                "keywords": {key: as_json(value, self._known) for key, value in keywords.items()},
                "line": node.lineno,
                "inAutocommitBlock": context.in_autocommit_block,
                "inLoop": context.in_loop,
                **({"overConstants": True} if context.over_constants else {}),
                "inBranch": context.in_branch,
                **({"ifEnvironment": True} if context.if_environment else {}),
                **({"isAlone": True} if node in self._expression_statements else {}),
                **more,
            }
        )


def _reachable(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a block up to one that always leaves it."""
    for statement in body:
        yield statement
        if _always_leaves(statement):
            return


def _always_leaves(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        decided = _constant_condition(statement.test)
        ways = [statement.orelse if decided is False else statement.body, *([] if decided is not None else [statement.orelse])]
        return all(any(map(_always_leaves, way)) for way in ways)
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        return any(isinstance(one, ast.Return) for one in statement.body)  # `suppress` catches what is raised
    return isinstance(statement, (ast.Return, ast.Raise, ast.Continue, ast.Break))


def _constant_condition(test: ast.expr) -> bool | None:
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


def _statement(call: ast.Call) -> ast.expr | None:
    """The literal text that a call like `op.execute(sa.text("..."))` executes, if any."""
    values = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg in ("sqltext", "statement"))]
    value = values[0] if values else None
    while isinstance(value, ast.Call) and last_name(value.func) in _WRAPPERS:
        method = isinstance(value.func, ast.Attribute) and not isinstance(value.func.value, ast.Name)
        value = value.func.value if method else (value.args[0] if value.args else None)
    return value


def _separate_connections(nodes: Iterable[ast.AST]) -> set[str]:
    """Names of savepoints and separate connections: `savepoint = bind.begin_nested()`, `with engine.connect() as own`."""
    found = [(name, value) for node in nodes for name, value in bindings(node)]
    return {name for name, value in found if _opens_connection_or_savepoint(value)} - {
        name for name, value in found if not _opens_connection_or_savepoint(value)
    }


def _autocommit_connections(nodes: Iterable[ast.AST]) -> set[str]:
    """Names of separate connections with `execution_options(isolation_level="AUTOCOMMIT")`, or of an engine with it."""
    found = [(name, value) for node in nodes for name, value in bindings(node) if value is not None]
    found += [
        (node.value.func.value.id, node.value)
        for node in nodes
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and isinstance(node.value.func.value, ast.Name)
    ]
    engines = {name for name, value in found if _AUTOCOMMIT.search(ast.unparse(value))}
    opened = {name for name, value in found if getattr(_receiver(value), "id", None) in engines}
    alembic = {name for name, value in found if last_name(getattr(value, "func", value)) == "get_bind"}
    return (engines | opened) - alembic


def _receiver(node: ast.expr) -> ast.expr | None:
    return node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None


def _opens_connection_or_savepoint(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) in ("begin_nested", "connect")


def _aliases(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Names that imports bind, with their full names. Alembic's and SQLAlchemy's keep their usual names."""
    for node in nodes:
        if isinstance(node, ast.Import):
            found = [(alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2 for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found = [(alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names]
        else:
            continue
        yield from ((name, full) for name, full in found if full.split(".")[0] not in ("alembic", "sqlalchemy"))


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    return body[1:] if is_text else body


def _does_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Return):
        return node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _early_returns(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[int]:
    nodes: list[ast.AST] = list(_reachable(function.body))
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
