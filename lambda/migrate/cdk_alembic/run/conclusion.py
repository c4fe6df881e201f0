"""How a run ends: verifies the version table, and records the outcome."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..connection.watchdog import expect, relax
from ..database.version_table import heads_after
from ..project.environment import current
from ..protocol.errors import RunnerError
from .failure import not_committed, not_moved
from .run import Run


def conclude(run: Run, heads: tuple[str, ...], context: Any, connection: Any = None) -> None:
    """Verifies the version table, which has `heads`, and records how the run ended, over `connection`, which is in autocommit, or
    a new one. Raises RunnerError `version_not_moved`."""
    record, progress = run.record, run.progress
    if lost := _settle(run, heads, context):
        error = not_moved(lost, run.downgrade, run.record.self_committed)
        record.end(context, error.code, heads, error.message, connection)
        raise error
    if not run.downgrade and not run.project.revisions.unknown(heads):
        progress.pending = run.project.revisions.route(progress.goal, heads, downgrade=False).steps
    progress.status = "partial" if progress.stopped or progress.pending else "complete"
    record.end(context, progress.status, heads, connection=connection)
    if run.drift:
        run.drift.keep(context, progress.table, heads, first=not record.begun, connection=connection)


def conclude_if_committed(run: Run, context: Any, mutex: Any) -> None:
    """Concludes a run over the connection that holds the mutex, unless env.py is yet to commit the run's work."""
    heads = run.progress.heads
    if run.record.uncommitted:
        # env.py commits it now, which may take as long as a revision.
        relax()
    elif heads is not None and _is_at_end(run, heads):
        conclude(run, heads, context, mutex)


def report_committed(run: Run, context: Any, mutex: Any) -> None:
    """Reports the earlier revisions in env.py's transaction that a failed revision committed with its own work."""
    expect()
    heads = heads_after(context, run.progress.table, mutex)
    # If the database can't be reached anymore, the failure says so.
    with suppress(Exception):
        if heads is not None:
            _settle(run, heads, context)


def conclude_failed(run: Run, error: RunnerError) -> RunnerError:
    """Records and returns the error of an env.py that failed after its revisions: at the commit of its own transaction, or
    later."""
    if not run.record.uncommitted:
        return error
    failure = error

    def settle(heads: tuple[str, ...], context: Any) -> None:
        nonlocal failure
        if lost := _settle(run, heads, context):
            failure = not_committed(error.__cause__ or error, lost, run.invocation) or error
        run.record.end(context, failure.code, heads, failure.message)

    # If the database can't be reached anymore, the next run records this one as killed.
    with suppress(Exception):
        current(run.project, settle)
    return failure


def _settle(run: Run, heads: tuple[str, ...], context: Any) -> list[str]:
    """Reports the run's revisions that the version table shows, and returns the others."""
    run.progress.heads = heads
    # If a newer release has migrated since the mutex was released, a comparison is impossible.
    lineage = None if run.project.revisions.unknown(heads) else run.project.revisions.lineage(heads)
    return run.record.settle(lineage, context)


def _is_at_end(run: Run, heads: tuple[str, ...]) -> bool:
    """Whether the version table shows the end of the run, so no transaction is still open."""
    if run.project.revisions.unknown(heads) or not (run.progress.stopped or set(heads) == set(run.progress.target)):
        return False
    lineage = run.project.revisions.lineage(heads)
    return all((item["revision"] in lineage) != run.downgrade for item in run.invocation.applied)
