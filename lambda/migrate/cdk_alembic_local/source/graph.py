"""The revisions of a project and their order: GraphFacts of lib/contract/facts. Requires no database."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from cdk_alembic.database.failures import describe
from cdk_alembic.project.environment import application_context
from cdk_alembic.project.graph import are_intended
from cdk_alembic.project.project import Project
from cdk_alembic.project.revisions import info
from cdk_alembic.protocol.errors import ProjectError, RunnerError

from .loading import at_load, load_without_database
from .stand_ins import reason_not_loaded, stand_ins, values_of


def load(project: Project) -> None:
    """Loads the revisions from the folders that env.py sets, with stand-ins for those that can't be imported. Raises
    ProjectError."""
    with stand_ins(), ExitStack() as stack:
        # Without the application, fewer revisions can be imported.
        with suppress(RunnerError):
            stack.enter_context(application_context(project))
        load_without_database(project)


def graph(project: Project) -> dict[str, Any]:
    """GraphFacts of the project: from Alembic if it loads the scripts, or else from the files, with the `problem`."""
    folder, scripts = project.directory, project.script
    try:
        load(project)
    except ProjectError as error:
        try:
            revisions = list(_from_files(scripts, folder))
        except ImportError:
            # `version_locations` names a package that is not installed.
            raise error from None
        followed = {down for revision in revisions for down in revision["downRevisions"]}
        heads = sorted({revision["revision"] for revision in revisions} - followed)
        elsewhere = {} if _loads_application(project) else {"mayLoadElsewhere": True}
        return {"revisions": revisions, "heads": heads, **_command(project), "problem": error.message, **elsewhere}
    # In the order of `alembic upgrade heads`. Alembic's own steps would require an upgrade function in every file.
    ordered = [*scripts.iterate_revisions("heads", (), implicit_base=True)][::-1]
    not_loaded = [reason for script in ordered if isinstance(reason := reason_not_loaded(script), BaseException)]
    found: dict[str, Any] = {
        "revisions": [script_facts(script, folder) for script in ordered],
        "heads": list(project.revisions.heads),
        **_command(project),
    }
    if len(project.revisions.heads) > 1:
        found["headsAreMeant"] = are_intended(project.revisions.branch_labels())
    if not not_loaded:
        return found
    # Many files fail for one reason, such as a variable that is not set.
    found["problem"] = "; ".join(dict.fromkeys(error_text(reason, folder) for reason in not_loaded))
    if not any(isinstance(reason, SyntaxError) for reason in not_loaded):
        found["mayLoadElsewhere"] = True
    return found


def _loads_application(project: Project) -> bool:
    """Whether Flask's application, if env.py needs it, can be loaded: it may add folders of other packages."""
    try:
        with stand_ins(), application_context(project):
            return True
    except RunnerError:
        return False


def _command(project: Project) -> dict[str, str]:
    return {} if project.command == "alembic" else {"command": project.command}


def script_facts(script: Any, project: Path) -> dict[str, Any]:
    """GraphRevision of a script."""
    found = at_load(script)
    return {
        **({"atLoad": found} if found else {}),
        **info(script),
        "file": relative(script.path, project),
        "downRevisions": list(script._versioned_down_revisions),
        "dependsOn": list(script._resolved_dependencies),
        # Includes those that Alembic assigns to the whole branch.
        "branchLabels": sorted(script.branch_labels),
    }


def _from_files(scripts: Any, project: Path) -> Iterator[dict[str, Any]]:
    """Every file with a literal id, by name."""
    for path in sorted(revision_files(scripts), key=lambda path: (path.name, path)):
        values, message = values_of(path)
        if isinstance(values.get("revision"), str):
            yield {
                "revision": values["revision"],
                "message": message,
                "file": relative(path, project),
                "downRevisions": _as_list(values.get("down_revision")),
                "dependsOn": _as_list(values.get("depends_on")),
                "branchLabels": sorted(_as_list(values.get("branch_labels"))),
            }


def revision_files(scripts: Any) -> set[Path]:
    """The files that Alembic treats as revisions in a ScriptDirectory's version locations."""
    recursive = getattr(scripts, "recursive_version_locations", False)
    return {
        path.resolve()
        for location in map(Path, scripts._version_locations)
        for path in (location.rglob("*.py") if recursive else location.glob("*.py"))
        if not path.name.startswith((".#", "__init__"))
    }


def relative(path: str | Path, project: Path) -> str:
    """The path relative to the project's folder, with `/`."""
    return os.path.relpath(Path(path).resolve(), project.resolve()).replace(os.sep, "/")


def _as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def error_text(error: BaseException, project: Path) -> str:
    """The error on one line, with the line of the project's own code."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{describe(error)} ({relative(error.filename, project)}:{error.lineno})"
    inside = str(project.resolve()) + os.sep
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if str(Path(frame.filename).resolve()).startswith(inside) and Path(frame.filename).is_file()
    ]
    location = f" ({relative(frames[-1].filename, project)}:{frames[-1].lineno})" if frames else ""
    return f"{describe(error)}{location}"
