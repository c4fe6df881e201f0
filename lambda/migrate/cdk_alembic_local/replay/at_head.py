"""The scratch database at head, so autogenerate can compare the models with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cdk_alembic.project.environment import load_without_database
from cdk_alembic.project.project import Project

from ..scratch import raw
from ..scratch.baseline import load
from ..scratch.scratch import Scratch
from .invoke import invoke


@contextmanager
def at_head(project: Project, scratch: Scratch, ask: dict[str, Any]) -> Iterator[None]:
    """Within this block, all revisions are applied. The database is empty before and after. Raises RunnerError."""
    scratch.prepare(ask.get("overwrite", False))
    try:
        if ask.get("baseline"):
            load(scratch, ask["baseline"])
        load_without_database(project)
        if project.heads:
            invoke(project, {"command": "upgrade", "revision": "heads"}, guard=False)
        # The runner's history is not part of the project.
        scratch.run(lambda connection: raw.execute(connection, "DROP SCHEMA IF EXISTS cdk_alembic CASCADE"))
        yield
    finally:
        scratch.empty()
