"""One execution of env.py in a run: revision by revision, each in its own transaction, guarded, limited and recorded."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..database.connecting import expect, relax
from ..database.session import Session, watched
from ..database.version_table import hold_mutex, still_held
from ..project.guard import data_losses
from ..project.project import collecting
from ..project.revisions import check_rows, path, refuse_ahead
from ..protocol.errors import RunnerError
from .conclusion import conclude_if_committed, heads_after
from .failure import failure_of
from .preconditions import check, is_for_container, is_fresh
from .run import Run


class Attempt:
    """`around` and `steps` are the arguments of run_environment."""

    def __init__(self, run: Run, revision: str) -> None:
        self.failure: RunnerError | None = None
        """What failed while env.py ran."""
        self._run = run
        self._revision = revision
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
        run, work = self._run, self._run.work
        work.running = None
        table = run.progress.table = run.locate(context)
        with (
            collecting(),
            run.connect(context, table) as connection,
            hold_mutex(connection, run.invocation, table) as self._mutex,
            watched(context.connection, table.pid, run.invocation, run.lookout) as self._session,
        ):
            # Alembic calls it after it has changed the version table, in the same transaction.
            record = functools.partial(work.record, self._session)
            context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, record)
            try:
                yield
            except (Exception, SystemExit) as error:
                # Before a new connection: whether the server stopped answering is known until then.
                self.failure = error if isinstance(error, RunnerError) else failure_of(error, run, self.left_transaction)
                expect()
                work.uncommitted.clear()
                run.record.end(context, self.failure.code, None, self.failure.message, self._mutex)
                raise
            finally:
                run.progress.heads = heads_after(context, table, self._mutex)
            conclude_if_committed(run, context, self._mutex)

    def steps(self, heads: tuple[str, ...], context: Any) -> Iterator[Any]:
        """Alembic runs and commits each yielded step before it requests the next one."""
        project, invocation, work, progress = self._run.project, self._run.invocation, self._run.work, self._run.progress
        check_rows(project, heads, progress.table.full_name)
        refuse_ahead(project, heads)
        invocation.before = heads if invocation.before is None else invocation.before
        steps, progress.target = path(project, self._revision, heads, self._run.downgrade)
        if not steps:
            return
        if progress.tries == 1:
            invocation.warnings.extend(project.destination.warnings(progress.table.database))
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
        self._run.record.begin(self._mutex, progress.table, heads, bool(progress.fresh))
        is_held = True  # acquired a moment ago
        for step in steps:
            progress.stopped = self._ends_before(step.revision)
            if progress.stopped:
                return
            if not is_held:
                still_held(self._mutex)
            # Alembic logs the function's name.
            step.migration_fn = functools.wraps(step.migration_fn)(functools.partial(self._session.run, step.migration_fn))
            work.start(step.revision)
            relax()
            yield step
            expect()
            is_held = work.done(self._mutex, self._session, context.connection.in_transaction())

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
        if (invocation.applied or self._run.work.uncommitted) and invocation.is_over():
            return True
        if self._run.downgrade or invocation.compute is None:
            return False
        if invocation.compute == "container":
            return not is_for_container(script, invocation)
        return invocation.settings.container is not None and is_for_container(script, invocation)
