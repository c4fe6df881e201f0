"""Writes revisions as the project does: with the post_write_hooks of its Alembic configuration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir, contextmanager
from typing import Any

from cdk_alembic.database.failures import describe
from cdk_alembic.project.project import Project


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


@contextmanager
def hooks_may_fail() -> Iterator[list[str]]:
    """Alembic goes on after a post_write_hook that fails. Gives the reasons, one for each file."""
    from alembic.script import write_hooks

    run_hooks = write_hooks._run_hooks
    failures: list[str] = []

    def run(*args: Any) -> None:
        try:
            run_hooks(*args)
        except (Exception, SystemExit) as error:
            failures.append(describe(error))

    write_hooks._run_hooks = run
    try:
        yield failures
    finally:
        write_hooks._run_hooks = run_hooks
