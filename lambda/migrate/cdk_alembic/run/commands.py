"""The commands: compare the database's revisions with the scripts, and migrate from one to the other."""

from __future__ import annotations

from typing import Any

from ..database import history
from ..database.contents import is_fresh
from ..database.session import brief_connection
from ..database.version_table import find, hold_mutex
from ..project.environment import current, run_environment
from ..project.guard import data_losses, unread_warnings
from ..project.project import Project, info, keeping_scripts
from ..project.render import render
from ..project.revisions import alembic_errors, path, refuse_ahead, resolve
from ..protocol.log import log
from ..protocol.request import Invocation
from ..protocol.rules import CONTRACT_VERSION, STATUSES
from . import container
from .failure import not_stamped
from .run import Run


def execute(project: Project, invocation: Invocation) -> dict[str, Any]:
    """Executes a validated request and returns the contract's answer. Raises RunnerError."""
    command, revision = invocation.request.command, invocation.request.revision
    if command in ("upgrade", "downgrade"):
        return _migrate(project, invocation, revision or "head")
    if command == "stamp":
        return _stamp(project, invocation, revision or "")
    return _read(project, invocation, (revision or "head") if command == "plan" else "heads")


def _migrate(project: Project, invocation: Invocation, revision: str) -> dict[str, Any]:
    run = Run(project, invocation, revision, downgrade=invocation.request.command == "downgrade")
    with keeping_scripts():
        run.execute()
    facts = _answer(
        project, invocation, run.status, invocation.before or (), run.heads, run.target, run.pending, fresh=bool(run.fresh)
    )
    return {**facts, "runId": run.history.run_id} if run.history.recorded else facts


def _read(project: Project, invocation: Invocation, revision: str) -> dict[str, Any]:
    runs: list[dict[str, Any]] = []
    checksums: dict[str, str] = {}
    fresh = False

    def look(heads: tuple[str, ...], context: Any) -> None:
        nonlocal runs, checksums, fresh
        runs, checksums = history.read(context)
        if invocation.request.command == "plan" and set(heads) != set(project.heads):
            lineage = project.lineage(revision for revision in heads if project.known(revision))
            with brief_connection(context) as connection:
                fresh = is_fresh(connection, find(context), heads, lineage)

    found = current(project, look)
    lineage = project.lineage(revision for revision in found if project.known(revision))
    scripts = list(project.script.walk_revisions())
    if runs and invocation.request.command != "history":
        invocation.warnings.extend(_about(runs[0]))
    edited = [
        script.revision
        for script in scripts
        if script.revision in lineage and checksums.get(script.revision) not in (None, history.checksum(script))
    ]
    if project.unknown(found):
        facts = _answer(project, invocation, "ahead", found, found, list(project.heads), edited=edited)
    else:
        steps, target = path(project, revision, found, downgrade=False)
        status = "pending" if steps else "complete"
        invocation.warnings.extend(unread_warnings([step.revision for step in steps]))
        facts = _answer(project, invocation, status, found, found, target, steps, edited=edited, fresh=fresh)
        if invocation.request.sql:
            facts["sql"] = render(project, steps)
    if invocation.request.command == "history":
        facts["runs"] = runs
        facts["history"] = [
            {**info(script), "downRevisions": list(script._versioned_down_revisions), "applied": script.revision in lineage}
            for script in scripts
        ]
    return facts


def _about(run: dict[str, Any]) -> list[str]:
    """Warnings about the last run."""
    outcome = run["outcome"]
    if outcome in STATUSES:
        return []
    who = f"{run['command']} of {run['requestedBy']}"
    if outcome == history.RUNNING:
        return [f"a run has been going on since {run['startedAt']}: {who}"]
    if outcome == history.KILLED:
        count = len(run["applied"])
        return [f"the last run, {who}, began at {run['startedAt']} and was killed; it had applied {count} revisions"]
    return [f"the last run, {who}, failed at {run['endedAt']} with {outcome}: {run['error']}"]


def _stamp(project: Project, invocation: Invocation, revision: str) -> dict[str, Any]:
    before: tuple[str, ...] = ()

    def steps(heads: tuple[str, ...], context: Any) -> Any:
        nonlocal before
        refuse_ahead(project, heads)
        before = heads
        with alembic_errors(project, revision):
            return project.script._stamp_revs(revision, heads)

    run_environment(project, steps, around=lambda context: hold_mutex(context, invocation, find(context)))
    after = current(project)
    target = resolve(project, revision)
    if set(after) != set(target):
        raise not_stamped(after, target)
    log("INFO", "stamped", stage=invocation.settings.stage, before=sorted(before), after=list(after))
    return _answer(project, invocation, "complete", before, after, target)


def _answer(
    project: Project,
    invocation: Invocation,
    status: str,
    before: tuple[str, ...],
    after: tuple[str, ...],
    target: list[str],
    pending: list[Any] | None = None,
    edited: list[str] | None = None,
    fresh: bool = False,
) -> dict[str, Any]:
    """The answer about a database that went from `before` to `after`, with the pending steps and the applied revisions whose
    files were edited. `fresh`: the database has nothing to lose."""
    scripts = [step.revision for step in pending or ()]
    work = container.work(scripts, invocation, fresh=not after)
    return {
        "contract": CONTRACT_VERSION,
        "command": invocation.request.command,
        "stage": invocation.settings.stage,
        "status": status,
        "from": sorted(before),
        "to": sorted(after),
        "heads": list(project.heads),
        "target": target,
        "applied": invocation.applied,
        "pending": [info(script) for script in scripts],
        "unknown": project.unknown(after),
        "dataLoss": [] if fresh else data_losses(scripts, invocation.settings.guard_unread),
        "edited": edited or [],
        "warnings": invocation.warnings,
        "protected": invocation.settings.protected,
        **({"container": work} if work else {}),
    }
