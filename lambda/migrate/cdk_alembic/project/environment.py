"""Runs the backend's env.py, unchanged, with our own steps, transactions and observation around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..database.connecting import bounded_connects
from ..database.failures import connection_failure, describe, location
from ..protocol.errors import RunnerError
from .project import Project
from .version_updates import brisk

Steps = Callable[[tuple[str, ...], Any], Iterable[Any]]


def run_environment(
    project: Project,
    steps: Steps,
    around: Callable[[Any], AbstractContextManager[None]] | None = None,
) -> None:
    """Executes env.py once.

    `steps(heads, context)` is Alembic's `fn`: it gives the revisions to run, and code between two of them runs between their
    transactions. `around(context)` is entered where env.py calls run_migrations, in the connection's own context (the greenlet
    of an async env.py), before Alembic reads the heads. Without `around` nothing is written, not even the version table.

    Raises RunnerError for a database that can't be entered and for an env.py that fails outside of run_migrations; what fails
    inside of it is passed on as it is.
    """
    from alembic.runtime.environment import EnvironmentContext

    state: dict[str, Any] = {"runs": 0, "inside": False, "error": None}
    # env.py calls configure on the installed instance. A subclass would not be reached: alembic.context proxies only the class
    # that it registered.
    environment = EnvironmentContext(project.config, project.script, fn=steps, dont_mutate=around is None)
    configure = environment.configure

    def configure_and_guard(*args: Any, **options: Any) -> None:
        configure(*args, **{**options, "transaction_per_migration": True})
        context = environment.get_context()
        run_migrations = context.run_migrations

        def run_guarded(**arguments: Any) -> None:
            _check(context, state["runs"])
            state["runs"] += 1
            state["inside"] = True
            try:
                with around(context) if around else nullcontext(), brisk(context) if around else nullcontext():
                    run_migrations(**arguments)
            except (Exception, SystemExit) as error:
                state["error"] = error
                raise
            state["inside"] = False

        context.run_migrations = run_guarded

    environment.configure = configure_and_guard
    with environment, bounded_connects():
        try:
            project.script.run_env()
        except RunnerError:
            raise
        except (Exception, SystemExit) as error:
            if state["inside"]:
                raise
            raise _outside(error) from error
    if state["error"] is not None:
        # An env.py that catches what a revision raises would make a success of it.
        raise state["error"]
    if state["runs"] == 0:
        raise RunnerError(
            "invalid_project",
            "env.py ended without a call of context.run_migrations()",
            "compare env.py with Alembic's own template; `alembic current` must print the database's revision",
        )


def _check(context: Any, earlier_runs: int) -> None:
    if context.connection is None or context.dialect.name != "postgresql":
        raise RunnerError(
            "invalid_project",
            f"env.py configured {context.dialect.name} without a connection to PostgreSQL",
            "let env.py connect to PostgreSQL in its online mode",
        )
    if earlier_runs:
        raise RunnerError(
            "invalid_project",
            "env.py calls context.run_migrations() more than once",
            "let env.py migrate one database and one schema; deploy one construct for each",
        )


def _outside(error: BaseException) -> RunnerError:
    if isinstance(error, Exception) and (failure := connection_failure(error)):
        return failure
    return RunnerError(
        "invalid_project",
        f"env.py failed: {describe(error)}{location(error)}",
        "run `alembic current` in the backend's folder with the same environment, mend what it reports and try again",
    )
