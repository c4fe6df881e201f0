"""The database in which trials start: after the revisions that none of them changes."""

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


_latest: list[_Copy] = []
"""That of an earlier request, if there is one: the revisions' files do not change while this process runs."""
_not_copied: set[str] = set()
"""Databases of which a copy would not be the same."""


class TrialStart:
    """An empty database with the baseline; a copy after the first revisions if the server is removed afterwards."""

    def __init__(self, project: Project, scratch: Scratch, ask: dict[str, Any]) -> None:
        self._scratch = scratch
        self._ask = ask
        overlay = {one["revision"] for one in ask.get("overlay") or []}
        self._unchanged = _before({*overlay, *(id for group in ask["groups"] for id in group["revisions"])}, project)

    def begin(self, upgrade: Callable[[int], list[Any] | None]) -> None:
        """Prepares the database. `upgrade`: runs so many revisions, and returns what Alembic remembers of them; None: a copy
        of the database would not be the same."""
        if self._restore():
            return
        self._scratch.prepare(self._ask.get("overwrite", False))
        self._load()
        name, count = self._scratch.own_name, len(self._unchanged)
        if name is None or name in _not_copied or self._ask.get("baseline") or count < MIN_REVISIONS:
            return
        types = upgrade(count)
        if types is not None and self._scratch.keep():
            _latest.append(_Copy(name, self._unchanged, types))
        else:
            _not_copied.add(name)
            self.again()

    def again(self) -> None:
        """Gives the database its state of the beginning."""
        if not self._restore():
            self._scratch.empty(keep_mark=True)
            self._load()

    def _restore(self) -> bool:
        if self._copy and self._scratch.restore():
            return True
        _latest.clear()
        return False

    @property
    def types(self) -> list[Any]:
        """What Alembic remembers of the revisions that have run."""
        return self._copy.types if self._copy else []

    @property
    def _copy(self) -> _Copy | None:
        fits = (
            one
            for one in _latest
            if one.database == self._scratch.own_name and self._unchanged[: len(one.revisions)] == one.revisions
        )
        return None if self._ask.get("baseline") else next(fits, None)

    def _load(self) -> None:
        if self._ask.get("baseline"):
            load(self._scratch, self._ask["baseline"])


def _before(changed: set[str], project: Project) -> tuple[str, ...]:
    """The revisions that run before the first of these."""
    with project.revisions.alembic_errors("heads"):
        steps = [step.revision.revision for step in project.script._upgrade_revs("heads", ())]
    return tuple(steps[: next((at for at, revision in enumerate(steps) if revision in changed), len(steps))])
