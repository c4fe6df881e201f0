"""An upgrade or a downgrade: revision by revision, each in its own transaction, guarded, limited and recorded."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from ..database.blockers import in_words
from ..database.connecting import expect, relax
from ..database.failures import describe, sql_state
from ..database.lookout import Lookout
from ..database.session import Session, brief_connection, own_connection, watched
from ..database.version_table import VersionTable, find, heads_in, hold_mutex, still_held
from ..project.environment import current, run_environment
from ..project.guard import data_losses
from ..project.project import Project, info, keeping_scripts
from ..project.revisions import check_rows, path, refuse_ahead, same_target
from ..protocol.errors import RunnerError
from ..protocol.log import log
from ..protocol.request import Invocation
from .answer import Outcome
from .failure import Interrupted, failure_of, not_committed, not_moved
from .preconditions import check, is_for_container, is_fresh
from .record import Record, Revision

# lock_not_available and deadlock_detected: PostgreSQL rolled back the revision, and a retry may succeed.
RETRIED_STATES = ("55P03", "40P01")
RETRY_PAUSE_SECONDS = (0.2, 2.0)


def migrate(project: Project, invocation: Invocation) -> Outcome:
    """Upgrades or downgrades. Raises RunnerError."""
    request = invocation.request
    run = Run(project, invocation, request.revision or "head", downgrade=request.command == "downgrade")
    with keeping_scripts():
        run.execute()
    facts: dict[str, Any] = {"runId": run.record.run_id} if run.record.begun or run.snapshot else {}
    if snapshot := run.snapshot or run.record.snapshot:
        facts["snapshot"] = snapshot
    if invocation.ended_blockers:
        facts["endedBlockers"] = invocation.ended_blockers
    return Outcome(run.status, invocation.before or (), run.heads, run.target, run.pending, bool(run.fresh), facts)


class Run:
    """The work while env.py runs; `around` and `steps` are the arguments of run_environment."""

    def __init__(
        self, project: Project, invocation: Invocation, revision: str, downgrade: bool = False, schema: str | None = None
    ) -> None:
        """`schema`: the only one that is the run's; None: the whole database is."""
        self.project = project
        self.invocation = invocation
        self.revision = revision
        self.downgrade = downgrade
        self.target: list[str] = []
        self.heads: tuple[str, ...] | None = None
        """The version table's revisions when last read."""
        self.table: VersionTable | None = None
        """Set once env.py has connected."""
        self.pending: Sequence[Any] = ()
        """The remaining steps to the target, once the run has concluded."""
        self.status: str | None = None
        """The contract's Status, once the run has concluded."""
        self.fresh: bool | None = None
        """Whether the database has nothing to lose; None while unknown."""
        self.record = Record(invocation, downgrade)
        self.snapshot: dict[str, Any] | None = None
        """The contract's Snapshot, if the run needs one."""
        self._drift: Any = None
        """Its comparison with the catalog that the last run kept; None: the stage does not watch for drift."""
        if invocation.settings.on_drift is not None:
            from ..drift.check import Drift

            self._drift = Drift(invocation, schema)
        self._mutex: Any = None
        """The autocommit connection that holds the mutex."""
        self._session: Session | None = None
        self._failure: RunnerError | None = None
        """What failed while env.py ran."""
        self._stopped = False
        """Whether the run ended between two revisions: its time was up, the next one runs in the other compute, or the snapshot
        is not available yet."""
        self._tries = 1
        self._lookout = Lookout(invocation)

    def execute(self) -> None:
        """Runs env.py, again if a lock was not available, and concludes the run. Raises RunnerError."""
        try:
            self._try()
        finally:
            self._lookout.close()
        if self.status is None:
            # The work in env.py's own transaction is committed now.
            self.invocation.renew()
            current(self.project, self._conclude)

    def _try(self) -> None:
        give_up: float | None = None
        while True:
            self._failure = None
            try:
                run_environment(self.project, self.steps, around=self.around)
                break
            except RunnerError as error:
                raise self._outside(error) from error.__cause__
            except (Exception, SystemExit) as error:
                if not self._is_without_record(error):
                    give_up = give_up or time.monotonic() + self.invocation.settings.limits.lock_retry
                    if not self._may_retry(error, give_up):
                        raise (self._failure or failure_of(error, self._interrupted(error))) from error
                    self._pause(error)
                # A relative step such as +1 must not start again from where the first try ended.
                self.revision = same_target(self.target, self.revision)

    def _outside(self, error: RunnerError) -> RunnerError:
        """The error of an env.py that failed after its revisions: when it committed its own transaction, or later. Records it."""
        if not self.record.uncommitted:
            return error
        failure = error

        def conclude(heads: tuple[str, ...], context: Any) -> None:
            nonlocal failure
            if lost := self._settle(heads, context):
                failure = not_committed(error.__cause__ or error, lost, self.invocation) or error
            self.record.end(context, failure.code, heads, failure.message)

        # If the database can't be asked anymore, the next run records this one as killed.
        with suppress(Exception):
            current(self.project, conclude)
        return failure

    @contextmanager
    def around(self, context: Any) -> Iterator[None]:
        """Holds the mutex, watches the connection, records a failure, and concludes a run whose work is committed."""
        self.record.running = None
        self.table = self.locate(context)
        # Alembic calls it after it has changed the version table, in the same transaction.
        context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, self._write_record)
        with (
            self.connect(context) as connection,
            hold_mutex(connection, self.invocation, self.table) as self._mutex,
            watched(context.connection, self.table.pid, self.invocation, self._lookout) as self._session,
        ):
            try:
                yield
            except (Exception, SystemExit) as error:
                # Before a new connection: whether the server stopped answering is known until then.
                self._failure = error if isinstance(error, RunnerError) else failure_of(error, self._interrupted(error))
                expect()
                self.record.uncommitted.clear()
                self.record.end(context, self._failure.code, None, self._failure.message, self._mutex)
                raise
            finally:
                self._read_heads(context)
            if self.record.uncommitted:
                # env.py commits it now, which may take as long as a revision.
                relax()
            elif self.heads is not None and self._is_at_end(self.heads):
                self._conclude(self.heads, context, self._mutex)

    def locate(self, context: Any) -> VersionTable:
        """Finds the version table. Raises RunnerError."""
        return find(context)

    def connect(self, context: Any) -> AbstractContextManager[Any]:
        """Opens the autocommit connection that holds the mutex."""
        return own_connection(context)

    def steps(self, heads: tuple[str, ...], context: Any) -> Iterator[Any]:
        """Alembic runs and commits each yielded step before it requests the next one."""
        check_rows(self.project, heads, self.table.full_name)
        refuse_ahead(self.project, heads)
        self.invocation.before = heads if self.invocation.before is None else self.invocation.before
        steps, self.target = path(self.project, self.revision, heads, self.downgrade)
        if not steps:
            return
        if not self.downgrade:
            schema = self.table.own_schema if self.invocation.tenant is not None else None
            self.fresh = is_fresh(self._mutex, self.table, heads, self.project.lineage(heads), schema)
            check(self.invocation, self._mutex, self.table, [step.revision for step in steps], self.fresh)
        if self._drift:
            self._drift.check(self._mutex, self.table, heads)
        if self.invocation.settings.snapshot is not None:
            self._stopped = not self._has_snapshot([step.revision for step in steps])
            if self._stopped:
                return
        self.record.begin(self._mutex, self.table, heads, bool(self.fresh), self.snapshot)
        is_held = True  # acquired a moment ago
        for step in steps:
            self._stopped = self._ends_before(step.revision)
            if self._stopped:
                return
            if not is_held:
                still_held(self._mutex)
            # Alembic logs the function's name.
            step.migration_fn = functools.wraps(step.migration_fn)(functools.partial(self._session.run, step.migration_fn))
            self.record.running = Revision(step.revision)
            relax()
            yield step
            expect()
            is_held = self.record.done(self._mutex, self._session, context.connection.in_transaction())

    def _has_snapshot(self, scripts: Sequence[Any]) -> bool:
        """Whether the run may begin: it needs no RDS snapshot, or has it. Raises RunnerError `snapshot_failed`."""
        from ..production.snapshot import AVAILABLE, ensure, is_wanted

        destroys = not self.downgrade and bool(data_losses(scripts, self.invocation.settings.guard_unread))
        if self.fresh or not is_wanted(self.invocation, destroys):
            return True
        if self.record.has_snapshot(self._mutex):
            return True
        self.snapshot = ensure(self.invocation, self.record.run_id)
        return self.snapshot["status"] == AVAILABLE

    def _write_record(self, ctx: Any, **_: Any) -> None:
        self.record.write(ctx.connection, self._session)

    def _ends_before(self, script: Any) -> bool:
        """Whether the run ends before a revision. Raises RunnerError `cancelled`."""
        invocation = self.invocation
        invocation.refuse_if_cancelled()
        if (invocation.applied or self.record.uncommitted) and invocation.is_over():
            return True
        if self.downgrade or invocation.compute is None:
            return False
        if invocation.compute == "container":
            return not is_for_container(script, invocation)
        return invocation.settings.container is not None and is_for_container(script, invocation)

    def _read_heads(self, context: Any) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        self.heads = None
        if self.table.schema is None or self.table.is_translated:
            # Only Alembic's own statements find a translated table.
            return
        try:
            heads = heads_in(self._mutex, self.table)
        except SQLAlchemyError:
            heads = None
            # The mutex's session was ended.
            with suppress(SQLAlchemyError), brief_connection(context) as connection:
                heads = heads_in(connection, self.table)
        # Rows that Alembic never writes are not revisions.
        self.heads = heads if heads is not None and all(isinstance(head, str) for head in heads) else None

    def _is_at_end(self, heads: tuple[str, ...]) -> bool:
        """Whether the version table shows the end of the run, so no open transaction holds it back."""
        if self.project.unknown(heads) or not (self._stopped or set(heads) == set(self.target)):
            return False
        lineage = self.project.lineage(heads)
        return all((item["revision"] in lineage) != self.downgrade for item in self.invocation.applied)

    def _conclude(self, heads: tuple[str, ...], context: Any, connection: Any = None) -> None:
        """Verifies the version table and records how the run ended, over `connection`, which is in autocommit, or a new one.
        Raises RunnerError `version_not_moved`."""
        lost = self._settle(heads, context)
        if lost:
            error = not_moved(lost, self.downgrade, self.record.self_committed)
            self.record.end(context, error.code, heads, error.message, connection)
            raise error
        if not self.downgrade and not self.project.unknown(heads):
            self.pending, _ = path(self.project, same_target(self.target, self.revision), heads, downgrade=False)
        self.status = "partial" if self._stopped or self.pending else "complete"
        self.record.end(context, self.status, heads, connection=connection)
        if self._drift:
            self._drift.keep(context, self.table, heads, first=not self.record.begun, connection=connection)

    def _settle(self, heads: tuple[str, ...], context: Any) -> list[str]:
        """Reports the revisions that the version table shows, and returns those of the run that it does not show."""
        self.heads = heads
        # If a newer release has migrated since the mutex was released, a comparison is impossible.
        lost = [] if self.project.unknown(heads) else self.record.forget_lost(self.project.lineage(heads), context)
        if self.record.uncommitted:
            with brief_connection(context) as own:
                self.record.commit(own)
        return lost

    def _is_without_record(self, error: BaseException) -> bool:
        """Whether a revision failed only because of its record, so it is retried without one."""
        failed, self.record.failure = self.record.failure, None
        if failed is None or failed is not error or self.record.self_committed:
            return False
        log("WARNING", "recorded_afterwards", stage=self.invocation.settings.stage, reason=describe(error))
        return True

    def _may_retry(self, error: BaseException, give_up: float) -> bool:
        return (
            sql_state(error) in RETRIED_STATES
            and self.record.running is not None
            # A retry would repeat what an autocommit block committed before the failure.
            and not self._session.left_transaction
            and not self.record.self_committed
            and time.monotonic() < give_up
            and not self.invocation.is_over()
            and not self.invocation.cancelled
        )

    def _pause(self, error: BaseException) -> None:
        """Waits before retrying a revision that could not get its lock."""
        self._tries += 1
        self.invocation.lock_wait_seconds += self.invocation.settings.limits.lock_timeout
        self._lookout.is_alert = True
        stage, tenant, blockers = self.invocation.settings.stage, self.invocation.tenant, self._lookout.seen.blockers
        held_by = in_words(blockers) or None
        script = info(self.record.running.script)
        log("WARNING", "lock_retry", stage=stage, tenant=tenant, **script, reason=describe(error), heldBy=held_by)
        time.sleep(random.uniform(*RETRY_PAUSE_SECONDS))

    def _interrupted(self, error: BaseException) -> Interrupted:
        script = self.record.running.script if self.record.running is not None else None
        left_transaction = self._session is not None and self._session.left_transaction
        # After a lock timeout, the latest look may have come too late.
        seen = self._lookout.seen if sql_state(error) in RETRIED_STATES else self._lookout.latest
        return Interrupted(
            self.invocation,
            self.project.command,
            script,
            self.downgrade,
            left_transaction,
            self.record.self_committed,
            self._tries,
            seen,
        )
