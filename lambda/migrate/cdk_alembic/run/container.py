"""Determines which pending revisions run in a container: those with the comment `# cdk-alembic: run in container`, or all if
the request says so."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..project.sources import source_of
from ..protocol.errors import RunnerError
from ..protocol.request import Invocation

COMMENT = "# cdk-alembic: run in container"
_COMMENT = re.compile(r"#\s*cdk-alembic:\s*run\s+in\s+(?:a\s+)?container\s*$")


def is_elsewhere(script: Any, invocation: Invocation) -> bool:
    """Whether the revision runs in the other compute, so the run ends before it."""
    if invocation.compute == "container":
        return not _is_for_container(script, invocation)
    return (
        invocation.compute == "function" and invocation.settings.container is not None and _is_for_container(script, invocation)
    )


def refuse_without(scripts: Iterable[Any], invocation: Invocation, fresh: bool) -> None:
    """Raises RunnerError `needs_container` if a revision requires a container and the stage has none. `fresh`: the database is
    being built from empty, so no revision takes long."""
    if invocation.compute != "function" or invocation.settings.container is not None:
        return
    revisions = [script.revision for script in scripts if _is_for_container(script, invocation)]
    if invocation.request.compute == "container":
        raise RunnerError(
            "needs_container",
            f"the request wants a container, but stage {invocation.settings.stage} has none",
            "set compute: MigrationCompute.container({ cluster }) on the AlembicMigration of this stage and deploy, or send the "
            "request without `in`; nothing was applied",
        )
    if revisions and not fresh:
        raise RunnerError(
            "needs_container",
            f"{', '.join(revisions)} has the comment `{COMMENT}`, but stage {invocation.settings.stage} has no container",
            "set compute: MigrationCompute.container({ cluster }) on the AlembicMigration of this stage and deploy, or "
            "remove the comment from a revision that ends within the function's time; nothing was applied",
            revision=revisions[0],
        )


def work(scripts: Iterable[Any], invocation: Invocation, fresh: bool) -> dict[str, Any] | None:
    """The pending revisions that run in a container, as the contract's ContainerWork; None if there are none."""
    machine = invocation.settings.container
    if invocation.compute != "function" or (machine is None and fresh):
        return None
    revisions = [script.revision for script in scripts if _is_for_container(script, invocation)]
    if not revisions:
        return None
    return {"revisions": revisions} if machine is None else {"revisions": revisions, "stateMachineArn": machine}


def _is_for_container(script: Any, invocation: Invocation) -> bool:
    return invocation.request.compute == "container" or runs_in_container(source_of(Path(script.path)))


def runs_in_container(source: bytes) -> bool:
    """Whether a comment marks the revision to run in a container."""
    if b"cdk-alembic" not in source:
        return False
    tokens = tokenize.tokenize(io.BytesIO(source).readline)
    return any(token.type == tokenize.COMMENT and _COMMENT.match(token.string) for token in tokens)
