"""Runs the backend's unchanged env.py with the runner's steps, transactions and limits."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, chdir, nullcontext
from pathlib import Path
from traceback import walk_tb
from typing import Any

from ..connection.watchdog import expecting
from ..database.conditions import condition
from ..database.failures import describe, location
from ..database.version_table import prepare
from ..protocol.errors import EnvFailed, RunnerError
from ..protocol.rules import DRIVERS
from .next_step import next_step
from .project import Project
from .scripts import needs_flask, runs_without_flask

Steps = Callable[[tuple[str, ...], Any], Iterable[Any]]
Around = Callable[[Any], AbstractContextManager[None]]


def run_environment(project: Project, steps: Steps, around: Around | None = None) -> None:
    """Executes env.py once.

    `steps(heads, context)` is Alembic's `fn`: it yields the revisions to run. Code between two yields runs between their
    transactions. `around(context)` is entered where env.py calls run_migrations, in the connection's own context (the greenlet
    of an async env.py), before Alembic reads the heads. Without `around` nothing is written, not even the version table. The
    project's revisions are loaded there at the latest.

    Raises RunnerError for a failed connection, for an env.py that fails outside of run_migrations, and for revisions that
    can't be loaded. Failures inside run_migrations pass unchanged.
    """
    try:
        _execute(project, steps, around)
    except _Unproved:
        _execute(project, lambda heads, context: ())
        _execute(project, steps, around)


class _Unproved(Exception):
    """env.py's address was replaced, and it may connect to a second database next, whose revisions must not run in the first."""


def _execute(project: Project, steps: Steps, around: Around | None = None) -> None:
    from alembic.runtime.environment import EnvironmentContext

    # env.py calls configure on the installed instance. A subclass would not work: alembic.context proxies only the class that
    # it registered.
    environment = EnvironmentContext(project.config, project.script, fn=steps, dont_mutate=around is None)
    execution = _Execution(project, environment, around)
    environment.configure = execution.configure
    destination = project.destination
    with environment, expecting(), destination.connecting():
        try:
            project.script.run_env()
        except (Exception, SystemExit) as error:
            if execution.failure is None and destination.refused is None:
                if isinstance(error, RunnerError):
                    raise
                raise _env_failed(project, error) from error
    if destination.refused is not None:
        raise destination.refused
    if execution.failure is not None:
        # env.py may have caught or replaced it.
        raise execution.failure
    if execution.runs == 0:
        raise RunnerError(
            "invalid_project",
            "env.py did not call context.run_migrations()",
            f"compare env.py with its template until `{project.command} current` prints the database's revision",
        )
    destination.has_one_database = destination.has_one_database or around is None


def current(
    project: Project, read: Callable[[tuple[str, ...], Any], Any] = lambda heads, context: None, downgrade: bool = False
) -> tuple[Any, Any]:
    """The version table's revisions, read on a separate connection (empty if the table does not exist), and what `read` returns.

    `read(heads, context)` may read more, or write over its own connections. `downgrade`: whether a downgrade has just written
    the version table. Raises RunnerError.
    """
    found: list[tuple[Any, Any]] = []

    def steps(heads: tuple[str, ...], context: Any) -> tuple[()]:
        project.revisions.check_rows(heads, context.version_table, downgrade)
        heads = tuple(sorted(heads))
        found.append((heads, read(heads, context)))
        return ()

    try:
        run_environment(project, steps)
    except RunnerError:
        raise
    except Exception as error:
        if failure := condition(error):
            raise failure from error
        raise
    return found[0]


class _Execution:
    """One execution of env.py."""

    def __init__(self, project: Project, environment: Any, around: Around | None) -> None:
        self.failure: BaseException | None = None
        """The first exception of run_migrations."""
        self.runs = 0
        """How often env.py called run_migrations."""
        self._project = project
        self._environment = environment
        self._configure = environment.configure
        self._around = around

    def configure(self, *args: Any, **options: Any) -> None:
        """Replaces EnvironmentContext.configure."""
        self._configure(*args, **{**options, "transaction_per_migration": True})
        context = self._environment.get_context()
        run_migrations = context.run_migrations
        context.run_migrations = lambda **arguments: self._run_migrations(context, run_migrations, arguments)

    def _run_migrations(self, context: Any, run_migrations: Callable[..., None], arguments: dict[str, Any]) -> None:
        try:
            if context.connection is None or context.dialect.name != "postgresql":
                raise RunnerError(
                    "invalid_project",
                    f"env.py configured {context.dialect.name} without a connection to PostgreSQL",
                    "make env.py connect to PostgreSQL in online mode",
                )
            if self.runs > 0:
                raise RunnerError(
                    "invalid_project",
                    "env.py calls context.run_migrations() more than once",
                    "make env.py migrate one database and one schema, and deploy one construct for each",
                )
            destination = self._project.destination
            if self._around and destination.is_replaced and not destination.has_one_database:
                raise _Unproved
            self.runs += 1
            self._project.version_table = context.version_table
            self._project.revisions.load_with(context.connection)
            if self._around is None:
                prepare(context.connection)
            # `around` opens connections to the database that is migrated.
            with self._around(context) if self._around else nullcontext(), destination.migrating():
                run_migrations(**arguments)
        except (Exception, SystemExit) as error:
            # env.py may catch it and continue.
            self.failure = self.failure or error
            raise


