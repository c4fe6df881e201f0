"""Runs the post_write_hooks of a project's Alembic configuration, such as a formatter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cdk_alembic.database.failures import describe


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
