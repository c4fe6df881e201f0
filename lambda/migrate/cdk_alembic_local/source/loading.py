"""Loads a project's revisions where env.py makes Alembic look for them, without a database."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from cdk_alembic.project.project import Project


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
