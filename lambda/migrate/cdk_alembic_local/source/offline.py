"""Alembic's rendering without a database, for revisions that could not run."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from typing import Any

from cdk_alembic.project.project import Project
from cdk_alembic.project.render import render

from ..waiting import Waiting, limited
from .sql_text import statements


@contextmanager
def offline_rendering(project: Project) -> Iterator[None]:
    """Within this block, SQL is rendered offline; without env.py if that fails."""
    own = project.script.run_env
    if not _env_py_runs(project):
        project.script.run_env = _run_without_env_py
    try:
        yield
    finally:
        project.script.run_env = own


def _env_py_runs(project: Project) -> bool:
    from alembic.runtime.environment import EnvironmentContext

    project.config.output_buffer = io.StringIO()
    try:
        with EnvironmentContext(project.config, project.script, fn=lambda heads, context: [], as_sql=True):
            project.script.run_env()
    except (Exception, SystemExit):
        return False
    finally:
        project.config.output_buffer = None
    return True


def _run_without_env_py() -> None:
    from alembic import context

    context.configure(dialect_name="postgresql", literal_binds=True, dialect_opts={"paramstyle": "named"})
    with context.begin_transaction():
        context.run_migrations()


def add_rendered(project: Project, step: Any, facts: dict[str, Any]) -> dict[str, Any]:
    """DirectionFacts with the statements that did not run, except those that can't be rendered: they read the database."""
    buffer = _LocatedText(step.revision.path)
    sql = None if facts.get("failure", {}).get("waited") else _render(project, step, buffer)
    if sql is None:
        return facts
    seen = {" ".join(statement["sql"].split()) for statement in facts["statements"]}
    # A line of a statement means that it was executed, in a function that has failed.
    lines = chain(buffer.lines if facts["outcome"] == "not_run" else (), repeat(0))
    inside, left, found = True, facts["leftTransaction"], []
    for statement, line in zip(statements(sql), lines, strict=False):
        if statement.upper() in ("BEGIN", "COMMIT"):
            inside = statement.upper() == "BEGIN"
        elif "alembic_version" not in statement and " ".join(statement.split()) not in seen:
            left = left or not inside
            found.append(_rendered_statement(statement, line, 0 if inside else -1))
    return {**facts, "statements": [*facts["statements"], *found], "leftTransaction": left}


def _render(project: Project, step: Any, buffer: io.StringIO) -> str | None:
    began = time.monotonic()
    try:
        with limited(step.revision.path, lambda: time.monotonic() - began):
            return render(project, [step], buffer)[0]["sql"]
    except Waiting:
        return None


class _LocatedText(io.StringIO):
    """Rendered SQL with the line of a file, for each statement, that was running when it was written."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.lines: list[int] = []
        self._path = path

    def write(self, text: str) -> int:
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != self._path:
            frame = frame.f_back
        self.lines += [frame.f_lineno if frame else 0] * len(list(statements(text)))
        return super().write(text)


def _rendered_statement(sql: str, line: int, transaction: int) -> dict[str, Any]:
    return {"sql": sql, "line": line, "transaction": transaction, "milliseconds": 0, "rowCount": -1, "locks": [], "rewrites": []}
