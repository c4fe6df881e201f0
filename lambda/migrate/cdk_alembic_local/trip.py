"""Down and up again in one transaction that is rolled back, so that the schema after the upgrade stays."""

from __future__ import annotations

from typing import Any

from . import catalog, raw
from .catalog import Snapshot, change
from .failing import failure_facts
from .watch import LeftTransaction, Recording, Watch


class NoTrip(Exception):
    """The revision does not stay in one transaction."""


def round_trip(
    context: Any,
    watch: Watch,
    script: Any,
    arguments: dict[str, Any],
    before: Snapshot,
    after: Snapshot,
    upgrade: list[Recording],
) -> tuple[dict[str, Any], list[Recording]]:
    """`downgrade`, `notRestored`, `again` and `rows` of RevisionFacts, and what was recorded. Raises NoTrip."""
    connection = context.connection
    context._transaction = connection.begin()
    try:
        trip = _Trip(context, watch, script, arguments, before, after, upgrade)
        trip.go()
        return trip.facts, trip.recordings
    except LeftTransaction:
        raise NoTrip from None
    finally:
        raw.roll_back(connection)
        context._transaction = None


class _Trip:
    def __init__(
        self,
        context: Any,
        watch: Watch,
        script: Any,
        arguments: dict[str, Any],
        before: Snapshot,
        after: Snapshot,
        upgrade: list[Recording],
    ) -> None:
        self._context = context
        self._connection = context.connection
        self._watch = watch
        self._script = script
        self._arguments = arguments
        self._before = before
        self._after = after
        self._upgrade = upgrade
        self.facts: dict[str, Any] = {}
        self.recordings: list[Recording] = []

    def go(self) -> None:
        raw.execute(self._connection, "SAVEPOINT cdk_alembic_start")
        if not raw.in_transaction(self._connection):
            raise NoTrip  # env.py's engine is in autocommit
        failure, recording = self._run(self._script.module.downgrade, self._after)
        self.recordings.append(recording)
        self.facts["downgrade"] = {"outcome": "failed" if failure else "done", **recording.facts()}
        if failure:
            self.facts["downgrade"]["failure"] = failure
            return
        self.facts["notRestored"] = change(self._before.entries, self._take().entries)
        failure, _ = self._run(self._script.module.upgrade, self._before)
        if failure:
            self.facts["again"] = {"outcome": "failed", "failure": failure}
            return
        self.facts["again"] = {"outcome": "done", "differs": change(self._after.entries, self._take().entries)}

    def _run(self, function: Any, existing: Snapshot) -> tuple[dict[str, Any] | None, Recording]:
        file = self._script.module.__file__
        failure = None
        with self._watch.recording(file, existing.relations, confined=True) as recording:
            try:
                function(**self._arguments)
            except (Exception, SystemExit) as error:
                failure = failure_facts(error, file)
        return failure, recording

    def _take(self) -> Snapshot:
        return catalog.take(self._connection, self._context)
