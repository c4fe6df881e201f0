"""What a run has done, and its record in the database: a row for the run, and one for each revision."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..connection.statements import brief_connection, execute, fetch_prepared
from ..connection.watchdog import expecting, host_of
from ..database import history
from ..database.failures import describe
from ..database.mutex import PID, held_by
from ..database.version_table import VersionTable
from ..project.revisions import info
from ..protocol.log import log, redact, redacted
from ..protocol.request import Invocation
from .session import Session

# The drivers pass lists differently; all of them accept JSON text.
# Only the holder of the mutex runs, so a run still marked running was killed.
_BEGIN = f"""
WITH killed AS (
  UPDATE cdk_alembic.run SET outcome = 'killed', ended_at = clock_timestamp(), error = 'the process ended without an answer'
  WHERE version_table = :version_table AND outcome = 'running' AND id <> CAST(:id AS uuid)
)
INSERT INTO cdk_alembic.run (
  id, version_table, stage, command, requested_by, from_revisions, to_revisions, fresh, wal_position,
  snapshot, backend)
SELECT CAST(:id AS uuid), :version_table, :stage, :command, :requested_by, heads, heads, CAST(:fresh AS boolean),
  CAST({history.WAL_POSITION} AS text), CAST(CAST(:snapshot AS text) AS jsonb), CAST(:backend AS integer)
FROM (SELECT ARRAY(SELECT json_array_elements_text(CAST(CAST(:heads AS text) AS json)))) AS given (heads)
ON CONFLICT (id) DO UPDATE SET outcome = 'running', ended_at = NULL, backend = excluded.backend
RETURNING to_char(started_at AT TIME ZONE 'UTC', '{history.PRECISELY}'), wal_position::text, snapshot::text
"""  # noqa: S608 - constants
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
_HAS_SNAPSHOT = "SELECT EXISTS (SELECT FROM cdk_alembic.run WHERE id = CAST(:id AS uuid) AND snapshot IS NOT NULL)"
_END = f"""
UPDATE cdk_alembic.run SET ended_at = clock_timestamp(), outcome = :outcome, error = :error,
  to_revisions = CASE WHEN CAST(:heads AS text) IS NULL THEN to_revisions
    ELSE ARRAY(SELECT json_array_elements_text(CAST(CAST(:heads AS text) AS json))) END,
  ended_blockers = coalesce(ended_blockers || CAST(CAST(:ended AS text) AS jsonb), ended_blockers,
    CAST(CAST(:ended AS text) AS jsonb))
WHERE id = CAST(:id AS uuid) AND {history.FLUSHED}
"""  # noqa: S608 - a constant


@dataclass
class Revision:
    """A revision of this run."""

    script: Any
    began: float = field(default_factory=time.monotonic)
    applied: dict[str, Any] = field(default_factory=dict)
    """The contract's AppliedRevision, once its function has ended."""
    is_recorded: bool = False
    """Whether its row is in its own transaction."""
    was_held: bool = False
    """Whether the mutex was held when that row was written."""


