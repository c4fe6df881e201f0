"""The commands that change nothing in the schema: plan, current, history, statistics, drift. They compare the database's
revisions with the scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..database import history
from ..database.failures import describe
from ..database.session import brief_connection
from ..database.version_table import find
from ..production import progress, replication
from ..project.environment import current
from ..project.guard import data_losses, unread_warnings
from ..project.project import Project, info
from ..project.render import render
from ..project.revisions import path
from ..protocol.request import Invocation
from ..protocol.rules import STATUSES
from .preconditions import is_fresh
from .run import Outcome


def read(project: Project, invocation: Invocation) -> Outcome:
    """Reads the database. Raises RunnerError."""
    command, revision = invocation.request.command, invocation.request.revision
    facts: dict[str, Any] = {}
    followed: dict[str, Any] | None = None

    def look(heads: tuple[str, ...], context: Any) -> tuple[list[dict[str, Any]], dict[str, str], bool]:
        nonlocal followed
        if command == "statistics":
            facts["statistics"] = _statistics(context, invocation)
        if command == "drift":
            facts["drift"] = _drift(context, invocation, heads)
        elif command == "plan" and invocation.settings.on_drift in ("warn", "refuse"):
            invocation.warnings.extend(_drift_warning(context, heads))
        runs, checksums = history.read(context)
        if command == "current" and runs and runs[0]["outcome"] == history.RUNNING:
            with brief_connection(context) as connection:
                if running := progress.look(connection, runs[0]):
                    facts["running"] = running
        if command != "plan" or set(heads) == set(project.heads):
            return runs, checksums, False
        lineage = project.lineage(revision for revision in heads if project.known(revision))
        with brief_connection(context) as connection:
            if invocation.settings.on_replication != "ignore":
                followed = replication.look(connection)
            return runs, checksums, is_fresh(connection, find(context), heads, lineage)

    heads, (runs, checksums, fresh) = current(project, look)
    lineage = project.lineage(revision for revision in heads if project.known(revision))
    scripts = list(project.script.walk_revisions())
    if runs and command != "history":
        invocation.warnings.extend(_about(runs[0]))
    edited = [
        script.revision
        for script in scripts
        if script.revision in lineage and checksums.get(script.revision) not in (None, history.checksum(script))
    ]
    facts["edited"] = edited
    if command == "history":
        facts["runs"] = runs
        facts["history"] = [
            {**info(script), "downRevisions": list(script._versioned_down_revisions), "applied": script.revision in lineage}
            for script in scripts
        ]
    if project.unknown(heads):
        return Outcome("ahead", heads, heads, list(project.heads), facts=facts)
    steps, target = path(project, (revision or "head") if command == "plan" else "heads", heads, downgrade=False)
    if "running" in facts:
        facts["running"].update(_revision(project, facts["running"]["command"], heads, steps))
    invocation.warnings.extend(unread_warnings([step.revision for step in steps]))
    if followed is not None:
        facts["replication"] = replication.judged(project, followed, steps)
        invocation.warnings.extend(replication.warnings(facts["replication"]))
    if steps and command == "plan" and invocation.settings.snapshot is not None and not fresh:
        facts.update(_snapshot(invocation, [step.revision for step in steps]))
    if invocation.request.sql:
        facts["sql"] = render(project, steps)
    return Outcome("pending" if steps else "complete", heads, heads, target, steps, fresh, facts)


def _revision(project: Project, command: str, heads: tuple[str, ...], steps: Sequence[Any]) -> dict[str, str]:
    """The revision that a run is at: the version table changes only when a revision is committed."""
    if command == "downgrade":
        return info(project.script.get_revision(heads[0])) if len(heads) == 1 else {}
    return info(steps[0].revision) if steps else {}


def _statistics(context: Any, invocation: Invocation) -> dict[str, Any]:
    from ..statistics.read import read_statistics

    with brief_connection(context) as connection:
        statistics, warnings = read_statistics(connection)
    invocation.warnings.extend(warnings)
    return statistics


def _snapshot(invocation: Invocation, scripts: Sequence[Any]) -> dict[str, Any]:
    from ..production.snapshot import is_wanted, planned

    destroys = bool(data_losses(scripts, invocation.settings.guard_unread))
    return {"snapshot": planned(invocation)} if is_wanted(invocation, destroys) else {}


def _drift(context: Any, invocation: Invocation, heads: tuple[str, ...]) -> dict[str, Any]:
    from ..drift.check import ALLOWANCE, report

    return report(context, find(context), heads, ALLOWANCE in invocation.request.allow)


def _drift_warning(context: Any, heads: tuple[str, ...]) -> list[str]:
    from sqlalchemy.exc import SQLAlchemyError

    from ..drift.check import warning

    try:
        found = warning(context, find(context), heads)
    except SQLAlchemyError as error:
        return [f"the catalog could not be compared: {describe(error)}"]
    return [found] if found else []


def _about(run: dict[str, Any]) -> list[str]:
    """Warnings about the last run."""
    outcome = run["outcome"]
    if outcome in STATUSES:
        return []
    who = f"{run['command']} of {run['requestedBy']}"
    if outcome == history.RUNNING:
        return [f"a run has been going on since {run['startedAt']}: {who}"]
    if outcome == history.KILLED:
        count = len(run["applied"])
        return [f"the last run, {who}, began at {run['startedAt']} and was killed; it had applied {count} revisions"]
    return [f"the last run, {who}, failed at {run['endedAt']} with {outcome}: {run['error']}"]
