"""Replays revisions on the scratch database, up, down and up again, and reports the facts."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from cdk_alembic.catalog import catalog, raw
from cdk_alembic.catalog.catalog import Snapshot
from cdk_alembic.catalog.catalog_reader import Catalog
from cdk_alembic.project.env_transaction import find_transaction, is_in_block
from cdk_alembic.project.environment import application_context, run_environment
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import EnvFailed, RunnerError
from cdk_alembic.protocol.log import redact
from cdk_alembic.run.failure import id_too_long

from ..replay_cache.copy_point import CopyPoint
from ..scratch.baseline import load
from ..scratch.drift import Drift
from ..scratch.models import ImportedModels, metadata_of
from ..scratch.next_release import NextRelease, carry_out, done_in_models, pending
from ..scratch.scratch import Scratch
from ..source.graph import error_text, script_facts
from ..source.offline import offline_rendering
from ..source.rendered_revisions import RenderedRevisions
from ..source.stand_ins import reason_not_loaded
from ..source.unreplayed import directions_not_run, no_drift, not_run, read_source
from .affected_tables import affected_tables, changes_a_type, enums_of, referring_tables, tables_of
from .env_facts import basic_facts, environment_facts, prepared_connection
from .failure_facts import failure_between_revisions, failure_facts
from .matching_revision import commit_open_transaction
from .round_trip import RoundTrip, RoundTripImpossible
from .watch import Recording, Watch
from .watched_step import Result, WatchedStep

Report = Callable[[dict[str, Any]], None]

# run_environment's errors for an env.py that fails although the scratch database is reachable.
_ENV_PY_ERRORS = ("invalid_project", "database_unreachable", "database_refused", "permission_denied", "read_only", "timed_out")


def observe(project: Project, scratch: Scratch, ask: dict[str, Any], report: Report, copy_point: CopyPoint | None = None) -> None:
    """Answers the request `observe`. The scratch database is empty before and after, or was restored (`kept`).

    `copy_point`: offers its files for copying before the first revision."""
    for revision in ask["revisions"]:
        if not project.revisions.known(revision):
            step = f"name one from `{project.command} history`"
            raise RunnerError("unknown_revision", f"the project has no revision {revision}", step)
    kept = ask.get("kept")
    if kept:
        scratch.version = kept["postgres"]
    else:
        scratch.prepare(ask.get("overwrite", False))
    try:
        with ExitStack() as stack:
            try:
                stack.enter_context(application_context(project))
            except RunnerError as error:
                Replay(project, scratch, ask, report, {**basic_facts(project, scratch), "keeps": False}).give_up(error)
                return
            environment = kept
            if environment is None and ask.get("environment", True):
                environment = environment_facts(project, scratch, is_new=not ask.get("baseline"))
            if ask.get("baseline"):
                load(scratch, ask["baseline"])
            Replay(project, scratch, ask, report, environment, copy_point).run()
    finally:
        scratch.leave()


class Replay:
    """One replay; `around` and `steps` are the arguments of run_environment."""

    def __init__(
        self,
        project: Project,
        scratch: Scratch,
        ask: dict[str, Any],
        report: Report,
        environment: dict[str, Any] | None,
        copy_point: CopyPoint | None = None,
    ) -> None:
        self._project = project
        self._scratch = scratch
        self._catalog = Catalog()
        self._baseline = ask.get("baseline")
        self._asked = set(ask["revisions"])
        self._unreleased: list[str] = ask.get("unreleased") or []
        self._drift = Drift() if ask["drift"] else None
        self._report = report
        self._environment: dict[str, Any] | None = environment
        self._copy_point = copy_point if not (ask.get("baseline") or ask.get("overlay")) else None
        self._reviewed: set[str] = set()
        self._failed: list[str] = []
        self._rendered = RenderedRevisions(project, report)
        self._current: Any = None
        self._skipped: set[str] = set()
        """Revisions that broke the connection."""
        self._broken = False
        """Whether the database differs from the result of the revisions so far."""
        self._before: Snapshot | None = None
        self._models: Any = None
        """Before the first revision runs."""
        self._watch: Watch
        self._environment_facts: dict[str, Any]
        """EnvironmentFacts."""

    def run(self) -> None:
        while True:
            self._broken = False
            self._before = self._current = None
            # Any other revision may fail again, or only its second upgrade has failed.
            self._failed = [revision for revision in self._failed if revision in self._skipped]
            try:
                run_environment(self._project, self.steps, around=self.around)
            except RunnerError as error:
                if self._scratch.refused or error.code not in _ENV_PY_ERRORS:
                    raise
                self.give_up(error)
            except (Exception, SystemExit) as error:
                if self._current is None or self._current.revision.revision in self._skipped:
                    self.give_up(failure_between_revisions(self._project, error))
                else:
                    self._skip(self._current, error)
            self._rendered.report()
            if not self._broken:
                break
            self._scratch.empty(keep_mark=True)
            if self._baseline:
                load(self._scratch, self._baseline)
        if self._drift:
            self._report({"report": "drift", "drift": self._drift.facts(self._scratch)})

    @contextmanager
    def around(self, context: Any) -> Iterator[None]:
        """Watches env.py's connection."""
        outer = context._in_external_transaction
        self._environment_facts = {**(self._environment or {}), "outerTransaction": outer}
        if outer or self._environment_facts.get("autocommitBlocks") is False:
            env = Path(self._project.script.dir) / "env.py"
            self._environment_facts["transaction"] = find_transaction(env, outer, is_in_block(context.connection))
        if self._environment is not None:
            self._report({"report": "environment", "environment": self._environment_facts})
            self._environment = None
        else:
            self._copy_point = None  # it runs again after a failure
        self._models = self._models or ImportedModels(context)
        with prepared_connection(context), Watch(context.connection).listening() as self._watch:
            if self._copy_point:
                self._copy_point.begin(context.connection)
            yield

    def steps(self, heads: tuple[str, ...], context: Any) -> Iterator[Any]:
        """Alembic runs and commits each yielded step before it requests the next one."""
        # Alembic started a transaction when it searched for the version table.
        commit_open_transaction(context)
        self._project.revisions.refuse_ahead(heads)
        self._report_applied(heads)
        with self._project.revisions.alembic_errors("heads"):
            steps = list(self._project.script._upgrade_revs("heads", heads))
        last = max((index for index, step in enumerate(steps) if step.revision.revision in self._asked), default=-1)
        if not self._drift:
            steps = steps[: last + 1]
        first = next((index for index, step in enumerate(steps) if step.revision.revision in self._asked), 0)
        for index, step in enumerate(steps):
            revision = step.revision.revision
            if index == first and self._copy_point and not heads and not self._failed:
                self._copy_point.offer(context.connection, steps, first, self._environment_facts)
            self._report({"report": "progress", "done": index, "total": len(steps), "revision": revision})
            self._current = step
            if revision in self._asked and revision not in self._reviewed:
                yield from self._review(step, context)
                self._reviewed.add(revision)
                if self._broken and (index + 1 < len(steps) or self._drift):
                    return
                self._broken = False
            else:
                self._before = None
                yield from self._run(step, context, None)
        self._current = None
        if self._drift:
            self._models.restore()
            if not self._failed:
                self._drift.due = self._carry_out_next_release(context)
            self._drift.compare(context, self._snapshot(context), self._failed)

    def _carry_out_next_release(self, context: Any) -> list[NextRelease]:
        """Runs what revisions have for the next release, which the models have done already. Returns what is due now."""
        releases = pending(context.connection, self._project.script)
        models = metadata_of(context.opts.get("target_metadata"))
        in_models = done_in_models(releases, models) if models else []
        due = [one for one in in_models if one.revision not in self._unreleased]
        waiting = [one for one in releases if one.revision in self._unreleased and (one.dropped or one in in_models)]
        done = [one for one in releases if one in waiting or one in due]
        if done:
            carry_out(context.connection, done)
            commit_open_transaction(context)
        return due

    def _review(self, step: Any, context: Any) -> Iterator[Any]:
        script = step.revision
        if reason := reason_not_loaded(script):
            yield from self._run(step, context, None)
            text = reason if isinstance(reason, str) else error_text(reason, self._project.directory)
            facts = {**self._script_facts(script), **directions_not_run(f"the file could not be loaded: {redact(text)}")}
            self._report({"report": "revision", "revision": facts})
            return
        before = self._before or self._snapshot(context)
        upgrade, arguments = yield from self._run(step, context, before)
        facts = {**self._script_facts(script), "upgrade": upgrade.facts}
        if unapplied := [revision for revision in self._failed if revision != script.revision]:
            facts["unapplied"] = unapplied
        after = self._before = self._snapshot(context)
        if upgrade.failure:
            facts["downgrade"] = not_run("the upgrade failed")
            names = affected_tables(before, after, [upgrade.recording])
            self._rendered.add(script, {**facts, **tables_of(before, after, names)})
            return
        facts["changes"] = before.change_to(after)
        recordings: list[Recording] = [upgrade.recording]
        if not hasattr(script.module, "downgrade"):
            facts["downgrade"] = not_run("the file has no function downgrade()")
        else:
            try:
                if upgrade.recording.left_transaction:
                    raise RoundTripImpossible
                trip = RoundTrip(context, self._watch, self._catalog, script, arguments, before, after, recordings)
                trip.run()
                recordings += trip.recordings
                facts.update(trip.facts)
            except RoundTripImpossible:
                yield from self._round_trip_by_alembic(step, context, before, after, facts, recordings)
        names = affected_tables(before, after, recordings) | referring_tables(before, upgrade.recording)
        tables = tables_of(before, after, names)
        if changes_a_type(upgrade.facts["statements"]):
            facts["enums"] = enums_of(before, tables["before"])
        self._report({"report": "revision", "revision": {**facts, **tables}})

    def _round_trip_by_alembic(
        self, step: Any, context: Any, before: Snapshot, after: Snapshot, facts: dict[str, Any], recordings: list[Recording]
    ) -> Iterator[Any]:
        """Runs down and up like Alembic, for revisions that leave their transaction."""
        down = type(step)(step.revision_map, step.revision, False)
        downgrade, _ = yield from self._run(down, context, after)
        facts["downgrade"] = downgrade.facts
        recordings.append(downgrade.recording)
        if downgrade.failure:
            self._broken = True
            return
        facts["notRestored"] = before.change_to(self._snapshot(context))
        again, _ = yield from self._run(type(step)(step.revision_map, step.revision, True), context, before)
        if again.failure:
            facts["again"] = {"outcome": "failed", "failure": again.failure}
            self._broken = True
            return
        self._before = self._snapshot(context)
        differs = after.change_to(self._before)
        facts["again"] = {"outcome": "done", "differs": differs}
        self._broken = not catalog.is_empty(differs)

    def _run(self, step: Any, context: Any, before: Snapshot | None) -> Generator[Any, None, tuple[Result, dict[str, Any]]]:
        """Makes Alembic run and commit a step. Returns the result and the arguments that env.py passed to the function.

        `before`: the catalog for finding locks and rewritten files; None skips that.
        """
        script = step.revision
        skip = script.revision in self._skipped
        relations, is_reviewed = before.relations if before else {}, script.revision in self._asked
        watched = WatchedStep(step, context, self._watch, relations, is_reviewed=is_reviewed, skip=skip)
        if reason_not_loaded(script) and script.revision not in self._failed:
            self._failed.append(script.revision)
        yield watched.step
        commit_open_transaction(context)
        if watched.result.failure and step.is_upgrade and script.revision not in self._failed:
            self._failed.append(script.revision)
        return watched.result, watched.arguments

    def _skip(self, step: Any, error: BaseException) -> None:
        """Continues without a revision after which env.py failed."""
        script = step.revision
        self._skipped.add(script.revision)
        self._failed.append(script.revision)
        self._broken = True
        if script.revision in self._asked and script.revision not in self._reviewed:
            self._reviewed.add(script.revision)
            failure = failure_facts(error, script.module.__file__)
            if too_long := id_too_long(error, script.revision):
                failure["message"] = redact(too_long)
            upgrade = {**not_run(""), "outcome": "failed", "failure": failure}
            del upgrade["reason"]
            facts = {
                **self._script_facts(script),
                "upgrade": upgrade,
                "downgrade": not_run("the upgrade failed"),
                "before": {},
                "after": {},
            }
            self._rendered.add(script, facts)

    def give_up(self, error: RunnerError) -> None:
        """Reports revisions that can't run because of env.py, from their source and Alembic's rendering."""
        self._broken = False
        if self._environment is not None:
            failed = {"keeps": False, "outerTransaction": False, "failure": redact(error.message)}
            if isinstance(error, EnvFailed):
                failed["next"] = error.next
            self._report({"report": "environment", "environment": {**self._environment, **failed}})
            self._environment = None
        for script in [*self._project.script.iterate_revisions("heads", "base", implicit_base=True)][::-1]:
            if script.revision in self._asked - self._reviewed:
                self._reviewed.add(script.revision)
                self._rendered.add(script, {**self._script_facts(script), **directions_not_run(redact(error.message))})
        with offline_rendering(self._project):
            self._rendered.report()
        if self._drift:
            self._report({"report": "drift", "drift": no_drift(redact(error.message))})
            self._drift = None

    def _snapshot(self, context: Any) -> Snapshot:
        with raw.rolled_back(context.connection):
            return self._catalog.take(context.connection)

    def _script_facts(self, script: Any) -> dict[str, Any]:
        directory = self._project.directory
        return {**script_facts(script, directory), "source": read_source(Path(script.path), directory)}

    def _report_applied(self, heads: tuple[str, ...]) -> None:
        """Reports the revisions that the baseline already has, from their source alone."""
        lineage = self._project.revisions.lineage(heads) if self._baseline else set()
        for revision in sorted(self._asked & lineage - self._reviewed):
            self._reviewed.add(revision)
            script = self._project.script.get_revision(revision)
            self._rendered.add(script, {**self._script_facts(script), **directions_not_run("the baseline already has it")})
