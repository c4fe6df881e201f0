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
from ..scratch.rows import quoted, quoted_parts
from ..scratch.scratch import Scratch
from ..scratch.search_path import SearchPath
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
            _, (models, search_path) = current(project, _models_and_search_path)
            with models.watching({script.module.__file__ for script in project.script.walk_revisions()}) as creations:
                invoke(project, {"command": "upgrade", "revision": "heads"}, guard=False)
            models.restore()
            scratch.search_path = search_path
            creator = next((f"{relative(file, project.directory)}:{line}" for file, line in creations), None)
        # The runner's history is not part of the project.
        scratch.run(lambda connection: raw.execute(connection, "DROP SCHEMA IF EXISTS cdk_alembic CASCADE"))
        yield creator
    finally:
        scratch.leave()


def _models_and_search_path(heads: Any, context: Any) -> tuple[ImportedModels, SearchPath]:
    return ImportedModels(context), SearchPath.of(context.connection)


def rename_tables(connection: Any, renames: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Renames the tables among these pairs of names, so that autogenerate compares them with the models. Returns their pairs."""
    tables = [(old, new) for old, new in renames if _is_table(connection, old) and not _is_table(connection, new)]
    for old, new in tables:
        raw.execute(connection, f"ALTER TABLE {quoted_parts(old)} RENAME TO {quoted(new.rpartition('.')[2])}")
    return [pair for pair in renames if tuple(pair) in tables]


def _is_table(connection: Any, name: str) -> bool:
    found = f"FROM pg_class WHERE oid = to_regclass({raw.literal(quoted_parts(name))}) AND relkind IN ('r', 'p')"
    return raw.value(connection, f"SELECT to_json(count(*) > 0)::text {found}")


def table_to_fill(project: Project, table: str, column: str) -> dict[str, Any]:
    """TableFacts of a table whose column can be filled in the order of its key. Raises RunnerError `create_failed`."""
    _, tables = current(project, _tables)
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


def _tables(heads: Any, context: Any) -> dict[str, dict[str, Any]]:
    """TableFacts by name, those that the search_path finds without and with their schema."""
    found = read(context.connection, context)
    return {**found.tables, **SearchPath.of(context.connection).relative(found).tables}
