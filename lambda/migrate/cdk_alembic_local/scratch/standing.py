"""Standing drift: differences that the models of the default branch have already. They are not part of this branch's change."""

from __future__ import annotations

import sys
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import Any

from cdk_alembic.protocol.errors import RunnerError

from .drift import Drift, entries_of, flatten
from .set_aside import remove

_DIRECTIONS = ("upgrade_ops", "downgrade_ops")
_PACKAGES = frozenset(("site-packages", "dist-packages", "lib-dynload"))


class Standing:
    """The differences in StandingFacts, and how many of them were found again."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.since: str = facts["since"]
        """The default branch, for a message."""
        self.count = 0
        self._known = {direction: {tuple(texts) for texts in facts[direction]} for direction in _DIRECTIONS}
        self._catalog = facts["catalog"]
        self._operations: list[Any] = []

    def remove_operations(self, context: Any, directives: list[Any]) -> None:
        """Removes its operations. Those on a table that another operation creates are part of that."""
        from alembic.operations import ops

        texts = _Texts(context)
        made = set()
        for operation in (one for directive in directives for one in flatten(directive.upgrade_ops)):
            if texts.of(operation) in self._known["upgrade_ops"]:
                self._operations.append(operation)
            elif isinstance(operation, ops.CreateTableOp):
                made.add(_table(operation))
        self._operations = [one for one in self._operations if _table(one) not in made]
        self.count = len(self._operations)
        for directive in directives:
            for direction in _DIRECTIONS:
                known = self._known[direction]
                remove(getattr(directive, direction), lambda one, known=known: _table(one) not in made and texts.of(one) in known)

    def remove_entries(self, change: dict[str, Any], drift: Drift) -> None:
        """Removes its entries from a SchemaChange."""
        found: set[str] = set()
        for side, known in self._catalog.items():
            same = {key for key, value in change[side].items() if key in known and _value(known[key]) == _value(value)}
            change[side] = {key: value for key, value in change[side].items() if key not in same}
            found |= same
        more = [one for one in self._operations if found.isdisjoint(entries_of([one])) and not drift.changes_nothing(one)]
        self.count = len(found) + len(more)


def operations_of(context: Any, directives: list[Any]) -> dict[str, list[tuple[str, ...]]]:
    """The operations' part of StandingFacts."""
    texts = _Texts(context)
    return {
        direction: [texts.of(one) for directive in directives for one in flatten(getattr(directive, direction))]
        for direction in _DIRECTIONS
    }


class _Texts:
    """Two operations with the same texts do and undo the same."""

    def __init__(self, context: Any) -> None:
        from alembic.autogenerate import api

        self._autogenerate = api.AutogenContext(context, metadata=context.opts["target_metadata"])

    def of(self, operation: Any) -> tuple[str, ...]:
        from alembic.operations import ops

        if isinstance(operation, ops.AlterColumnOp) and operation.modify_server_default is False:
            # Of a serial column, Alembic reads it by chance: the order of the sequence's dependencies decides.
            operation = copy(operation)
            operation.existing_server_default = False
        texts = [self._render(operation)]
        # Not every operation of a package can be reversed.
        with suppress(Exception):
            texts.append(self._render(operation.reverse()))
        return tuple(texts)

    def _render(self, operation: Any) -> str:
        from alembic.autogenerate import render

        return "\n".join(render.render_op(self._autogenerate, operation))


def _table(operation: Any) -> tuple[Any, Any] | None:
    name = getattr(operation, "table_name", None) or getattr(operation, "source_table", None)
    schema = getattr(operation, "schema", None) or getattr(operation, "kw", {}).get("source_schema")
    return (schema, name) if name else None


def _value(value: Any) -> Any:
    # A pair comes as a list from JSON.
    return list(value) if isinstance(value, tuple) else value


def search_checkout(repository: str, checkout: str) -> None:
    """Imports the repository's own modules from a checkout of it, also where the backend is installed as editable."""
    sys.path[:] = [_in_checkout(entry, repository, checkout) for entry in sys.path]


def refuse_modules_of(repository: str, checkout: str) -> None:
    """Raises RunnerError if a module was not imported from the checkout."""
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    # The checkout has links to what git ignores.
    others = (file for file in files if isinstance(file, str) and not file.startswith(checkout))
    if found := next((file for file in others if _is_own(file, repository)), None):
        raise RunnerError(
            "create_failed", f"{found} was imported, and not the default branch's", "install the backend as editable"
        )


def _in_checkout(entry: str, repository: str, checkout: str) -> str:
    if entry.startswith(checkout) or not _is_own(entry, repository):
        return entry
    return str(Path(checkout) / Path(entry).resolve().relative_to(repository))


def _is_own(path: str, repository: str) -> bool:
    """Whether it is in the repository, and not in a virtual environment there."""
    real = Path(path).resolve()
    return real.is_relative_to(repository) and not _PACKAGES.intersection(real.parts)
