"""Finds statements that always do the same, so that the replay saw everything that they run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from .names import names_bound, names_read

# Also a parameter of a function may have these names of a batch.
_OPERATIONS = ("op", "batch_op", "batch")
_BUILT_IN = ("enumerate", "zip", "sorted", "reversed", "range", "list", "tuple", "set", "dict", "len", "str", "repr")
_VALUE_METHODS = ("items", "keys", "values", "format", "join", "split", "lower", "upper", "replace", "strip")
_CLASS = re.compile(r"_?[A-Z]\w*[a-z]\w*")
_CALLED = re.compile(rf"{_CLASS.pattern}|_?[A-Z]+")
# Their members may come from the environment.
_SETTINGS = re.compile(r"settings|config", re.IGNORECASE)
_QUERIES = ("execute", "exec_driver_sql", "exec", "query", "scalar", "scalars", "fetchall", "fetchone", "fetchmany")
_CHECKS_INDEX = re.compile(r"\w*(?:index|idx|ix)\w*exists\w*|_*has_?(?:index|idx|ix)\w*", re.IGNORECASE)
_REPORTING = re.compile(
    r"print|(?:\w+\.)*_?log(?:ger|ging)?\.(?:debug|info|warn|warning|error|exception|critical|log)", re.IGNORECASE
)
_IS_DATABASE = re.compile(r"_?is_(postgres\w*|pg|sqlite\w*|mysql\w*|mariadb\w*)")


class IndexCheck(NamedTuple):
    """A condition that asks whether an index exists."""

    exists: bool
    """Whether the block runs if it exists."""
    texts: list[str]
    """The texts that the condition names; one of them is the index."""


@dataclass(frozen=True)
class Scope:
    """The names that are known at a statement."""

    functions: dict[str, ast.FunctionDef]
    """Functions of the module."""
    values: dict[str, ast.expr]
    """Expressions that the function assigns exactly once."""
    library: frozenset[str]
    """Names imported from SQLAlchemy, or from a package of types for it."""
    own: frozenset[str]
    """Classes of the module, and names imported from elsewhere: column types and enums may come from there."""
    constants: frozenset[str]
    """Names whose value does not depend on a database."""
    operations: frozenset[str]
    """Names of Alembic's operations: `op`, and what `with op.batch_alter_table(...) as` binds."""

    @classmethod
    def of(cls, tree: ast.Module, function: ast.FunctionDef) -> Scope:
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        library = frozenset(name for node in imports if _is_library(node) for name in names_bound(node))
        classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
        own = frozenset(classes | {name for node in imports for name in names_bound(node)}) - library
        names = cls(functions, _assigned(function), library, own, frozenset(), frozenset([*_OPERATIONS, *_batches(tree)]))
        for node in tree.body:
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None and names._is_constant(node.value):
                names = names.with_constants(names_bound(node))
        for name, value in names.values.items():
            if names._is_constant(value):
                names = names.with_constants([name])
        return names

    def with_constants(self, constants: Iterable[str]) -> Scope:
        return replace(self, constants=self.constants | frozenset(constants))

    def is_plain(self, node: ast.stmt) -> bool:
        """Whether it is one operation with constant arguments."""
        if not isinstance(node, ast.Expr) or not isinstance(call := node.value, ast.Call):
            return False
        return self._is_operation(call.func) and all(self._is_constant(one) for one in _arguments(call))

    def is_constant_block(self, node: ast.stmt) -> bool:
        """Whether it is a loop over constants, a `try` or a call of the module's function, around operations with constant
        arguments."""
        return (isinstance(node, (ast.For, ast.Try)) or self._called(node) is not None) and self._is_fixed(node, ())

    def is_constant_batch(self, node: ast.stmt) -> bool:
        """Whether it is a batch of operations with constant arguments."""
        return isinstance(node, ast.With) and self._is_fixed(node, ())

    def is_constant_execution(self, node: ast.stmt) -> bool:
        """Whether it executes a statement whose text and values are constants, on the connection or on a session of it."""
        call = node.value if isinstance(node, ast.Expr) else None
        if not isinstance(call, ast.Call) or _attribute(call.func) != "execute":
            return False
        return all(self._is_constant(one) for one in _arguments(call))

    def keeps_place(self, node: ast.stmt) -> bool:
        """Whether an assignment can't be repeated elsewhere: its value comes from rows, or the name gets another value later."""
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        names = [name for target in targets for name in _targets(target)]
        return any(name not in self.values or self._reads_rows(self.values[name]) for name in names)

    def _reads_rows(self, value: ast.expr, via: tuple[str, ...] = ()) -> bool:
        if any(isinstance(part, ast.Call) and _attribute(part.func) in _QUERIES for part in ast.walk(value)):
            return True
        names = [name for name in names_read([value]) if name in self.values and name not in via]
        return any(self._reads_rows(self.values[name], (*via, name)) for name in names)

    def is_own_call(self, node: ast.stmt) -> bool:
        """Whether it calls a function of the module."""
        call = node.value if isinstance(node, ast.Expr) else None
        return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in self.functions

    def tests_database(self, node: ast.If) -> bool:
        """Whether it tests the kind of database, around statements that neither assign nor return."""
        bodies = [node.body, node.orelse]
        if node.body[0].lineno == node.lineno or any(isinstance(one, ast.If) for one in node.orelse[:1]):
            return False
        if any(not isinstance(one, (ast.Expr, ast.With, ast.For)) for body in bodies for one in body):
            return False
        return self._tests_dialect(node.test)

    def is_guard(self, node: ast.stmt) -> bool:
        """Whether it only returns for another kind of database: `if bind.dialect.name != "postgresql": return`."""
        if not isinstance(node, ast.If) or node.orelse or not self._tests_dialect(node.test):
            return False
        [*before, last] = node.body
        return isinstance(last, ast.Return) and last.value is None and all(_is_text(one) for one in before)

    def checked_index(self, node: ast.stmt) -> IndexCheck | None:
        """The condition of a block around operations with constant arguments that asks whether an index exists, such as
        `if "ix_users_age" not in indexes:` or `if not has_index("users", "ix_users_age"):`."""
        if not isinstance(node, ast.If) or node.orelse or not self._are_fixed(node.body, ()):
            return None
        test, exists = node.test, True
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, exists = test.operand, False
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.In, ast.NotIn)):
            exists = exists == isinstance(test.ops[0], ast.In)
            names = [test.left]
        elif isinstance(test, ast.Call) and _CHECKS_INDEX.fullmatch(_attribute(test.func)):
            names = _arguments(test)
        else:
            return None
        return IndexCheck(exists, [text for name in names if (text := self._text(name)) is not None])

    def _text(self, node: ast.expr) -> str | None:
        """The text of a literal, `op.f("...")`, or a name for one."""
        if isinstance(node, ast.Call) and _attribute(node.func) == "f" and len(node.args) == 1:
            return self._text(node.args[0])
        if isinstance(node, ast.Name) and node.id in self.values:
            return self._text(self.values[node.id])
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None

    def _is_fixed(self, node: ast.stmt, calling: tuple[str, ...]) -> bool:
        if isinstance(node, (ast.Pass, ast.Global)) or self.is_plain(node) or _is_text(node) or self._reports(node):
            return True
        if isinstance(node, ast.For):
            if node.orelse or not self._is_constant(node.iter):
                return False
            return self.with_constants(_targets(node.target))._are_fixed(node.body, calling)
        if isinstance(node, ast.Try):
            # After a failed statement, PostgreSQL rejects all others of the transaction: a handler can't save it.
            only_reports = not node.orelse and not node.finalbody and all(_only_reports(one) for one in node.handlers)
            return only_reports and self._are_fixed(node.body, calling)
        if isinstance(node, ast.With):
            return all(map(_is_batch, node.items)) and self._are_fixed(node.body, calling)
        if isinstance(node, ast.If):
            return self._is_constant(node.test) and self._are_fixed([*node.body, *node.orelse], calling)
        if isinstance(node, (ast.Assign, ast.AugAssign)):
            return self._is_constant(node.value)
        if (function := self._called(node)) is None or function.name in calling:
            return False
        parameters = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        return self.with_constants(one.arg for one in parameters)._are_fixed(function.body, (*calling, function.name))

    def _are_fixed(self, body: list[ast.stmt], calling: tuple[str, ...]) -> bool:
        assigned = {name for node in body if isinstance(node, (ast.Assign, ast.AugAssign)) for name in names_bound(node)}
        return all(self.with_constants(assigned)._is_fixed(node, calling) for node in body)

    def _reports(self, node: ast.stmt) -> bool:
        """Whether it prints or logs constants."""
        return (call := _reporting_call(node)) is not None and all(map(self._is_constant, _arguments(call)))

    def _called(self, node: ast.stmt) -> ast.FunctionDef | None:
        """The module's function that a statement calls with constants."""
        if not self.is_own_call(node):
            return None
        function = self.functions[node.value.func.id]
        is_plain = not function.decorator_list and all(self._is_constant(one) for one in _arguments(node.value))
        return function if is_plain else None

    def _is_constant(self, node: ast.expr) -> bool:
        parts = list(_walk(node))
        if any(isinstance(part, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Lambda)) for part in parts):
            return False
        if any(isinstance(part, ast.Call) and not self._is_expression(part.func) for part in parts):
            return False
        if any(isinstance(part, ast.Attribute) and part.attr == "environ" for part in parts):
            return False
        roots = [_root_of_class(part) for part in parts]
        roots += [_root_of_class(part.func, _CALLED) for part in parts if isinstance(part, ast.Call)]
        types = {id(root) for root in roots if root and root.id in self.own}
        read = names_read(part for part in parts if isinstance(part, ast.Name) and id(part) not in types)
        inner = {name for part in parts if isinstance(part, ast.comprehension) for name in _targets(part.target)}
        return read <= {*self.constants, *self.library, *inner, *self.operations, *_BUILT_IN}

    def _is_expression(self, function: ast.expr) -> bool:
        """Whether a call only creates a value: a type or an expression of SQLAlchemy, or a value of Python."""
        name, root = _attribute(function), function
        while isinstance(root, (ast.Attribute, ast.Call)):
            root = root.value if isinstance(root, ast.Attribute) else root.func
        if isinstance(root, ast.Name) and root.id in self.library:
            return name != "inspect"
        if isinstance(root, ast.Name) and root.id in self.constants:
            return isinstance(function, ast.Attribute)
        if (own := _root_of_class(function, _CALLED)) and own.id in self.own:
            return _CALLED.fullmatch(name) is not None
        if isinstance(function, ast.Name):
            return name in _BUILT_IN
        return name in _VALUE_METHODS or (name == "f" and isinstance(root, ast.Name) and root.id in self.operations)

    def _is_operation(self, function: ast.expr) -> bool:
        owner = function.value if isinstance(function, ast.Attribute) else None
        return isinstance(owner, ast.Name) and owner.id in self.operations and not _attribute(function).startswith("get_")

    def _tests_dialect(self, test: ast.expr) -> bool:
        if isinstance(test, ast.BoolOp):
            return all(self._tests_dialect(one) for one in test.values)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return self._tests_dialect(test.operand)
        if isinstance(test, ast.Name):
            return test.id in self.values and self._tests_dialect(self.values[test.id])
        if isinstance(test, ast.Call):
            name = _attribute(test.func)
            return name == "is_offline_mode" or _IS_DATABASE.fullmatch(name) is not None
        if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not self._is_constant(test.comparators[0]):
            return False
        return self._is_dialect_name(test.left)

    def _is_dialect_name(self, node: ast.expr) -> bool:
        """`bind.dialect.name`, or a name for it."""
        if isinstance(node, ast.Name):
            return node.id in self.values and self._is_dialect_name(self.values[node.id])
        if not isinstance(node, ast.Attribute) or node.attr != "name":
            return False
        owner = node.value
        if isinstance(owner, ast.Name) and owner.id in self.values:
            owner = self.values[owner.id]
        return isinstance(owner, ast.Attribute) and owner.attr in ("dialect", "engine")


