"""Flask-Migrate's env.py reads its database from the running application. Loads that as the `flask` command does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from ..database.failures import describe, location, missing_variable
from ..protocol.errors import EnvFailed
from .project import SET_VARIABLE, Project


def make_importable(folder: Path) -> None:
    """Adds the application to sys.path: `flask db` runs next to it, and the Alembic project is a subfolder."""
    if _needs_it(folder / "env.py"):
        sys.path.insert(0, str(folder.parent))


@contextmanager
def application_context(project: Project) -> Iterator[None]:
    """Flask's application context, if env.py needs one. Raises RunnerError `invalid_project` if there is no application."""
    env = Path(project.script.dir) / "env.py"
    if not _needs_it(env):
        yield
        return
    try:
        from flask import has_app_context

        needed = not has_app_context()
    except ImportError:
        needed = False
    if not needed:
        yield
        return
    with _load(project, env).app_context():
        yield


def _needs_it(env: Path) -> bool:
    return env.is_file() and b"current_app" in env.read_bytes()


def _load(project: Project, env: Path) -> Any:
    from flask.cli import ScriptInfo

    # `flask db init` creates the project in a folder next to the application.
    folder = project.directory.parent if env.parent.samefile(project.directory) else project.directory
    # `location` reports lines relative to the working directory.
    with chdir(folder):
        try:
            # Only the `flask` command reads this variable.
            return ScriptInfo(app_import_path=os.environ.get("FLASK_APP")).load_app()
        except (Exception, SystemExit) as error:
            raise EnvFailed(
                "invalid_project",
                f"env.py needs Flask's application, which could not be loaded: {describe(error)}{location(error)}",
                SET_VARIABLE
                if missing_variable(error)
                else "set FLASK_APP, as for the command `flask`, until `flask db current` works with the same environment",
            ) from error
