"""The database before a revision, where its trial starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cdk_alembic.project.project import Project

from ..replay_cache.copy_point import MIN_REVISIONS
from ..scratch.baseline import load
from ..scratch.scratch import Scratch


@dataclass(frozen=True)
class _Copy:
    database: str
    revisions: tuple[str, ...]
    types: list[Any]
    """What Alembic remembers of them."""


_FIRST = "first"
"""Only of revisions that no trial changes: later requests use it too. Their files do not change while this process runs."""
_LATER = "later"
_copies: dict[str, _Copy] = {}
_not_copied: set[str] = set()
"""Databases whose copies would differ from them."""


class TrialStart:
    """Copies the database if its server is removed afterwards, so that earlier revisions run once and not before each trial."""

    def __init__(self, project: Project, scratch: Scratch, ask: dict[str, Any]) -> None:
        self._scratch = scratch
        self._ask = ask
        with project.revisions.alembic_errors("heads"):
            self.order = tuple(step.revision.revision for step in project.script._upgrade_revs("heads", ()))
        changed = {one["revision"] for one in ask.get("overlay") or []} | {id for one in ask["groups"] for id in one["revisions"]}
        first = next((at for at, revision in enumerate(self.order) if revision in changed), len(self.order))
        self._unchanged = self.order[:first]
        self._is_prepared = False
        self.types: list[Any] = []
        """What Alembic remembers of the revisions that have run."""
        _copies.pop(_LATER, None)

    def before(self, revision: str, upgrade: Callable[[str], list[Any] | None]) -> None:
        """Gives the database the state before a revision, or before an earlier one, from which the caller goes on.

        `upgrade`: runs the revisions before this one, and returns what Alembic remembers of them; None: a copy of the database
        would not be the same."""
        earlier = self.order[: self.order.index(revision)]
        done, name = self._restore(earlier), self._scratch.own_name
        if name is None or name in _not_copied or len(earlier) - done < MIN_REVISIONS:
            return
        types = upgrade(revision)
        kind = _FIRST if len(earlier) <= len(self._unchanged) else _LATER
        if types is not None and self._scratch.keep(kind):
            _copies[kind] = _Copy(name, earlier, types)
            self.types = types
        else:
            _not_copied.add(name)
            self._empty()

    def _restore(self, earlier: tuple[str, ...]) -> int:
        """Restores the latest copy of only these revisions, or empties the database. Returns how many revisions it has."""
        for kind in (_LATER, _FIRST):
            copy = _copies.get(kind)
            if copy and copy.database == self._scratch.own_name and self._is_of(copy, kind, earlier):
                if self._scratch.restore(kind):
                    self.types = copy.types
                    return len(copy.revisions)
                del _copies[kind]
        self._empty()
        return 0

    def _is_of(self, copy: _Copy, kind: str, earlier: tuple[str, ...]) -> bool:
        known = self._unchanged if kind == _FIRST else earlier
        return len(copy.revisions) <= len(earlier) and known[: len(copy.revisions)] == copy.revisions

    def _empty(self) -> None:
        if self._is_prepared:
            self._scratch.empty(keep_mark=True)
        else:
            self._scratch.prepare(self._ask.get("overwrite", False))
            self._is_prepared = True
        if self._ask.get("baseline"):
            load(self._scratch, self._ask["baseline"])
        self.types = []
