"""The commands that change nothing in the schema: plan, current, history, statistics, drift. They compare the database's
revisions with the scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..connection.statements import brief_connection
from ..database import history
from ..database.failures import describe
from ..database.version_table import find
from ..production import progress, replication
from ..project.environment import current
from ..project.guard import data_losses, uncertain_losses
from ..project.project import Project
from ..project.render import render
from ..project.revisions import info
from ..protocol.answer_size import fitting
from ..protocol.request import Invocation
from ..protocol.rules import STATUSES
from .answer import Outcome
from .preconditions import is_fresh


@dataclass
class _Database:
    """What was read from the database while env.py was connected."""

    runs: list[dict[str, Any]]
    """The latest runs, newest first."""
    checksums: dict[str, str]
    """Checksums of the applied revisions."""
    facts: dict[str, Any] = field(default_factory=dict)
    """The fields of the answer that only this command has."""
    fresh: bool = False
    """Whether the database has nothing to lose; only `plan` determines it."""
    replicated: dict[str, Any] | None = None
    """Replicated slots and publications; None: none, or not read."""


def read(project: Project, invocation: Invocation) -> Outcome:
    """Reads the database. Raises RunnerError."""
    command = invocation.request.command
    heads, database = current(project, lambda heads, context: _read_database(project, invocation, heads, context))
    scripts = list(project.script.walk_revisions())
    lineage = _lineage(project, heads, database.runs)
    database.facts["edited"] = _edited(scripts, lineage, database.checksums)
    if command == "history":
        database.facts.update(_history(scripts, lineage, database.runs))
    elif database.runs:
        invocation.warnings.extend(_last_run_warnings(database.runs[0]))
    if project.revisions.unknown(heads):
        return Outcome("ahead", heads, heads, list(project.revisions.heads), facts=database.facts)
    wanted = invocation.request.revision or "head" if command == "plan" else "heads"
    steps, target, _ = project.revisions.route(wanted, heads, downgrade=False)
    pending = [step.revision for step in steps]
    invocation.warnings.extend(uncertain_losses(pending))
    losses = [] if database.fresh else data_losses(pending, invocation.settings.guard_unread)
    if command == "plan":
        database.facts.update(_plan(project, invocation, steps, bool(losses), database))
    elif "running" in database.facts:
        database.facts["running"].update(_revision(project, database.facts["running"]["command"], heads, pending))
    return Outcome("pending" if steps else "complete", heads, heads, target, steps, losses, database.facts)


def _read_database(project: Project, invocation: Invocation, heads: tuple[str, ...], context: Any) -> _Database:
    database = _Database(*history.read(context))
    match invocation.request.command:
        case "statistics":
            database.facts["statistics"] = _statistics(context, invocation)
        case "drift":
            database.facts["drift"] = _drift(context, invocation, heads)
        case "current":
            _read_run(context, database)
        case "plan":
            _read_for_plan(project, invocation, heads, context, database)
    return database


def _statistics(context: Any, invocation: Invocation) -> dict[str, Any]:
    from ..statistics.read import read_statistics

    with brief_connection(context) as connection:
        statistics, warnings = read_statistics(connection)
    invocation.warnings.extend(warnings)
    statistics["tables"], left_out = fitting(statistics["tables"])
    statistics["tablesLeftOut"] += left_out
    return statistics


def _drift(context: Any, invocation: Invocation, heads: tuple[str, ...]) -> dict[str, Any]:
    from ..drift.check import ALLOWANCE, report

    table = find(context)
    with brief_connection(context) as connection:
        drift = report(connection, table, heads, ALLOWANCE in invocation.request.allow)
    drift["objects"], left_out = fitting(drift["objects"])
    if left_out:
        drift["objectsLeftOut"] = left_out
    return drift


def _read_run(context: Any, database: _Database) -> None:
    if database.runs and database.runs[0]["outcome"] == history.RUNNING:
        with brief_connection(context) as connection:
            if running := progress.read_progress(connection, database.runs[0]):
                database.facts["running"] = running


def _read_for_plan(project: Project, invocation: Invocation, heads: tuple[str, ...], context: Any, database: _Database) -> None:
    if invocation.settings.on_drift in ("warn", "refuse"):
        invocation.warnings.extend(_drift_warning(context, heads))
    if set(heads) == set(project.revisions.heads):
        return
    table = find(context)
    invocation.warnings.extend(project.destination.warnings(table.database))
    with brief_connection(context) as connection:
        if invocation.settings.on_replication != "ignore":
            database.replicated = replication.read_replicated(connection)
        database.fresh = is_fresh(connection, table, heads, project.revisions.lineage(heads))


def _drift_warning(context: Any, heads: tuple[str, ...]) -> list[str]:
    from sqlalchemy.exc import SQLAlchemyError

    from ..drift.check import warning

    try:
        table = find(context)
        with brief_connection(context) as connection:
            text = warning(connection, table, heads)
    except SQLAlchemyError as error:
        return [f"the catalog could not be compared: {describe(error)}"]
    return [text] if text else []


def _edited(scripts: Iterable[Any], lineage: set[str], checksums: dict[str, str]) -> list[str]:
    """The applied revisions whose file has changed since they were applied."""
    return [
        script.revision
        for script in scripts
        if script.revision in lineage and checksums.get(script.revision) not in (None, history.checksum(script))
    ]


def _lineage(project: Project, heads: Sequence[str], runs: list[dict[str, Any]]) -> set[str]:
    """What is applied. If a newer release has migrated the database: what its recorded runs began with, and applied."""
    applied: set[str] = set()
    for run in runs:
        if project.revisions.unknown(heads) and run["command"] == "upgrade" and sorted(run["to"]) == sorted(heads):
            heads = run["from"]
            applied.update(revision["revision"] for revision in run["applied"])
    return project.revisions.lineage(heads) | applied


def _history(scripts: Iterable[Any], lineage: set[str], runs: list[dict[str, Any]]) -> dict[str, Any]:
    revisions = [
        {**info(script), "downRevisions": list(script._versioned_down_revisions), "applied": script.revision in lineage}
        for script in scripts
    ]
    return {"runs": runs, "history": revisions}


def _plan(project: Project, invocation: Invocation, steps: Sequence[Any], destroys: bool, database: _Database) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    rendered = render(project, steps) if invocation.request.sql or database.replicated is not None else []
    if database.replicated is not None:
        changes = replication.changes_in(rendered, project.version_table)
        facts["replication"] = replication.judge(changes, database.replicated)
        invocation.warnings.extend(replication.warnings(facts["replication"]))
    if steps and invocation.settings.snapshot is not None and not database.fresh:
        from ..production.snapshot import is_wanted, planned

        if is_wanted(invocation, destroys):
            facts["snapshot"] = planned(invocation.settings.snapshot)
    if invocation.request.sql:
        facts["sql"] = rendered
    return facts


def _revision(project: Project, command: str, heads: tuple[str, ...], pending: Sequence[Any]) -> dict[str, str]:
    """The revision that a run is executing: the version table changes only when a revision is committed."""
    if command == "downgrade":
        return info(project.script.get_revision(heads[0])) if len(heads) == 1 else {}
    return info(pending[0]) if pending else {}


def _last_run_warnings(run: dict[str, Any]) -> list[str]:
    """Warnings about the last run."""
    outcome = run["outcome"]
    if outcome in STATUSES:
        return []
    who = f"{run['command']} of {run['requestedBy']}"
    if outcome == history.RUNNING:
        return [f"a run has been in progress since {run['startedAt']}: {who}"]
    if outcome == history.KILLED:
        count = len(run["applied"])
        return [f"the last run, {who}, began at {run['startedAt']} and was killed; it had applied {count} revisions"]
    return [f"the last run, {who}, failed at {run['endedAt']} with {outcome}: {run['error']}"]
