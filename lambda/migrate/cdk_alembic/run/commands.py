"""The commands: what the database has, what the scripts have, and the way from one to the other."""

from __future__ import annotations

from typing import Any

from ..database import history
from ..project.environment import run_environment
from ..project.guard import data_losses
from ..project.project import Project, info
from ..project.render import render
from ..project.revisions import alembic_errors, current, path, refuse_ahead, resolve
from ..project.version_updates import keeping_scripts
from ..protocol.contract import CONTRACT_VERSION
from ..protocol.invocation import Call
from ..protocol.log import log
from . import container
from .run import Run, hold_mutex, not_moved


def execute(project: Project, call: Call) -> dict[str, Any]:
    """Carries out a checked request and gives the contract's answer. Raises RunnerError."""
    command = call.request.command
    if command == "plan":
        return _read(project, call, call.request.revision or "head")
    if command in ("current", "history"):
        return _read(project, call, "heads")
    if command == "stamp":
        return _stamp(project, call, call.request.revision or "")
    return _migrate(project, call, call.request.revision or "head", downgrade=command == "downgrade")


def _read(project: Project, call: Call, revision: str) -> dict[str, Any]:
    runs: list[dict[str, Any]] = []
    checksums: dict[str, str] = {}

    def look(heads: tuple[str, ...], context: Any) -> None:
        nonlocal runs, checksums
        runs, checksums = history.read(context)

    found = current(project, look)
    lineage = project.lineage(revision for revision in found if project.known(revision))
    scripts = list(project.script.walk_revisions())
    edited = [
        script.revision
        for script in scripts
        if script.revision in lineage and checksums.get(script.revision) not in (None, history.checksum(script))
    ]
    if project.unknown(found):
        answer = _answer(project, call, "ahead", found, found, list(project.heads), edited=edited)
    else:
        steps, target = path(project, revision, found, downgrade=False)
        answer = _answer(project, call, "pending" if steps else "complete", found, found, target, steps, edited=edited)
        if call.request.sql:
            answer["sql"] = render(project, steps)
    if call.request.command == "history":
        answer["runs"] = runs
        answer["history"] = [
            {**info(script), "downRevisions": list(script._versioned_down_revisions), "applied": script.revision in lineage}
            for script in scripts
        ]
    return answer


def _stamp(project: Project, call: Call, revision: str) -> dict[str, Any]:
    before: tuple[str, ...] = ()

    def steps(heads: tuple[str, ...], context: Any) -> Any:
        nonlocal before
        refuse_ahead(project, heads)
        before = heads
        with alembic_errors(project, revision):
            return project.script._stamp_revs(revision, heads)

    run_environment(project, steps, around=lambda context: hold_mutex(context, call))
    after = current(project)
    target = resolve(project, revision)
    if set(after) != set(target):
        raise not_moved(f"the version table holds {', '.join(after) or 'nothing'} instead of {', '.join(target) or 'nothing'}")
    log("INFO", "stamped", stage=call.settings.stage, before=sorted(before), after=list(after))
    return _answer(project, call, "complete", before, after, target)


def _migrate(project: Project, call: Call, revision: str, downgrade: bool) -> dict[str, Any]:
    run = Run(project, call, revision, downgrade)
    with keeping_scripts():
        run.execute()

    call.renew()
    after = current(project, run.conclude)
    answer = _answer(project, call, run.status, call.before or (), after, run.target, run.pending)
    return {**answer, "runId": run.history.run_id} if run.history.recorded else answer


def _answer(
    project: Project,
    call: Call,
    status: str,
    before: tuple[str, ...],
    after: tuple[str, ...],
    target: list[str],
    pending: list[Any] | None = None,
    edited: list[str] | None = None,
) -> dict[str, Any]:
    scripts = [step.revision for step in pending or ()]
    work = container.work(scripts, call, fresh=not after)
    return {
        "contract": CONTRACT_VERSION,
        "command": call.request.command,
        "stage": call.settings.stage,
        "status": status,
        "from": sorted(before),
        "to": sorted(after),
        "heads": list(project.heads),
        "target": target,
        "applied": call.applied,
        "pending": [info(script) for script in scripts],
        "unknown": project.unknown(after),
        "dataLoss": data_losses(scripts) if after else [],
        "edited": edited or [],
        "warnings": call.warnings,
        "protected": call.settings.protected,
        **({"container": work} if work else {}),
    }
