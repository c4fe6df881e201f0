"""Runs a function of a revision under watch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..scratch import raw
from ..scratch.catalog import Relation
from ..source.stand_ins import reason_not_loaded
from .failing import failure_facts
from .watch import Recording, Watch


@dataclass(frozen=True)
class Result:
    """The result of a function."""

    recording: Recording
    failure: dict[str, Any] | None
    """StatementFailure, or None: it finished."""

    @property
    def facts(self) -> dict[str, Any]:
        """DirectionFacts."""
        facts = {"outcome": "failed" if self.failure else "done", **self.recording.facts()}
        return {**facts, "failure": self.failure} if self.failure else facts


def run_watched(
    context: Any,
    watch: Watch,
    script: Any,
    function: Callable[..., Any],
    arguments: dict[str, Any],
    relations: dict[int, Relation],
    *,
    confined: bool = False,
) -> Result:
    """Calls `upgrade` or `downgrade` of a script. `relations`: what existed before it. `confined`: raises LeftTransaction when
    the function is about to leave its transaction."""
    # Alembic remembers which enum types it has created, and skips checks that a fresh run of this function makes.
    context.impl.memo.clear()
    file = script.module.__file__
    failure = None
    with watch.recording(file, relations, confined=confined) as recording:
        try:
            function(**arguments)
            # A function that swallowed a database error left the transaction aborted: this statement fails like the next would.
            if raw.in_transaction(context.connection):
                raw.execute(context.connection, "SELECT 1")
        except (Exception, SystemExit) as error:
            failure = failure_facts(error, file)
    return Result(recording, failure)


class WatchedStep:
    """An Alembic step whose function is watched. Alembic runs it after it was yielded; then it has a `result`.

    A function that fails is rolled back and counted as applied, so that the revisions after it can run.
    """

    def __init__(self, step: Any, context: Any, watch: Watch, relations: dict[int, Relation], *, skip: bool = False) -> None:
        self.step = step
        self.arguments: dict[str, Any] = {}
        self._result: Result | None = None
        script = step.revision
        migrate = _do_nothing if skip or reason_not_loaded(script) else step.migration_fn

        # Alembic logs the function's name.
        @functools.wraps(migrate)
        def watched(**arguments: Any) -> None:
            self.arguments = arguments
            self._result = run_watched(context, watch, script, migrate, arguments, relations)
            if self._result.failure:
                _begin_anew(context)

        step.migration_fn = watched

    @property
    def result(self) -> Result:
        """The function's result. Raises RuntimeError before Alembic has run the step."""
        if self._result is None:
            raise RuntimeError(f"Alembic has not run revision {self.step.revision.revision}")
        return self._result


def _do_nothing(**_: Any) -> None:
    pass


def _begin_anew(context: Any) -> None:
    """Puts the connection into a new transaction, regardless of its state after the failure."""
    raw.roll_back(context.connection)
    context._transaction = context.connection.begin()
