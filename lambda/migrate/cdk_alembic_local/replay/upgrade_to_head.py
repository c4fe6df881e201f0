"""The scratch database at head, so autogenerate can compare the models with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cdk_alembic.catalog import raw
from cdk_alembic.catalog.catalog_reader import read
from cdk_alembic.project.environment import current
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import RunnerError

from ..scratch.baseline import load
from ..scratch.models import ImportedModels
from ..scratch.rows import quoted, quoted_table
from ..scratch.scratch import Scratch
from ..source.graph import relative
from ..source.loading import load_without_database
from .invoke import invoke


@contextmanager
def at_head(project: Project, scratch: Scratch, ask: dict[str, Any]) -> Iterator[str | None]:
    """Within this block, all revisions are applied. The database is empty before and after. Raises RunnerError.

    Yields the place of a revision that created tables from the models as they are now, or None."""
    creator = None
    scratch.prepare(ask.get("overwrite", False))
    try:
        if ask.get("baseline"):
            load(scratch, ask["baseline"])
        load_without_database(project)
        if project.revisions.heads:
            _, models = current(project, lambda heads, context: ImportedModels(context))
            with models.watching({script.module.__file__ for script in project.script.walk_revisions()}) as creations:
                invoke(project, {"command": "upgrade", "revision": "heads"}, guard=False)
            models.restore()
            creator = next((f"{relative(file, project.directory)}:{line}" for file, line in creations), None)
        # The runner's history is not part of the project.
        scratch.run(lambda connection: raw.execute(connection, "DROP SCHEMA IF EXISTS cdk_alembic CASCADE"))
        yield creator
    finally:
        scratch.leave()


def rename_tables(connection: Any, renames: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Renames the tables among these pairs of names, so that autogenerate compares them with the models. Returns their pairs."""
    tables = [(old, new) for old, new in renames if _is_table(connection, old) and not _is_table(connection, new)]
    for old, new in tables:
        raw.execute(connection, f"ALTER TABLE {quoted_table(old)} RENAME TO {quoted(new.rpartition('.')[2])}")
    return [pair for pair in renames if tuple(pair) in tables]


def _is_table(connection: Any, name: str) -> bool:
    found = f"FROM pg_class WHERE oid = to_regclass({raw.literal(quoted_table(name))}) AND relkind IN ('r', 'p')"
    return raw.value(connection, f"SELECT to_json(count(*) > 0)::text {found}")


def table_to_fill(project: Project, table: str, column: str) -> dict[str, Any]:
    """TableFacts of a table whose column can be filled in the order of its key. Raises RunnerError `create_failed`."""
    _, tables = current(project, lambda heads, context: read(context.connection, context).tables)
    facts = tables.get(table)
    step = (
        "name the table and the column as PostgreSQL has them: --backfill 'users.full_name = name'; "
        "if only the models have them, create without --backfill first"
    )
    if facts is None:
        why = f"there is no table {table} at head"
        in_schemas = [name for name in sorted(tables) if name.endswith(f".{table}")]
        if in_schemas:
            step = f"name its schema too: {' or '.join(f'{name}.{column}' for name in in_schemas)}"
    elif column not in [one["name"] for one in facts["columns"]]:
        why = f"{table} has no column {column} at head"
    elif not any(one["kind"] == "primary key" for one in facts["constraints"]):
        why = f"{table} has no primary key, in whose order batches could continue"
    else:
        return facts
    raise RunnerError("create_failed", why, step)
