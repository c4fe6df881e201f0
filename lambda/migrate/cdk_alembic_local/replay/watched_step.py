"""Runs a revision's function while its statements are recorded."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cdk_alembic.catalog import raw
from cdk_alembic.catalog.catalog import Relation

from ..source.stand_ins import reason_not_loaded
from ..waiting import Waiting, limited
from .failure_facts import failure_facts
from .reload import reloaded_function, restore_created_types
from .watch import Recording, Watch


@dataclass(frozen=True)
class Result:
    """The result of a function."""

    recording: Recording
    failure: dict[str, Any] | None
    """StatementFailure; None if the function finished."""

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
    """Calls a script's `upgrade` or `downgrade`. `relations`: those that existed before it. `confined`: raises LeftTransaction
    when the function is about to leave its transaction."""
    file = script.module.__file__
    failure = None
    with watch.recording(file, relations, confined=confined) as recording:
        try:
            with limited(file, recording.seconds_without_statement):
                function(**arguments)
            # A function that caught a database error leaves its transaction aborted: the next statement would fail.
            raw.refuse_aborted(context.connection)
        except (Exception, SystemExit, Waiting) as error:
            watch.last_failure.explain(error)
            failure = failure_facts(error, file)
    return Result(recording, failure)


class WatchedStep:
    """An Alembic step that records its function. Has a `result` after it was yielded and Alembic has run it.

    A failed function is rolled back and counted as applied, so the next revisions can run. `is_reviewed`: False for a revision
    that only leads to others. It may need what one `alembic upgrade` remembers of the revisions before it.
    """

    def __init__(
        self,
        step: Any,
        context: Any,
        watch: Watch,
        relations: dict[int, Relation],
        *,
        is_reviewed: bool = True,
        skip: bool = False,
    ) -> None:
        self.step = step
        self.arguments: dict[str, Any] = {}
        self._result: Result | None = None
        script = step.revision
        migrate = _do_nothing if skip or reason_not_loaded(script) else reloaded_function(context, script, step.is_upgrade)

        def run(arguments: dict[str, Any]) -> Result:
            result = run_watched(context, watch, script, migrate, arguments, relations)
            if result.failure:
                _begin_new_transaction(context)
            return result

        # Alembic logs the function's name.
        @functools.wraps(migrate)
        def watched(**arguments: Any) -> None:
            self.arguments = arguments
            result = run(arguments)
            if result.failure and not is_reviewed and not result.recording.left_transaction:
                restore_created_types(context)
                result = run(arguments)
            self._result = result

        step.migration_fn = watched

    @property
    def result(self) -> Result:
        """The function's result. Raises RuntimeError before Alembic has run the step."""
        if self._result is None:
            raise RuntimeError(f"Alembic has not run revision {self.step.revision.revision}")
        return self._result


def _do_nothing(**_: Any) -> None:
    pass


def _begin_new_transaction(context: Any) -> None:
    """Starts a new transaction on the connection, whatever its state after the failure."""
    raw.roll_back(context.connection)
    context._transaction = context.connection.begin()
