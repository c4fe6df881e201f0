"""Interprets an upgrade or a downgrade, with both branches of unknown conditions, and collects its effects."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..values import CALLABLE, UNKNOWN, External, Instance, Item, OneOf
from .calls import Calls
from .expressions import Expressions
from .flow import Statements
from .members import Members
from .modules import Module, Modules

_MAX_STEPS = 100_000


class TooLong(Exception):
    """The upgrade is too long to interpret."""


class Interpreter(Statements, Expressions, Members, Calls):
    """Interprets the revision at `path`. `roots` are folders below `root` that contain the backend's modules."""

    def __init__(self, path: Path, root: Path, roots: list[Path], tree: ast.Module) -> None:
        self.effects: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        """`SourceStep[]` of lib/contract/facts."""
        self._root = root
        self._modules = Modules(roots, self._run_statement_of_module)
        self._module = Module(path, self._run_statement_of_module, tree)
        self._scope: Any = self._module
        self._line = 1
        self._stack: list[ast.AST] = []
        self._returned: list[list[Any]] = [[]]
        self._yielded: list[list[Any]] = [[]]
        self._quiet = 0
        self._branch = 0
        self._failures = 0
        """How many blocks are running that only a failed statement leads to."""
        self._autocommit = 0
        self._loops: list[Item] = []
        self._whiles = 0
        """How many `while` loops are running: like a loop over unknown elements, each may run any number of times."""
        self._at_yield: list[Any] = []
        self._steps = 0
        self._empty: list[str] = []
        self._columns_read: set[str] = set()

    def run(self, name: str) -> None:
        """Collects the effects of one of the module's functions. Raises TooMuch."""
        # A helper beside the revisions has no `upgrade`; Alembic runs one only in a file with a `revision`.
        if not (self._module.defines(name) or self._module.defines("revision")):
            return
        # Alembic is connected when it loads the revisions.
        for statement in self._module.using_alembic():
            self._statement(statement)
        found = self._module.look_up(name)
        for function in found.values if isinstance(found, OneOf) else [found]:
            if isinstance(function, (*CALLABLE, Instance)):
                # env.py may pass arguments: context.run_migrations(op=op, engine_name=name).
                self._call(function, [], {"op": External("alembic.op"), "engine_name": UNKNOWN})
                if self._empty:
                    self._report({})
            else:
                # The function is imported from a library, or computed.
                self._report({"unread": "Python code"})

    def _run_statement_of_module(self, module: Module, statement: ast.stmt) -> None:
        scope, line, self._scope = self._scope, self._line, module
        self._quiet += 1  # Any other module may be loaded before the database is connected.
        try:
            self._statement(statement)
        finally:
            self._scope, self._line = scope, line
            self._quiet -= 1

    def _count_step(self) -> None:
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise TooLong

    def _report(self, effect: dict[str, Any]) -> None:
        if not self._quiet:
            spread = "line" in effect
            empty = {"empty": list(self._empty)} if self._empty else {}
            self.effects.append({"line": self._line, "spread": spread, **effect, **empty, **self._on_failure()})

    def _report_reads(self, columns: Iterable[str]) -> None:
        """Reports columns, such as `users.name`, whose values Python gets."""
        if not self._quiet and (new := [column for column in columns if column not in self._columns_read]):
            self._columns_read.update(new)
            self._report({"reads": new})

    def _add_step(self, step: dict[str, Any], connection: str | None = None) -> None:
        """Adds a step: its `call` or its `sql`. `connection`: as `connection_of` returns it."""
        if self._quiet:
            return
        place = {"line": self._line, "inAutocommitBlock": self._autocommit > 0 or connection == "autocommit"}
        if call := step.get("call"):
            call.update(place, inLoop=bool(self._loops), inBranch=self._branch > 0)
        may_be_skipped = self._branch > 0 or bool(self._loops)
        elsewhere = {"onOtherConnection": True} if connection == "other" else {}
        about = {"inBranch": may_be_skipped, "spread": "line" in step, **elsewhere, **self._on_failure()}
        self.steps.append({**place, **about, **step})

    def _on_failure(self) -> dict[str, bool]:
        return {"onFailure": True} if self._failures else {}
