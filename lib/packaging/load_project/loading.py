"""Loads a package's project as the runner does, up to where it connects."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .connections import ADDRESS, Connections, MissingGreenlet, elsewhere, refuse_connections
from .errors import causes_of, described, location_in, own_line
from .sandbox import Refused, is_refused
from .x_arguments import watch_arguments


class ProjectNotLoaded(Exception):
    """A revision that env.py finds could not be loaded."""


@dataclass
class Loading:
    """One attempt, and what it finds."""

    package: Path
    variables: dict[str, str]
    """The names of the variables that the function fills with the database's address."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Of `Proof` in lib/packaging/proof/proof.ts."""
    failures: list[BaseException] = field(default_factory=list)
    """What ended env.py or a revision."""
    certain: list[BaseException] = field(default_factory=list)
    """Failures that the function has too, with the same settings."""
    arguments: dict[str, None] = field(default_factory=dict)
    """Arguments of `-x` that env.py looks for."""

    def run(self) -> Any:
        """Returns the project; None if it did not load. Raises what it can't load without."""
        found = self._project()
        if found is None:
            return None
        project, connections = found
        with ExitStack() as stack:
            if not self._enter_application(project, connections, stack):
                return None
            has_application = not self.certain
            self._run_up_to_connection(project, connections)
            # Alembic's offline mode runs to the end of env.py, which may set where the revisions are. The function does not use
            # it: if env.py connects, it only has to load.
            ignored: list[BaseException] = [] if connections and not self.certain else self.failures
            end = self._run_env(project, ignored, as_sql=True, starting_rev=None)
            is_loaded = self._load_revisions(project, is_complete=end is None and has_application)
        return project if is_loaded and not self.certain else None

    def _project(self) -> tuple[Any, Connections] | None:
        """Imports Alembic and SQLAlchemy, whose connections all fail from here on."""
        from cdk_alembic.connection.address import DatabaseVariables
        from cdk_alembic.project.configuration import manifest
        from cdk_alembic.project.project import Project
        from cdk_alembic.protocol.errors import RunnerError

        address = DatabaseVariables(os.environ, {"source": "environment"}, manifest().get("driver"))
        address.set(ADDRESS, {"variables": self.variables})
        try:
            # A folder of links is removed with the working directory.
            tempfile.tempdir = str(Path.cwd())
            project = Project.of_package()
            tempfile.tempdir = None
            self.facts["command"] = project.command
            return project, refuse_connections()
        except (RunnerError, Refused):
            raise
        except Exception as error:
            self.certain.append(error)
            return None

    def _enter_application(self, project: Any, connections: Connections, stack: ExitStack) -> bool:
        """Loads Flask's application if env.py needs it. Returns whether env.py can run."""
        from cdk_alembic.project.environment import application_context
        from cdk_alembic.protocol.errors import RunnerError

        connections.is_loading_application = True
        try:
            stack.enter_context(application_context(project))
        except (RunnerError, Refused) as error:
            if is_refused(error):
                causes = causes_of(error)
                self.facts.update(unproved=described(causes, self.package), loadConnects=own_line(causes, self.package))
                return False
            self.certain.append(error)
        connections.is_loading_application = False
        return True

    def _run_up_to_connection(self, project: Any, connections: Connections) -> None:
        """Runs env.py as in the function."""
        end = self._run_env(project, self.certain)
        if connections:
            dialect, parameters, is_wrong = connections[0]
            if found := elsewhere(dialect, parameters, self.variables):
                self.facts["elsewhere"] = {**found, "by": location_in(self.package, end, "backend") if end else ""}
            if is_wrong:
                error = MissingGreenlet(f"env.py connects with {dialect.driver}, which needs an async engine")
                self.certain.append(error.with_traceback(end.__traceback__ if end else None))
        elif end and is_refused(end):
            self.facts["unproved"] = described(causes_of(end), self.package)

    def _run_env(self, project: Any, failures: list[BaseException], **options: Any) -> BaseException | None:
        """Runs env.py without revisions, up to where it connects. Returns what stopped it before its end."""
        from alembic.runtime.environment import EnvironmentContext

        try:
            with EnvironmentContext(project.config, project.script, fn=lambda *_: [], dont_mutate=True, **options) as environment:
                watch_arguments(environment, self.arguments)
                project.script.run_env()
        except (Exception, SystemExit, Refused, BaseExceptionGroup) as error:
            if not is_refused(error):
                failures.append(error)
            return error
        return None

    def _load_revisions(self, project: Any, is_complete: bool) -> bool:
        """Returns whether the runner accepts them. `is_complete`: whether env.py ran to its end."""
        from cdk_alembic.protocol.errors import ProjectError

        try:
            project.revisions.load()
            if is_complete:
                project.revisions.refuse_unintended_heads()
        except ProjectError as error:
            found = error if error.code == "multiple_heads" else project.revisions.problem()
            # If env.py did not finish, Alembic may have looked in another location.
            if not is_complete:
                raise
            if found is None:
                raise ProjectNotLoaded from error
            self.facts["refused"] = f"{found.message}: {found.next}"
            return False
        return True
