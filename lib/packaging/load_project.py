"""Loads a package like the function, without a database: `python load_project.py <package> <overlay> <variables>` prints JSON.

The packaged runner finds the project. env.py runs in Alembic's offline mode up to its migrations, in Flask's application context
if it needs one, and Alembic itself loads the revisions. Nothing connects or starts.
`refused` is what the runner refuses in the order of the revisions. `missing` is a module that neither the package nor Python
has; `own`: the backend's own package lacks it. `unproved` is any other reason why env.py or the revisions did not load: settings
that only the function has, or a library for another machine. `foreign` are distributions with such libraries; the overlay has
this machine's. `variables` are the names of those that the function fills with the database's address.
"""

from __future__ import annotations

import importlib.machinery
import json
import os
import re
import sys
import traceback
from contextlib import ExitStack
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

# Modules in Lambda's Python, https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
PROVIDED = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six", "awslambdaric")

FORBIDDEN = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork")

# Takes the place of the database's address. Nothing connects to it.
ADDRESS = {"host": "localhost", "port": "5432", "user": "user", "password": "password", "database": "database"}


class Refused(BaseException):
    """Packaging must not do this. A BaseException, so that `except Exception` in a project does not catch it."""


class Overlay:
    """Finds this machine's libraries before the package's."""

    def __init__(self, folder: str) -> None:
        self._path = [folder]

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(name, self._path, target) if path is None else None
        # A namespace package may have other parts in the package.
        return spec if spec is not None and spec.loader is not None else None


def main(package: Path, overlay: str, variables: dict[str, str]) -> dict[str, Any]:
    sys.path.insert(0, str(package))
    if overlay:
        sys.meta_path.insert(0, Overlay(overlay))
    sys.argv = ["alembic"]
    sys.addaudithook(refuse)
    answer: dict[str, Any] = {}
    failures: list[BaseException] = []
    unset = watch_environment(package / "backend")
    try:
        load(answer, failures, variables)
    except (Exception, SystemExit, Refused) as error:
        failures.append(error)
    for error in failures:
        judge(error, package, answer, sorted(unset))
    return answer


def load(answer: dict[str, Any], failures: list[BaseException], variables: dict[str, str]) -> None:
    from cdk_alembic.database.address import DatabaseVariables
    from cdk_alembic.project.configuration import packaged_driver
    from cdk_alembic.project.environment import application_context
    from cdk_alembic.project.project import Project
    from cdk_alembic.project.revisions import refuse_heads_that_are_not_meant
    from cdk_alembic.protocol.errors import ProjectError, RunnerError

    DatabaseVariables(os.environ, packaged_driver()).set(ADDRESS, {"variables": variables})
    project = Project.of_package()
    with ExitStack() as stack:
        try:
            stack.enter_context(application_context(project))
        except RunnerError as error:
            failures.append(error)
        is_complete = run_env(project, failures)
        try:
            project.load()
            if is_complete:
                refuse_heads_that_are_not_meant(project)
        except ProjectError as error:
            found = error if error.code == "multiple_heads" else project.problem()
            # If env.py did not finish, Alembic may have looked in another location.
            if found is None or not is_complete:
                raise
            answer["refused"] = f"{found.message}: {found.next}"


def run_env(project: Any, failures: list[BaseException]) -> bool:
    """Runs env.py, which may set where the revisions are. Returns whether it ran to its end."""
    from alembic.runtime.environment import EnvironmentContext
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def connect(*_: Any) -> None:
        raise Refused("env.py connects")

    event.listen(Engine, "do_connect", connect)
    options = {"as_sql": True, "dont_mutate": True, "starting_rev": None}
    try:
        with EnvironmentContext(project.config, project.script, fn=lambda *_: [], **options):
            project.script.run_env()
    except Refused:
        # What comes next is the database.
        return False
    except (Exception, SystemExit) as error:
        failures.append(error)
    return not failures


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in FORBIDDEN:
        raise Refused(event)


