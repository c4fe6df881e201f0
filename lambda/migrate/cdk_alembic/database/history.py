"""The run history in the database. It has its own schema: autogenerate compares only the default schema, so it never proposes
to drop it."""

from __future__ import annotations

import hashlib
import json
import random
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ..protocol.log import log, redact
from ..protocol.request import Invocation
from .failures import describe
from .session import brief_connection, execute
from .version_table import VersionTable, full_name, held_by, is_locked

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
  fresh boolean NOT NULL
)""",
    """
CREATE TABLE IF NOT EXISTS cdk_alembic.run_revision (
  run_id uuid NOT NULL REFERENCES cdk_alembic.run,
  position integer GENERATED ALWAYS AS IDENTITY,
  revision text NOT NULL,
  message text NOT NULL,
  duration_ms bigint NOT NULL,
  statements bigint NOT NULL,
  checksum text NOT NULL,
  PRIMARY KEY (run_id, position)
)""",
)
_EXISTS = "SELECT to_regclass('cdk_alembic.run_revision') IS NOT NULL"
# Each of thousands of tenants queries its own runs.
_INDEX = "CREATE INDEX IF NOT EXISTS run_version_table ON cdk_alembic.run (version_table, started_at)"
_STATE = f"{_EXISTS}, to_regclass('cdk_alembic.run_version_table') IS NOT NULL"
CREATE_TRIES = 5
RUNNING, KILLED = "running", "killed"

SessionLimits = tuple[str, dict[str, str]]

# The drivers pass lists differently; all of them accept JSON text.
# Only the holder of the mutex runs, so a run still marked running was killed.
_BEGIN = """
WITH killed AS (
  UPDATE cdk_alembic.run SET outcome = 'killed', ended_at = clock_timestamp(), error = 'the process ended without an answer'
  WHERE version_table = :version_table AND outcome = 'running' AND id <> CAST(:id AS uuid)
)
INSERT INTO cdk_alembic.run (id, version_table, stage, command, requested_by, from_revisions, to_revisions, fresh)
SELECT CAST(:id AS uuid), :version_table, :stage, :command, :requested_by, heads, heads, CAST(:fresh AS boolean)
FROM (SELECT ARRAY(SELECT json_array_elements_text(CAST(CAST(:heads AS text) AS json)))) AS given (heads)
ON CONFLICT (id) DO UPDATE SET outcome = 'running', ended_at = NULL
"""
_APPLIED = f"""
INSERT INTO cdk_alembic.run_revision (run_id, revision, message, duration_ms, statements, checksum)
VALUES (CAST(:id AS uuid), :revision, :message, :duration_ms, :statements, :checksum)
RETURNING {held_by("CAST(:mutex AS int)")}
"""  # noqa: S608 - constants
_COMMITTED_BEFORE_ANOTHER = """
SELECT revision FROM cdk_alembic.run_revision WHERE run_id = CAST(:id AS uuid) AND EXISTS (
  SELECT FROM cdk_alembic.run AS later JOIN cdk_alembic.run AS own USING (version_table)
  WHERE own.id = CAST(:id AS uuid) AND later.started_at > own.started_at)
"""
_END = """
UPDATE cdk_alembic.run SET ended_at = clock_timestamp(), outcome = :outcome, error = :error,
  to_revisions = CASE WHEN CAST(:heads AS text) IS NULL THEN to_revisions
    ELSE ARRAY(SELECT json_array_elements_text(CAST(CAST(:heads AS text) AS json))) END
