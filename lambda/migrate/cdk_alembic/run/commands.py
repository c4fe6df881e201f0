"""Carries out a request's command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..connection.statements import own_connection
from ..database.mutex import hold_mutex
from ..database.version_table import find
from ..production.replication import refuse
from ..project.environment import current, run_environment
from ..project.guard import data_losses
from ..project.project import Project
from ..protocol.errors import RunnerError
from ..protocol.log import log
from ..protocol.request import Invocation
from .answer import Outcome, answer_of
from .failure import not_stamped, stamp_failed
from .migrate import migrate
from .read import read
from .run import Run


def carry_out(project: Project, invocation: Invocation) -> dict[str, Any]:
    """Carries out a request and returns the contract's answer. Raises RunnerError."""
    if invocation.request.command == "upgrade" and invocation.settings.on_replication == "refuse":
        refuse(project, invocation)
    if invocation.request.command in ("upgrade", "downgrade"):
        outcome = _migrate(project, invocation)
    elif invocation.request.command == "stamp":
        outcome = _stamp(project, invocation)
    else:
        outcome = read(project, invocation)
    return answer_of(project, invocation, outcome)


def _migrate(project: Project, invocation: Invocation) -> Outcome:
    run = Run(project, invocation)
    migrate(run)
    record, progress = run.record, run.progress
    facts: dict[str, Any] = {"runId": record.run_id} if record.begun or record.snapshot else {}
    if record.snapshot:
        facts["snapshot"] = record.snapshot
    if invocation.ended_blockers:
        facts["endedBlockers"] = invocation.ended_blockers
    if progress.status == "partial":
        facts["continueWith"] = progress.goal
    pending = [step.revision for step in progress.pending]
    losses = [] if progress.fresh else data_losses(pending, invocation.settings.guard_unread)
    before, after = invocation.before or (), progress.heads
    return Outcome(progress.status, before, after, progress.target, progress.pending, losses, facts)


def _stamp(project: Project, invocation: Invocation) -> Outcome:
    revision = invocation.request.revision or ""
    before: tuple[str, ...] = ()
    expected: set[str] = set()

    def steps(heads: tuple[str, ...], context: Any) -> Any:
        nonlocal before, expected
        project.revisions.refuse_ahead(heads)
        before, expected = heads, set(heads)
        with project.revisions.alembic_errors(revision):
            return project.script._stamp_revs(revision, heads)

    def written(*, heads: set[str], **_: Any) -> None:
        # A stamp of one branch keeps the others.
        nonlocal expected
        expected = set(heads)

    @contextmanager
    def around(context: Any) -> Iterator[None]:
        table = find(context)
        context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, written)
        with own_connection(context) as connection, hold_mutex(connection, invocation, table):
            yield

    try:
        run_environment(project, steps, around)
    except RunnerError:
        raise
    except Exception as error:
        if failure := stamp_failed(error, project.revisions.resolve(revision)):
            raise failure from error
        raise
    after, _ = current(project)
    if set(after) != expected:
        raise not_stamped(after, sorted(expected))
    log("INFO", "stamped", stage=invocation.settings.stage, before=sorted(before), after=list(after))
    return Outcome("complete", before, after, project.revisions.resolve(revision))
