"""Finds the indexes that a failed CREATE INDEX CONCURRENTLY left behind: they slow down every write, and IF NOT EXISTS treats
them as built."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..protocol.errors import RunnerError
from ..protocol.log import log
from .session import execute
from .watchdog import expect, relax

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


def check_indexes(connection: Any, scripts: Iterable[Any], may_drop: bool, schema: str | None = None) -> list[str]:
    """Drops the invalid indexes that the scripts name if `may_drop`; raises RunnerError `invalid_index` if not.

    Returns a warning for each invalid index that no script names. With a `schema`, only indexes in it that the scripts name are
    searched for. `connection` is in autocommit.
    """
    sources: dict[str, str] = {}
    if schema is None:
        invalid = connection.exec_driver_sql(_INVALID.format(within="")).fetchall()
    else:
        sources = _sources(scripts)
        names = json.dumps(sorted(_names(tuple(sources.values()))))
        invalid = execute(connection, _INVALID.format(within=_NAMED), schema=schema, names=names).fetchall()
    if not invalid:
        return []
    sources = sources or _sources(scripts)
    warnings = []
    for schema, name, table in invalid:
        revision = next((revision for revision, source in sources.items() if re.search(rf"\b{re.escape(name)}\b", source)), None)
        drop = f"DROP INDEX CONCURRENTLY {_quoted(connection, schema)}.{_quoted(connection, name)}"
        if revision is None:
            warnings.append(
                f"the index {schema}.{name} on {table} is invalid: no query uses it and it slows down every write; {drop}"
            )
        elif may_drop:
            # DROP INDEX CONCURRENTLY waits for every transaction that may use the index, and blocks none.
            relax()
            lock_timeout = connection.exec_driver_sql("SELECT current_setting('lock_timeout')").scalar()
            connection.exec_driver_sql("SELECT set_config('lock_timeout', '0', false)")
            connection.exec_driver_sql(drop)
            connection.exec_driver_sql(f"SELECT set_config('lock_timeout', '{lock_timeout}', false)")
            expect()
            log("WARNING", "invalid_index_dropped", index=f"{schema}.{name}", table=table, revision=revision)
        else:
            raise RunnerError(
                "invalid_index",
                f"the index {schema}.{name} on {table} is invalid, left behind by a failed CREATE INDEX CONCURRENTLY, "
                f"and revision {revision} names it",
                f'nothing was applied; run `{drop}`, or send {{"allow": ["drop_invalid_indexes"]}}, and run again',
                revision=revision,
            )
    return warnings


def _sources(scripts: Iterable[Any]) -> dict[str, str]:
    return {script.revision: Path(script.path).read_text(encoding="utf-8", errors="replace") for script in scripts}


@lru_cache(maxsize=4)
def _names(sources: tuple[str, ...]) -> set[str]:
    """All words in the scripts that could be an index's name."""
    return {name for source in sources for name in _NAME.findall(source)}


def _quoted(connection: Any, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
