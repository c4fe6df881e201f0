"""The run history in the database: creates its tables and reads earlier runs. run/record.py writes it.

It has its own schema: autogenerate compares only the default schema, so it never proposes to drop it.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from ..connection.statements import brief_connection, execute
from ..connection.watchdog import host_of
from ..protocol.log import log
from .failures import describe, sql_state
from .mutex import is_locked
from .version_table import VersionTable, full_name

# No foreign key: a run has its row, committed, before its first revision, and no row is ever deleted. PostgreSQL would check it
# once per revision.
_CREATE = (
    "CREATE SCHEMA IF NOT EXISTS cdk_alembic",
    """
CREATE TABLE IF NOT EXISTS cdk_alembic.run (
  id uuid PRIMARY KEY,
  version_table text NOT NULL,
  stage text NOT NULL,
  command text NOT NULL,
  requested_by text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  from_revisions text[] NOT NULL,
  to_revisions text[] NOT NULL,
  outcome text NOT NULL DEFAULT 'running',
  error text,
  fresh boolean NOT NULL,
  ended_blockers jsonb,
  wal_position text,
  snapshot jsonb,
  backend integer
)""",
    """
CREATE TABLE IF NOT EXISTS cdk_alembic.run_revision (
  run_id uuid NOT NULL,
  position integer GENERATED ALWAYS AS IDENTITY,
  revision text NOT NULL,
  message text NOT NULL,
  duration_ms bigint NOT NULL,
  statements bigint NOT NULL,
  checksum text NOT NULL,
  PRIMARY KEY (run_id, position)
)""",
)
EXISTS = "SELECT to_regclass('cdk_alembic.run_revision') IS NOT NULL"
# Each of thousands of tenants queries its own runs.
_INDEX = "CREATE INDEX IF NOT EXISTS run_version_table ON cdk_alembic.run (version_table, started_at)"
_STATE = f"{EXISTS}, to_regclass('cdk_alembic.run_version_table') IS NOT NULL"
_CREATE_TRIES = 5
_PERMISSION_DENIED = "42501"
RUNNING, KILLED = "running", "killed"

PRECISELY = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'
"""Format of a time for `to_char`: ISO 8601 with milliseconds."""

_RUNS = f"""
SELECT json_build_object(
  'runId', id, 'command', command, 'stage', stage, 'requestedBy', requested_by,
  'startedAt', to_char(started_at AT TIME ZONE 'UTC', '{PRECISELY}'),
  'endedAt', to_char(ended_at AT TIME ZONE 'UTC', '{PRECISELY}'),
  'from', from_revisions, 'to', to_revisions, 'outcome', outcome, 'error', error,
  'endedBlockers', ended_blockers, 'restorePoint', json_build_array(
    to_char(started_at AT TIME ZONE 'UTC', '{PRECISELY}'), wal_position, snapshot),
  'applied', (
    SELECT coalesce(json_agg(json_build_object(
      'revision', revision, 'message', message, 'durationMs', duration_ms, 'statements', statements) ORDER BY position), '[]')
    FROM cdk_alembic.run_revision WHERE run_id = run.id))::text
FROM cdk_alembic.run WHERE version_table = :version_table ORDER BY started_at DESC LIMIT 20
"""  # noqa: S608 - a constant
_CHECKSUMS = """
SELECT DISTINCT ON (revision) revision, checksum
FROM cdk_alembic.run_revision JOIN cdk_alembic.run ON run.id = run_id
WHERE version_table = :version_table ORDER BY revision, started_at DESC, position DESC
"""

_IS_UNFINISHED = """
SELECT NOT EXISTS (SELECT FROM cdk_alembic.run WHERE version_table = :version_table AND (outcome = 'complete' OR NOT fresh))
  AND NOT EXISTS (
    SELECT json_array_elements_text(CAST(CAST(:heads AS text) AS json))
    EXCEPT
    SELECT revision FROM cdk_alembic.run_revision JOIN cdk_alembic.run ON run.id = run_id WHERE version_table = :version_table)
"""

FLUSHED = (
    "set_config('synchronous_commit', (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'), true) IS NOT NULL"
)
"""A condition that makes its statement's commit, and all before it, wait for the disk as the database's settings say."""

# RDS and Aurora can't restore to a position, and Aurora fails on the query unless logical replication is on.
WAL_POSITION = """
CASE WHEN current_setting('rds.extensions', true) IS NULL OR current_setting('wal_level') = 'logical'
  THEN pg_current_wal_lsn() END
