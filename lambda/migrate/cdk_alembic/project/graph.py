"""Errors for revisions that Alembic can't order. Alembic itself fails with a bare KeyError, or uses the last of two files with
one id."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..protocol.errors import ProjectError


def duplicate(one: Any, other: Any) -> ProjectError:
    """The error for two files (Scripts) with one revision id."""
    return ProjectError(
        "invalid_project",
        f"two files have the revision id {one.revision}: {_file(one)} and {_file(other)}",
        "give one of them a new id, and use that id in the revisions that follow it",
    )


def explained(scripts: Mapping[str, Any]) -> ProjectError | None:
    """The error for revisions (Scripts by id) that follow a missing one or form a circle; None if there is no error."""
    for script in scripts.values():
        for down in script._versioned_down_revisions:
            if down not in scripts:
                return ProjectError(
                    "invalid_project",
                    f"revision {script.revision} ({_file(script)}) follows {down}, which no file has",
                    "add the file of that revision, or correct down_revision",
                )
    if circle := _circle(scripts):
        named = ", ".join(f"{revision} ({_file(scripts[revision])})" for revision in circle)
        return ProjectError(
            "invalid_project",
            f"revisions follow each other in a circle: {named}",
            "correct down_revision or depends_on in one of them",
        )
    return None


def _circle(scripts: Mapping[str, Any]) -> list[str]:
    """What is left after repeatedly removing revisions that follow nothing, and then those that nothing follows."""
    downs = {revision: {*script._versioned_down_revisions, *_dependencies(script)} for revision, script in scripts.items()}
    while ends := [
        revision
        for revision, followed in downs.items()
        if not followed & downs.keys() or not any(revision in others for others in downs.values())
    ]:
        for revision in ends:
            del downs[revision]
    return sorted(downs)


def _dependencies(script: Any) -> tuple[str, ...]:
    given = script.dependencies or ()
    return (given,) if isinstance(given, str) else tuple(given)


def _file(script: Any) -> str:
    return Path(script.path).name
