"""The command statistics: sizes and traffic of the database, as the contract's DatabaseStatistics."""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import median
from typing import Any

from . import queries

# PostgreSQL's defaults: https://www.postgresql.org/docs/current/storage-page-layout.html
PAGE_BYTES = 8192
PAGE_HEADER_BYTES = 24
# A row's header, padded, and its pointer in the page.
ROW_OVERHEAD_BYTES = 24 + 4
ALIGNMENT_BYTES = 8
# Other work disturbs single sorts.
SORTS = 9
# Only for a table that PostgreSQL knows nothing about.
ASSUMED_ROW_BYTES = 100

_KINDS = {"r": "table", "p": "partitioned table", "m": "materialized view", "f": "foreign table"}


def read_statistics(connection: Any) -> tuple[dict[str, Any], list[str]]:
    """DatabaseStatistics, and warnings. `connection` is in autocommit. Raises SQLAlchemyError."""

    def ask(sql: str) -> Any:
        return json.loads(connection.exec_driver_sql(sql).scalar())

    facts = ask(queries.database(connection.dialect.server_version_info))
    total, hidden, found = ask(queries.tables())
    seconds = facts.pop("countedSeconds")
    tables = [_table(table, seconds) for table in found]
    _add_partitions(tables)
    facts["sortMilliseconds"] = sort_milliseconds(ask)
    facts["sortTextMilliseconds"] = sort_milliseconds(ask, queries.SORT_TEXT)
    facts["tables"] = sorted(tables, key=lambda table: (-table["bytes"], table["name"]))
    facts["tablesLeftOut"] = (total or 0) - len(tables)
    warnings = []
    if hidden:
        warnings.append(
            f"the role may not read {hidden} of {total} tables, so the width of their columns is unknown; "
            "GRANT SELECT ON these tables to it, or GRANT pg_read_all_data"
        )
    return facts, warnings


def sort_milliseconds(ask: Callable[[str], float], sort: str = queries.SORT) -> float:
    """How fast the server is. `ask`: gives the JSON value of a query."""
    return round(median(ask(sort) for _ in range(SORTS)), 3)


def _table(found: dict[str, Any], seconds: float | None) -> dict[str, Any]:
    rows, rows_from = _rows(found)
    table = {
        "name": found["name"],
        "kind": _KINDS[found["kind"]],
        "rows": rows,
        "rowsFrom": rows_from,
        **{key: found[key] for key in ("bytes", "toastBytes", "indexBytes", "deadRows", "analyzedAt", "columns")},
        "indexes": [_index(index, rows) for index in found["indexes"]],
    }
    if found["partitionOf"]:
        table["partitionOf"] = found["partitionOf"]
    if seconds and found["kind"] in "rm":
        table["writesPerSecond"] = round(found["writes"] / seconds, 3)
    # Columns that were never analyzed, or that the role may not read, are missing.
    if found["kind"] in "rm" and len(found["columns"]) == found["attributes"] > 0:
        table["rowBytes"] = row = _row_bytes(found["columns"])
        table["bloatBytes"] = max(0, found["bytes"] - _bytes_of(rows, row))
    return table


def _rows(found: dict[str, Any]) -> tuple[int, str]:
    if found["kind"] == "f":
        return max(0, round(found["tuples"])), "analyze"
    if found["tuples"] >= 0 and (found["pages"] or not found["bytes"]):
        density = found["tuples"] / found["pages"] if found["pages"] else 0
        return round(density * found["bytes"] / PAGE_BYTES), "analyze"
    if found["live"]:
        return found["live"], "counters"
    return found["bytes"] // ASSUMED_ROW_BYTES, "size"


def _index(found: dict[str, Any], table_rows: int) -> dict[str, Any]:
    pages = found.pop("pages")
    is_known = found["rows"] >= 0 and pages
    return {**found, "rows": round(found["rows"] * found["bytes"] / (pages * PAGE_BYTES)) if is_known else table_rows}


def _row_bytes(columns: list[dict[str, Any]]) -> int:
    width = sum(column["width"] * (1 - column["nulls"]) for column in columns)
    has_bitmap = any(column["nulls"] > 0 for column in columns)
    header = ROW_OVERHEAD_BYTES + (ALIGNMENT_BYTES * ((len(columns) + 63) // 64) if has_bitmap else 0)
    return header + -(-round(width) // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def _bytes_of(rows: int, row: int) -> int:
    per_page = max(1, (PAGE_BYTES - PAGE_HEADER_BYTES) // row)
    return -(-rows // per_page) * PAGE_BYTES


def _add_partitions(tables: list[dict[str, Any]]) -> None:
    """Gives each partitioned table the sums of its partitions."""
    children: dict[str, list[dict[str, Any]]] = {}
    for table in tables:
        children.setdefault(table.get("partitionOf", ""), []).append(table)

    def add(table: dict[str, Any]) -> None:
        own = children.get(table["name"], [])
        for child in own:
            if child["kind"] == "partitioned table":
                add(child)
        table["rowsFrom"] = "partitions"
        for key in ("rows", "bytes", "toastBytes", "indexBytes", "deadRows"):
            table[key] = sum(child[key] for child in own)
        if own and all("writesPerSecond" in child for child in own):
            table["writesPerSecond"] = round(sum(child["writesPerSecond"] for child in own), 3)

    for table in tables:
        if table["kind"] == "partitioned table" and "partitionOf" not in table:
            add(table)
