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
# Sorts to take the median of: other work disturbs single ones.
SORTS = 9
# Only for a table that PostgreSQL knows nothing about.
ASSUMED_ROW_BYTES = 100

_KINDS = {"r": "table", "p": "partitioned table", "m": "materialized view", "f": "foreign table"}


def read_statistics(connection: Any) -> tuple[dict[str, Any], list[str]]:
    """DatabaseStatistics, and warnings. `connection` is in autocommit. Raises SQLAlchemyError."""

    def query(sql: str) -> Any:
        return json.loads(connection.exec_driver_sql(sql).scalar())

    facts = query(queries.database(connection.dialect.server_version_info))
    total, hidden, found = query(queries.tables())
    seconds = facts.pop("countedSeconds")
    tables = [_table(table, seconds) for table in found]
    _add_partitions(tables)
    facts["sortMilliseconds"] = sort_milliseconds(query)
    facts["sortTextMilliseconds"] = sort_milliseconds(query, queries.SORT_TEXT)
    facts["tables"] = sorted(tables, key=lambda table: (-table["bytes"], table["name"]))
    facts["tablesLeftOut"] = (total or 0) - len(tables)
    warnings = []
    if hidden:
        warnings.append(
            f"the role may not read {hidden} of {total} tables, so the width of their columns is unknown; "
            "GRANT SELECT ON these tables to it, or GRANT pg_read_all_data"
        )
    return facts, warnings


def sort_milliseconds(query: Callable[[str], float], sort: str = queries.SORT) -> float:
    """The time of a sort, which measures how fast the server is. `query`: returns the JSON value of a query."""
    return round(median(query(sort) for _ in range(SORTS)), 3)


def _table(row: dict[str, Any], seconds: float | None) -> dict[str, Any]:
    rows, rows_from = _rows(row)
    table = {
        "name": row["name"],
        "kind": _KINDS[row["kind"]],
        "rows": rows,
        "rowsFrom": rows_from,
        **{key: row[key] for key in ("bytes", "toastBytes", "indexBytes", "deadRows", "analyzedAt", "columns")},
        "indexes": [_index(index, rows) for index in row["indexes"]],
    }
    if row["partitionOf"]:
        table["partitionOf"] = row["partitionOf"]
    if seconds and row["kind"] in "rm":
        table["writesPerSecond"] = round(row["writes"] / seconds, 3)
    # Columns that were never analyzed, or that the role may not read, are missing.
    if row["kind"] in "rm" and len(row["columns"]) == row["attributes"] > 0:
        table["rowBytes"] = row_bytes = _row_bytes(row["columns"])
        table["bloatBytes"] = max(0, row["bytes"] - _bytes_of(rows, row_bytes))
    return table


def _rows(row: dict[str, Any]) -> tuple[int, str]:
    if row["kind"] == "f":
        return max(0, round(row["tuples"])), "analyze"
    if row["tuples"] >= 0 and (row["pages"] or not row["bytes"]):
        density = row["tuples"] / row["pages"] if row["pages"] else 0
        return round(density * row["bytes"] / PAGE_BYTES), "analyze"
    if row["live"]:
        return row["live"], "counters"
    return row["bytes"] // ASSUMED_ROW_BYTES, "size"


def _index(row: dict[str, Any], table_rows: int) -> dict[str, Any]:
    pages = row.pop("pages")
    is_known = row["rows"] >= 0 and pages
    return {**row, "rows": round(row["rows"] * row["bytes"] / (pages * PAGE_BYTES)) if is_known else table_rows}


def _row_bytes(columns: list[dict[str, Any]]) -> int:
    width = sum(column["width"] * (1 - column["nulls"]) for column in columns)
    has_bitmap = any(column["nulls"] > 0 for column in columns)
    header = ROW_OVERHEAD_BYTES + (ALIGNMENT_BYTES * ((len(columns) + 63) // 64) if has_bitmap else 0)
    return header + -(-round(width) // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def _bytes_of(rows: int, row_bytes: int) -> int:
    per_page = max(1, (PAGE_BYTES - PAGE_HEADER_BYTES) // row_bytes)
    return -(-rows // per_page) * PAGE_BYTES


def _add_partitions(tables: list[dict[str, Any]]) -> None:
    """Gives each partitioned table the sums of its partitions."""
    children: dict[str, list[dict[str, Any]]] = {}
    for table in tables:
        children.setdefault(table.get("partitionOf", ""), []).append(table)

    def add(table: dict[str, Any]) -> None:
        partitions = children.get(table["name"], [])
        for child in partitions:
            if child["kind"] == "partitioned table":
                add(child)
        table["rowsFrom"] = "partitions"
        for key in ("rows", "bytes", "toastBytes", "indexBytes", "deadRows"):
            table[key] = sum(child[key] for child in partitions)
        if partitions and all("writesPerSecond" in child for child in partitions):
            table["writesPerSecond"] = round(sum(child["writesPerSecond"] for child in partitions), 3)

    for table in tables:
        if table["kind"] == "partitioned table" and "partitionOf" not in table:
            add(table)
