"""Runs revisions up, down and up again on tables with rows, and reports the state each time: TrialFacts.

Two trials, one with the original revision and one with its replacement, show whether both have the same result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
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
    """`around` and `steps` are the arguments of run_environment."""

    def __init__(self, project: Project, scratch: Scratch, ask: dict[str, Any], report: Report) -> None:
        self._project = project
        self._scratch = scratch
        self._start = TrialStart(project, scratch, ask)
        self._replaces = bool(ask.get("overlay"))
        self._groups = ask["groups"]
        self._report = report
        self._catalog = Catalog()
        self._running: dict[str, Any] | None = None
        self._states: dict[str, Any] = {}
        """Those of the running group."""
        self._reported: set[str] = set()
        self._failed: set[str] = set()
        self._watch: Watch

    def run(self) -> None:
        """Starts again without each group that fails. If the upgrade of one that replaces a revision fails, which later ones
        need, those are not reported."""
        self._start.begin(self._upgrade)
        while True:
            self._running = None
            why = self._run_once()
            left = [group for group in self._groups if group["revisions"][-1] not in self._reported]
            for group in [self._running] if self._running else left:
                states = self._states if group is self._running else {}
                self._report_trial(group, {**states, **why})
            if not self._running or (self._replaces and "after" not in self._states) or len(left) == 1:
                return
            self._start.again()

    def _upgrade(self, count: int) -> list[Any] | None:
        """Runs the first revisions, for TrialStart."""
        types: list[Any] = []
        states: list[Any] = []

        def steps(heads: tuple[str, ...], context: Any) -> Iterator[Any]:
            commit_open_transaction(context)
            states.append(state_outside_files(context.connection))
            yield from islice(self.steps(heads, context), count)
            commit_open_transaction(context)
            types.extend(created_types(context))
            states.append(state_outside_files(context.connection))

        # What fails here fails again in the trial, which reports it.
        with suppress(Exception, SystemExit):
            run_environment(self._project, steps, around=self.around)
            if states[0] == states[1] and not states[1][1]:
                return types
        return None

    def _run_once(self) -> dict[str, str]:
        """Runs all groups that were not reported yet. Returns why one of them was not reported, as in TrialFacts."""
        try:
            run_environment(self._project, self.steps, around=self.around)
        except RunnerError as error:
            if self._scratch.refused:
                raise
            return _failure(error.message, error)
        except (Exception, SystemExit) as error:
            return _failure(f"{describe(error)}{location(error)}", error)
        return {"failure": "it was not reached"}

    @contextmanager
    def around(self, context: Any) -> Iterator[None]:
        with prepared_connection(context), Watch(context.connection).listening() as self._watch:
            yield

    def steps(self, heads: tuple[str, ...], context: Any) -> Iterator[Any]:
        commit_open_transaction(context)
        remember_types(context, self._start.types)
        with self._project.revisions.alembic_errors("heads"):
            steps = list(self._project.script._upgrade_revs("heads", heads))
        ids = [step.revision.revision for step in steps]
        # After a restart, those that were reported run again: later ones find what they do to rows, also twice.
        starts = {group["revisions"][0]: group for group in self._groups if group["revisions"][-1] not in self._failed}
        at = 0
        while at < len(steps) and len(self._reported) < len(self._groups):
            group = starts.pop(ids[at], None)
            own = steps[at : at + len(group["revisions"])] if group else []
            if group and ids[at : at + len(own)] == group["revisions"]:
                yield from self._try(group, own, context)
                at += len(own)
                continue
            if group:
                self._report_trial(group, {"failure": "other revisions run between its steps"})
            # A revision that fails or can't be loaded is skipped, as in a replay.
            yield WatchedStep(steps[at], context, self._watch, {}, is_reviewed=False).step
            commit_open_transaction(context)
            at += 1

    def _try(self, group: dict[str, Any], steps: list[Any], context: Any) -> Iterator[Any]:
        self._running = group
        before = self._snapshot(context)
        with raw.committed(context.connection):
            names = set(group["tables"]) & set(before.tables)
            existing = rows.read(context.connection, before, list(before.tables))
            filled = rows.Filler(context.connection, before, (rows.FULL,), wanted=group["after"]).fill(names)
            generated = _generated_rows(existing, rows.read(context.connection, before, filled), before)
        tables = {*names, *group["after"]}
        facts = self._states = {"before": self._state(context, before, filled, tables)}
        for name, part, is_upgrade in (("after", steps, True), ("restored", steps[::-1], False), ("again", steps, True)):
            for step in part:
                run = type(step)(step.revision_map, step.revision, is_upgrade)
                run.migration_fn = reloaded_function(context, step.revision, is_upgrade)
                yield run
                commit_open_transaction(context)
            facts[name] = self._state(context, self._snapshot(context), filled, tables)
        self._remove(context, generated)
        self._running = None
        self._report_trial(group, facts)

    def _remove(self, context: Any, generated: dict[str, list[dict[str, Any]] | None]) -> None:
        """Removes generated rows: they could make a later revision fail, and each trial must start with the same rows."""
        connection = context.connection
        existing = self._snapshot(context).tables
        with raw.committed(connection):
            if not raw.value(connection, "SELECT json_build_array(current_setting('is_superuser') = 'on')::text")[0]:
                return
            # Foreign keys would require an order.
            raw.execute(connection, "SET LOCAL session_replication_role = replica")
            for name, keys in generated.items():
                if name not in existing:
                    continue
                delete = f"DELETE FROM {rows.quoted_table(name)} r"  # noqa: S608
                if keys is not None:
                    delete += (
                        f" USING jsonb_array_elements({raw.literal(json.dumps(keys))}::jsonb) k WHERE to_jsonb(r) @> k.value"
                    )
                raw.execute(connection, delete)

    def _report_trial(self, group: dict[str, Any], facts: dict[str, Any]) -> None:
        revision = group["revisions"][-1]
        if "failure" in facts:
            self._failed.add(revision)
        if revision in self._reported:
            return
        self._reported.add(revision)
        self._report({"report": "tried", "revision": revision, "trial": facts})

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


def _generated_rows(before: rows.Rows, now: rows.Rows, snapshot: Snapshot) -> dict[str, list[dict[str, Any]] | None]:
    """The keys of the rows that were generated since `before`, by table; without a key, all values. None: all of its rows."""
    found: dict[str, list[dict[str, Any]] | None] = {}
    for name, own in now.items():
        if not before[name]:
            found[name] = None
            continue
        constraints = snapshot.tables[name]["constraints"]
        key = next((one["columns"] for one in constraints if one["kind"] == "primary key"), None)
        found[name] = [{column: row[column] for column in key or row} for row in own if row not in before[name]]
    return found
