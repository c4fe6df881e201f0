"""The revisions of one run, from their start to their commit."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..database.connecting import expecting
from ..database.failures import describe
from ..database.session import Session, brief_connection
from ..project.project import info
from ..protocol.log import log
from ..protocol.request import Invocation
from .record import Record


@dataclass
class Revision:
    """A revision of this run."""

    script: Any
    began: float = field(default_factory=time.monotonic)
    applied: dict[str, Any] = field(default_factory=dict)
    """The contract's AppliedRevision, once its function has ended."""
    is_recorded: bool = False
    """Whether its record is in its own transaction."""
    was_held: bool = False
    """Whether the mutex was held when that record was written."""


class Work:
    """What a run has done. Each revision is recorded in its own transaction, or after it where that fails."""

    def __init__(self, invocation: Invocation, downgrade: bool, record: Record) -> None:
        self.running: Revision | None = None
        self.uncommitted: list[Revision] = []
        """Revisions that are done in a transaction that is still open: env.py's own, or one that started when a revision ended
        Alembic's."""
        self.self_committed: list[str] = []
        """Revisions that ended Alembic's transaction and whose version stamp is not committed."""
        self._invocation = invocation
        self._downgrade = downgrade
        self._record = record
        self._failure: BaseException | None = None
        """Why the running revision could not write its record."""
        self._is_recorded_afterwards = False
        """Whether a revision's record can't be written in the revision's transaction, and is written after it."""

    def start(self, script: Any) -> None:
        """A revision runs now."""
        self.running = Revision(script)

    def record(self, session: Session, ctx: Any, **_: Any) -> None:
        """Alembic's on_version_apply. Records the running revision in its own transaction, and sets the limits of the next one.
        The commit after it may take as long as the revision: it checks deferred constraints."""
        from sqlalchemy.exc import SQLAlchemyError

        if not self._record.begun or self._is_recorded_afterwards:
            return
        revision, connection = self.running, ctx.connection
        revision.applied = _applied(revision, session)
        try:
            # If the record failed the transaction, a retry would repeat what the revision has committed itself.
            with expecting(), connection.begin_nested() if session.left_transaction else nullcontext():
                send = partial(session.end_revision, connection)
                revision.was_held = self._record.add(revision.script, revision.applied, send)
        except SQLAlchemyError as error:
            self._is_recorded_afterwards = True
            if session.left_transaction:
                return
            self._failure = error
            raise
        revision.is_recorded = True

    def done(self, mutex: Any, session: Session, in_transaction: bool) -> bool:
        """Call it after Alembic has stamped the running revision. Returns whether the mutex is known to be held."""
        revision = self.running
        revision.applied = revision.applied or _applied(revision, session)
        self.uncommitted.append(revision)
        is_held = revision.was_held
        if not in_transaction:
            is_held = self._commit(mutex) or is_held
            self.self_committed.clear()
        elif session.left_transaction:
            self.self_committed.append(revision.script.revision)
        self.running = None
        return is_held

    def is_why(self, error: BaseException) -> bool:
        """Whether a revision failed only because of its record, so it is repeated without one."""
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
            with brief_connection(context) as own:
                self._commit(own)
        return lost

    def _commit(self, connection: Any) -> bool:
        """Reports the revisions that are committed now. `connection` is in autocommit. Returns whether the mutex is known to be
        held."""
        is_held = False
        for revision in self.uncommitted:
            applied = revision.applied
            self._invocation.applied.append(applied)
            if not revision.is_recorded:
                is_held = self._record.add_committed(revision.script, applied, connection)
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
        if lost and not self._is_recorded_afterwards:
            moved = self._record.committed_before_another(context)
            lost = [revision for revision in lost if revision not in moved]
        self._invocation.applied[:] = [item for item in self._invocation.applied if item["revision"] not in lost]
        self.uncommitted = [revision for revision in self.uncommitted if revision.applied["revision"] not in lost]
        return lost


def _applied(revision: Revision, session: Session) -> dict[str, Any]:
    milliseconds = round((time.monotonic() - revision.began) * 1000)
    return {**info(revision.script), "durationMs": milliseconds, "statements": session.statements}
