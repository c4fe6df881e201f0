"""Flask-Migrate's env.py asks the running application for its database: so it is loaded, the way the command `flask` does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from cdk_alembic.database.failures import describe, location
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import RunnerError


def let_revisions_import_it(folder: Path) -> None:
    """`flask db` runs beside the application, and the Alembic project is a folder there."""
    if _asks_for_it(folder / "env.py"):
        sys.path.insert(0, str(folder.parent))


@contextmanager
def application_context(project: Project) -> Iterator[None]:
    """Flask's application context, if env.py needs one. Raises RunnerError `invalid_project` when there is no application."""
    env = Path(project.script.dir) / "env.py"
    if not _asks_for_it(env):
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


def _asks_for_it(env: Path) -> bool:
    return env.is_file() and b"current_app" in env.read_bytes()


def _load(project: Project, env: Path) -> Any:
    from flask.cli import ScriptInfo

    # `flask db init` makes the project a folder beside the application.
    folder = project.directory.parent if env.parent.samefile(project.directory) else project.directory
    try:
        with chdir(folder):
            # Only the command itself reads the variable.
            return ScriptInfo(app_import_path=os.environ.get("FLASK_APP")).load_app()
    except (Exception, SystemExit) as error:
        raise RunnerError(
            "invalid_project",
            f"env.py needs Flask's application, which can't be loaded: {describe(error)}{location(error)}",
            "name it in FLASK_APP, as for the command `flask`; `flask db current` must work with the same environment",
        ) from error
