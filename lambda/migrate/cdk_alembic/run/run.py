"""An upgrade or a downgrade: what it is to do, how far it is, and its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from ..database.lookout import Lookout
from ..database.session import own_connection
from ..database.version_table import VersionTable, find
from ..project.project import Project
from ..project.revisions import path, same_target
from ..protocol.request import Invocation
from .failure import not_moved
from .record import Record


@dataclass
class Progress:
    """How far a run is. What a run learned before it failed stays."""

    table: VersionTable | None = None
    """Set once env.py has connected."""
    heads: tuple[str, ...] | None = None
    """The version table's revisions when last read."""
    target: list[str] = field(default_factory=list)
    fresh: bool | None = None
    """Whether the database has nothing to lose; None while unknown."""
    stopped: bool = False
    """Whether the run ended between two revisions: its time was up, the next one runs in the other compute, or the snapshot is
    not available yet."""
    status: str | None = None
    """The contract's Status, once the run has concluded."""
    pending: Sequence[Any] = ()
    """The remaining steps to the target, once the run has concluded."""


def _own_connection(context: Any, _table: VersionTable) -> AbstractContextManager[Any]:
    return own_connection(context)


class Run:
    """Known from the start, except `progress`."""

    def __init__(
        self,
        project: Project,
        invocation: Invocation,
        schema: str | None = None,
        locate: Callable[[Any], VersionTable] = find,
        connect: Callable[[Any, VersionTable], AbstractContextManager[Any]] = _own_connection,
    ) -> None:
        """`schema`: the only one that is the run's; None: the whole database is. `locate`: finds the version table of env.py's
        configuration. `connect`: opens the autocommit connection that holds the mutex."""
        self.project = project
        self.invocation = invocation
        self.revision = invocation.request.revision or "head"
        self.downgrade = invocation.request.command == "downgrade"
        self.locate = locate
        self.connect = connect
        self.record = Record(invocation, self.downgrade)
        self.lookout = Lookout(invocation)
        self.drift: Any = None
        """Its comparison with the catalog that the last run kept; None: the stage does not watch for drift."""
        if invocation.settings.on_drift is not None:
            from ..drift.check import Drift

            self.drift = Drift(invocation, schema)
        self.progress = Progress()

    def conclude(self, heads: tuple[str, ...], context: Any, connection: Any = None) -> None:
        """Verifies the version table and records how the run ended, over `connection`, which is in autocommit, or a new one.
        Raises RunnerError `version_not_moved`."""
        record, progress = self.record, self.progress
        if lost := self.settle(heads, context):
            error = not_moved(lost, self.downgrade, record.self_committed)
            record.end(context, error.code, heads, error.message, connection)
            raise error
        if not self.downgrade and not self.project.unknown(heads):
            target = same_target(progress.target, self.revision)
            progress.pending, _ = path(self.project, target, heads, downgrade=False)
        progress.status = "partial" if progress.stopped or progress.pending else "complete"
        record.end(context, progress.status, heads, connection=connection)
        if self.drift:
            self.drift.keep(context, progress.table, heads, first=not record.begun, connection=connection)

    def settle(self, heads: tuple[str, ...], context: Any) -> list[str]:
        """Reports the revisions that the version table shows, and returns those of the run that it does not show."""
        self.progress.heads = heads
        # If a newer release has migrated since the mutex was released, a comparison is impossible.
        lineage = None if self.project.unknown(heads) else self.project.lineage(heads)
        return self.record.settle(lineage, context)
