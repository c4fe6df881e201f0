"""Fills tables with as many rows as production has, by INSERT ... SELECT: generated values, never production's."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from cdk_alembic.catalog import raw
from cdk_alembic.catalog.catalog import Snapshot
from cdk_alembic.catalog.catalog_sql import MARK
from cdk_alembic.database.failures import describe
from cdk_alembic.protocol.log import redact

from ..scratch.rows import quoted, quoted_table
from .values import Source, TargetSchema, Values

REFERENCED_ROWS = 100
"""Rows of a table that is only needed for foreign keys."""
PROBE_ROWS = 100
"""Rows of the first statements, which find values that a table accepts."""
BATCH_ROWS = 100_000
"""The maximum rows of a statement: the limits are checked between statements."""
_TRIES = 6
_MAX_DEPTH = 8


@dataclass(frozen=True)
class Limits:
    """The limits of a fill."""

    rows: int
    """Rows of each table."""
    bytes: int
    """Bytes of all tables together, with indexes."""
    deadline: float
    """A time of time.monotonic()."""


@dataclass
class FilledTable:
    """A table after the fill."""

    rows: int
    limit: str | None = None
    """Why it has fewer rows than production: `rows`, `bytes`, `time` or `values`."""
    reason: str | None = None
    """The error of the database that rejected further rows."""


class Fill:
    """Fills tables, and those that their foreign keys require. Call it in a transaction, after `rows.prepare`."""

    def __init__(
        self, connection: Any, snapshot: Snapshot, target: TargetSchema, production: dict[str, dict[str, Any]], limits: Limits
    ) -> None:
        """`production`: TableTarget by name."""
        self._connection = connection
        self._snapshot = snapshot
        self._source = Source(connection, snapshot, target, production)
        self._production = production
        self._limits = limits
        self._bytes = 0

    def fill(self, names: list[str]) -> dict[str, FilledTable]:
        """The tables, and those that they refer to, after the fill."""
        planned: dict[str, None] = {}
        for name in names:
            self._plan(name, (), planned)
        filled = {name: self._fill(name, name in names) for name in planned}
        self._source.forget_keys()
        for name in filled:
            raw.execute(self._connection, f"ANALYZE {quoted_table(name)}")
        return filled

    def _plan(self, name: str, above: tuple[str, ...], planned: dict[str, None]) -> None:
        """Adds the table to the plan after those that its foreign keys require."""
        if name in planned or name in above or len(above) > _MAX_DEPTH or name not in self._snapshot.tables:
            return
        if self._snapshot.is_partition(name):
            return  # a partition gets its rows from its parent
        for constraint in self._source.facts(name)["constraints"]:
            if "references" in constraint:
                self._plan(constraint["references"]["table"], (*above, name), planned)
        planned[name] = None

    def _fill(self, name: str, is_asked: bool) -> FilledTable:
        table = quoted_table(name)
        production = self._production.get(name, {}).get("rows", 0) if is_asked else REFERENCED_ROWS
        wanted = min(production, self._limits.rows)
        filled = FilledTable(self._query_number(f"SELECT count(*) FROM {table}"))  # noqa: S608
        first = at = filled.rows
        attempt: int | None = None
        while at < wanted:
            count = min(PROBE_ROWS if attempt is None else BATCH_ROWS, wanted - at, self._room(table, filled.rows))
            if count < 1 or time.monotonic() >= self._limits.deadline:
                filled.limit = "bytes" if count < 1 else "time"
                break
            attempts = range(_TRIES) if attempt is None else (attempt,)
            attempt = next((one for one in attempts if self._insert(name, one, at, count, filled)), None)
            if attempt is None:
                filled.limit = "values"
                break
            filled.reason = None
            at += count
        if filled.rows < at and first < at:
            filled.limit = "values"
        elif filled.limit is None and filled.rows < production:
            filled.limit = "rows"
        self._bytes += self._size(table)
        return filled

    def _room(self, table: str, rows: int) -> int:
        """The number of rows until the limit of bytes."""
        size = self._size(table)
        return (self._limits.bytes - self._bytes - size) // max(1, size // max(1, rows))

    def _insert(self, name: str, attempt: int, at: int, count: int, filled: FilledTable) -> bool:
        """Whether rows were inserted."""
        statement = raw.literal(self._statement(name, attempt, at + 1, at + count))
        raw.execute(self._connection, "SAVEPOINT cdk_alembic_fill")
        try:
            inserted = self._query_number(f"SELECT {MARK}.insert_rows({statement})")
        except Exception as error:
            raw.execute(self._connection, "ROLLBACK TO SAVEPOINT cdk_alembic_fill")
            filled.reason = filled.reason or redact(describe(error))
            return False
        raw.execute(self._connection, "RELEASE SAVEPOINT cdk_alembic_fill")
        filled.rows += inserted
        return inserted > 0

    def _statement(self, name: str, attempt: int, first: int, last: int) -> str:
        facts = self._source.facts(name)
        values, joins = Values(self._source, name, facts, attempt).all()
        columns = f" ({', '.join(quoted(column) for column in values)})" if values else ""
        rows = f"FROM generate_series({first}::bigint, {last}::bigint) AS g(i) {' '.join(joins)}"
        return (
            f"INSERT INTO {quoted_table(name)}{columns} OVERRIDING SYSTEM VALUE "
            f"SELECT {', '.join(values.values())} {rows} ON CONFLICT DO NOTHING"
        )

    def _size(self, table: str) -> int:
        tree = f"SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree({raw.literal(table)}::regclass)"  # noqa: S608
        return self._query_number(f"SELECT coalesce(({tree}), pg_total_relation_size({raw.literal(table)}::regclass))")

    def _query_number(self, query: str) -> int:
        return int(raw.value(self._connection, f"SELECT ({query})::bigint::text"))
