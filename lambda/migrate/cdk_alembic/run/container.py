"""Which pending revisions run in a container: those that say so in a comment, `# cdk-alembic: run in container`, or all of them
when the request wants it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from ..project.sources import runs_in_container
from ..protocol.errors import RunnerError
from ..protocol.invocation import Call

COMMENT = "# cdk-alembic: run in container"


def is_elsewhere(script: Any, call: Call) -> bool:
    """Whether the revision is not for where this call runs, so that the call ends before it."""
    if call.place == "container":
        return not _is_for_container(script, call)
    return call.place == "function" and call.settings.container is not None and _is_for_container(script, call)


def refuse_without(scripts: Iterable[Any], call: Call, fresh: bool) -> None:
    """Raises RunnerError `needs_container` when a revision is for a container that the stage does not have. `fresh`: a database
    on its way from empty has nothing that a revision could take long for."""
    if call.place != "function" or call.settings.container is not None:
        return
    revisions = [script.revision for script in scripts if _is_for_container(script, call)]
    if call.request.place == "container":
        raise RunnerError(
            "needs_container",
            f"the request wants a container and stage {call.settings.stage} has none",
            "set compute: MigrationCompute.container({ cluster }) on the AlembicMigration of this stage and deploy, or send the "
            "request without it; nothing was applied",
        )
    if revisions and not fresh:
        raise RunnerError(
            "needs_container",
            f"{', '.join(revisions)} says `{COMMENT}`, and stage {call.settings.stage} has no container",
            "set compute: MigrationCompute.container({ cluster }) on the AlembicMigration of this stage and deploy, or take the "
            "comment out of a revision that ends within the function's time; nothing was applied",
            revision=revisions[0],
        )


def work(scripts: Iterable[Any], call: Call, fresh: bool) -> dict[str, Any] | None:
    """What of the pending revisions runs in a container: the contract's ContainerWork, or None."""
    machine = call.settings.container
    if call.place != "function" or (machine is None and fresh):
        return None
    revisions = [script.revision for script in scripts if _is_for_container(script, call)]
    if not revisions:
        return None
    return {"revisions": revisions} if machine is None else {"revisions": revisions, "stateMachineArn": machine}


def _is_for_container(script: Any, call: Call) -> bool:
    return call.request.place == "container" or _says_so(script.path)


@cache
def _says_so(path: str) -> bool:
    return runs_in_container(Path(path).read_bytes())
