"""Runs down and up again in one transaction that is rolled back, so the upgraded schema stays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cdk_alembic.catalog import raw
from cdk_alembic.catalog.catalog import Relation, Snapshot
from cdk_alembic.catalog.catalog_reader import Catalog
from cdk_alembic.connection.statements import is_autocommit

from ..scratch import rows
from .affected_tables import affected_tables
from .deferred import as_existing_rows, check_deferred
from .failure_facts import failure_facts
from .reload import reloaded_function
from .watch import LeftTransaction, Recording, Watch
from .watched_step import Result, run_watched

# PostgreSQL 18 can't change the constraints of a domain twice in one transaction.
_NOT_IN_ONE_TRANSACTION = "unprocessed inval messages"


class RoundTripImpossible(Exception):
    """The revision leaves its transaction, or can't run several times in one."""


@dataclass
class RoundTrip:
    """The downgrade and the second upgrade of a revision that was upgraded."""

    context: Any
    watch: Watch
    catalog: Catalog
    script: Any
    arguments: dict[str, Any]
    before: Snapshot
    after: Snapshot
    upgrade: list[Recording]
    facts: dict[str, Any] = field(default_factory=dict)
    """`downgrade`, `notRestored`, `again` and `rows` of RevisionFacts, once it has run."""
    recordings: list[Recording] = field(default_factory=list)
    _rows: rows.Rows = field(default_factory=dict)

    def run(self) -> None:
        """Fills `facts` and `recordings`. Raises RoundTripImpossible."""
        self.context._transaction = self._connection.begin()
        try:
            self._run_all()
        except LeftTransaction:
            raise RoundTripImpossible from None
        finally:
            raw.roll_back(self._connection)
            self.context._transaction = None

    @property
    def _connection(self) -> Any:
        return self.context.connection

    def _run_all(self) -> None:
        if is_autocommit(self._connection):
            raise RoundTripImpossible
        down = self._run(False, self.after, self.after.relations)
        self.recordings.append(down.recording)
        self.facts["downgrade"] = down.facts
        if down.failure:
            return
        restored = self._snapshot()
        self.facts["notRestored"] = self.before.change_to(restored)
        names = affected_tables(self.before, self.after, [*self.upgrade, down.recording]) & set(restored.tables)
        failure = self._upgrade_again(restored, names)
        if failure:
            self.facts["again"] = {"outcome": "failed", "failure": failure}
            return
        upgraded = self._snapshot()
        self.facts["again"] = {"outcome": "done", "differs": self.after.change_to(upgraded)}
        if "rows" in self.facts and self._rows:
            self._compare(restored, upgraded)

    def _upgrade_again(self, restored: Snapshot, names: set[str]) -> dict[str, Any] | None:
        """Upgrades with rows; if that fails, with simpler rows, and finally without rows. Returns the failure without rows."""
        raw.execute(self._connection, "SAVEPOINT cdk_alembic_rows")
        first: dict[str, Any] | None = None
        for kinds in (rows.ALL, (rows.FULL,)):
            filled = rows.Filler(self._connection, restored, kinds, self.after).fill(names) if names else []
            if not filled:
                break
            self._rows = rows.read(self._connection, restored, filled)
            failure = self._run(True, restored).failure
            if kinds == rows.ALL:
                self.facts["rows"] = {"tables": filled, "deleted": [], "changed": [], "notBroughtBack": []}
                first = failure
            if failure is None:
                break
            raw.execute(self._connection, "ROLLBACK TO SAVEPOINT cdk_alembic_rows")
            self._rows = {}
        if not self._rows:
            failure = self._run(True, restored).failure
            if failure:
                self.facts.pop("rows", None)
                return failure
        if first:
            self.facts["rows"]["upgradeFailure"] = first
        return None

    def _compare(self, restored: Snapshot, upgraded: Snapshot) -> None:
        names = list(self._rows)
        facts = self.facts["rows"]
        now = rows.read(self._connection, upgraded, names)
        facts["deleted"] = rows.tables_with_fewer_rows(self._rows, now)
        facts["changed"] = rows.lost_columns(self._rows, now, (restored, upgraded))
        failure = self._run(False, upgraded).failure
        if failure:
            facts["downgradeFailure"] = failure
            return
        back = self._snapshot()
        now = rows.read(self._connection, back, names)
        missing = rows.tables_with_fewer_rows(self._rows, now)
        lost = rows.lost_columns(self._rows, now, (restored, back))
        facts["notBroughtBack"] = sorted([*missing, *(name for name in lost if name.rpartition(".")[0] not in missing)])

    def _run(self, is_upgrade: bool, state: Snapshot, relations: dict[int, Relation] | None = None) -> Result:
        """`state`: the catalog before it. `relations`: those whose locks are found."""
        function = reloaded_function(self.context, self.script, is_upgrade)
        as_existing_rows(self._connection, state, self.upgrade if is_upgrade else self.recordings[-1:])
        result = run_watched(self.context, self.watch, self.script, function, self.arguments, relations or {}, confined=True)
        if result.failure is None:
            try:
                check_deferred(self._connection, state)
            except Exception as error:
                result = Result(result.recording, failure_facts(error, self.script.module.__file__))
        if result.failure and _NOT_IN_ONE_TRANSACTION in result.failure["message"]:
            raise RoundTripImpossible
        return result

    def _snapshot(self) -> Snapshot:
        return self.catalog.take(self._connection)