def _is_library(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return re.search("sqlalchemy|sqlmodel", node.module or "") is not None
    return isinstance(node, ast.Import) and any(re.search("sqlalchemy|sqlmodel", one.name) for one in node.names)


def _batches(tree: ast.Module) -> Iterator[str]:
    """The names that batches bind."""
    for item in (item for node in ast.walk(tree) if isinstance(node, ast.With) for item in node.items):
        if _is_batch(item) and isinstance(item.optional_vars, ast.Name):
            yield item.optional_vars.id


def _is_batch(item: ast.withitem) -> bool:
    return isinstance(item.context_expr, ast.Call) and _attribute(item.context_expr.func) == "batch_alter_table"


def _assigned(function: ast.FunctionDef) -> dict[str, ast.expr]:
    """Names that are bound once, by a plain assignment that always runs."""
    names = [name for node in ast.walk(function) if isinstance(node, ast.stmt) and node is not function for name in _binds(node)]
    found = {}
    for node in _always_run(function.body):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if len(targets) == 1 and isinstance(targets[0], ast.Name) and names.count(targets[0].id) == 1 and node.value:
            found[targets[0].id] = node.value
    return found


def _binds(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return set(_targets(node.target))
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Import, ast.ImportFrom)):
        return names_bound(node)
    return set()


