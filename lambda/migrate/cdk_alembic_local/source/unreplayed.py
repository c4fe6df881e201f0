"""RevisionFacts of revisions that do not run: their source, and the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import RunnerError

from .graph import graph
from .history import NO_HISTORY
from .source import source_facts


def observe_files(project: Project, ask: dict[str, Any], why: RunnerError, report: Callable[[dict[str, Any]], None]) -> None:
    """Answers the ask `observe` for a project whose revisions Alembic can't load. Raises RunnerError if no file has an id."""
    folder = project.directory
    found = {revision["revision"]: revision for revision in graph(project)["revisions"]}
    for revision in ask["revisions"]:
        if revision not in found:
            raise why
    for facts in (facts for revision, facts in found.items() if revision in ask["revisions"]):
        known = {**facts, "source": read_source(folder / facts["file"], folder)}
        report({"report": "revision", "revision": {**known, **directions_not_run(why.message)}})
    if ask["drift"]:
        report({"report": "drift", "drift": no_drift(why.message)})


def read_source(path: Path, project: Path) -> dict[str, Any]:
    """SourceFacts; for a file that is not valid Python, facts of two functions with unknown content."""
    try:
        return source_facts(path, project)
    except RunnerError:
        unknown = {
            "line": 1,
            "empty": False,
            "raises": False,
            "calls": [],
            "importedCalls": [],
            "earlyReturns": [],
            "sql": [],
            "steps": [],
        }
        functions = {"upgrade": unknown, "downgrade": unknown}
        return {"description": "", "acknowledgements": [], **functions, "imports": [], "steps": [], "history": NO_HISTORY}


def directions_not_run(reason: str) -> dict[str, Any]:
    """Both directions and the tables, unobserved."""
    return {"upgrade": not_run(reason), "downgrade": not_run(reason), "before": {}, "after": {}}


def not_run(reason: str) -> dict[str, Any]:
    """DirectionFacts without observations."""
    return {"outcome": "not_run", "reason": reason, "statements": [], "leftTransaction": False, "statementsLeftOut": 0}


def no_drift(reason: str) -> dict[str, Any]:
    """DriftFacts of models and migrations that could not be compared."""
    return {"operations": [], "catalog": {"added": {}, "removed": {}, "changed": {}}, "reason": reason}
