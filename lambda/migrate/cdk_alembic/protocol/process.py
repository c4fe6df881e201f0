"""The process that carries out requests: where it runs, when it is killed, and whether it was canceled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import RunnerError

# Verifying the heads and answering takes a connection and a query; a short function reserves a fifth of its time.
RESERVE_SECONDS = 10.0
RESERVE_SHARE = 0.2
# The share of the reserve that is left for answering without the database: 2 s of the usual 10 s.
ANSWERING_SHARE = 0.2


class Cancelled(Exception):
    """Raised inside a revision if its run must end."""


class Process:
    """The process of one request, or of a batch of tenants."""

    def __init__(self, compute: str | None, name: str, remaining_seconds: Callable[[], float]) -> None:
        """`compute`: `function` or `container`; None on a developer's machine, where every revision may run. `name`: identifies
        its sessions in application_name. `remaining_seconds`: until it is killed; math.inf: never."""
        self.compute = compute
        self.name = name
        self.remaining_seconds = remaining_seconds
        self.reserve_seconds = min(RESERVE_SECONDS, remaining_seconds() * RESERVE_SHARE)
        """No revision starts with less time than this: verifying and answering need it."""
        self.cancelled = False
        """Whether the run must end. Set by another thread."""
        self.connection: Any = None
        """The driver's connection while it migrates, so that another thread can cancel its statement."""

    def seconds_left(self) -> float:
        """Seconds for the work itself, without the reserve."""
        return self.remaining_seconds() - self.reserve_seconds

    def seconds_with_database(self) -> float:
        """Seconds until the answer must be written without the database."""
        return self.remaining_seconds() - self.reserve_seconds * ANSWERING_SHARE

    def is_late(self) -> bool:
        """Whether a statement that was just canceled reached the deadline."""
        return self.seconds_left() <= 1

    def refuse_if_cancelled(self) -> None:
        """Raises RunnerError `cancelled`. Call it between two revisions."""
        if self.cancelled:
            raise RunnerError(
                "cancelled",
                "the run was canceled between two revisions",
                "run again to continue from there; applied revisions stay",
            )
