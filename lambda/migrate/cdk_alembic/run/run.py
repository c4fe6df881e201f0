"""An upgrade or a downgrade: its task, its progress and its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from ..connection.statements import own_connection
from ..database.version_table import VersionTable, find
from ..project.project import Project
from ..protocol.request import Invocation
from .blocker_watch import BlockerWatch
from .record import Record


@dataclass
class Progress:
    """The progress of a run. A failed run keeps it."""

    table: VersionTable | None = None
    """Set once env.py has connected."""
    heads: tuple[str, ...] | None = None
    """The version table's revisions when last read."""
    goal: str = "head"
    """The revision to go to, in a notation that means the same while the run moves."""
    target: list[str] = field(default_factory=list)
    """The same as ids; empty: base."""
    fresh: bool | None = None
    """Whether the database has nothing to lose; None while unknown."""
    in_outer_transaction: bool = False
    """Whether the connection was in a transaction already when env.py called run_migrations."""
    in_block: bool = False
    """Whether a `with` of SQLAlchemy's began that transaction."""
    tries: int = 1
    """Number of attempts at the running revision, including this one."""
    stopped: bool = False
    """Whether the run ended between two revisions: its time was up, the next one runs in the other compute, or the snapshot is
    not available yet."""
    status: str | None = None
    """The contract's Status, once the run has concluded."""
    pending: Sequence[Any] = ()
    """The remaining steps to the target, once the run has concluded."""


class Run:
    """One upgrade or downgrade. Everything except `progress` is known from the start."""

    def __init__(
        self,
        project: Project,
        invocation: Invocation,
        schema: str | None = None,
        locate: Callable[[Any], VersionTable] = find,
        connect: Callable[[Any, VersionTable], AbstractContextManager[Any]] = lambda context, _: own_connection(context),
    ) -> None:
        """`schema`: the only one that the run migrates; None: the whole database. `locate`: finds the version table of env.py's
        configuration. `connect`: opens the autocommit connection that holds the mutex."""
        self.project = project
        self.invocation = invocation
        self.downgrade = invocation.request.command == "downgrade"
        self.locate = locate
        self.connect = connect
        self.record = Record(invocation, self.downgrade)
        self.blocker_watch = BlockerWatch(invocation)
        self.drift: Any = None
        """The comparison with the catalog that the last run kept; None: the stage does not check for drift."""
        if invocation.settings.on_drift is not None:
            from ..drift.check import Drift

            self.drift = Drift(invocation, schema)
        self.progress = Progress(goal=invocation.request.revision or "head")
