"""Loads a package like the function, without a database, and prints JSON: `load_project.py <package> <overlay> <variables>
<installed>`.

The packaged runner finds the project. env.py runs in Alembic's offline mode up to its migrations, in Flask's application
context if it needs one, and Alembic itself loads the revisions. Before that, env.py runs as in the function, up to where it
connects.
Nothing connects or starts, and the package is read-only, as on Lambda.
`refused` is what the runner refuses in the order of the revisions. `missing` is a module that neither the package nor Python
has; `own`: the backend's own package lacks it. `unproved` is any other reason why env.py or the revisions did not load:
settings that only the function has, or a library for another machine. `fails`: the function would fail, too; `inCode`: with any
settings; `wrongSyntax`: the backend's own; `arguments`: those of `-x` that env.py looked for. `otherDriver`: with another
driver in the database's URL, it may load. `foreign` are distributions with such libraries; the overlay has this machine's.
`variables` are the names of those that the function fills with the database's address. `elsewhere` is another address to which
env.py connects, and the line that connects; `isPostgres`: the function can replace it; `settings`: the variables of settings
that hold it. `writes`: it writes beside its code, which the runner can allow. `unset` are variables that the backend read
before, the last one first; `required`: those that the error is about; `wrong`: variables of the function whose values it is
about. `isLikely`: the function's connection might avoid the failure. `absent`: the backend's path that it needs and the package
lacks. `connects`: the first address, other than the database's, to which something connects when it is loaded, and the line.
`loadConnects`: the line of Flask's application that connects to the database when it is loaded, and can't go on without.
`installed` is a JSON file of what is installed, or empty: `used` is then what the project uses, unless it did not load.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

# Python starts isolated, without the script's folder: the backend may have modules of the same names.
sys.path.append(str(Path(__file__).parents[1]))
# The package has the runner.
sys.path.insert(0, str(Path(sys.argv[1]).resolve()))
from load_project.address_settings import address_settings, unset_settings
from load_project.connections import ADDRESS, MissingGreenlet, elsewhere, has_wrong_driver, refuse_connections
from load_project.errors import (
    absent_in,
    causes_of,
    described,
    has_wrong_syntax,
    in_backend,
    in_code,
    judge,
    location_in,
    of_sqlite,
    own_line,
    root_of,
    writes_in,
)
from load_project.sandbox import Overlay, Refused, is_refused, let_libraries_be_found, read_only, refuse, without_network
from load_project.variables import (
    last_first,
    required_variables,
    settings_in_line,
    settings_of,
    watch_environment,
    wrong_variables,
)
from load_project.x_arguments import watch_arguments

sys.path.pop()

# Variables that Lambda sets, https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
OF_LAMBDA = {"AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "migrate", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}

# What lib/packaging/proof/proof.ts starts this script with, besides the function's variables.
OF_PROOF = ("PATH", "HOME", "LANG", "LAMBDA_TASK_ROOT", "AWS_DEFAULT_REGION")


class ProjectNotLoaded(Exception):
    """A revision that env.py finds could not be loaded."""


def main(package: Path, overlay: str, variables: dict[str, str], installed: dict[str, Any] | None) -> dict[str, Any]:
    if overlay:
        sys.meta_path.insert(0, Overlay(overlay))
    given = {name: value for name, value in os.environ.items() if name not in OF_PROOF}
    os.environ.update(OF_LAMBDA)
    sys.addaudithook(refuse)
    no_network, connected = without_network(package, ADDRESS["host"])
    sys.addaudithook(no_network)
    sys.addaudithook(read_only(package))
    let_libraries_be_found()
    answer: dict[str, Any] = {}
    failures: list[BaseException] = []
    certain: list[BaseException] = []
    backend = package / "backend"
    unset = watch_environment(backend)
    arguments: dict[str, None] = {}
    project = None
    try:
        project = load(package, answer, failures, certain, variables, arguments)
    except (Exception, SystemExit, Refused) as error:
        failures.append(error)
        # In the function, a revision is loaded with a connection: only this would fail there too.
        if isinstance(error, ProjectNotLoaded) and required_variables(root_of(error), backend, last_first(unset)):
            certain.append(error)
    if connected:
        answer["connects"] = connected[0]
    if "elsewhere" in answer:
        answer["elsewhere"]["unset"] = [*last_first(unset), *unset_settings()]
    for error in (*certain, *failures):
        judge(error, package, answer, last_first(unset), with_overlay=bool(overlay))
    if certain and has_wrong_driver(root_of(certain[0])):
        answer["otherDriver"] = True
    if certain and (place := of_sqlite(root_of(certain[0]), backend)) is not None:
        found = {"address": "an SQLite database", "isPostgres": False, "settings": address_settings("sqlite")}
        answer["elsewhere"] = {**found, "by": place, "unset": [*last_first(unset), *unset_settings()]}
    elif "missing" not in answer and (failure := next(iter([*certain, *filter(is_likely, failures)]), None)):
        root = root_of(failure)
        required = required_variables(root, backend, last_first(unset))
        # Of a class that lacks the database's password, the other parts of the address may have defaults.
        of_class = settings_of(root) if required else settings_in_line(root, backend)
        read = [*last_first(unset), *of_class]
        answer["fails"] = {
            "reason": in_backend(described(causes_of(failure), package)).replace(f"{backend}{os.sep}", ""),
            "absent": absent_in(root, backend),
            "inCode": in_code(failure),
            "wrongSyntax": has_wrong_syntax(failure, backend),
            "isLikely": not certain,
            "writes": writes_in(root, backend),
            "unset": [name for name in dict.fromkeys(read) if name not in os.environ],
            "required": required,
            "wrong": wrong_variables(root, given),
            "arguments": [*arguments],
            "inRevision": isinstance(failure, ProjectNotLoaded),
        }
    if installed and project and not failures:
        from load_project.used_distributions import used_by_project

        # env.py may have set where they are.
        revisions = [os.path.realpath(revision.path) for revision in project.script.walk_revisions()]
        answer["used"] = used_by_project(package, revisions, **installed)
    return answer


def is_likely(error: BaseException) -> bool:
    """Whether a revision would hardly load in the function either: there, `op` has a connection."""
    return isinstance(error, ProjectNotLoaded) and not is_refused(error) and "proxy object" not in str(root_of(error))


def load(
    package: Path,
    answer: dict[str, Any],
    failures: list[BaseException],
    certain: list[BaseException],
    variables: dict[str, str],
    arguments: dict[str, None],
) -> Any:
    """Returns the project; None if it did not load.

    `certain`: failures that the function has too, with the same settings. `arguments`: those of `-x` that env.py looks for.
    """
    from cdk_alembic.connection.address import DatabaseVariables
    from cdk_alembic.project.configuration import manifest
    from cdk_alembic.project.environment import application_context
    from cdk_alembic.project.project import Project
    from cdk_alembic.protocol.errors import ProjectError, RunnerError

    DatabaseVariables(os.environ, {"source": "environment"}, manifest().get("driver")).set(ADDRESS, {"variables": variables})
    try:
        # Imports Alembic and SQLAlchemy. A folder of links is removed with the working directory.
        tempfile.tempdir = str(Path.cwd())
        project = Project.of_package()
        tempfile.tempdir = None
        answer["command"] = project.command
        connections = refuse_connections()
    except (RunnerError, Refused):
        raise
    except Exception as error:
        certain.append(error)
        return None
    with ExitStack() as stack:
        try:
            connections.is_loading_application = True
            stack.enter_context(application_context(project))
        except (RunnerError, Refused) as error:
            if is_refused(error):
                causes = causes_of(error)
                answer.update(unproved=described(causes, package), loadConnects=own_line(causes, package))
                return None
            certain.append(error)
        connections.is_loading_application = False
        has_application = not certain
        end = run_env(project, certain, arguments)
        if connections:
            dialect, parameters, is_wrong = connections[0]
            if found := elsewhere(dialect, parameters, variables):
                answer["elsewhere"] = {**found, "by": location_in(package, end, "backend") if end else ""}
            if is_wrong:
                error = MissingGreenlet(f"env.py connects with {dialect.driver}, which needs an async engine")
                certain.append(error.with_traceback(end.__traceback__ if end else None))
        elif end and is_refused(end):
            answer["unproved"] = described(causes_of(end), package)
        # Alembic's offline mode runs to the end of env.py, which may set where the revisions are. The function does not use it:
        # if env.py connects, it only has to load.
        ignored: list[BaseException] = [] if connections and not certain else failures
        is_complete = run_env(project, ignored, arguments, as_sql=True, starting_rev=None) is None and has_application
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
            answer["refused"] = f"{found.message}: {found.next}"
            return None
    return None if certain else project


def run_env(project: Any, failures: list[BaseException], arguments: dict[str, None], **options: Any) -> BaseException | None:
    """Runs env.py without revisions, up to where it connects. Returns what stopped it before its end."""
    from alembic.runtime.environment import EnvironmentContext

    try:
        with EnvironmentContext(project.config, project.script, fn=lambda *_: [], dont_mutate=True, **options) as environment:
            watch_arguments(environment, arguments)
            project.script.run_env()
    except (Exception, SystemExit, Refused, BaseExceptionGroup) as error:
        if not is_refused(error):
            failures.append(error)
        return error
    return None


if __name__ == "__main__":
    # The project's own output must not mix with the answer.
    out, sys.stdout = sys.stdout, sys.stderr
    installed = json.loads(Path(sys.argv[4]).read_text(encoding="utf-8")) if sys.argv[4] else None
    found = main(Path(sys.argv[1]).resolve(), sys.argv[2], json.loads(sys.argv[3]), installed)
    out.write(json.dumps(found))
    out.flush()
    # The project's threads and what it registered to run at exit must not change the answer or delay it.
    os._exit(0)