WHERE id = CAST(:id AS uuid)
"""
_RUNS = """
SELECT json_build_object(
  'runId', id, 'command', command, 'stage', stage, 'requestedBy', requested_by,
  'startedAt', to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  'endedAt', to_char(ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  'from', from_revisions, 'to', to_revisions, 'outcome', outcome, 'error', error,
  'applied', (
    SELECT coalesce(json_agg(json_build_object(
      'revision', revision, 'message', message, 'durationMs', duration_ms, 'statements', statements) ORDER BY position), '[]')
    FROM cdk_alembic.run_revision WHERE run_id = run.id))::text
FROM cdk_alembic.run WHERE version_table = :version_table ORDER BY started_at DESC LIMIT 20
"""
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


class History:
    """Writes the record of one run over autocommit connections. If the role may not write it, the run continues without one."""

    def __init__(self, invocation: Invocation) -> None:
        self.run_id = invocation.request.run_id or str(uuid.uuid4())
        self._invocation = invocation
        self._begun = False
        self.is_apart = False
        """Whether a revision's record can't be written in the revision's transaction, and is written after it."""

    @property
    def recorded(self) -> bool:
        """Whether this run has a record."""
        return self._begun

    def begin(self, connection: Any, table: VersionTable, heads: tuple[str, ...], fresh: bool) -> None:
        """Creates the schema if needed, and records the start of the run. `fresh`: whether the database has nothing to lose."""
        with self._warning():
            self._create(connection)
            execute(
                connection,
                _BEGIN,
                id=self.run_id,
                version_table=table.full_name,
                stage=self._invocation.settings.stage,
                command=self._invocation.request.command,
                requested_by=self._invocation.request.requested_by,
                heads=_array(heads),
                fresh=fresh,
            )
            self._begun = True

    def _create(self, connection: Any) -> None:
        if self._invocation.tenant is not None:
            return self._create_among_rivals(connection)
        if not connection.exec_driver_sql(_EXISTS).scalar():
            for statement in _CREATE:
                connection.exec_driver_sql(statement)
        return None

    def _create_among_rivals(self, connection: Any) -> None:
        """Other tenants' runs create it concurrently, and IF NOT EXISTS fails if another one commits first."""
        from sqlalchemy.exc import SQLAlchemyError

        for tries_left in reversed(range(CREATE_TRIES)):
            exists, indexed = connection.exec_driver_sql(_STATE).one()
            if exists and indexed:
                return
            try:
                for statement in (*(() if exists else _CREATE), _INDEX):
                    connection.exec_driver_sql(statement)
            except SQLAlchemyError:
                # A role that may write to the table but does not own it can't create the index.
                if exists:
                    return
                if not tries_left:
                    raise
                time.sleep(random.uniform(0.05, 0.2))

    def record(self, connection: Any, item: dict[str, Any], script: Any, mutex: int, limits: SessionLimits | None = None) -> bool:
        """Records a revision, over its own connection before the commit, or over one in autocommit afterwards. Returns whether
        the backend `mutex` still holds the mutex. `limits`: expressions and parameters to add to the statement. Raises the
        driver's exceptions."""
        calls, values = limits or ("", {})
        row = execute(
            connection,
            f"{_APPLIED}, {calls}" if calls else _APPLIED,
            id=self.run_id,
            revision=item["revision"],
            message=item["message"],
            duration_ms=item["durationMs"],
            statements=item["statements"],
            checksum=checksum(script),
            mutex=mutex,
            **values,
        ).one()
        return row[0]

    def record_committed(self, connection: Any, item: dict[str, Any], script: Any, mutex: int) -> bool:
        """Records a committed revision over a connection in autocommit. Returns whether the mutex was held."""
        held = False
        if self._begun:
            with self._warning():
                held = self.record(connection, item, script, mutex)
        return held

    def committed_before_another(self, context: Any) -> set[str]:
        """The revisions that this run committed together with the version table, if another run has started since: that one may
        have moved the version table."""
        from sqlalchemy.exc import SQLAlchemyError

        if not self._begun or self.is_apart:
            return set()
        with suppress(SQLAlchemyError), brief_connection(context) as connection:
            return {row[0] for row in execute(connection, _COMMITTED_BEFORE_ANOTHER, id=self.run_id)}
        return set()

    def end(
        self, context: Any, outcome: str, heads: tuple[str, ...] | None, error: str | None = None, connection: Any = None
    ) -> None:
        """Records how the run ended. `heads`: the version table's revisions; None: unknown. `connection`: an open autocommit
        connection to use instead of a new one: after hours, the password for a new one may have expired."""
        from sqlalchemy.exc import SQLAlchemyError

        if not self._begun:
            return
        values = {
            "id": self.run_id,
            "outcome": outcome,
            "error": redact(error) if error else None,
            "heads": None if heads is None else _array(heads),
        }
        if connection is not None:
            with suppress(SQLAlchemyError):
                execute(connection, _END, **values)
                return
        with self._warning(), brief_connection(context) as connection:
            execute(connection, _END, **values)

    @contextmanager
    def _warning(self) -> Iterator[None]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except SQLAlchemyError as error:
            self._begun = False
            reason = describe(error)
            self._invocation.warnings.append(f"the run history could not be written: {reason}")
            log("WARNING", "history_not_written", stage=self._invocation.settings.stage, reason=reason)


def read(context: Any) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The latest runs, newest first, and the checksum of each applied revision. Empty if there is no record. A running run that
    no longer holds the mutex was killed."""
    from sqlalchemy.exc import SQLAlchemyError

    table = full_name(context.version_table_schema, context.version_table)
    with brief_connection(context) as connection:
        try:
            if not connection.exec_driver_sql(_EXISTS).scalar():
                return [], {}
            runs = _runs(connection, table)
            running = {run["runId"] for run in runs if run["outcome"] == RUNNING}
            if running and not is_locked(connection, context):
                # One may have ended since then, and another one may have started.
                runs = [
                    {**run, "outcome": KILLED} if run["outcome"] == RUNNING and run["runId"] in running else run
                    for run in _runs(connection, table)
                ]
            return runs, {row[0]: row[1] for row in execute(connection, _CHECKSUMS, version_table=table)}
        except SQLAlchemyError as error:
            log("WARNING", "history_not_read", reason=describe(error))
            return [], {}


def _runs(connection: Any, table: str) -> list[dict[str, Any]]:
    return [json.loads(row[0]) for row in execute(connection, _RUNS, version_table=table)]


def is_unfinished(connection: Any, table: VersionTable, lineage: Iterable[str]) -> bool:
    """Whether the database is still being built from empty: every applied revision has a record, no run completed, and the
    first run found no tables."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        if not connection.exec_driver_sql(_EXISTS).scalar():
            return False
        values = {"version_table": table.full_name, "heads": _array(lineage)}
        return bool(execute(connection, _IS_UNFINISHED, **values).scalar())
    except SQLAlchemyError as error:
        log("WARNING", "history_not_read", reason=describe(error))
        return False


def checksum(script: Any) -> str:
    """SHA-256 of a revision's file."""
    with open(script.path, "rb", buffering=0) as file:  # noqa: PTH123 - called once per revision: avoids the cost of a Path
        return hashlib.sha256(file.read()).hexdigest()


def _array(revisions: Iterable[str]) -> str:
    return json.dumps(list(revisions))
