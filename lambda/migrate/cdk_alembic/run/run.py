"""An upgrade or a downgrade: revision after revision, each in a transaction of its own, guarded, bounded and recorded."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..database.failures import connection_failure, describe, location, sql_state, statement_of
from ..database.history import History, is_unfinished
from ..database.invalid_indexes import clear_the_way
from ..database.mutex import mutex, own_connection, still_held
from ..database.session import Session, bound, watched
from ..project.environment import run_environment
from ..project.guard import refuse_unacknowledged
from ..project.project import Project, info
from ..project.revisions import path, refuse_ahead, same_target
from ..protocol.errors import RunnerError
from ..protocol.invocation import Call, Cancelled
from ..protocol.log import log
from .container import is_elsewhere, refuse_without

# lock_not_available and deadlock_detected: PostgreSQL has rolled the revision back, and it may succeed a moment later.
RETRIED_STATES = ("55P03", "40P01")
QUERY_CANCELED = "57014"
RETRY_PAUSE_SECONDS = (0.2, 2.0)


class Run:
    """What happens while env.py runs; `around` and `steps` are what run_environment takes."""

    def __init__(self, project: Project, call: Call, revision: str, downgrade: bool) -> None:
        self.project = project
        self.call = call
        self.revision = revision
        self.downgrade = downgrade
        self.target: list[str] = []
        self.stopped = False
        """Whether the run ended between two revisions: its time was used up, or the next one is for another place."""
        self.status = "complete"
        """Once it is concluded, the contract's Status."""
        self.pending: list[Any] = []
        """Once it is concluded, the steps to the target that are left."""
        self.history = History(call)
        self._mutex: Any = None
        self._session: Session | None = None
        self._step: Any = None
        self._statements = 0
        self._waits = 0
        self._is_held = False
        """Whether the mutex was seen to be held since the last revision ended."""
        self._uncommitted: list[tuple[dict[str, Any], Any]] = []
        """Done, and in a transaction that is still open: env.py's own, or one that began when a revision ended Alembic's."""
        self._by_itself: list[str] = []
        """The revisions that ended Alembic's transaction, as long as their place in the version table is not committed."""

    def execute(self) -> None:
        """Runs env.py; once more when a lock was not available. Raises RunnerError."""
        give_up: float | None = None
        while True:
            try:
                run_environment(self.project, self.steps, around=self.around)
                return
            except RunnerError:
                raise
            except (Exception, SystemExit) as error:
                give_up = give_up or time.monotonic() + self.call.settings.limits.lock_retry
                if not self._may_retry(error, give_up):
                    raise self._failure(error) from error
                self._waits += 1
                self.call.lock_wait_seconds += self.call.settings.limits.lock_timeout
                step = info(self._step.revision)
                log(
                    "WARNING",
                    "lock_retry",
                    stage=self.call.settings.stage,
                    tenant=self.call.tenant,
                    **step,
                    reason=describe(error),
                )
                time.sleep(random.uniform(*RETRY_PAUSE_SECONDS))
                # A step such as +1 must not be counted again from where the first try ended.
                self.revision = same_target(self.target, self.revision)

    @contextmanager
    def around(self, context: Any) -> Iterator[None]:
        """Holds the mutex, watches the connection and records a failure."""
        self._step = None
        with hold_mutex(context, self.call) as self._mutex, watched(context.connection, self.call) as self._session:
            try:
                yield
            except (Exception, SystemExit) as error:
                self._uncommitted.clear()
                failure = error if isinstance(error, RunnerError) else self._failure(error)
                self.history.end(context, failure.code, None, failure.message, self._mutex)
                raise

    def steps(self, heads: tuple[str, ...], context: Any) -> Iterator[Any]:
        """Alembic runs and commits what is yielded before it asks for the next."""
        refuse_ahead(self.project, heads)
        self.call.before = heads if self.call.before is None else self.call.before
        steps, self.target = path(self.project, self.revision, heads, self.downgrade)
        if not steps:
            return
        if not self.downgrade:
            self._check([step.revision for step in steps], heads, context)
        self.history.begin(self._mutex, context, heads)
        for step in steps:
            self.call.refuse_if_cancelled()
            is_over = (self.call.applied or self._uncommitted) and self.call.is_over()
            if is_over or (not self.downgrade and is_elsewhere(step.revision, self.call)):
                self.stopped = True
                return
            if not self._is_held:
                still_held(self._mutex)
            self._is_held = False
            self._step = step
            step.migration_fn = self._counting(step.migration_fn)
            started = time.monotonic()
            self._session.begin_revision()
            yield step
            self._done(step, started)
            if not context.connection.in_transaction():
                self._committed(self._mutex)
            elif self._session.left_transaction:
                self._by_itself.append(step.revision.revision)
            self._step = None

    def _check(self, scripts: list[Any], heads: tuple[str, ...], context: Any) -> None:
        # A database that has no revision, or never came to an end of them, has nothing to lose.
        fresh = not heads or is_unfinished(self._mutex, context, self.project.lineage(heads), self.call.schema)
        if self.call.settings.guard and not fresh:
            refuse_unacknowledged(scripts)
        refuse_without(scripts, self.call, fresh)
        may_drop = "drop_invalid_indexes" in self.call.request.allow
        self.call.warnings.extend(clear_the_way(self._mutex, scripts, may_drop, self.call.schema))

    def _counting(self, migrate: Any) -> Any:
        # Alembic logs the function's name, and afterwards updates the version table with statements that are not the revision's.
        @functools.wraps(migrate)
        def migrate_and_count(**arguments: Any) -> None:
            before = self._session.statements
            self._session.in_revision = True
            try:
                migrate(**arguments)
                if self.call.cancelled:
                    raise Cancelled
            finally:
                self._session.in_revision = False
            self._statements = self._session.statements - before

        return migrate_and_count

    def _done(self, step: Any, started: float) -> None:
        milliseconds = round((time.monotonic() - started) * 1000)
        applied = {**info(step.revision), "durationMs": milliseconds, "statements": self._statements}
        self._uncommitted.append((applied, step.revision))

    def _committed(self, connection: Any) -> None:
        """Records what is done. `connection` is in autocommit."""
        for applied, script in self._uncommitted:
            self.call.applied.append(applied)
            self._is_held = self.history.applied(connection, applied, script)
            if self.call.tenant is not None:
                # A thousand tenants would write a page of lines each.
                continue
            log(
                "INFO",
                "revision_downgraded" if self.downgrade else "revision_applied",
                stage=self.call.settings.stage,
                revision=applied["revision"],
                message=applied["message"],
                milliseconds=applied["durationMs"],
                statements=applied["statements"],
            )
        self._uncommitted.clear()
        self._by_itself.clear()

    def _may_retry(self, error: BaseException, give_up: float) -> bool:
        return (
            sql_state(error) in RETRIED_STATES
            and self._step is not None
            # What an autocommit block committed before the failure would be done twice.
            and not self._session.left_transaction
            and not self._by_itself
            and time.monotonic() < give_up
            and not self.call.is_over()
            and not self.call.cancelled
        )

    def conclude(self, after: tuple[str, ...], context: Any, over: Any = None) -> None:
        """Verifies what the version table shows, and records how the run ended: over a connection of its own, unless one in
        autocommit is given. Raises RunnerError."""
        try:
            self.verify(after, context)
        except RunnerError as error:
            self.history.end(context, error.code, after, error.message, over)
            raise
        if not self.downgrade and not self.project.unknown(after):
            self.pending, _ = path(self.project, same_target(self.target, self.revision), after, downgrade=False)
        self.status = "partial" if self.stopped or self.pending else "complete"
        self.history.end(context, self.status, after, connection=over)

    def verify(self, after: tuple[str, ...], context: Any) -> None:
        """Whether the version table, read on a new connection, shows what was applied. Raises `version_not_moved`."""
        lost: list[str] = []
        # If a newer release has migrated since the mutex was released, there is nothing left to compare with.
        if not self.project.unknown(after):
            lineage = self.project.lineage(after)

            def is_lost(item: dict[str, Any]) -> bool:
                return (item["revision"] in lineage) == self.downgrade

            done = [*self.call.applied, *(item for item, _ in self._uncommitted)]
            lost = [item["revision"] for item in done if is_lost(item)]
            self.call.applied[:] = [item for item in self.call.applied if not is_lost(item)]
            self._uncommitted = [pair for pair in self._uncommitted if not is_lost(pair[0])]
        if self._uncommitted:
            by_itself = list(self._by_itself)
            with own_connection(context) as connection:
                self._committed(connection)
            self._by_itself = by_itself
        if lost:
            kept = f"; {self._work_stays()}" if self._by_itself else ""
            verb = "reverted" if self.downgrade else "applied"
            raise not_moved(f"the version table does not show {', '.join(lost)} as {verb}{kept}")

    def _failure(self, error: BaseException) -> RunnerError:
        """What an exception of the run means."""
        state = sql_state(error)
        if self._step is None:
            self.call.refuse_if_cancelled()
            if isinstance(error, Exception) and (failure := connection_failure(error)):
                return failure
            return RunnerError(
                "internal_error" if state is None else "migration_failed",
                f"the run failed between two revisions: {describe(error)}{location(error)}",
                "look at the function's log; what was applied stays, and running again goes on from there",
                sql_state=state,
            )
        script = info(self._step.revision)
        what = f"{'downgrade of ' if self.downgrade else ''}revision {script['revision']} ({script['message']})"
        code, message, next = self._meaning(what, error, state)
        return RunnerError(code, message, next, revision=script["revision"], sql_state=state, statement=statement_of(error))

    def _meaning(self, what: str, error: BaseException, state: str | None) -> tuple[str, str, str]:
        reason = f"{describe(error)}{location(error)}"
        if self._session.left_transaction:
            kept = "it committed part of its work by itself: look at what is there before you run it again"
        else:
            kept = "it was rolled back"
        if self._by_itself:
            reason = f"{reason}; {self._work_stays()}"
        last = self.call.applied[-1]["revision"] if self.call.applied else ", ".join(self.call.before or ()) or "base"
        if self.call.cancelled:
            how = "" if isinstance(error, Cancelled) else f": {reason}"
            return (
                "cancelled",
                f"{what} was cancelled{how}; the last committed revision is {last}",
                f"{kept}; run again when it may: it goes on from there",
            )
        if state == QUERY_CANCELED and self.call.remaining_seconds() <= self.call.reserve_seconds + 1:
            return (
                "deadline_reached",
                f"{what} ran until the function's deadline and was cancelled: {reason}; the last committed revision is {last}",
                f"{kept}; give the function a longer timeout, or split the revision into smaller steps",
            )
        if state in RETRIED_STATES:
            return (
                "lock_not_available",
                f"{what} could not get its lock in {self._waits + 1} tries: {reason}",
                f"{kept}; find what holds the table (pg_stat_activity, long transactions) and run again",
            )
        return (
            "migration_failed",
            f"{what} failed: {reason}",
            f"{kept}, and the revisions before it stay; mend it and try again",
        )

    def _work_stays(self) -> str:
        names = ", ".join(self._by_itself)
        return f"{names} ended the transaction by itself: its work stays, its place in the version table is lost"


@contextmanager
def hold_mutex(context: Any, call: Call) -> Iterator[Any]:
    """The mutex, waited for no longer than the call has time."""
    wait = max(0.0, min(call.settings.limits.mutex_wait, call.remaining_seconds() - call.reserve_seconds))
    started = time.monotonic()
    with mutex(context, call.holder, wait, call.refuse_if_cancelled, call.schema, call.connect) as connection:
        call.lock_wait_seconds += time.monotonic() - started
        bound(connection, call)
        yield connection


def not_moved(what: str) -> RunnerError:
    """A run that ended without an error and did not do what it says."""
    return RunnerError(
        "version_not_moved",
        f"the run ended without an error, but {what}",
        "look for a statement before context.configure() in env.py, and for a commit or rollback in a revision "
        "(op.get_context().autocommit_block() is the way to leave the transaction)",
    )
