"""The SQL of revisions, as Alembic renders it without a database."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from ..connection.percent_signs import as_read
from ..database.failures import describe, location
from .project import Project

# The limit of a Lambda response is 6 MB, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_CHARACTERS = 1_000_000


def render(project: Project, steps: Iterable[Any], buffer: io.StringIO | None = None) -> list[dict[str, Any]]:
    """The contract's RenderedRevision for each step. `buffer`: gets the SQL as Alembic writes it.

    A revision that reads the database, or an env.py without an offline mode, has no SQL; `reason` says why.
    """
    rendered = []
    left = MAX_CHARACTERS
    for step in steps:
        item: dict[str, Any] = {"revision": step.revision.revision, "sql": None}
        if left <= 0:
            item["reason"] = f"earlier revisions fill the answer ({MAX_CHARACTERS} characters)"
        else:
            try:
                item["sql"] = _sql(project, step, buffer or io.StringIO())[:left]
                left -= len(item["sql"])
            except (Exception, SystemExit) as error:
                item["reason"] = f"{describe(error)}{location(error)}"
        rendered.append(item)
    return rendered


def _sql(project: Project, step: Any, buffer: io.StringIO) -> str:
    from alembic.runtime.environment import EnvironmentContext

    project.config.output_buffer = buffer
    paramstyles: list[str] = []

    def steps(heads: Any, context: Any) -> list[Any]:
        paramstyles.append(context.dialect.paramstyle)
        return [step]

    options = {"as_sql": True, "starting_rev": list(step.from_revisions) or None}
    try:
        with EnvironmentContext(project.config, project.script, fn=steps, **options):
            project.script.run_env()
    finally:
        project.config.output_buffer = None
    # Alembic ends each statement with a semicolon and an empty line, also one that has its semicolon.
    text = buffer.getvalue().replace(";;\n\n", ";\n\n")
    # Alembic's template configures `paramstyle: named`; not every env.py does.
    return as_read(text, *paramstyles[:1] or ["named"]).strip()