def _always_run(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that no condition or loop surrounds."""
    for node in body:
        yield node
        if isinstance(node, ast.With):
            yield from _always_run(node.body)


def _targets(target: ast.expr) -> list[str]:
    return [part.id for part in ast.walk(target) if isinstance(part, ast.Name)]


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """All parts, without the default that Python computes for a column, which only an INSERT has."""
    yield node
    for part in ast.iter_child_nodes(node):
        is_default = isinstance(part, ast.keyword) and part.arg == "default"
        if not (is_default and isinstance(node, ast.Call) and _attribute(node.func) == "Column"):
            yield from _walk(part)


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(one.value for one in call.keywords)]


def _attribute(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def _root_of_class(node: ast.AST, pattern: re.Pattern[str] = _CLASS) -> ast.Name | None:
    """The first name of a reference to a class, or to a member of one: `app` of `app.db.types.Location`."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    is_class = any(pattern.fullmatch(name) and not _SETTINGS.search(name) for name in (*names, node.id))
    return node if is_class else None


def _only_reports(handler: ast.ExceptHandler) -> bool:
    """Whether an exception handler does nothing, raises, prints or logs."""
    return all(_reporting_call(one) or isinstance(one, (ast.Pass, ast.Raise)) or _is_text(one) for one in handler.body)


def _reporting_call(node: ast.stmt) -> ast.Call | None:
    """A call of `print` or of a logger."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return None
    return call if _REPORTING.fullmatch(ast.unparse(call.func)) else None


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
