"""Runs the backend's unchanged env.py with the runner's own steps, transactions and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from ..database.conditions import condition
from ..database.connecting import bounded_connects
from ..database.failures import describe, location, missing_variable
from ..database.version_table import prepare
from ..database.watchdog import expect, relax
from ..protocol.errors import EnvFailed, RunnerError
from .project import SET_VARIABLE, Project
from .revisions import check_rows

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
    from alembic.runtime.environment import EnvironmentContext

    # env.py calls configure on the installed instance. A subclass would not work: alembic.context proxies only the class that
    # it registered.
    environment = EnvironmentContext(project.config, project.script, fn=steps, dont_mutate=around is None)
    execution = _Execution(project, environment, around)
    environment.configure = execution.configure
    expect()
    with environment, bounded_connects():
        try:
            project.script.run_env()
        except (Exception, SystemExit) as error:
            if execution.failure is None:
                if isinstance(error, RunnerError):
                    raise
                raise _outside(error) from error
        finally:
            relax()
    execution.verify()


def load_without_database(project: Project) -> None:
    """Loads the revisions at the point where env.py would connect, with the paths, locations and context that it has set so far.

    Nothing connects, unless env.py has its own `creator`; that connection is not used. If env.py fails earlier, the revisions are
    loaded with what it has set so far; the code that connects reports the failure.
    Raises ProjectError for revisions that can't be loaded.
    """
    from alembic.runtime.environment import EnvironmentContext
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import Pool

    def load(*_: Any) -> None:
        project.load()
        raise _Loaded

    # If env.py has its own `creator`, it connects without do_connect.
    listened = ((Engine, "do_connect"), (Pool, "connect"))
    environment = EnvironmentContext(project.config, project.script, fn=load, dont_mutate=True)
    for target, name in listened:
        # A class's listeners run before those of an engine, which may connect themselves.
        event.listen(target, name, load)
    try:
        with suppress(_Loaded, Exception, SystemExit), environment:
            project.script.run_env()
    finally:
        for target, name in listened:
            event.remove(target, name, load)
    project.load()


class _Loaded(BaseException):
    """Stops env.py before it connects. A BaseException, so that `except Exception` in env.py does not catch it."""


def current(project: Project, look: Callable[[tuple[str, ...], Any], None] | None = None) -> tuple[str, ...]:
    """The version table's revisions, read on a separate connection; empty if the table does not exist.

    `look(heads, context)` may read more, or write over its own connections. Raises RunnerError.
    """
    found: list[tuple[str, ...]] = []

    def steps(heads: tuple[str, ...], context: Any) -> tuple[()]:
        check_rows(project, heads, context.version_table)
        found.append(tuple(sorted(heads)))
        if look is not None:
            look(found[0], context)
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
        self._project = project
        self._environment = environment
        self._configure = environment.configure
        self._around = around
        self._runs = 0

    def configure(self, *args: Any, **options: Any) -> None:
        """Replaces EnvironmentContext.configure."""
        self._configure(*args, **{**options, "transaction_per_migration": True})
        context = self._environment.get_context()
        run_migrations = context.run_migrations
        context.run_migrations = lambda **arguments: self._run_migrations(context, run_migrations, arguments)

    def _run_migrations(self, context: Any, run_migrations: Callable[..., None], arguments: dict[str, Any]) -> None:
        try:
            _check(context, self._runs)
            self._runs += 1
            self._project.load()
            if self._around is None:
                prepare(context.connection)
            with self._around(context) if self._around else nullcontext():
                run_migrations(**arguments)
        except (Exception, SystemExit) as error:
            # env.py may catch it and go on.
            self.failure = self.failure or error
            raise

    def verify(self) -> None:
        """Raises the failure, which env.py may have caught or replaced, and RunnerError if no migrations ran."""
        if self.failure is not None:
            raise self.failure
        if self._runs == 0:
            raise RunnerError(
                "invalid_project",
                "env.py did not call context.run_migrations()",
                "compare env.py with Alembic's template until `alembic current` prints the database's revision",
            )


def _check(context: Any, earlier_runs: int) -> None:
    if context.connection is None or context.dialect.name != "postgresql":
        raise RunnerError(
            "invalid_project",
            f"env.py configured {context.dialect.name} without a connection to PostgreSQL",
            "make env.py connect to PostgreSQL in online mode",
        )
    if earlier_runs:
        raise RunnerError(
            "invalid_project",
            "env.py calls context.run_migrations() more than once",
            "make env.py migrate one database and one schema, and deploy one construct for each",
        )


def _outside(error: BaseException) -> RunnerError:
    is_of_the_machine = isinstance(error, OSError) and error.filename is not None
    if not is_of_the_machine and (failure := condition(error, of_version_table=False)):
        return failure
    return EnvFailed(
        "invalid_project",
        f"env.py failed: {describe(error)}{location(error)}",
        SET_VARIABLE
        if missing_variable(error)
        else "run `alembic current` in the backend's folder with the same environment, fix what it reports and try again",
    )
