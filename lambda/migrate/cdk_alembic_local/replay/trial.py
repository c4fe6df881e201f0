"""Runs revisions up, down and up again on tables with rows, and reports the state each time: TrialFacts.

Two trials, one with the original revision and one with its replacement, show whether both have the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cdk_alembic.catalog import raw
from cdk_alembic.catalog.catalog import Snapshot
from cdk_alembic.catalog.catalog_reader import Catalog
from cdk_alembic.database.failures import describe, location, whole_statement_of
from cdk_alembic.project.environment import run_environment
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import RunnerError
from cdk_alembic.protocol.log import redact

from ..replay_cache.copy_point import state_outside_files
from ..scratch import rows
from ..scratch.scratch import Scratch
from .env_facts import prepared_connection
from .matching_revision import commit_open_transaction
from .reload import created_types, reloaded_function, remember_types
from .trial_start import TrialStart
from .watch import Watch
from .watched_step import WatchedStep

Report = Callable[[dict[str, Any]], None]


def trial(project: Project, scratch: Scratch, ask: dict[str, Any], report: Report) -> None:
    """Answers the request `try`. The scratch database is empty before and after, unless its server is removed."""
    try:
        _Trial(project, scratch, ask, report).run()
    finally:
        scratch.leave()


class _Trial:
    def __init__(self, project: Project, scratch: Scratch, ask: dict[str, Any], report: Report) -> None:
        self._project = project
        self._scratch = scratch
        self._start = TrialStart(project, scratch, ask)
        self._replaces = bool(ask.get("overlay"))
        self._groups = ask["groups"]
        self._report = report
        self._catalog = Catalog()
        self._states: dict[str, Any] | None = None
        """Those of the running group; None before its trial."""
        self._watch: Watch

    def run(self) -> None:
        """Each group starts where the revisions before it have run once, so that the trial of one does not change the next. If
        the upgrade of one that replaces a revision fails, which later ones need, those are not reported."""
        order = {revision: at for at, revision in enumerate(self._start.order)}
        left = sorted(self._groups, key=lambda group: order.get(group["revisions"][0], len(order)))
        while left:
            self._states = None
            failure = self._run_group(left[0])
            reached = 1 if self._states is not None else len(left)
            for group in left[:reached]:
                self._report_trial(group, {**(self._states or {}), **failure})
            if self._replaces and "after" not in (self._states or {}):
                return
            left = left[reached:]

    def _run_group(self, group: dict[str, Any]) -> dict[str, str]:
        """Returns why it failed, as in TrialFacts; empty: it has not."""
        first = group["revisions"][0]
        if first not in self._start.order:
            self._states = {}
            return {"failure": "it was not reached"}
        self._start.before(first, self._upgrade)
        try:
            self._run(first, lambda steps, context: self._try(group, steps, context))
        except RunnerError as error:
            if self._scratch.refused:
                raise
            return _failure(error.message, error)
        except (Exception, SystemExit) as error:
            return _failure(f"{describe(error)}{location(error)}", error)
        return {} if self._states else {"failure": "it was not reached"}

    def _upgrade(self, revision: str) -> list[Any] | None:
        """Runs the revisions before this one, for TrialStart."""
        types: list[Any] = []
        states: list[Any] = []

        def remember(steps: list[Any], context: Any) -> Iterator[Any]:
            types.extend(created_types(context))
            states.append(state_outside_files(context.connection))
            yield from ()

        # What fails here fails again in the trial, which reports it.
        with suppress(Exception, SystemExit):
            self._run(revision, remember, started=lambda context: states.append(state_outside_files(context.connection)))
            if states[0] == states[1] and not states[1][1]:
                return types
        return None

    def _run(
        self,
        revision: str,
        then: Callable[[list[Any], Any], Iterator[Any]],
        started: Callable[[Any], None] = lambda context: None,
    ) -> None:
        """Runs env.py with the revisions before this one, and what `then(steps, context)` yields of the remaining steps."""
        engines: list[Any] = []

        def steps(heads: tuple[str, ...], context: Any) -> Iterator[Any]:
            engines.append(context.connection.engine)
            commit_open_transaction(context)
            started(context)
            remember_types(context, self._start.types)
            with self._project.revisions.alembic_errors("heads"):
                steps = list(self._project.script._upgrade_revs("heads", heads))
            at = next((at for at, step in enumerate(steps) if step.revision.revision == revision), len(steps))
            for step in steps[:at]:
                # A revision that fails or can't be loaded is skipped, as in a replay.
                yield WatchedStep(step, context, self._watch, {}, is_reviewed=False).step
                commit_open_transaction(context)
            yield from then(steps[at:], context)

        try:
            run_environment(self._project, steps, around=self._around)
        finally:
            # PostgreSQL copies no database that has a session, such as one in the pool of a Flask application.
            for engine in engines:
                if not engine.dialect.is_async:
                    engine.dispose()

    @contextmanager
    def _around(self, context: Any) -> Iterator[None]:
        with prepared_connection(context), Watch(context.connection).listening() as self._watch:
            yield

    def _try(self, group: dict[str, Any], steps: list[Any], context: Any) -> Iterator[Any]:
        facts = self._states = {}
        own = steps[: len(group["revisions"])]
        if [step.revision.revision for step in own] != group["revisions"]:
            facts["failure"] = "other revisions run between its steps"
            return
        before = self._snapshot(context)
        with raw.committed(context.connection):
            names = set(group["tables"]) & set(before.tables)
            filled = rows.Filler(context.connection, before, (rows.FULL,), wanted=group["after"]).fill(names)
        tables = {*names, *group["after"]}
        facts["before"] = self._state(context, before, filled, tables)
        for name, part, is_upgrade in (("after", own, True), ("restored", own[::-1], False), ("again", own, True)):
            for step in part:
                run = type(step)(step.revision_map, step.revision, is_upgrade)
                run.migration_fn = reloaded_function(context, step.revision, is_upgrade)
                yield run
                commit_open_transaction(context)
            facts[name] = self._state(context, self._snapshot(context), filled, tables)

    def _report_trial(self, group: dict[str, Any], facts: dict[str, Any]) -> None:
        self._report({"report": "tried", "revision": group["revisions"][-1], "trial": facts})

    def _snapshot(self, context: Any) -> Snapshot:
        with raw.rolled_back(context.connection):
            return self._catalog.take(context.connection)

    def _state(self, context: Any, snapshot: Snapshot, filled: list[str], tables: set[str]) -> dict[str, Any]:
        with raw.rolled_back(context.connection):
            found = rows.read(context.connection, snapshot, filled)
        own = [snapshot.tables[name] for name in tables if name in snapshot.tables]
        indexes = {one["name"]: one["definition"] for facts in own for one in facts["indexes"]}
        return {"entries": snapshot.entries, "indexes": indexes, "rows": found}


def _failure(why: str, error: BaseException) -> dict[str, str]:
    # A RunnerError of env.py has the database's error as its cause.
    found = (whole_statement_of(one) for one in (error, error.__cause__) if one is not None)
    statement = next((one for one in found if one is not None), None)
    return {"failure": redact(why), **({} if statement is None else {"statement": statement})}
