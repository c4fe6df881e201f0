"""What the names of a revision's file stand for: its functions, the values they are bound to, and what is imported."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator

from cdk_alembic.project.sources import definitions, last_name

from ..literals import bound_values, known_values, values_bound_once
from .connections import autocommit_connections, separate_connections
from .statements import EXECUTES

# Calls that read rows.
_READS = (*EXECUTES, "query", "all", "fetchall", "fetchmany", "mappings", "yield_per", "partitions", "stream")
_MAX_DEPTH = 5
# The driver's connection below SQLAlchemy's.
DRIVER_CONNECTION = ("connection", "dbapi_connection", "driver_connection")

_ASKS_ENVIRONMENT = re.compile(r"\b(?:environ|getenv|settings)\b")
# Names of imported settings, such as `settings` or `get_config`; not a model of that name.
_SETTINGS = re.compile(r"(?i)(?!.*\bmodels?\b)(?:.*\.)?(?:(?:get|load|read|app)_)*(?:settings|config|configuration)")
_SETTING = re.compile(r"(?:.*\.)?(?:settings|config)\.[A-Z][A-Z0-9_]*")


class Names:
    def __init__(self, tree: ast.Module, nodes: Iterable[ast.AST]) -> None:
        """`nodes`: all of the tree."""
        self.definitions = definitions(tree)
        self._bound = bound_values(nodes)
        self.values = values_bound_once(self._bound)
        self.known = known_values(self._bound)
        self.separate_connections = separate_connections(self._bound)
        self._autocommit_connections = autocommit_connections(self._bound, nodes)
        self._aliases = dict(_aliases(nodes))

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
                yield from self.definitions.get(name.id, ())

    def may_have_rows(self, node: ast.AST, depth: int = 0) -> bool:
        """Whether a value may have rows of the database: it is the result of a query, or unknown, such as an argument."""
        for part in ast.walk(node):
            if isinstance(part, ast.Call) and last_name(part.func) in _READS:
                return True
            if isinstance(part, ast.Name) and part.id not in self._aliases:
                values = self._bound.get(part.id, ())
                if any(value is None or (depth < _MAX_DEPTH and self.may_have_rows(value, depth + 1)) for value in values):
                    return True
        return False

    def alembic_connection(self, node: ast.AST | None, depth: int = 0) -> str | None:
        """`op.get_bind()`, or `op.get_bind().connection` for the driver's below it, if a value is always that."""
        match node:
            case ast.Call(func=function) if last_name(function) == "get_bind":
                return "op.get_bind()"
            case ast.Attribute(value=value, attr=attr) if attr in DRIVER_CONNECTION:
                return self.alembic_connection(value, depth) and "op.get_bind().connection"
            case ast.Name(id=name) if depth < _MAX_DEPTH:
                found = {self.alembic_connection(value, depth + 1) for value in self._bound.get(name, ())}
                return found.pop() if len(found) == 1 else None
        return None

    def settings_name(self, node: ast.AST) -> str | None:
        """The full name of an imported object with the backend's settings."""
        first = node
        while isinstance(first, ast.Attribute):
            first = first.value
        module = self._aliases.get(first.id) if isinstance(first, ast.Name) else None
        if module is None or module.partition(".")[0] in sys.stdlib_module_names:
            return None
        name = self.imported(ast.unparse(node))
        return name if _SETTINGS.fullmatch(name) or (isinstance(node, ast.Name) and _SETTING.fullmatch(name)) else None

    def asks_environment(self, test: ast.AST) -> bool:
        """Whether a condition depends on the environment or the settings, also by way of names and functions of the file."""
        found: list[ast.AST] = [test]
        for node in found:
            if _ASKS_ENVIRONMENT.search(ast.unparse(node)) or any(map(self.settings_name, ast.walk(node))):
                return True
            names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            values = (one for name in names for one in (*self._bound.get(name, ()), *self.definitions.get(name, ())))
            found += [one for one in values if one is not None and one not in found]
        return False

    def imported(self, name: str) -> str:
        """The name with its module: after `from httpx import get`, `get` is `httpx.get`."""
        first, dot, rest = name.partition(".")
        return self._aliases.get(first, first) + dot + rest


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
