"""Checks before the first revision: unacknowledged loss of data, a missing container, an invalid index."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..connection.statements import execute
from ..connection.watchdog import expect, relax
from ..database.history import is_unfinished
from ..database.version_table import VersionTable
from ..project.guard import refuse_unacknowledged, unreadable
from ..project.sources import CONTAINER_COMMENT, runs_in_container, source_of
from ..protocol.errors import RunnerError
from ..protocol.log import log
from ..protocol.request import Invocation

# Excludes the tables of extensions such as PostGIS.
_HOLDS_TABLES = """
SELECT EXISTS (
  SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relkind IN ('r', 'p', 'm', 'f')
    AND left(nspname, 3) <> 'pg_' AND nspname NOT IN ('information_schema', 'cdk_alembic')
    AND (CAST(:schema AS text) IS NULL OR nspname = CAST(:schema AS text))
    AND relname <> CAST(:version_table AS text)
    AND NOT EXISTS (
      SELECT FROM pg_depend WHERE classid = CAST('pg_class' AS regclass) AND objid = pg_class.oid AND deptype = 'e'))
"""

# With a thousand schemas, looking up the names in the scripts is faster than scanning the catalog.
_NAMED = """
  AND relation.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = :schema)
  AND relation.relname IN (SELECT json_array_elements_text(CAST(CAST(:names AS text) AS json)))
"""
_NAME = re.compile(r"\w+|(?<=\")[^\"\n]{1,63}(?=\")")

_INVALID = """
SELECT namespace.nspname, relation.relname, index.indrelid::regclass::text
FROM pg_index AS index
JOIN pg_class AS relation ON relation.oid = index.indexrelid
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE NOT index.indisvalid
  AND relation.relkind = 'i'
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS progress WHERE progress.index_relid = index.indexrelid)
  {within}
ORDER BY 1, 2
"""


def is_fresh(
    connection: Any, table: VersionTable, heads: Iterable[str], lineage: Iterable[str], schema: str | None = None
) -> bool:
    """Whether a database has nothing to lose: no tables except the version table, or a first run that has not finished.

    `connection` is in autocommit. `heads` are the version table's revisions, `lineage` these and their ancestors. `schema`:
    the only schema to check; None: all of them. An empty version table proves nothing: Alembic may have been adopted late.
    """
    if heads:
        return is_unfinished(connection, table, lineage)
    return not execute(connection, _HOLDS_TABLES, schema=schema, version_table=table.name).scalar()


def check(invocation: Invocation, connection: Any, schema: str | None, scripts: list[Any], fresh: bool) -> None:
    """Checks an upgrade that runs `scripts`, over an autocommit connection. `schema`: the only one to check; None: all of them.
    `fresh`: whether the database has nothing to lose. Raises RunnerError `blocked`, `needs_container` or `invalid_index`."""
    if invocation.settings.guard and not fresh:
        refuse_unacknowledged(scripts, invocation.settings.guard_unread)
        invocation.warnings.extend(unreadable(scripts))
    if invocation.process.compute == "function" and invocation.settings.container is None:
        _refuse_container(scripts, invocation, fresh)
    may_drop = "drop_invalid_indexes" in invocation.request.allow
    invocation.warnings.extend(_check_indexes(connection, scripts, may_drop, schema))


def _refuse_container(scripts: list[Any], invocation: Invocation, fresh: bool) -> None:
    stage = invocation.settings.stage
    if invocation.request.compute == "container":
        raise RunnerError(
            "needs_container",
            f"the request asks for a container, but stage {stage} has none",
            "set compute: MigrationCompute.container({ cluster }) on the AlembicMigration of this stage and deploy, or send the "
            "request without `in`; nothing was applied",
        )
    # In an empty database, no revision takes long.
    revisions = [] if fresh else [script.revision for script in scripts if is_for_container(script, invocation)]
    if revisions:
        raise RunnerError(
            "needs_container",
            f"{', '.join(revisions)} has the comment `{CONTAINER_COMMENT}`, but stage {stage} has no container",
            "set compute: MigrationCompute.container({ cluster }) on the AlembicMigration of this stage and deploy, or "
            "remove the comment from a revision that ends within the function's time; nothing was applied",
            revision=revisions[0],
        )


def is_for_container(script: Any, invocation: Invocation) -> bool:
    """Whether a revision runs in a container: it has the comment CONTAINER_COMMENT, or the request asks for it."""
    return invocation.request.compute == "container" or runs_in_container(source_of(Path(script.path)))


def _check_indexes(connection: Any, scripts: Iterable[Any], may_drop: bool, schema: str | None = None) -> list[str]:
    """Finds the indexes that a failed CREATE INDEX CONCURRENTLY left behind: they slow down every write, and IF NOT EXISTS treats
    them as built. Drops the invalid indexes that the scripts name if `may_drop`; raises RunnerError `invalid_index` if not.

    Returns a warning for each invalid index that no script names. With a `schema`, only indexes in it that the scripts name are
    searched for. `connection` is in autocommit.
    """
    warnings = []
    sources: dict[str, str] = {}
    for within, name, table in _invalid_indexes(connection, scripts, schema):
        sources = sources or _sources(scripts)
        revision = next((revision for revision, source in sources.items() if re.search(rf"\b{re.escape(name)}\b", source)), None)
        index = f"{within}.{name}"
        drop = f"DROP INDEX CONCURRENTLY {_quoted(connection, within)}.{_quoted(connection, name)}"
        if revision is None:
            warnings.append(f"the index {index} on {table} is invalid: no query uses it and it slows down every write; {drop}")
        elif may_drop:
            _without_lock_timeout(connection, drop)
            log("WARNING", "invalid_index_dropped", index=index, table=table, revision=revision)
        else:
            raise RunnerError(
                "invalid_index",
                f"the index {index} on {table} is invalid, left behind by a failed CREATE INDEX CONCURRENTLY, and revision "
                f"{revision} names it",
                f'nothing was applied; run `{drop}`, or send {{"allow": ["drop_invalid_indexes"]}}, and run again',
                revision=revision,
            )
    return warnings


def _invalid_indexes(connection: Any, scripts: Iterable[Any], schema: str | None) -> Sequence[Any]:
    """Schema, name and table of each."""
    if schema is None:
        return connection.exec_driver_sql(_INVALID.format(within="")).fetchall()
    names = json.dumps(sorted(_names(tuple(_sources(scripts).values()))))
    return execute(connection, _INVALID.format(within=_NAMED), schema=schema, names=names).fetchall()


def _without_lock_timeout(connection: Any, drop: str) -> None:
    """DROP INDEX CONCURRENTLY waits for every transaction that may use the index, without blocking any."""
    relax()
    lock_timeout = connection.exec_driver_sql("SELECT current_setting('lock_timeout')").scalar()
    connection.exec_driver_sql("SELECT set_config('lock_timeout', '0', false)")
    connection.exec_driver_sql(drop)
    connection.exec_driver_sql(f"SELECT set_config('lock_timeout', '{lock_timeout}', false)")
    expect()


def _sources(scripts: Iterable[Any]) -> dict[str, str]:
    return {script.revision: Path(script.path).read_text(encoding="utf-8", errors="replace") for script in scripts}


@lru_cache(maxsize=4)
def _names(sources: tuple[str, ...]) -> set[str]:
    """All words in the scripts that could be an index's name."""
    return {name for source in sources for name in _NAME.findall(source)}


def _quoted(connection: Any, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
