"""How a command ended, and the answer to its request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..project.project import Project
from ..project.revisions import info
from ..protocol.request import Invocation
from ..protocol.rules import CONTRACT_VERSION
from .preconditions import is_for_container


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: str
    """The contract's Status."""
    before: tuple[str, ...]
    after: tuple[str, ...]
    """The version table's revisions."""
    target: list[str]
    pending: Sequence[Any] = ()
    """The remaining steps to the target."""
    losses: Sequence[dict[str, Any]] = ()
    """What the pending steps would destroy: the contract's DataLoss."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The fields of the answer that only this command has."""


def answer_of(project: Project, invocation: Invocation, outcome: Outcome) -> dict[str, Any]:
    """The contract's answer."""
    scripts = [step.revision for step in outcome.pending]
    return {
        "contract": CONTRACT_VERSION,
        "command": invocation.request.command,
        "stage": invocation.settings.stage,
        "status": outcome.status,
        "from": sorted(outcome.before),
        "to": sorted(outcome.after),
        "heads": list(project.revisions.heads),
        "target": outcome.target,
        "applied": invocation.applied,
        "pending": [info(script) for script in scripts],
        "unknown": project.revisions.unknown(outcome.after),
        "dataLoss": list(outcome.losses),
        "edited": [],
        "warnings": invocation.warnings,
        "protected": invocation.settings.protected,
        **outcome.facts,
        **_container(scripts, invocation, outcome),
    }


def _container(scripts: list[Any], invocation: Invocation, outcome: Outcome) -> dict[str, Any]:
    """The answer's `container`, the contract's ContainerWork, if pending revisions run in a container."""
    machine = invocation.settings.container
    if invocation.process.compute != "function" or (machine is None and not outcome.after):
        return {}
    revisions = [script.revision for script in scripts if is_for_container(script, invocation)]
    work = {"revisions": revisions} if machine is None else {"revisions": revisions, "stateMachineArn": machine}
    return {"container": work} if revisions else {}
