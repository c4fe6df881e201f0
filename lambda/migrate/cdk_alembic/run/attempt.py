"""One execution of env.py in a run: revision by revision, each in its own transaction, guarded, limited and recorded."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ..database.blockers import in_words
from ..database.connecting import expect, relax
from ..database.failures import describe, sql_state
from ..database.session import Session, brief_connection, watched
from ..database.version_table import VersionTable, heads_in, hold_mutex, still_held
from ..project.guard import data_losses
from ..project.project import info
from ..project.revisions import check_rows, path, refuse_ahead
from ..protocol.errors import RunnerError
from ..protocol.log import log
from .failure import Interrupted, failure_of
from .preconditions import check, is_for_container, is_fresh
from .run import Run

# lock_not_available and deadlock_detected: PostgreSQL rolled back the revision, and another attempt may succeed.
RETRIED_STATES = ("55P03", "40P01")
RETRY_PAUSE_SECONDS = (0.2, 2.0)


class Attempt:
    """`around` and `steps` are the arguments of run_environment."""

    def __init__(self, run: Run, revision: str, tries: int = 1) -> None:
        """`tries`: how often the running revision has been tried, this time included."""
        self.tries = tries
        self.failure: RunnerError | None = None
        """What failed while env.py ran."""
        self._run = run
        self._revision = revision
        self._mutex: Any = None
        """The autocommit connection that holds the mutex."""
        self._session: Session | None = None

    @contextmanager
    def around(self, context: Any) -> Iterator[None]:
        """Holds the mutex, watches the connection, records a failure, and concludes a run whose work is committed."""
        run, record = self._run, self._run.record
        record.running = None
        table = run.progress.table = run.locate(context)
        with (
            run.connect(context, table) as connection,
            hold_mutex(connection, run.invocation, table) as self._mutex,
            watched(context.connection, table.pid, run.invocation, run.lookout) as self._session,
        ):
            # Alembic calls it after it has changed the version table, in the same transaction.
            write = functools.partial(record.write, self._session)
            context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, write)
            try:
                yield
            except (Exception, SystemExit) as error:
                # Before a new connection: whether the server stopped answering is known until then.
                self.failure = error if isinstance(error, RunnerError) else self.failure_of(error)
                expect()
                record.uncommitted.clear()
                record.end(context, self.failure.code, None, self.failure.message, self._mutex)
                raise
            finally:
                heads = run.progress.heads = self._heads(context, table)
            if record.uncommitted:
                # env.py commits it now, which may take as long as a revision.
                relax()
            elif heads is not None and self._is_at_end(heads):
                run.conclude(heads, context, self._mutex)

    def steps(self, heads: tuple[str, ...], context: Any) -> Iterator[Any]:
        """Alembic runs and commits each yielded step before it requests the next one."""
        project, invocation, record, progress = self._run.project, self._run.invocation, self._run.record, self._run.progress
        check_rows(project, heads, progress.table.full_name)
        refuse_ahead(project, heads)
        invocation.before = heads if invocation.before is None else invocation.before
        steps, progress.target = path(project, self._revision, heads, self._run.downgrade)
        if not steps:
            return
        scripts = [step.revision for step in steps]
        if not self._run.downgrade:
            schema = progress.table.own_schema if invocation.tenant is not None else None
            progress.fresh = is_fresh(self._mutex, progress.table, heads, project.lineage(heads), schema)
            check(invocation, self._mutex, progress.table, scripts, progress.fresh)
        if self._run.drift:
            self._run.drift.check(self._mutex, progress.table, heads)
        progress.stopped = invocation.settings.snapshot is not None and not self._has_snapshot(scripts)
        if progress.stopped:
            return
        record.begin(self._mutex, progress.table, heads, bool(progress.fresh))
        is_held = True  # acquired a moment ago
        for step in steps:
            progress.stopped = self._ends_before(step.revision)
            if progress.stopped:
                return
            if not is_held:
                still_held(self._mutex)
            # Alembic logs the function's name.
            step.migration_fn = functools.wraps(step.migration_fn)(functools.partial(self._session.run, step.migration_fn))
            record.start(step.revision)
            relax()
            yield step
            expect()
            is_held = record.done(self._mutex, self._session, context.connection.in_transaction())

    def _has_snapshot(self, scripts: Sequence[Any]) -> bool:
        """Whether the run may begin: it needs no RDS snapshot, or has it. Raises RunnerError `snapshot_failed`."""
        from ..production.snapshot import AVAILABLE, ensure, is_wanted

        run, record = self._run, self._run.record
        destroys = not run.downgrade and bool(data_losses(scripts, run.invocation.settings.guard_unread))
        if run.progress.fresh or not is_wanted(run.invocation, destroys) or record.has_snapshot(self._mutex):
            return True
        record.snapshot = ensure(run.invocation, record.run_id)
        return record.snapshot["status"] == AVAILABLE

    def _ends_before(self, script: Any) -> bool:
        """Whether the run ends before a revision. Raises RunnerError `cancelled`."""
        invocation = self._run.invocation
        invocation.refuse_if_cancelled()
        if (invocation.applied or self._run.record.uncommitted) and invocation.is_over():
            return True
        if self._run.downgrade or invocation.compute is None:
            return False
        if invocation.compute == "container":
            return not is_for_container(script, invocation)
        return invocation.settings.container is not None and is_for_container(script, invocation)

    def _heads(self, context: Any, table: VersionTable) -> tuple[str, ...] | None:
        """The version table's revisions; None if it can't be read here."""
        from sqlalchemy.exc import SQLAlchemyError

        if table.schema is None or table.is_translated:
            # Only Alembic's own statements find a translated table.
            return None
        heads = None
        try:
            heads = heads_in(self._mutex, table)
        except SQLAlchemyError:
            # The mutex's session was ended.
            with suppress(SQLAlchemyError), brief_connection(context) as connection:
                heads = heads_in(connection, table)
        # Rows that Alembic never writes are not revisions.
        return heads if heads is not None and all(isinstance(head, str) for head in heads) else None

    def _is_at_end(self, heads: tuple[str, ...]) -> bool:
        """Whether the version table shows the end of the run, so no open transaction holds it back."""
        run = self._run
        if run.project.unknown(heads) or not (run.progress.stopped or set(heads) == set(run.progress.target)):
            return False
        lineage = run.project.lineage(heads)
        return all((item["revision"] in lineage) != run.downgrade for item in run.invocation.applied)

    def may_be_repeated(self, error: BaseException, give_up: float) -> bool:
        """Whether another attempt may succeed. `give_up`: the time of the last one, of time.monotonic()."""
        record, invocation = self._run.record, self._run.invocation
        return (
            sql_state(error) in RETRIED_STATES
            and record.running is not None
            # It would repeat what an autocommit block committed before the failure.
            and not self._session.left_transaction
            and not record.self_committed
            and time.monotonic() < give_up
            and not invocation.is_over()
            and not invocation.cancelled
        )

    def pause(self, error: BaseException) -> None:
        """Waits before another attempt at a revision that could not get its lock."""
        run, invocation = self._run, self._run.invocation
        invocation.lock_wait_seconds += invocation.settings.limits.lock_timeout
        run.lookout.is_alert = True
        held_by = in_words(run.lookout.seen.blockers) or None
        about = {"stage": invocation.settings.stage, "tenant": invocation.tenant, **info(run.record.running.script)}
        log("WARNING", "lock_retry", **about, reason=describe(error), heldBy=held_by)
        time.sleep(random.uniform(*RETRY_PAUSE_SECONDS))

    def failure_of(self, error: BaseException) -> RunnerError:
        """The RunnerError for what failed in this attempt."""
        run, record = self._run, self._run.record
        script = record.running.script if record.running is not None else None
        left_transaction = self._session is not None and self._session.left_transaction
        # After a lock timeout, the latest look may have come too late.
        seen = run.lookout.seen if sql_state(error) in RETRIED_STATES else run.lookout.latest
        interrupted = Interrupted(
            run.invocation,
            run.project.command,
            script,
            run.downgrade,
            left_transaction,
            record.self_committed,
            self.tries,
            seen,
        )
        return failure_of(error, interrupted)
