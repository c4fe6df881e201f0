"""One invoke: what was asked, by whom, and how much time it has."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from .contract import Request, Settings
from .errors import RunnerError


class Cancelled(Exception):
    """Raised within a revision when its run is to end."""


@dataclass
class Call:
    """Lives as long as the invoke; everything about its database hangs on it."""

    request: Request
    settings: Settings
    holder: str
    """Who asks, as it is shown in pg_stat_activity."""
    remaining_seconds: Callable[[], float]
    """Until the function is killed."""
    reserve_seconds: float
    """No revision is started with less than this left: it is needed to verify and to answer."""
    started: float = field(default_factory=time.monotonic)
    applied: list[dict[str, Any]] = field(default_factory=list)
    """What this call committed, also when it fails afterwards: the contract's AppliedRevision."""
    before: tuple[str, ...] | None = None
    """The version table's revisions when the call first saw them."""
    warnings: list[str] = field(default_factory=list)
    """What did not stop the run and should be known."""
    place: str | None = None
    """Where it runs: `function`, `container`, or None: on a developer's machine, where every revision may run."""
    cancelled: bool = False
    """Whether somebody wants it to end. Set by another thread."""
    connection: Any = None
    """The driver's connection while it migrates: what another thread may cancel."""
    renew: Callable[[], None] = lambda: None
    """Gets the database's password again, before a connection is made that the first one may be too old for."""
    tenant: str | None = None
    """Whose database or schema it is; None: the function's database is all there is."""
    schema: str | None = None
    """Where env.py was seen to keep the tenant's version table."""
    connect: Callable[[Any], AbstractContextManager[Any]] | None = None
    """Gives the connection that holds the mutex; None: one of its own."""
    lock_wait_seconds: float = 0
    """Spent waiting for the mutex, and on tries that ended because a table was busy."""

    def refuse_if_cancelled(self) -> None:
        """To be called where nothing has been begun. Raises RunnerError `cancelled`."""
        if self.cancelled:
            raise RunnerError(
                "cancelled",
                "the run was cancelled between two revisions",
                "what was applied stays; running again goes on from there",
            )

    def is_over(self) -> bool:
        """Whether no further revision may be started."""
        limit = self.request.slice_seconds
        used_up = limit is not None and time.monotonic() - self.started >= limit
        return used_up or self.remaining_seconds() < self.reserve_seconds
