"""The backend's modules, which are interpreted lazily: only the statements that bind a needed name."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ..values import UNKNOWN, Builtin, External

_BUILTINS = (
    "len", "str", "bytes", "list", "tuple", "dict", "set", "frozenset", "sorted", "reversed", "enumerate", "zip", "range", "map",
    "filter", "open", "print", "getattr", "isinstance", "repr", "next", "iter", "eval", "exec", "globals", "locals", "vars",
    "int", "bool", "max", "min", "any", "all", "hasattr", "setattr", "super", "__import__", "abs", "sum", "float",
    "issubclass", "type", "chr", "ord", "bytearray", "slice", "compile",
)  # fmt: skip
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPOUND = (ast.If, ast.Try, ast.With, ast.For, ast.While)


# Many revisions use the same modules.
@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())


class Scope:
    """The names of a function. Others are looked up in the enclosing scopes."""

    def __init__(self, outer: Any, module: Module) -> None:
        self.names: dict[str, Any] = {}
        self.declared: dict[str, Any] = {}
        """Scopes of the names that `global` and `nonlocal` declare."""
        self.outer = outer
        self.module = module
        self.method: Any = None
        """The function and its first argument, for `super()`."""

    def look_up(self, name: str) -> Any:
        return self.names[name] if name in self.names else self.outer.look_up(name)


class Module:
    """A file of the backend. Runs a statement only when a name that it binds is needed."""

    def __init__(self, path: Path, run: Callable[[Module, ast.stmt], None], tree: ast.Module | None = None) -> None:
        self.path = path
        self.module = self
        self.names: dict[str, Any] = {}
        self.declared: dict[str, Any] = {}
        self._run = run
        self._statements: dict[str, list[ast.stmt]] = {}
        self._started: set[ast.stmt] = set()
        self._running: set[str] = set()
        self._body = (tree or _parsed(path)).body
        for statement in self._body:
            for name in names_bound_by(statement):
                self._statements.setdefault(name, []).append(statement)

    def look_up(self, name: str) -> Any:
        if name == "__file__":
            return self.path
        if name == "__name__":
            return self.path.stem
        self._run_all(name)
        if name not in self.names:
            self._run_all("*")
        if name in self.names:
            return self.names[name]
        return Builtin(name) if name in _BUILTINS else UNKNOWN

    def _run_all(self, name: str) -> None:
        """Runs the statements that bind a name, in order. One that reads the name must not start a later one first."""
        if name in self._running:
            return
        self._running.add(name)
        try:
            for statement in self._statements.get(name, ()):
                if statement not in self._started:
                    self._started.add(statement)
                    self._run(self, statement)
        finally:
            self._running.discard(name)

    def defines(self, name: str) -> bool:
        return name in self._statements

    def using_alembic(self) -> Iterator[ast.stmt]:
        """The statements that use Alembic's `op` when the file is loaded, also through a variable or a function of the file."""
        users = {"op", "alembic"}
        for statement in self._body:
            if isinstance(statement, ast.ClassDef) or not any(name in users for name in _names_read(statement)):
                continue
            users.update(names_bound_by(statement))
            if not isinstance(statement, _DEFINITIONS):
                self._started.add(statement)
                yield statement

    def decorated(self, decorator: str) -> Iterator[tuple[Any, ast.Call]]:
        """The module's functions and classes with a decorator call such as `register_operation(...)`, with that call."""
        for statements in list(self._statements.values()):
            for statement in statements:
                for call in getattr(statement, "decorator_list", ()):
                    if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) == decorator:
                        yield self.look_up(statement.name), call

    def matching(self, fits: Callable[[str], Any]) -> list[str]:
        """The bound names that match."""
        return [name for name in self._statements if fits(name)]


def _names_read(node: ast.AST) -> Iterator[str]:
    """The names in a statement, without those in a lambda, which runs later."""
    if isinstance(node, ast.Name):
        yield node.id
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.Lambda):
            yield from _names_read(child)


def names_bound_by(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement of a module binds or changes, as in `TABLES.append("users")`."""
    if isinstance(statement, _DEFINITIONS):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        for alias in statement.names:
            yield alias.asname or alias.name.split(".")[0]
    elif isinstance(statement, _COMPOUND):
        for node in ast.walk(statement):
            if isinstance(node, ast.stmt) and not isinstance(node, _COMPOUND):
                yield from names_bound_by(node)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
    elif isinstance(statement, ast.Expr):
        call = statement.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            yield call.func.value.id
    else:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
                yield node.value.id


class Modules:
    """Finds the backend's modules by name, in the folders that Python would search."""

    def __init__(self, roots: list[Path], run: Callable[[Module, ast.stmt], None]) -> None:
        self._roots = roots
        self._run = run
        self._known: dict[Path, Module | None] = {}

    def loaded(self) -> list[Module]:
        """The modules loaded so far."""
        return [module for module in self._known.values() if module is not None]

    def at(self, path: Path) -> Module | None:
        """The module of a file."""
        return self._load(path.with_suffix("")) if path.suffix == ".py" else None

    def find(self, name: str, of: Module, level: int = 0) -> Module | None:
        """A module by its dotted name; with a level, relative to another module."""
        parts = name.split(".") if name else []
        if level:
            folder = of.path.parent
            for _ in range(level - 1):
                folder = folder.parent
            return self._load(folder.joinpath(*parts))
        # In most projects, the folder alembic/ is not a package: `from alembic import op` imports Alembic.
        if parts[:1] == ["alembic"] and parts[1:2] in ([], ["op"], ["operations"], ["context"]):
            return None
        return next((found for root in self._roots if (found := self._load(root.joinpath(*parts)))), None)

    def _load(self, path: Path) -> Module | None:
        for file in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
            if file not in self._known:
                self._known[file] = None
                if file.is_file():
                    try:
                        self._known[file] = Module(file, self._run)
                    except (SyntaxError, ValueError):
                        self._known[file] = None
            if self._known[file] is not None:
                return self._known[file]
        return None

    def member(self, module: str, name: str, of: Module, level: int) -> Any:
        """What `from module import name` binds."""
        found = self.find(module, of, level)
        if found is not None and found is not of and found.defines(name):
            return found.look_up(name)
        inner = self.find(f"{module}.{name}" if module else name, of, level)
        if inner is not None:
            return inner
        return External(f"{module}.{name}") if found is None or module else UNKNOWN
