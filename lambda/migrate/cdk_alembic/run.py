"""An upgrade or a downgrade: revision after revision, each in a transaction of its own, counted, timed and verified."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from .call import Call
from .errors import RunnerError
from .failures import describe, location, sql_state, statement_of
from .log import log
from .mutex import mutex
from .project import Project, info
from .revisions import path, refuse_ahead

# Someone who waits longer than this, a person or a deploy, wants to be told who is in the way.
MUTEX_WAIT_SECONDS = 60.0


class Run:
    """What happens while env.py runs; `around` and `steps` are what run_environment takes."""

    def __init__(self, project: Project, call: Call, revision: str, downgrade: bool) -> None:
        self.project = project
        self.call = call
        self.revision = revision
        self.downgrade = downgrade
        self.before: tuple[str, ...] = ()
        self.target: list[str] = []
        self.stopped = False
        """Whether the run ended between two revisions because its time was used up."""
        self._step: Any = None
        self._statements = 0
        self._of_revision = 0

    @contextmanager
    def around(self, context: Any) -> Iterator[None]:
        """Holds the mutex and counts statements."""
        from sqlalchemy import event

        with hold_mutex(context, self.call):
            event.listen(context.connection, "before_cursor_execute", self._count)
            try:
                yield
            finally:
                event.remove(context.connection, "before_cursor_execute", self._count)

    def steps(self, heads: tuple[str, ...], context: Any) -> Iterator[Any]:
        """Alembic runs and commits what is yielded before it asks for the next."""
        refuse_ahead(self.project, heads)
        self.before = heads
        steps, self.target = path(self.project, self.revision, heads, self.downgrade)
        for index, step in enumerate(steps):
            if index > 0 and self.call.is_over():
                self.stopped = True
                return
            self._step = step
            step.migration_fn = self._counting(step.migration_fn)
            started = time.monotonic()
            yield step
            self._record(step, started)
            self._step = None

    def _counting(self, migrate: Any) -> Any:
        # Alembic logs the function's name, and afterwards updates the version table with statements that are not the revision's.
        @functools.wraps(migrate)
        def migrate_and_count(**arguments: Any) -> None:
            before = self._statements
            migrate(**arguments)
            self._of_revision = self._statements - before

        return migrate_and_count

    def _count(self, *_: Any) -> None:
        self._statements += 1

    def _record(self, step: Any, started: float) -> None:
        milliseconds = round((time.monotonic() - started) * 1000)
        applied = {**info(step.revision), "durationMs": milliseconds, "statements": self._of_revision}
        self.call.applied.append(applied)
        log(
            "INFO",
            "revision_downgraded" if self.downgrade else "revision_applied",
            stage=self.call.settings.stage,
            revision=applied["revision"],
            message=applied["message"],
            milliseconds=milliseconds,
            statements=self._of_revision,
        )

    def verify(self, after: tuple[str, ...]) -> None:
        """Whether the version table, read on a new connection, shows what was applied. Raises `version_not_moved`."""
        if self.project.unknown(after):
            # A newer release has migrated since the mutex was released: nothing left to compare with.
            return
        lineage = self.project.lineage(after)
        lost = [item["revision"] for item in self.call.applied if (item["revision"] in lineage) == self.downgrade]
        if lost:
            self.call.applied.clear()
            raise not_moved(f"the version table does not show {', '.join(lost)} as {'reverted' if self.downgrade else 'applied'}")

    def failure(self, error: BaseException) -> RunnerError:
        """What an exception of the run means."""
        state = sql_state(error)
        if self._step is None:
            return RunnerError(
                "internal_error" if state is None else "migration_failed",
                f"the run failed between two revisions: {describe(error)}{location(error)}",
                "look at the function's log; what was applied stays, and running again goes on from there",
                sql_state=state,
            )
        script = info(self._step.revision)
        what = "downgrade of revision" if self.downgrade else "revision"
        return RunnerError(
            "migration_failed",
            f"{what} {script['revision']} ({script['message']}) failed: {describe(error)}{location(error)}",
            "mend the revision and deploy again: it was rolled back, and the revisions before it stay",
            revision=script["revision"],
            sql_state=state,
            statement=statement_of(error),
        )


def hold_mutex(context: Any, call: Call) -> AbstractContextManager[None]:
    """The mutex, waited for no longer than the call has time."""
    return mutex(context, call.holder, max(0.0, min(MUTEX_WAIT_SECONDS, call.remaining_seconds() - call.reserve_seconds)))


def not_moved(what: str) -> RunnerError:
    """A run that ended without an error and did not do what it says."""
    return RunnerError(
        "version_not_moved",
        f"the run ended without an error, but {what}",
        "look for a statement before context.configure() in env.py, and for a commit or rollback of the connection in a revision",
    )
