"""Writes revisions and runs the post_write_hooks of the project's Alembic configuration."""

from __future__ import annotations

from contextlib import chdir
from typing import Any

from cdk_alembic.project.project import Project

from ..source.post_write_hooks import hooks_may_fail


def write(project: Project, files: list[dict[str, Any]]) -> str | None:
    """Writes each `file` with its `text`, and runs the hooks on it. Returns why a hook failed; None if all ran."""
    for one in files:
        (project.directory / one["file"]).write_text(one["text"], encoding="utf-8")
    hooks = getattr(project.script, "hooks", None)
    if not hooks:
        return None
    from alembic.script import write_hooks

    with chdir(project.directory), hooks_may_fail() as failures:
        for one in files:
            write_hooks._run_hooks(str(project.directory / one["file"]), hooks)
    return failures[0] if failures else None
