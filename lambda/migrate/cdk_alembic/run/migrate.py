"""Carries out a run: executes env.py, again while a lock is not available, and concludes. Each revision has its own
transaction, and is guarded, limited and recorded."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ..connection.statements import driver_connection
from ..connection.watchdog import expect, gave_up, relax
from ..database.blockers import in_words
from ..database.failures import describe, sql_state
from ..database.mutex import hold_mutex, require_mutex
from ..database.version_table import heads_after
from ..project.env_transaction import is_in_block
from ..project.environment import current, run_environment
from ..project.guard import data_losses
from ..project.revisions import info
from ..project.sources import may_commit_unseen
from ..protocol.errors import RunnerError
from ..protocol.log import log
from .conclusion import conclude, conclude_failed, conclude_if_committed, report_committed
from .failure import LOCK_STATES, failure_of
from .garbage import collecting
from .preconditions import check, is_for_container, is_fresh
from .record import Revision
from .run import Run
from .session import Session, watched

RETRY_PAUSE_SECONDS = (0.2, 2.0)


def migrate(run: Run) -> None:
    """Upgrades or downgrades; the run's progress has the result. Raises RunnerError."""
    with closing(run.blocker_watch):
        _try_until_done(run)
    if run.progress.status is None:
        # By now, env.py has committed its own transaction.
        run.invocation.renew()
        current(run.project, lambda heads, context: conclude(run, heads, context), run.downgrade)


def _try_until_done(run: Run) -> None:
    give_up: float | None = None
    while True:
        attempt = _Attempt(run)
        try:
            run_environment(run.project, attempt.steps, around=attempt.around)
            return
        except RunnerError as error:
            raise conclude_failed(run, error) from error.__cause__
        except (Exception, SystemExit) as error:
            if not run.record.failed_by_row(error):
                give_up = give_up or time.monotonic() + run.invocation.settings.limits.lock_retry
                if not _may_retry(run, attempt, error, give_up):
                    raise (attempt.failure or failure_of(error, run, attempt.left_transaction)) from error
                _pause(run, error)
                run.progress.tries += 1


def _may_retry(run: Run, attempt: _Attempt, error: BaseException, give_up: float) -> bool:
    """Whether another attempt may succeed. `give_up`: the time of the last one, of time.monotonic()."""
    return (
        sql_state(error) in LOCK_STATES
        and not run.blocker_watch.waits_for_itself
        and run.record.running is not None
        # Another attempt would repeat what an autocommit block committed before the failure.
        and not attempt.left_transaction
        and not may_commit_unseen(Path(run.record.running.script.path))
        and not run.record.self_committed
        and time.monotonic() < give_up
        and not run.invocation.is_over()
        and not run.invocation.process.cancelled
    )


def _pause(run: Run, error: BaseException) -> None:
    """Waits before another attempt at a revision that could not get its lock."""
    invocation = run.invocation
    invocation.lock_wait_seconds += invocation.settings.limits.lock_timeout
    run.blocker_watch.is_alert = True
    held_by = in_words(run.blocker_watch.last_found.blockers) or None
    about = {"stage": invocation.settings.stage, "tenant": invocation.tenant, **info(run.record.running.script)}
    log("WARNING", "lock_retry", **about, reason=describe(error), heldBy=held_by)
    time.sleep(random.uniform(*RETRY_PAUSE_SECONDS))


