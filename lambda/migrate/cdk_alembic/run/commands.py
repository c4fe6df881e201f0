"""Executes a request's command and makes the answer."""

from __future__ import annotations

from typing import Any

from ..database.version_table import find, hold_mutex
from ..production.replication import refuse
from ..project.environment import current, run_environment
from ..project.guard import data_losses
from ..project.project import Project, info
from ..project.revisions import alembic_errors, refuse_ahead, resolve
from ..protocol.log import log
from ..protocol.request import Invocation
from ..protocol.rules import CONTRACT_VERSION
from .failure import not_stamped
from .preconditions import is_for_container
from .read import read
from .run import Outcome, migrate


def execute(project: Project, invocation: Invocation) -> dict[str, Any]:
    """Executes a request and returns the contract's answer. Raises RunnerError."""
    if invocation.request.command == "upgrade" and invocation.settings.on_replication == "refuse":
        refuse(project, invocation)
    if invocation.request.command in ("upgrade", "downgrade"):
        outcome = migrate(project, invocation)
    elif invocation.request.command == "stamp":
        outcome = _stamp(project, invocation)
    else:
        outcome = read(project, invocation)
    scripts = [step.revision for step in outcome.pending]
    return {
        "contract": CONTRACT_VERSION,
        "command": invocation.request.command,
        "stage": invocation.settings.stage,
        "status": outcome.status,
        "from": sorted(outcome.before),
        "to": sorted(outcome.after),
        "heads": list(project.heads),
        "target": outcome.target,
        "applied": invocation.applied,
        "pending": [info(script) for script in scripts],
        "unknown": project.unknown(outcome.after),
        "dataLoss": [] if outcome.fresh else data_losses(scripts, invocation.settings.guard_unread),
        "edited": [],
        "warnings": invocation.warnings,
        "protected": invocation.settings.protected,
        **outcome.facts,
        **_container(scripts, invocation, is_new=not outcome.after),
    }


def _container(scripts: list[Any], invocation: Invocation, is_new: bool) -> dict[str, Any]:
    """The answer's `container`, the contract's ContainerWork, if pending revisions run in a container."""
    machine = invocation.settings.container
    if invocation.compute != "function" or (machine is None and is_new):
        return {}
    revisions = [script.revision for script in scripts if is_for_container(script, invocation)]
    work = {"revisions": revisions} if machine is None else {"revisions": revisions, "stateMachineArn": machine}
    return {"container": work} if revisions else {}


def _stamp(project: Project, invocation: Invocation) -> Outcome:
    revision = invocation.request.revision or ""
    before: tuple[str, ...] = ()

    def steps(heads: tuple[str, ...], context: Any) -> Any:
        nonlocal before
        refuse_ahead(project, heads)
        before = heads
        with alembic_errors(project, revision):
            return project.script._stamp_revs(revision, heads)

    run_environment(project, steps, around=lambda context: hold_mutex(context, invocation, find(context)))
    after, _ = current(project)
    target = resolve(project, revision)
    if set(after) != set(target):
        raise not_stamped(after, target)
    log("INFO", "stamped", stage=invocation.settings.stage, before=sorted(before), after=list(after))
    return Outcome("complete", before, after, target)
