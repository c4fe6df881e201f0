"""Which distributions a loaded project uses: those that it has loaded, and those that it may import later.

env.py and the revisions are loaded by then, and everything that they import. Other imports are in functions: of env.py and the
revisions, of the backend if they may call it, and of a distribution if it requires what it imports. They run here, until nothing
new is loaded.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

# SQLAlchemy calls the functions that these decorate or get.
LISTENS = frozenset({"listens_for", "listen", "compiles"})

IMPORTS_BY_NAME = frozenset({"import_module", "__import__", "import_string"})

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Import(NamedTuple):
    """`import module`, or `from module import name`. A relative module begins with dots."""

    module: str
    name: str | None = None


@dataclass
class Scope:
    """The imports of some code, and what it may call."""

    imports: list[Import] = field(default_factory=list)
    # Functions, classes and variables of modules.
    names: set[str] = field(default_factory=set)
    # Methods.
    attributes: set[str] = field(default_factory=set)


@dataclass
class Definition:
    """A function, a class or a variable of a module."""

    package: str
    scope: Scope
    methods: list[tuple[str, Definition]] = field(default_factory=list)
    # The code of a base class may call the class's methods.
    has_bases: bool = False


class Source:
    """A module's source."""

    def __init__(self, file: Path, package: str, backend: Path) -> None:
        self._tree = ast.parse(file.read_bytes())
        self._package = package
        self._backend = backend
        # Local name -> original name, of what is imported from the backend.
        self._imported: dict[str, str] = {}
        # Names that stand for something outside of the backend.
        self._foreign: set[str] = set()
        self._has_star = False
        self._defined = {name for node in self._statements() for name in names_of(node)}
        for node in ast.walk(self._tree):
            self._bind(node)

    def everything(self) -> Definition:
        """The whole module, as if every function were called."""
        return Definition(self._package, self._scope(self._tree))

    def definitions(self) -> Iterator[tuple[str | None, Definition]]:
        """The definitions that others may call, by name. None: they always run, or SQLAlchemy calls them."""
        for node in self._statements():
            if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                listens = isinstance(node, FUNCTIONS) and any(called(item) in LISTENS for item in node.decorator_list)
                yield None if listens else node.name, self._definition(node)
            elif isinstance(node, (ast.Import, ast.ImportFrom)) or (isinstance(node, ast.Expr) and called(node.value) in LISTENS):
                yield None, Definition(self._package, self._scope(node))
            else:
                for name in names_of(node):
                    yield name, Definition(self._package, self._scope(node))

    def _statements(self, body: list[ast.stmt] | None = None) -> Iterator[ast.stmt]:
        """The statements that run when the module is loaded, except those in classes."""
        for node in self._tree.body if body is None else body:
            if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                yield node
                continue
            if is_type_checking(node):
                yield from self._statements(node.orelse)
                continue
            nested = [getattr(node, part, []) for part in ("body", "orelse", "finalbody")]
            nested += [handler.body for handler in getattr(node, "handlers", [])]
            if any(nested):
                for part in nested:
                    yield from self._statements(part)
            else:
                yield node

    def _bind(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._bind_name(alias.name, alias.asname or alias.name.split(".")[0], alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                self._has_star = self._has_star or alias.name == "*"
                self._bind_name("." if node.level else node.module or "", alias.asname or alias.name, alias.name)

    def _bind_name(self, module: str, local: str, original: str) -> None:
        if module.startswith(".") or is_of(sys.modules.get(module.split(".")[0]), self._backend):
            self._imported[local] = original
        else:
            self._foreign.add(local)

    def _definition(self, node: Any) -> Definition:
        if isinstance(node, FUNCTIONS):
            return Definition(self._package, self._scope(node))
        methods = [item for item in node.body if isinstance(item, FUNCTIONS)]
        others = [item for item in ast.iter_child_nodes(node) if item not in methods]
        scope = Scope()
        for item in others:
            self._read(item, scope)
        found = [(item.name, self._definition(item)) for item in methods]
        return Definition(self._package, scope, found, bool(node.bases))

    def _scope(self, node: ast.AST) -> Scope:
        scope = Scope()
        self._read(node, scope)
        return scope

    def _read(self, node: ast.AST, scope: Scope) -> None:
        if is_type_checking(node):
            for statement in node.orelse:
                self._read(statement, scope)
            return
        scope.imports += imports_of(node)
        if isinstance(node, ast.Name):
            self._read_name(node.id, scope)
        elif isinstance(node, ast.Attribute):
            root = root_of(node)
            if root not in self._foreign:
                scope.attributes.add(node.attr)
            if root in self._imported:
                scope.names.add(node.attr)
        elif isinstance(node, ast.Call):
            self._read_call(node, scope)
        for child in ast.iter_child_nodes(node):
            self._read(child, scope)

    def _read_name(self, name: str, scope: Scope) -> None:
        if name in self._imported:
            scope.names.add(self._imported[name])
        elif name in self._defined or (self._has_star and name not in self._foreign):
            scope.names.add(name)

    def _read_call(self, node: ast.Call, scope: Scope) -> None:
        texts = [item.value for item in node.args if isinstance(item, ast.Constant) and isinstance(item.value, str)]
        name = called(node)
        if name in IMPORTS_BY_NAME and texts:
            scope.imports.append(Import(texts[0].replace(":", ".")))
        elif name in ("getattr", "attrgetter", "methodcaller"):
            scope.attributes.update(texts)
            scope.names.update(texts)


class Calls:
    """The backend's definitions that env.py and the revisions may call, by name. If unclear, they count as called."""

    def __init__(self) -> None:
        # Imports that may run, with the package of their module.
        self.imports: set[tuple[str, Import]] = set()
        self._names: set[str] = set()
        self._attributes: set[str] = set()
        self._uncalled: dict[str, list[Definition]] = {}
        self._uncalled_methods: dict[str, list[Definition]] = {}

    def add(self, name: str | None, definition: Definition) -> None:
        """Adds a definition. None: it is called."""
        if name is None or name in self._names:
            self._call(definition)
        else:
            self._uncalled.setdefault(name, []).append(definition)

    def _call(self, definition: Definition) -> None:
        todo = [definition]
        while todo:
            found = todo.pop()
            self.imports.update((found.package, statement) for statement in found.scope.imports)
            for name, method in found.methods:
                if found.has_bases or name.startswith("__") or name in self._attributes:
                    todo.append(method)
                else:
                    self._uncalled_methods.setdefault(name, []).append(method)
            for name in found.scope.names - self._names:
                todo += self._uncalled.pop(name, ())
            for name in found.scope.attributes - self._attributes:
                todo += self._uncalled_methods.pop(name, ())
            self._names |= found.scope.names
            self._attributes |= found.scope.attributes


class Installed:
    """The distributions of a package."""

    def __init__(self, distributions: dict[str, dict[str, list[str]]]) -> None:
        self._requirements = {name: set(found["requirements"]) for name, found in distributions.items()}
        # Module -> distribution.
        self._modules = {module: name for name, found in distributions.items() for module in found["modules"]}
        self.used: set[str] = set()

    def of(self, module: str) -> str | None:
        """The distribution that has a module."""
        parts = module.split(".")
        names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((self._modules[name] for name in names if name in self._modules), None)

    def modules_of(self, distributions: set[str]) -> list[str]:
        return [module for module, name in self._modules.items() if name in distributions]

    def unused_requirements(self, distribution: str) -> set[str]:
        return self._requirements[distribution] - self.used - {distribution}


def used_by_project(
    package: Path, revisions: Iterable[str], paths: Iterable[str], distributions: dict[str, dict[str, list[str]]]
) -> dict[str, list[str]]:
    """The distributions that a loaded project uses, and the files that every run loads, relative to the package.

    :param revisions: the files of its revisions
    :param paths: the folders of its scripts, and of revisions
    :param distributions: what is installed: the modules and the requirements of each
    """
    backend = package / "backend"
    scripts = {file.resolve() for file in (*map(Path, revisions), *(file for path in paths for file in Path(path).rglob("*.py")))}
    loaded = {file for file in (*files_in(package), *scripts) if file.is_relative_to(package)}
    files = sorted(file.relative_to(package).as_posix() for file in loaded)
    installed = Installed(distributions)
    calls = Calls()
    for file in scripts:
        with suppress(SyntaxError, ValueError):
            calls.add(None, Source(file, "", backend).everything())
    # Their imports in functions; None: not read yet.
    libraries: dict[str, list[Import] | None] = {}
    seen: set[str] = set()
    done: set[tuple[str, Import]] = set()
    while True:
        for name, module in list(sys.modules.items()):
            if name in seen:
                continue
            seen.add(name)
            if is_of(module, backend):
                for defined, definition in definitions_of(name, module, backend):
                    calls.add(defined, definition)
            elif distribution := installed.of(name):
                # It may be in another folder: a library for this machine.
                libraries[name] = None
                installed.used.add(distribution)
        wanted = (calls.imports | required_imports(installed, libraries)) - done
        if not wanted:
            return {"distributions": sorted(installed.used), "files": files}
        for origin, statement in wanted:
            done.add((origin, statement))
            run(origin, statement, installed)


def files_in(package: Path) -> Iterator[Path]:
    """The files of what is loaded."""
    for module in list(sys.modules.values()):
        if is_of(module, package) and getattr(module, "__file__", None):
            yield Path(os.path.realpath(str(module.__file__)))


def required_imports(installed: Installed, libraries: dict[str, list[Import] | None]) -> set[tuple[str, Import]]:
    """Imports in functions of loaded distributions, of requirements that are not used yet."""
    found: set[tuple[str, Import]] = set()
    for name, known in libraries.items():
        distribution = installed.of(name)
        unused = installed.unused_requirements(distribution) if distribution else set()
        file = getattr(sys.modules.get(name), "__file__", None) or ""
        if not unused or not file.endswith(".py"):
            continue
        imports = imports_of_functions(Path(file), installed.modules_of(unused)) if known is None else known
        # Later rounds have fewer unused ones.
        libraries[name] = imports
        found |= {
            (package_of(name, file), item) for item in imports if installed.of(f"{item.module}.{item.name or ''}") in unused
        }
    return found


def imports_of_functions(file: Path, modules: Iterable[str]) -> list[Import]:
    """The imports in functions of a file, if it may import one of some modules."""
    with suppress(SyntaxError, ValueError, OSError):
        source = file.read_bytes()
        if any(module.split(".")[0].encode() in source for module in modules):
            functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, FUNCTIONS)]
            return [item for node in functions for inner in ast.walk(node) for item in imports_of(inner)]
    return []


