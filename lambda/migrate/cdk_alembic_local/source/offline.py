"""Alembic's rendering without a database, for revisions that could not run."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cdk_alembic.project.project import Project
from cdk_alembic.project.render import render

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
    sql = render(project, [step])[0]["sql"]
    if sql is None:
        return facts
    seen = {" ".join(statement["sql"].split()) for statement in facts["statements"]}
    inside, left, found = True, facts["leftTransaction"], []
    for statement in statements(sql):
        if statement.upper() in ("BEGIN", "COMMIT"):
            inside = statement.upper() == "BEGIN"
        elif "alembic_version" not in statement and " ".join(statement.split()) not in seen:
            left = left or not inside
            found.append(_rendered_statement(statement, 0 if inside else -1))
    return {**facts, "statements": [*facts["statements"], *found], "leftTransaction": left}


def _rendered_statement(sql: str, transaction: int) -> dict[str, Any]:
    return {"sql": sql, "line": 0, "transaction": transaction, "milliseconds": 0, "rowCount": -1, "locks": [], "rewrites": []}