class _Attempt:
    """One execution of env.py. `around` and `steps` are the arguments of run_environment."""

    def __init__(self, run: Run) -> None:
        self.failure: RunnerError | None = None
        """The error of this execution of env.py."""
        self._run = run
        self._mutex: Any = None
        """The autocommit connection that holds the mutex."""
        self._session: Session | None = None

    @property
    def left_transaction(self) -> bool:
        """Whether the running revision committed something itself."""
        return self._session is not None and self._session.left_transaction

    @contextmanager
    def around(self, context: Any) -> Iterator[None]:
        """Holds the mutex, watches the connection, records a failure, and concludes a run whose work is committed."""
        run, record = self._run, self._run.record
        record.running = None
        run.progress.in_outer_transaction = context.connection.in_transaction()
        run.progress.in_block = is_in_block(context.connection)
        table = run.progress.table = run.locate(context)
        with (
            collecting(),
            run.connect(context, table) as self._mutex,
            hold_mutex(self._mutex, run.invocation, table),
            watched(context.connection, table.pid, run.invocation, run.blocker_watch) as self._session,
        ):
            # Alembic calls this after it has changed the version table, in the same transaction.
            write = functools.partial(record.write, self._session)
            context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, write)
            try:
                yield
            except (Exception, SystemExit) as error:
                self._session.last_failure.explain(error)
                if self.left_transaction and record.uncommitted and not gave_up():
                    report_committed(run, context, self._mutex)
                # Before a new connection, which resets whether the server stopped answering.
                self.failure = error if isinstance(error, RunnerError) else failure_of(error, run, self.left_transaction)
                expect()
                record.uncommitted.clear()
                run.progress.heads = heads_after(context, table, self._mutex)
                record.end(context, self.failure.code, run.progress.heads, self.failure.message, self._mutex)
                raise
            run.progress.heads = heads_after(context, table, self._mutex)
            conclude_if_committed(run, context, self._mutex)

    def steps(self, heads: tuple[str, ...], context: Any) -> Iterator[Any]:
        """Alembic runs and commits each yielded step before it requests the next one."""
        record, progress = self._run.record, self._run.progress
        steps = self._pending(heads)
        if not steps:
            return
        scripts = [step.revision for step in steps]
        self._check(heads, scripts)
        progress.stopped = not self._has_snapshot(scripts)
        if progress.stopped:
            return
        record.begin(self._mutex, progress.table, heads, bool(progress.fresh))
        is_held = True  # acquired a moment ago
        for step in steps:
            progress.stopped = self._stops_before(step.revision)
            if progress.stopped:
                return
            if not is_held:
                require_mutex(self._mutex)
            # Alembic logs the function's name.
            step.migration_fn = functools.wraps(step.migration_fn)(functools.partial(self._session.run, step.migration_fn))
            record.running = Revision(step.revision)
            relax()
            yield step
            expect()
            is_held = record.done(self._mutex, self._session, self._finish_transaction(context.connection))

    def _finish_transaction(self, connection: Any) -> bool:
        """Commits after a revision that ended env.py's transaction with SQL. Returns whether a transaction is still open."""
        if not connection.in_transaction():
            return False
        if not (self._run.progress.in_outer_transaction and self.left_transaction):
            return True
        # Some drivers do not begin another transaction: the next revision could not be rolled back.
        driver_connection(connection).commit()
        return False

    def _pending(self, heads: tuple[str, ...]) -> Sequence[Any]:
        """Alembic's steps from the database's heads to the target. Raises RunnerError."""
        revisions, invocation, progress = self._run.project.revisions, self._run.invocation, self._run.progress
        revisions.check_rows(heads, progress.table.full_name, self._run.downgrade)
        revisions.refuse_ahead(heads)
        invocation.before = heads if invocation.before is None else invocation.before
        steps, progress.target, progress.goal = revisions.route(progress.goal, heads, self._run.downgrade)
        return steps

    def _check(self, heads: tuple[str, ...], scripts: Sequence[Any]) -> None:
        """Warns, and checks the preconditions of the run and the schema's drift. Raises RunnerError."""
        run, invocation, progress = self._run, self._run.invocation, self._run.progress
        if progress.tries == 1:
            invocation.warnings.extend(run.project.destination.warnings(progress.table.database))
        if not run.downgrade:
            schema = progress.table.own_schema if invocation.tenant is not None else None
            progress.fresh = is_fresh(self._mutex, progress.table, heads, run.project.revisions.lineage(heads), schema)
            check(invocation, self._mutex, schema, scripts, progress.fresh)
        if run.drift:
            run.drift.check(self._mutex, progress.table, heads)

    def _has_snapshot(self, scripts: Sequence[Any]) -> bool:
        """Whether the run needs no RDS snapshot or already has it. Raises RunnerError `snapshot_failed`."""
        run, record = self._run, self._run.record
        if run.invocation.settings.snapshot is None:
            return True
        from ..production.snapshot import AVAILABLE, ensure, is_wanted

        destroys = not run.downgrade and bool(data_losses(scripts, run.invocation.settings.guard_unread))
        if run.progress.fresh or not is_wanted(run.invocation, destroys) or record.has_snapshot(self._mutex):
            return True
        record.snapshot = ensure(run.invocation, record.run_id)
        return record.snapshot["status"] == AVAILABLE

    def _stops_before(self, script: Any) -> bool:
        """Whether the run ends before a revision. Raises RunnerError `cancelled`."""
        invocation = self._run.invocation
        invocation.process.refuse_if_cancelled()
        if (invocation.applied or self._run.record.uncommitted) and invocation.is_over():
            return True
        if self._run.downgrade or invocation.process.compute is None:
            return False
        if invocation.process.compute == "container":
            return not is_for_container(script, invocation)
        return invocation.settings.container is not None and is_for_container(script, invocation)
