"""The revisions of a project and how they follow each other: GraphFacts of lib/contract/facts.ts. No database is needed."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

from cdk_alembic.project.project import REPAIR, configuration, info
from cdk_alembic.protocol.errors import RunnerError

from .stand_ins import reason_not_loaded, stand_ins, values_of

# Alembic only warns of these, and then fails with a bare KeyError or takes the last of the files.
_PROBLEMS = ("is not present", "is present more than once")


def graph(project: Path) -> dict[str, Any]:
    """GraphFacts of the project: by Alembic where it loads the scripts, else by reading the files, with Alembic's `problem`.

    Raises RunnerError `invalid_project` when not even the folder with the scripts is found.
    """
    from alembic.script import ScriptDirectory

    # Alembic resolves a relative script_location against the working directory.
    with chdir(project):
        config = configuration(project)
        try:
            scripts = ScriptDirectory.from_config(config)
        except Exception as error:
            raise RunnerError("invalid_project", f"the scripts can't be found: {in_words(error, project)}", REPAIR) from error
        with warnings.catch_warnings(record=True) as caught, stand_ins():
            warnings.simplefilter("always")
            try:
                # The order of `alembic upgrade heads`; its own steps would ask every file for an upgrade function.
                ordered = [*scripts.iterate_revisions("heads", (), implicit_base=True)][::-1]
                heads = list(scripts.get_heads())
                failure = None
            except (Exception, SystemExit) as error:
                failure = in_words(error, project)
        warned = [str(warning.message) for warning in caught if str(warning.message).endswith(_PROBLEMS)]
        problem = "; ".join(dict.fromkeys(warned)) or failure
        if problem is None:
            not_loaded = [reason for script in ordered if isinstance(reason := reason_not_loaded(script), BaseException)]
            found = {"revisions": [of_script(script, project) for script in ordered], "heads": sorted(heads)}
            problem = "; ".join(in_words(reason, project) for reason in not_loaded)
            return {**found, "problem": problem} if problem else found
        revisions = list(_of_files(scripts, project))
    followed = {down for revision in revisions for down in revision["downRevisions"]}
    heads = sorted({revision["revision"] for revision in revisions} - followed)
    return {"revisions": revisions, "heads": heads, "problem": problem}


def of_script(script: Any, project: Path) -> dict[str, Any]:
    """GraphRevision of a script."""
    return {
        **info(script),
        "file": relative(script.path, project),
        "downRevisions": list(script._versioned_down_revisions),
        "dependsOn": list(script._resolved_dependencies),
        # Those that Alembic gives to the whole branch, too.
        "branchLabels": sorted(script.branch_labels),
    }


def _of_files(scripts: Any, project: Path) -> Iterator[dict[str, Any]]:
    """Every file that gives its id as a literal, by name."""
    for path in sorted(revision_files(scripts), key=lambda path: (path.name, path)):
        values, message = values_of(path)
        if isinstance(values.get("revision"), str):
            yield {
                "revision": values["revision"],
                "message": message,
                "file": relative(path, project),
                "downRevisions": _several(values.get("down_revision")),
                "dependsOn": _several(values.get("depends_on")),
                "branchLabels": sorted(_several(values.get("branch_labels"))),
            }


def revision_files(scripts: Any) -> set[Path]:
    """What Alembic takes for revisions in the version locations of a ScriptDirectory."""
    recursive = getattr(scripts, "recursive_version_locations", False)
    return {
        path.resolve()
        for location in map(Path, scripts._version_locations)
        for path in (location.rglob("*.py") if recursive else location.glob("*.py"))
        if not path.name.startswith((".#", "__init__"))
    }


def relative(path: str | Path, project: Path) -> str:
    """From the project's folder, with `/`."""
    return os.path.relpath(Path(path).resolve(), project.resolve()).replace(os.sep, "/")


def _several(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def in_words(error: BaseException, project: Path) -> str:
    """What Alembic says; of any other error its kind and the line of the project's own code, too."""
    if type(error).__module__.startswith("alembic."):
        return str(error)
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({relative(error.filename, project)}:{error.lineno})"
    inside = str(project.resolve()) + os.sep
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if str(Path(frame.filename).resolve()).startswith(inside)
    ]
    location = f" ({relative(frames[-1].filename, project)}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{location}"