class Record:
    """Records each revision in its own transaction, or after it if that fails. If the role may not write the rows, the run
    continues without them."""

    def __init__(self, invocation: Invocation, downgrade: bool) -> None:
        self.run_id = invocation.request.run_id or str(uuid.uuid4())
        self.begun = False
        """Whether the database has a row of this run."""
        self.snapshot: dict[str, Any] | None = None
        """The contract's Snapshot that this call or an earlier one of the run made."""
        self.running: Revision | None = None
        self.uncommitted: list[Revision] = []
        """Finished revisions whose transaction is still open: env.py's own, or one that started when a revision ended
        Alembic's."""
        self.self_committed: list[str] = []
        """Revisions that ended Alembic's transaction and whose version stamp is not committed."""
        self._invocation = invocation
        self._downgrade = downgrade
        self._failure: BaseException | None = None
        """Why the running revision could not write its row."""
        self._is_written_afterwards = False
        """Whether a revision's row can't be written in the revision's transaction, and is written after it."""
        self._has_warned = False
        self._mutex_pid = 0
        """Process id of the session that holds the mutex; its connection may be closed when the run is concluded."""

    def begin(self, mutex: Any, table: VersionTable, heads: tuple[str, ...], fresh: bool) -> None:
        """Creates the schema if needed, and records the start of the run. `mutex`: the autocommit connection that holds the
        mutex. `fresh`: whether the database has nothing to lose."""
        self._mutex_pid = mutex.info[PID]
        with self._warning():
            history.create(mutex, for_tenants=self._invocation.tenant is not None)
            started = execute(
                mutex,
                _BEGIN,
                id=self.run_id,
                version_table=table.full_name,
                stage=self._invocation.settings.stage,
                command=self._invocation.request.command,
                requested_by=self._invocation.request.requested_by,
                heads=json.dumps(heads),
                fresh=fresh,
                snapshot=json.dumps(self.snapshot) if self.snapshot else None,
                backend=table.pid,
            ).one()
            self.begun = True
            at, wal_position, stored = started
            snapshot = json.loads(stored) if stored else None
            self.snapshot = self.snapshot or snapshot
            self._invocation.restore_point = history.restore_point(at, wal_position, snapshot, host_of(mutex))

    def has_snapshot(self, mutex: Any) -> bool:
        """Whether an earlier call of this run made an RDS snapshot."""
        from sqlalchemy.exc import SQLAlchemyError

        if self._invocation.request.run_id is None:
            return False
        # Without a record, the run looks for the snapshot in RDS.
        with suppress(SQLAlchemyError):
            exists = mutex.exec_driver_sql(history.EXISTS).scalar()
            return bool(exists and execute(mutex, _HAS_SNAPSHOT, id=self.run_id).scalar())
        return False

    def write(self, session: Session, **_: Any) -> None:
        """Writes the row of the running revision in its own transaction, and sets the limits of the next one. The commit after it
        may take as long as the revision: it checks deferred constraints."""
        from sqlalchemy.exc import SQLAlchemyError

        revision = self.running
        milliseconds = round((time.monotonic() - revision.began) * 1000)
        revision.applied = {**info(revision.script), "durationMs": milliseconds, "statements": session.statements}
        if not self.begun or self._is_written_afterwards:
            return
        try:
            # A failing row must not abort the transaction: a retry would repeat what the revision has committed itself.
            with expecting(), session.connection.begin_nested() if session.left_transaction else nullcontext():
                revision.was_held = self._insert(revision, session.end_revision)
        except SQLAlchemyError as error:
            self._is_written_afterwards = True
            if session.left_transaction:
                return
            self._failure = error
            raise
        revision.is_recorded = True

    def done(self, mutex: Any, session: Session, in_transaction: bool) -> bool:
        """Call it after Alembic has stamped the running revision. Returns whether the mutex is known to be held."""
        revision = self.running
        self.uncommitted.append(revision)
        is_held = revision.was_held
        if not in_transaction:
            is_held = self._commit(mutex) or is_held
            self.self_committed.clear()
        elif session.left_transaction:
            self.self_committed.append(revision.script.revision)
        self.running = None
        return is_held

    def failed_by_row(self, error: BaseException) -> bool:
        """Whether a revision failed only because of its row, and is therefore repeated without one."""
        failed, self._failure = self._failure, None
        if failed is None or failed is not error or self.self_committed:
            return False
        log("WARNING", "recorded_afterwards", stage=self._invocation.settings.stage, reason=describe(error))
        return True

    def settle(self, lineage: set[str] | None, context: Any) -> list[str]:
        """Reports the revisions of this run that a version table with this lineage shows, and returns the others. None: the
        lineage is unknown, so all are reported."""
        lost = [] if lineage is None else self._forget_lost(lineage, context)
        if self.uncommitted:
            with brief_connection(context) as connection:
                self._commit(connection)
        return lost

    def end(
        self, context: Any, outcome: str, heads: tuple[str, ...] | None, error: str | None = None, connection: Any = None
    ) -> None:
        """Records how the run ended. `heads`: the version table's revisions; None: unknown. `connection`: an open autocommit
        connection to use instead of a new one: after hours, the password for a new one may have expired."""
        from sqlalchemy.exc import SQLAlchemyError

        if not self.begun:
            return
        values = {
            "id": self.run_id,
            "outcome": outcome,
            "error": redact(error) if error else None,
            "heads": None if heads is None else json.dumps(heads),
            "ended": json.dumps(redacted(ended)) if (ended := self._invocation.ended_blockers) else None,
        }
        if connection is not None:
            with suppress(SQLAlchemyError):
                execute(connection, _END, **values)
                return
        with self._warning(), brief_connection(context) as connection:
            execute(connection, _END, **values)

    def _commit(self, connection: Any) -> bool:
        """Reports the revisions that are committed now. `connection` is in autocommit. Returns whether the mutex is known to be
        held."""
        is_held = False
        for revision in self.uncommitted:
            applied = revision.applied
            self._invocation.applied.append(applied)
            if not revision.is_recorded:
                is_held = self._insert_committed(revision, connection)
            if self._invocation.tenant is not None:
                # Thousands of tenants would write too many lines.
                continue
            log(
                "INFO",
                "revision_downgraded" if self._downgrade else "revision_applied",
                stage=self._invocation.settings.stage,
                revision=applied["revision"],
                message=applied["message"],
                milliseconds=applied["durationMs"],
                statements=applied["statements"],
            )
        self.uncommitted.clear()
        return is_held

    def _forget_lost(self, lineage: set[str], context: Any) -> list[str]:
        done = [*self._invocation.applied, *(revision.applied for revision in self.uncommitted)]
        lost = [item["revision"] for item in done if (item["revision"] in lineage) == self._downgrade]
        if lost and not self._is_written_afterwards:
            moved = self._committed_before_another(context)
            lost = [revision for revision in lost if revision not in moved]
        self._invocation.applied[:] = [item for item in self._invocation.applied if item["revision"] not in lost]
        self.uncommitted = [revision for revision in self.uncommitted if revision.applied["revision"] not in lost]
        return lost

    def _insert(self, revision: Revision, send: Callable[..., Any]) -> bool:
        """Writes a revision's row. `send`: executes the statement and returns its row. Returns whether the mutex is still held.
        Raises SQLAlchemyError."""
        applied = revision.applied
        row = send(
            _APPLIED,
            id=self.run_id,
            revision=applied["revision"],
            message=applied["message"],
            duration_ms=applied["durationMs"],
            statements=applied["statements"],
            checksum=history.checksum(revision.script),
            mutex=self._mutex_pid,
        )
        return row[0]

    def _insert_committed(self, revision: Revision, connection: Any) -> bool:
        """Writes the row of a revision that is committed, over an autocommit connection. Returns whether the mutex is known to be
        held."""
        with self._warning():
            return self.begun and self._insert(revision, partial(fetch_prepared, connection))
        return False

    def _committed_before_another(self, context: Any) -> set[str]:
        """The revisions that this run committed together with the version table, if another run has started since: that one may
        have moved the version table."""
        from sqlalchemy.exc import SQLAlchemyError

        if self.begun:
            with suppress(SQLAlchemyError), brief_connection(context) as connection:
                return {row[0] for row in execute(connection, _COMMITTED_BEFORE_ANOTHER, id=self.run_id)}
        return set()

    @contextmanager
    def _warning(self) -> Iterator[None]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except SQLAlchemyError as error:
            self.begun = False
            if self._has_warned:
                return
            self._has_warned = True
            reason = describe(error)
            self._invocation.warnings.append(f"the run history could not be written: {reason}")
            log("WARNING", "history_not_written", stage=self._invocation.settings.stage, reason=reason)
