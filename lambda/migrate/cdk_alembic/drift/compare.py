"""Reads the catalog in a form that does not depend on the session, and compares it with the kept one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

from ..catalog import catalog_sql, raw
from ..catalog.catalog_reader import snapshot_of
from ..database.version_table import VersionTable
from .ddl import restoring_ddl
from .kept import Entries
from .members import belongs_to, with_indexes
from .names import Names

# These settings decide how PostgreSQL prints names and values. Without a search path, all names have their schema.
_CANONICAL = {
    "search_path": "",
    "quote_all_identifiers": "off",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "xmlbinary": "base64",
    "jit": "off",
    "lock_timeout": "5000",
    "statement_timeout": "60000",
}
# To read one schema of thousands, a plan that scans a whole catalog is always wrong.
_BY_INDEX = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}


def settings(schema: str | None, of_transaction: bool) -> str:
    """A SELECT with the settings that `query` needs, for the transaction or for the session."""
    values = {**_CANONICAL, **(_BY_INDEX if schema else {})}
    local = "true" if of_transaction else "false"
    return "SELECT " + ", ".join(f"set_config('{name}', '{value}', {local})" for name, value in values.items())


def query(schema: str | None, version_table_schema: str | None, version_table: str) -> str:
    """The query whose answer `entries_in` reads: the catalog without the version table. `schema`: only this one."""
    named = SimpleNamespace(version_table_schema=version_table_schema, version_table=version_table)
    return catalog_sql.everything(named, schema)


def entries_in(answer: dict[str, Any]) -> Entries:
    """The entries in the answer to `query`."""
    return snapshot_of(answer).entries


def entries_now(connection: Any, table: VersionTable, schema: str | None) -> Entries:
    """The catalog's entries over an autocommit connection. Raises SQLAlchemyError."""
    with _transaction(connection):
        connection.exec_driver_sql(settings(schema, of_transaction=True))
        return entries_in(_fetch(connection, query(schema, table.schema, table.name)))


def _fetch(connection: Any, sql: str) -> Any:
    """The JSON document of a query. Raises SQLAlchemyError, which `raw` does not."""
    from sqlalchemy.exc import DBAPIError

    try:
        return raw.value(connection, sql)
    except Exception as error:
        raise DBAPIError("the query of the catalog", None, error) from error


@contextmanager
def _transaction(connection: Any) -> Iterator[None]:
    """A transaction on an autocommit connection, which SQLAlchemy does not start there."""
    from sqlalchemy.exc import SQLAlchemyError

    connection.exec_driver_sql("BEGIN")
    try:
        yield
    finally:
        with suppress(SQLAlchemyError):
            connection.exec_driver_sql("ROLLBACK")


def differences(kept: Entries, now: Entries) -> list[dict[str, Any]]:
    """The contract's DriftedObject for each difference, sorted. Skips added and dropped partitions: jobs add and drop them
    every day."""
    new_partitions = _partition_entries(kept, now)
    dropped_partitions = _partition_entries(now, kept)
    names = Names(kept, now)
    found: list[dict[str, Any]] = []
    for key in sorted(kept.keys() | now.keys()):
        before, after = kept.get(key), now.get(key)
        if before == after or key in new_partitions or key in dropped_partitions:
            continue
        change = "added" if before is None else "removed" if after is None else "changed"
        drifted = {
            "change": change,
            "object": key,
            "kept": before,
            "found": after,
            "ddl": restoring_ddl(key, before, after, kept, names),
        }
        found.append({name: value for name, value in drifted.items() if value is not None})
    # A dropped or added table includes everything that belongs to it.
    whole = {
        drifted["object"].removeprefix("table ")
        for drifted in found
        if drifted["change"] != "changed" and drifted["object"].startswith("table ")
    }
    whole = with_indexes(whole, kept, now)
    return [drifted for drifted in found if drifted["object"].startswith("table ") or not _is_of_any(drifted, whole)]


def merged(kept: Entries, before: Entries, after: Entries) -> Entries:
    """The kept catalog with the changes of a run: earlier drift stays drift."""
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    return {
        **{key: text for key, text in kept.items() if key not in changed},
        **{key: after[key] for key in changed if key in after},
    }


def _partition_entries(without: Entries, having: Entries) -> set[str]:
    """Entries of the partitions that only `having` has."""
    names = {
        key.removeprefix("table ")
        for key, text in having.items()
        if key.startswith("table ") and " PARTITION OF " in f" {text}" and key not in without
    }
    names = with_indexes(names, having)
    return {key for key, text in having.items() if belongs_to(key, text, names)} if names else set()


def _is_of_any(drifted: dict[str, Any], tables: set[str]) -> bool:
    return belongs_to(drifted["object"], drifted.get("found") or drifted.get("kept") or "", tables)
