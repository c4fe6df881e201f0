"""What Alembic renders without a database, for revisions that could not be run."""

from __future__ import annotations

import io
from typing import Any

from cdk_alembic.project import Project
from cdk_alembic.render import render

from .sql_text import statements


def renders(project: Project) -> bool:
    """Whether env.py runs without a database."""
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


def rendered(project: Project, step: Any, facts: dict[str, Any]) -> dict[str, Any]:
    """DirectionFacts with the statements that were not run. What can't be rendered (it reads the database) is not there."""
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
            found.append(_not_seen(statement, 0 if inside else -1))
    return {**facts, "statements": [*facts["statements"], *found], "leftTransaction": left}


def _not_seen(sql: str, transaction: int) -> dict[str, Any]:
    return {"sql": sql, "line": 0, "transaction": transaction, "milliseconds": 0, "rowCount": -1, "locks": [], "rewrites": []}
