"""Loads a project's revisions from the folders that env.py sets, without a database."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from cdk_alembic.connection.listeners import listening
from cdk_alembic.project.project import Project


def load_without_database(project: Project) -> None:
    """Loads the revisions at the point where env.py would connect, with the paths, locations and context that it has set so far.

    Nothing connects, unless env.py has its own `creator`; that connection is not used. If env.py fails earlier, the revisions are
    loaded with what it has set so far; the code that connects reports the failure.
    Raises ProjectError for revisions that can't be loaded.
    """
    from alembic.runtime.environment import EnvironmentContext
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import Pool

    def load(*_: Any) -> None:
        project.revisions.load()
        raise _Loaded

    environment = EnvironmentContext(project.config, project.script, fn=load, dont_mutate=True)
    # If env.py has its own `creator`, it connects without do_connect. A class's listeners run before those of an engine, which
    # may connect themselves.
    with listening((Engine, "do_connect", load), (Pool, "connect", load)), suppress(_Loaded, Exception, SystemExit), environment:
        project.script.run_env()
    project.revisions.load()


class _Loaded(BaseException):
    """Stops env.py before it connects. A BaseException, so that `except Exception` in env.py does not catch it."""
