"""The commands: what the database has, what the scripts have, and the way from one to the other."""

from __future__ import annotations

from typing import Any

from .call import Call
from .contract import CONTRACT_VERSION
from .environment import run_environment
from .errors import RunnerError
from .log import log
from .project import Project, info
from .revisions import alembic_errors, current, path, refuse_ahead, resolve
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
    found = current(project)
    if project.unknown(found):
        answer = _answer(project, call, "ahead", found, found, list(project.heads))
    else:
        steps, target = path(project, revision, found, downgrade=False)
        answer = _answer(project, call, "pending" if steps else "complete", found, found, target, steps)
    if call.request.command == "history":
        answer["history"] = _history(project, found)
    return answer


def _history(project: Project, found: tuple[str, ...]) -> list[dict[str, Any]]:
    applied = project.lineage(revision for revision in found if project.known(revision))
    return [
        {**info(script), "downRevisions": list(script._versioned_down_revisions), "applied": script.revision in applied}
        for script in project.script.walk_revisions()
    ]


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
    try:
        run_environment(project, run.steps, around=run.around)
    except RunnerError:
        raise
    except (Exception, SystemExit) as error:
        raise run.failure(error) from error
    after = current(project)
    run.verify(after)
    pending: list[Any] = []
    if not downgrade and not project.unknown(after):
        # A relative step was resolved once, before the database moved; several heads can only be asked for by name again.
        pending, _ = path(project, run.target[0] if len(run.target) == 1 else revision, after, downgrade=False)
    return _answer(project, call, "partial" if run.stopped or pending else "complete", run.before, after, run.target, pending)


def _answer(
    project: Project,
    call: Call,
    status: str,
    before: tuple[str, ...],
    after: tuple[str, ...],
    target: list[str],
    pending: list[Any] | None = None,
) -> dict[str, Any]:
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
        "pending": [info(step.revision) for step in pending or ()],
        "unknown": project.unknown(after),
    }
