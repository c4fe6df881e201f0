"""An upgrade or a downgrade: revision by revision, each in its own transaction, guarded, limited and recorded."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from ..database.contents import is_fresh
from ..database.failures import describe, sql_state
from ..database.history import History
from ..database.invalid_indexes import check_indexes
from ..database.session import Session, brief_connection, refuse_autocommit, watched
from ..database.version_table import BACKEND, VersionTable, find, heads_in, hold_mutex, still_held
from ..database.watchdog import expect, relax
from ..project.environment import current, run_environment
from ..project.guard import refuse_unacknowledged, unreadable
from ..project.project import Project, info
from ..project.revisions import check_rows, path, refuse_ahead, same_target
from ..protocol.errors import RunnerError
from ..protocol.log import log
from ..protocol.request import Invocation
from .container import is_elsewhere, refuse_without
from .failure import Interrupted, failure_of, not_moved

# lock_not_available and deadlock_detected: PostgreSQL rolled back the revision, and a retry may succeed.
RETRIED_STATES = ("55P03", "40P01")
RETRY_PAUSE_SECONDS = (0.2, 2.0)


class Run:
    """The work while env.py runs; `around` and `steps` are the arguments of run_environment."""

    def __init__(self, project: Project, invocation: Invocation, revision: str, downgrade: bool = False) -> None:
        self.project = project
        self.invocation = invocation
        self.revision = revision
        self.downgrade = downgrade
        self.target: list[str] = []
        self.heads: tuple[str, ...] | None = None
        """The version table's revisions when last read."""
        self.table: VersionTable | None = None
        """Set once env.py has connected."""
        self.pending: list[Any] = []
        """The remaining steps to the target, once the run has concluded."""
        self.status: str | None = None
        """The contract's Status, once the run has concluded."""
        self.fresh: bool | None = None
        """Whether the database has nothing to lose; None while unknown."""
        self.history = History(invocation)
        self._mutex: Any = None
        self._backend = 0
        """Process id of the backend that holds the mutex; its connection may be closed when the run is concluded."""
        self._failure: RunnerError | None = None
        """What failed while env.py ran."""
        self._session: Session | None = None
        self._step: Any = None
        self._stopped = False
        """Whether the run ended between two revisions: its time was up, or the next one runs in the other compute."""
        self._tries = 1
        self._began = 0.0
        self._recorded: tuple[dict[str, Any], bool] | None = None
        """The running revision's record, and whether the mutex was held when it was written."""
        self._not_recorded: BaseException | None = None
        """Why the running revision could not write its record."""
        self._uncommitted: list[tuple[dict[str, Any], Any, bool]] = []
        """Revisions that are done (and whether they have a record) in a transaction that is still open: env.py's own, or one that
        started when a revision ended Alembic's."""
        self._by_itself: list[str] = []
        """Revisions that ended Alembic's transaction and whose version stamp is not committed."""

    def execute(self) -> None:
        """Runs env.py, again if a lock was not available, and concludes the run. Raises RunnerError."""
        give_up: float | None = None
        while True:
            self._failure = None
            try:
                run_environment(self.project, self.steps, around=self.around)
                break
            except RunnerError:
                raise
            except (Exception, SystemExit) as error:
                if self._is_without_record(error):
                    continue
                limits = self.invocation.settings.limits
                give_up = give_up or time.monotonic() + limits.lock_retry
                if not self._may_retry(error, give_up):
                    raise (self._failure or failure_of(error, self._interrupted())) from error
                self._tries += 1
                self.invocation.lock_wait_seconds += limits.lock_timeout
                stage, tenant = self.invocation.settings.stage, self.invocation.tenant
                step = info(self._step.revision)
                log("WARNING", "lock_retry", stage=stage, tenant=tenant, **step, reason=describe(error))
                time.sleep(random.uniform(*RETRY_PAUSE_SECONDS))
                # A relative step such as +1 must not start again from where the first try ended.
                self.revision = same_target(self.target, self.revision)
        if self.status is None:
            # The work in env.py's own transaction is committed now.
            self.invocation.renew()
            current(self.project, self._conclude)

    @contextmanager
    def around(self, context: Any) -> Iterator[None]:
        """Holds the mutex, watches the connection, records a failure, and concludes a run whose work is committed."""
        self._step = None
        self.table = self.locate(context)
        refuse_autocommit(context.connection)
        # Alembic calls it after it has changed the version table, in the same transaction.
        context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, self._record)
        with (
            hold_mutex(context, self.invocation, self.table) as self._mutex,
            watched(context.connection, self.invocation) as self._session,
        ):
            self._backend = self._mutex.info[BACKEND]
            try:
                yield
            except (Exception, SystemExit) as error:
                # Before a new connection: whether the server stopped answering is known until then.
                self._failure = error if isinstance(error, RunnerError) else failure_of(error, self._interrupted())
                expect()
                self._uncommitted.clear()
                self.history.end(context, self._failure.code, None, self._failure.message, self._mutex)
                raise
            finally:
                self._read_heads(context)
            if self.heads is not None and not self._uncommitted and self._is_there(self.heads):
                self._conclude(self.heads, context, self._mutex)

    def locate(self, context: Any) -> VersionTable:
        """Finds the version table. Raises RunnerError."""
        return find(context)

    def steps(self, heads: tuple[str, ...], context: Any) -> Iterator[Any]:
        """Alembic runs and commits each yielded step before it requests the next one."""
        check_rows(self.project, heads, self.table.full_name)
        refuse_ahead(self.project, heads)
        self.invocation.before = heads if self.invocation.before is None else self.invocation.before
        steps, self.target = path(self.project, self.revision, heads, self.downgrade)
        if not steps:
            return
        if not self.downgrade:
            self._check([step.revision for step in steps], heads)
        self.history.begin(self._mutex, self.table, heads, bool(self.fresh))
        is_held = True  # acquired a moment ago
        for step in steps:
            self._stopped = self._ends_before(step)
            if self._stopped:
                return
            if not is_held:
                still_held(self._mutex)
            self._step = step
            # Alembic logs the function's name.
            step.migration_fn = functools.wraps(step.migration_fn)(functools.partial(self._session.run, step.migration_fn))
            self._began, self._recorded = time.monotonic(), None
            relax()
            yield step
            expect()
            applied, is_held = self._recorded or (self._applied(), False)
            self._uncommitted.append((applied, step.revision, self._recorded is not None))
            if not context.connection.in_transaction():
                is_held = self._committed(self._mutex) or is_held
            if not self._uncommitted:
                self._by_itself.clear()
            elif self._session.left_transaction:
                self._by_itself.append(step.revision.revision)
            self._step = None

    def _applied(self) -> dict[str, Any]:
        milliseconds = round((time.monotonic() - self._began) * 1000)
        return {**info(self._step.revision), "durationMs": milliseconds, "statements": self._session.statements}

    def _record(self, ctx: Any, **_: Any) -> None:
        """Records the running revision in its own transaction, and sets the limits of the next one."""
        from sqlalchemy.exc import SQLAlchemyError

        if not self.history.recorded or self.history.is_apart:
            return
        expect()
        applied = self._applied()
        try:
            # If the record failed the transaction, a retry would repeat what the revision has committed itself.
            with ctx.connection.begin_nested() if self._session.left_transaction else nullcontext():
                limits = self._session.next_limits()
                is_held = self.history.record(ctx.connection, applied, self._step.revision, self._backend, limits)
        except SQLAlchemyError as error:
            self.history.is_apart = True
            if self._session.left_transaction:
                return
            self._not_recorded = error
            raise
        self._session.were_set()
        self._recorded = applied, is_held

    def _is_without_record(self, error: BaseException) -> bool:
        """Whether a revision failed only because of its record, so it is retried without one."""
        failed, self._not_recorded = self._not_recorded, None
        if failed is None or failed is not error or self._by_itself:
            return False
        self.revision = same_target(self.target, self.revision)
        log("WARNING", "recorded_afterwards", stage=self.invocation.settings.stage, reason=describe(error))
        return True

    def _ends_before(self, step: Any) -> bool:
        self.invocation.refuse_if_cancelled()
        if (self.invocation.applied or self._uncommitted) and self.invocation.is_over():
            return True
        return not self.downgrade and is_elsewhere(step.revision, self.invocation)

    def _check(self, scripts: list[Any], heads: tuple[str, ...]) -> None:
        schema = self.table.own_schema if self.invocation.tenant is not None else None
        self.fresh = is_fresh(self._mutex, self.table, heads, self.project.lineage(heads), schema)
        if self.invocation.settings.guard and not self.fresh:
            refuse_unacknowledged(scripts, self.invocation.settings.guard_unread)
            self.invocation.warnings.extend(unreadable(scripts))
        refuse_without(scripts, self.invocation, self.fresh)
        may_drop = "drop_invalid_indexes" in self.invocation.request.allow
        self.invocation.warnings.extend(check_indexes(self._mutex, scripts, may_drop, schema))

    def _committed(self, connection: Any) -> bool:
        """Records committed revisions. `connection` is in autocommit. Returns whether it was confirmed to hold the mutex."""
        is_held = False
        for applied, script, has_recorded in self._uncommitted:
            self.invocation.applied.append(applied)
            if not has_recorded:
                is_held = self.history.record_committed(connection, applied, script, self._backend)
            if self.invocation.tenant is not None:
                # Thousands of tenants would write too many lines.
                continue
            log(
                "INFO",
                "revision_downgraded" if self.downgrade else "revision_applied",
                stage=self.invocation.settings.stage,
                revision=applied["revision"],
                message=applied["message"],
                milliseconds=applied["durationMs"],
                statements=applied["statements"],
            )
        self._uncommitted.clear()
        return is_held

    def _read_heads(self, context: Any) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        self.heads = None
        if self.table.schema is None or self.table.is_translated:
            # Only Alembic's own statements find a translated table.
            return
        try:
            heads = heads_in(self._mutex, self.table)
        except SQLAlchemyError:
            heads = self._read_anew(context)
        # Rows that Alembic never writes are not revisions.
        self.heads = heads if heads is not None and all(isinstance(head, str) for head in heads) else None

    def _read_anew(self, context: Any) -> tuple[str, ...] | None:
        """Reads the committed revisions on a new connection after the mutex's session was ended."""
        from sqlalchemy.exc import SQLAlchemyError

        with suppress(SQLAlchemyError), brief_connection(context) as connection:
            return heads_in(connection, self.table)
        return None

    def _is_there(self, heads: tuple[str, ...]) -> bool:
        """Whether the version table shows the end of the run, so no open transaction holds it back."""
        if self.project.unknown(heads) or not (self._stopped or set(heads) == set(self.target)):
            return False
        lineage = self.project.lineage(heads)
        return all((item["revision"] in lineage) != self.downgrade for item in self.invocation.applied)

    def _conclude(self, heads: tuple[str, ...], context: Any, connection: Any = None) -> None:
        """Verifies the version table and records how the run ended, over `connection`, which is in autocommit, or a new one.
        Raises RunnerError `version_not_moved`."""
        self.heads = heads
        try:
            self._verify(heads, context)
        except RunnerError as error:
            self.history.end(context, error.code, heads, error.message, connection)
            raise
        if not self.downgrade and not self.project.unknown(heads):
            self.pending, _ = path(self.project, same_target(self.target, self.revision), heads, downgrade=False)
        self.status = "partial" if self._stopped or self.pending else "complete"
        self.history.end(context, self.status, heads, connection=connection)

    def _verify(self, heads: tuple[str, ...], context: Any) -> None:
        # If a newer release has migrated since the mutex was released, a comparison is impossible.
        lost: list[str] = []
        if not self.project.unknown(heads):
            lineage = self.project.lineage(heads)

            def is_lost(item: dict[str, Any]) -> bool:
                return (item["revision"] in lineage) == self.downgrade

            done = [*self.invocation.applied, *(item for item, *_ in self._uncommitted)]
            lost = [item["revision"] for item in done if is_lost(item)]
            if lost:
                moved = self.history.committed_before_another(context)
                lost = [revision for revision in lost if revision not in moved]
            self.invocation.applied[:] = [item for item in self.invocation.applied if item["revision"] not in lost]
            self._uncommitted = [done for done in self._uncommitted if done[0]["revision"] not in lost]
        if self._uncommitted:
            with brief_connection(context) as connection:
                self._committed(connection)
        if lost:
            raise not_moved(lost, self.downgrade, self._by_itself)

    def _may_retry(self, error: BaseException, give_up: float) -> bool:
        return (
            sql_state(error) in RETRIED_STATES
            and self._step is not None
            # A retry would repeat what an autocommit block committed before the failure.
            and not self._session.left_transaction
            and not self._by_itself
            and time.monotonic() < give_up
            and not self.invocation.is_over()
            and not self.invocation.cancelled
        )

    def _interrupted(self) -> Interrupted:
        script = self._step.revision if self._step is not None else None
        left_transaction = self._session is not None and self._session.left_transaction
        return Interrupted(self.invocation, script, self.downgrade, left_transaction, self._by_itself, self._tries)