def _env_failed(project: Project, error: BaseException) -> RunnerError:
    error = project.failed_import or error
    is_unrelated = isinstance(error, OSError) and not _comes_from_connecting(error)
    if not is_unrelated and (failure := condition(error, of_version_table=False)):
        return failure
    return EnvFailed(
        "invalid_project",
        f"env.py failed: {describe(error)}{location(error)}",
        next_step(
            project,
            error,
            f"run `{project.command} current` in the backend's folder with the same environment, fix what it reports and try "
            "again",
        ),
    )


def _comes_from_connecting(error: BaseException) -> bool:
    """Whether a driver or SQLAlchemy raised it. env.py may also read files and call other services."""
    frames = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    return any(name.split(".")[0] in ("sqlalchemy", *DRIVERS) for name in frames)


def application_context(project: Project) -> AbstractContextManager[Any]:
    """Flask's application context, if env.py needs one: Flask-Migrate's env.py reads its database from the running application.
    Raises RunnerError `invalid_project` if there is no application, unless env.py also runs without one."""
    env = Path(project.script.dir) / "env.py"
    if not needs_flask(env):
        return nullcontext()
    try:
        from flask import has_app_context
    except ImportError:
        return nullcontext()
    if has_app_context():
        return nullcontext()
    application = _load_application(project, env)
    return nullcontext() if application is None else application.app_context()


def _flask_step(project: Project) -> str:
    if "FLASK_APP" not in os.environ:
        return f"set FLASK_APP as for the command `flask` {project.environment}"
    return f"run `flask db current` until it works, and set the variables that it needs {project.environment}"


def flask_folder(folder: Path) -> Path:
    """The folder in which `flask` is called: that of `flask db init`, or one above it with the file or module that FLASK_APP
    names, such as `shop.app:create_app()`."""
    name = re.split(r":(?![\\/])", os.environ.get("FLASK_APP", ""), maxsplit=1)[0]
    paths = (name, f"{name.replace('.', os.sep)}.py", name.replace(".", os.sep))
    matches = (above for above in (folder, *folder.parents) if any((above / path).exists() for path in paths))
    return next(matches, folder) if name else folder


def _load_application(project: Project, env: Path) -> Any:
    """Loads the application as the `flask` command does. None if there is none and env.py runs with plain Alembic, too."""
    from flask.cli import NoAppException, ScriptInfo, load_dotenv

    # `flask db init` creates the project in a folder next to the application.
    folder = project.directory.parent if env.parent.samefile(project.directory) else project.directory
    # The `flask` command also reads `.env`, which is not packaged. Variables that are already set stay.
    if variables := next((file for above in (folder, *folder.parents) if (file := above / ".flaskenv").is_file()), None):
        load_dotenv(variables)
    # The `flask` command sets it: `app.run()` then starts no server, and the application may do less than when it serves.
    os.environ["FLASK_RUN_FROM_CLI"] = "true"
    # `location` reports lines relative to the working directory.
    with chdir(flask_folder(folder)), project.destination.connecting():
        try:
            # Only the `flask` command reads this variable.
            return ScriptInfo(app_import_path=os.environ.get("FLASK_APP")).load_app()
        except (Exception, SystemExit) as error:
            has_none = isinstance(error, NoAppException)
            if has_none and "FLASK_APP" not in os.environ and runs_without_flask(env):
                return None
            step = _flask_step(project)
            raise EnvFailed(
                "invalid_project",
                f"env.py needs Flask's application, which could not be loaded: {describe(error)}{location(error)}",
                step if has_none else next_step(project, error, step),
            ) from error