def definitions_of(name: str, module: ModuleType, backend: Path) -> list[tuple[str | None, Definition]]:
    file = getattr(module, "__file__", None) or ""
    with suppress(SyntaxError, ValueError, OSError):
        return list(Source(Path(file), package_of(name, file), backend).definitions()) if file.endswith(".py") else []
    return []


def package_of(module: str, file: str) -> str:
    return module if Path(file).name == "__init__.py" else module.rpartition(".")[0]


def run(package: str, statement: Import, installed: Installed) -> None:
    """Imports what a statement imports, and counts its distribution as used, even if the import fails here."""
    name = statement.module
    # Anything may be raised there, even by the code that blocks connections.
    with suppress(BaseException):
        name = importlib.util.resolve_name(name, package)
        module = importlib.import_module(name)
        if statement.name and not hasattr(module, statement.name):
            name = f"{name}.{statement.name}"
            importlib.import_module(name)
    found = installed.of(name)
    if found:
        installed.used.add(found)


def is_of(module: ModuleType | None, folder: Path) -> bool:
    """Whether a module is in a folder."""
    file = None
    # A namespace package has no file, and no path if its parent could not be imported. What is lazy may raise anything.
    with suppress(Exception):
        file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    return isinstance(file, str) and os.path.realpath(file).startswith(f"{folder}/")


def names_of(node: ast.stmt) -> list[str]:
    """The names that a statement defines, except those of imports."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return [node.name]
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
        targets = [node.target]
    return [item.id for target in targets for item in ast.walk(target) if isinstance(item, ast.Name)]


def imports_of(node: ast.AST) -> list[Import]:
    if isinstance(node, ast.Import):
        return [Import(alias.name) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        return [Import(module, None if alias.name == "*" else alias.name) for alias in node.names]
    return []


def called(node: ast.AST) -> str:
    """The last name of what a call or a decorator calls."""
    function = node.func if isinstance(node, ast.Call) else node
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def root_of(node: ast.expr) -> str | None:
    """`a` of `a.b.c`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and called(node.test) == "TYPE_CHECKING"