def watch_environment(backend: Path) -> set[str]:
    """The environment variables that the backend's own code reads from now on and that are not set."""
    unset: set[str] = set()

    class Watched(type(os.environ)):
        def __getitem__(self, name: str) -> str:
            try:
                return super().__getitem__(name)
            except KeyError:
                if any(frame.filename.startswith(f"{backend}{os.sep}") for frame in traceback.extract_stack(limit=5)):
                    unset.add(name)
                raise

    os.environ.__class__ = Watched
    return unset


def judge(error: BaseException, package: Path, answer: dict[str, Any], unset: list[str]) -> None:
    while not isinstance(error, ImportError) and (cause := cause_of(error)) is not None:
        error = cause
    folders = (f"{package / 'backend'}{os.sep}", f"{package / 'site-packages'}{os.sep}")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(folders)]
    where = f"{Path(frames[-1].filename).relative_to(package)}:{frames[-1].lineno}" if frames else ""
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith(PROVIDED) and not exists(error.name):
        answer.setdefault("missing", {"module": error.name, "by": where, "unset": unset})
        return
    if isinstance(error, ImportError) and error.name and error.path is None and "unknown location" in str(error):
        # A folder has this name but not the module.
        answer.setdefault("missing", {"module": error.name, "by": where, "unset": unset})
        return
    if isinstance(error, ImportError) and (name := generated(error, package / "backend")):
        answer.setdefault("missing", {"module": name, "by": where, "unset": unset, "own": True})
        return
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    answer.setdefault("unproved", f"{text} ({where})" if where else text)
    if isinstance(error, ImportError):
        answer["foreign"] = foreign(package / "site-packages")


def cause_of(error: BaseException) -> BaseException | None:
    # Flask raises it `from None`.
    return error.__context__ if type(error).__name__ == "NoAppException" else error.__cause__


def generated(error: ImportError, backend: Path) -> str | None:
    """The module that a backend imports from its own package, and that the package does not have; None if it is another error."""
    found = re.match(r"cannot import name '(\w+)' from '([\w.]+)'", str(error))
    is_own = error.path is not None and Path(error.path).name == "__init__.py" and Path(error.path).is_relative_to(backend)
    # A circle of imports also has names that are not there yet.
    return f"{found[2]}.{found[1]}" if found and is_own and "partially initialized" not in str(error) else None


def exists(name: str) -> bool:
    """Whether the package has a module, even one for another machine."""
    below = Path(*name.split("."))
    for root in map(Path, sys.path):
        parent = root / below.parent
        if (root / below).is_dir() or any(parent.glob(f"{below.name}.py*")) or any(parent.glob(f"{below.name}.*so")):
            return True
    return False


def foreign(site_packages: Path) -> list[str]:
    """Distributions with libraries that this Python can't load, as `name==version`."""
    suffixes = tuple(suffix for suffix in importlib.machinery.EXTENSION_SUFFIXES if suffix.startswith(".cpython"))
    found = []
    for distribution in distributions(path=[str(site_packages)]):
        name = distribution.metadata["Name"]
        folders = {
            site_packages / name.lower().replace("-", "_"),
            *(site_packages / line for line in (distribution.read_text("top_level.txt") or "").split()),
        }
        libraries = [library for folder in folders if folder.is_dir() for library in folder.rglob("*.so")]
        if any(not library.name.endswith(suffixes) for library in libraries):
            found.append(f"{name}=={distribution.version}")
    return sorted(found)


if __name__ == "__main__":
    # The project's own output must not mix with the answer.
    out, sys.stdout = sys.stdout, sys.stderr
    found = main(Path(sys.argv[1]).resolve(), sys.argv[2], json.loads(sys.argv[3]))
    out.write(json.dumps(found))
    out.flush()
    # The project's threads and what it registered to run at exit must not change the answer or delay it.
    os._exit(0)