"""

# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Overview.Endpoints.html; a proxy and a reader have a hyphen
# in the second part.
_ENDPOINT = re.compile(r"([a-z][a-z0-9-]*)\.(cluster-)?[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(?:\.cn)?\.?", re.IGNORECASE)


def create(connection: Any, for_tenants: bool) -> None:
    """Creates the tables over an autocommit connection, unless they exist. `for_tenants`: also an index of their runs. Raises
    SQLAlchemyError."""
    from sqlalchemy.exc import SQLAlchemyError

    exists, indexed = connection.exec_driver_sql(_STATE).one()
    if not exists:
        create_beside_others(connection, EXISTS, _CREATE)
    if for_tenants and not indexed:
        # A role that may write to the table but does not own it can't create the index.
        with suppress(SQLAlchemyError):
            connection.exec_driver_sql(_INDEX)


def create_beside_others(connection: Any, exists: str, statements: Iterable[str]) -> None:
    """Creates a table while other tenants' runs may create it: IF NOT EXISTS fails if another one commits first. `exists`: a
    query. Raises SQLAlchemyError."""
    from sqlalchemy.exc import SQLAlchemyError

    for tries_left in reversed(range(_CREATE_TRIES)):
        if connection.exec_driver_sql(exists).scalar():
            return
        try:
            for statement in statements:
                connection.exec_driver_sql(statement)
        except SQLAlchemyError as error:
            if not tries_left or sql_state(error) == _PERMISSION_DENIED:
                raise
            time.sleep(random.uniform(0.05, 0.2))


def read(context: Any) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The latest runs, newest first, and the checksum of each applied revision. Empty if there is no record. A running run that
    no longer holds the mutex was killed."""
    from sqlalchemy.exc import SQLAlchemyError

    table = full_name(context.version_table, context.version_table_schema)
    with brief_connection(context) as connection:
        try:
            if not connection.exec_driver_sql(EXISTS).scalar():
                return [], {}
            runs = _runs(connection, table)
            running = {run["runId"] for run in runs if run["outcome"] == RUNNING}
            if running and not is_locked(connection, context):
                # In the meantime, a run may have ended and another one started.
                runs = [
                    {**run, "outcome": KILLED} if run["outcome"] == RUNNING and run["runId"] in running else run
                    for run in _runs(connection, table)
                ]
            return runs, {row[0]: row[1] for row in execute(connection, _CHECKSUMS, version_table=table)}
        except SQLAlchemyError as error:
            log("WARNING", "history_not_read", reason=describe(error))
            return [], {}


def _runs(connection: Any, table: str) -> list[dict[str, Any]]:
    runs = [json.loads(row[0]) for row in execute(connection, _RUNS, version_table=table)]
    host = host_of(connection)
    for run in runs:
        run["restorePoint"] = restore_point(*run["restorePoint"], host)
        if run["endedBlockers"] is None:
            del run["endedBlockers"]
    return runs


def is_unfinished(connection: Any, table: VersionTable, lineage: Iterable[str]) -> bool:
    """Whether the database is still being built from empty: every applied revision has a record, no run completed, and the
    first run found no tables."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        if not connection.exec_driver_sql(EXISTS).scalar():
            return False
        values = {"version_table": table.full_name, "heads": json.dumps(list(lineage))}
        return bool(execute(connection, _IS_UNFINISHED, **values).scalar())
    except SQLAlchemyError as error:
        log("WARNING", "history_not_read", reason=describe(error))
        return False


def restore_point(at: str, wal_position: str | None, snapshot: dict[str, Any] | None, host: str | None) -> dict[str, Any]:
    """The contract's RestorePoint. `snapshot`: the contract's Snapshot, if the run made one. `host`: the database's address,
    whose name contains that of the cluster or instance."""
    point = {"at": at} if wal_position is None else {"at": at, "walPosition": wal_position}
    if snapshot:
        source = {key: snapshot[key] for key in ("cluster", "instance") if key in snapshot}
        return {**point, "snapshot": snapshot["name"], **source}
    found = _ENDPOINT.fullmatch(host or "")
    return {**point, "cluster" if found[2] else "instance": found[1]} if found else point


def checksum(script: Any) -> str:
    """SHA-256 of a revision's file."""
    with open(script.path, "rb", buffering=0) as file:  # noqa: PTH123 - called once per revision: avoids the cost of a Path
        return hashlib.sha256(file.read()).hexdigest()
