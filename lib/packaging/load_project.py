"""Loads a package like the function, without a database, and prints JSON: `load_project.py <package> <overlay> <variables>
<installed>`.

The packaged runner finds the project. env.py runs in Alembic's offline mode up to its migrations, in Flask's application
context if it needs one, and Alembic itself loads the revisions. Before that, env.py runs as in the function, up to where it
connects.
Nothing connects or starts, and the package is read-only, as on Lambda.
`refused` is what the runner refuses in the order of the revisions. `missing` is a module that neither the package nor Python
has; `own`: the backend's own package lacks it. `unproved` is any other reason why env.py or the revisions did not load:
settings that only the function has, or a library for another machine. `fails`: the function would fail with it too; `inCode`:
with any settings. `otherDriver`: with another driver in the database's URL, it may load. `foreign` are distributions with such
libraries; the overlay has this machine's. `variables` are the names of those that the function fills with the database's
address. `elsewhere` is another address to which env.py connects, and the line that does; `isPostgres`: the function can replace
it. `writes`: it writes beside its code, which the runner can allow. `unset` are variables that the backend read before, the
last one first; `required`: those that the error is about; `wrong`: variables of the function whose values it is about.
`installed` is a JSON file of what is installed, or empty: `used` is then what the project uses, unless it did not load.
"""

from __future__ import annotations

import errno
import importlib
import importlib.machinery
import json
import linecache
import os
import platform
import re
import sys
import tempfile
import traceback
from contextlib import ExitStack, suppress
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

# Modules in Lambda's Python, https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
PROVIDED = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six", "awslambdaric")

FORBIDDEN = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork")

# Takes the place of the database's address. Nothing connects to it, and no backend has this host by default.
ADDRESS = {"host": "cdk-alembic.invalid", "port": "5432", "user": "user", "password": "password", "database": "database"}

# Variables that Lambda sets, https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
OF_LAMBDA = {"AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "migrate", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}

# What lib/packaging/proof/proof.ts starts this script with, besides the function's variables.
OF_PROOF = ("PATH", "HOME", "LANG", "LAMBDA_TASK_ROOT", "AWS_DEFAULT_REGION")

DRIVERS = ("psycopg", "psycopg2", "asyncpg", "pg8000")

MAX_TEXT = 500

# Where a backend connects if nothing sets its address. An empty host is a socket.
THIS_MACHINE = ("", "localhost", "127.0.0.1", "::1")


class Refused(BaseException):
    """Packaging must not do this. A BaseException, so that `except Exception` in a project does not catch it."""


class ProjectNotLoaded(Exception):
    """A revision that env.py finds could not be loaded."""


class MissingGreenlet(Exception):
    """What SQLAlchemy would raise: an async driver connects in a synchronous engine."""


class Overlay:
    """Finds this machine's libraries before the package's."""

    def __init__(self, folder: str) -> None:
        self._path = [folder]

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(name, self._path, target) if path is None else None
        # A namespace package may have other parts in the package.
        return spec if spec is not None and spec.loader is not None else None


def main(package: Path, overlay: str, variables: dict[str, str], installed: dict[str, Any] | None) -> dict[str, Any]:
    sys.path.insert(0, str(package))
    if overlay:
        sys.meta_path.insert(0, Overlay(overlay))
    sys.argv = ["alembic"]
    given = {name: value for name, value in os.environ.items() if name not in OF_PROOF}
    os.environ.update(OF_LAMBDA)
    sys.addaudithook(refuse)
    sys.addaudithook(read_only(package))
    let_libraries_be_found()
    answer: dict[str, Any] = {}
    failures: list[BaseException] = []
    certain: list[BaseException] = []
    backend = package / "backend"
    unset = watch_environment(backend)
    project = None
    try:
        project = load(package, answer, failures, certain, variables)
    except (Exception, SystemExit, Refused) as error:
        failures.append(error)
        # In the function, a revision is loaded with a connection: only this would fail there too.
        if isinstance(error, ProjectNotLoaded) and required_variables(root_of(error), backend, last_first(unset)):
            certain.append(error)
    if "elsewhere" in answer:
        answer["elsewhere"]["unset"] = last_first(unset)
    for error in (*certain, *failures):
        judge(error, package, answer, last_first(unset))
    if certain and has_wrong_driver(root_of(certain[0])):
        answer["otherDriver"] = True
    if certain and (place := of_sqlite(root_of(certain[0]), backend)) is not None:
        answer["elsewhere"] = {"address": "an SQLite database", "isPostgres": False, "by": place, "unset": last_first(unset)}
    elif certain and "missing" not in answer:
        required = required_variables(root_of(certain[0]), backend, last_first(unset))
        # Of a class that lacks the database's password, the other parts of the address may have defaults.
        read = [*last_first(unset), *(settings_of(root_of(certain[0])) if required else [])]
        answer["fails"] = {
            "reason": answer["unproved"],
            "inCode": in_code(certain[0]),
            "writes": writes_in(root_of(certain[0]), backend),
            "unset": [name for name in dict.fromkeys(read) if name not in os.environ],
            "required": required,
            "wrong": wrong_variables(root_of(certain[0]), given),
            "inRevision": isinstance(certain[0], ProjectNotLoaded),
        }
    if installed and project and not failures:
        # env.py may have set where they are.
        revisions = [os.path.realpath(revision.path) for revision in project.script.walk_revisions()]
        answer["used"] = used(package, revisions, installed)
    return answer


def used(package: Path, revisions: list[str], installed: dict[str, Any]) -> dict[str, list[str]]:
    sys.path.append(str(Path(__file__).parent))
    from used_distributions import used_by_project

    sys.path.pop()
    return used_by_project(package, revisions, **installed)


def load(
    package: Path,
    answer: dict[str, Any],
    failures: list[BaseException],
    certain: list[BaseException],
    variables: dict[str, str],
) -> Any:
    """Returns the project; None if it did not load.

    `certain`: failures that the function has too, with the same settings.
    """
    from cdk_alembic.connection.address import DatabaseVariables
    from cdk_alembic.project.configuration import manifest
    from cdk_alembic.project.environment import application_context
    from cdk_alembic.project.project import Project
    from cdk_alembic.protocol.errors import ProjectError, RunnerError

    DatabaseVariables(os.environ, manifest().get("driver")).set(ADDRESS, {"variables": variables})
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
            stack.enter_context(application_context(project))
        except RunnerError as error:
            if not is_refused(error):
                certain.append(error)
        has_application = not certain
        end = run_env(project, certain)
        if connections:
            dialect, parameters, is_wrong = connections[0]
            if found := elsewhere(dialect, parameters, variables):
                answer["elsewhere"] = {**found, "by": location_in(package, end, "backend") if end else ""}
            if is_wrong:
                error = MissingGreenlet(f"env.py connects with {dialect.driver}, which needs an async engine")
                certain.append(error.with_traceback(end.__traceback__ if end else None))
        # Alembic's offline mode runs to the end of env.py, which may set where the revisions are. The function does not use it:
        # if env.py connects, it only has to load.
        ignored: list[BaseException] = [] if connections and not certain else failures
        is_complete = run_env(project, ignored, as_sql=True, starting_rev=None) is None and has_application
        try:
            project.revisions.load()
            if is_complete:
                project.revisions.refuse_heads_that_are_not_meant()
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


def run_env(project: Any, failures: list[BaseException], **options: Any) -> BaseException | None:
    """Runs env.py without revisions, up to where it connects. Returns what stopped it before its end."""
    from alembic.runtime.environment import EnvironmentContext

    try:
        with EnvironmentContext(project.config, project.script, fn=lambda *_: [], dont_mutate=True, **options):
            project.script.run_env()
    except (Exception, SystemExit, Refused, BaseExceptionGroup) as error:
        if not is_refused(error):
            failures.append(error)
        return error
    return None


def refuse_connections() -> list[tuple[Any, dict[str, Any], bool]]:
    """Makes every connection fail. Returns the list of those that are tried: dialect, arguments, and `needs_greenlet`."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    tried: list[tuple[Any, dict[str, Any], bool]] = []

    def through_sqlalchemy(dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        tried.append((dialect, parameters, needs_greenlet(dialect, parameters)))
        raise Refused("env.py connects")

    def directly(*_: Any, **__: Any) -> None:
        raise Refused("env.py connects")

    event.listen(Engine, "do_connect", through_sqlalchemy)
    for name in ("psycopg", "psycopg2"):
        # They connect in C, without an audit event. What can't be imported connects to nothing.
        with suppress(Exception):
            importlib.import_module(name).connect = directly
    return tried


def elsewhere(dialect: Any, parameters: dict[str, Any], variables: dict[str, str]) -> dict[str, Any] | None:
    """The address to which env.py connects, if the function's database can't be there."""
    from cdk_alembic.connection.destination import asked

    if dialect.name != "postgresql":
        name = "an SQLite" if dialect.name == "sqlite" else f"a {dialect.name}"
        return {"address": f"{name} database", "isPostgres": False}
    found = asked(dialect.driver, parameters)
    host = found.server.host
    is_set = "url" in variables or "host" in variables
    if host == ADDRESS["host"] or not (is_set or host in THIS_MACHINE):
        return None
    return {"address": str(found), "isPostgres": True}


def needs_greenlet(dialect: Any, parameters: dict[str, Any]) -> bool:
    """Whether an async driver connects in a synchronous engine."""
    if not dialect.is_async or "async_fallback" in parameters:
        return False
    from greenlet import getcurrent

    current = getcurrent()
    # SQLAlchemy before 2.0.30 has the class without the attribute.
    return type(current).__name__ != "_AsyncIoGreenlet" and not getattr(current, "__sqlalchemy_greenlet_provider__", False)


def is_refused(error: BaseException | None) -> bool:
    """Whether this script caused an error."""
    while error is not None:
        if isinstance(error, Refused) or (isinstance(error, BaseExceptionGroup) and error.subgroup(Refused)):
            return True
        error = error.__cause__ or error.__context__
    return False


searched: list[str] = []
"""The shared library that is being looked for."""


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in FORBIDDEN or searched:
        return
    # croniter and others ask for the machine's architecture, for which `platform` starts `file`. Lambda has no such command.
    if any(frame.f_code.co_filename == platform.__file__ for frame, _ in traceback.walk_stack(None)):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(arguments[0]))
    raise Refused(event)


def let_libraries_be_found() -> None:
    """Lets python-magic and others look for a shared library, for which ctypes starts processes. Whether the function has one
    that this machine lacks is not known."""
    import ctypes.util

    find = ctypes.util.find_library

    def find_library(name: str, *options: Any) -> str:
        searched.append(name)
        try:
            found = find(name, *options)
        finally:
            searched.pop()
        if found is None:
            raise Refused(f"the shared library {name} is not on this machine")
        return found

    ctypes.util.find_library = find_library


def read_only(package: Path) -> Any:
    """An audit hook with which the package, and all but temporary files, can't be written, as on Lambda."""
    writable = tuple(
        f"{os.path.realpath(folder)}{os.sep}" for folder in (tempfile.gettempdir(), str(Path.cwd()), "/dev", "/proc")
    )

    def is_writable(path: str) -> bool:
        real = f"{os.path.realpath(path)}{os.sep}"
        return real.startswith(writable) and not real.startswith(f"{package}{os.sep}")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif event == "os.mkdir":
            path = arguments[0]
            # Linux looks for the folders first.
            folder = Path(os.fsdecode(path))
            if folder.exists() or not folder.absolute().parent.is_dir():
                return
        else:
            return
        if not is_writable(os.fsdecode(path)):
            raise OSError(errno.EROFS, "only /tmp is writable on Lambda", os.fsdecode(path))

    return hook


def watch_environment(backend: Path) -> dict[str, None]:
    """The environment variables that the backend's own code reads from now on and that are not set, in this order."""
    unset: dict[str, None] = {}

    class Watched(type(os.environ)):
        def __getitem__(self, name: str) -> str:
            try:
                return super().__getitem__(name)
            except KeyError:
                if is_read_by(backend, name):
                    unset.pop(name, None)
                    unset[name] = None
                raise

    os.environ.__class__ = Watched
    return unset


def last_first(unset: dict[str, None]) -> list[str]:
    return list(reversed(unset))


def is_read_by(backend: Path, name: str) -> bool:
    """Whether the code that reads a variable is the backend's, or a library to which the backend gives its name."""
    # Of os and of this script are the last four.
    frames = [frame.filename for frame in traceback.extract_stack(limit=7) if not frame.filename.startswith("<frozen")]
    *callers, reader = [real(file) for file in frames if file != __file__] or [""]
    folder = f"{backend}{os.sep}"
    return reader.startswith(folder) or any(
        name in "".join(linecache.getlines(file)) for file in callers if file.startswith(folder)
    )


def required_variables(error: BaseException, backend: Path, unset: list[str]) -> list[str]:
    """The unset variables that an error is about: everything that the same file, or the same class of settings, requires. Of other
    libraries for settings, such as python-decouple and environs, and of the backend's own check, those that the error names."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<frozen")]
    if type(error).__name__ == "NoAppException":
        names = ["FLASK_APP"]
    elif isinstance(error, KeyError) and len(frames) > 1 and frames[-1].filename in (os.__file__, __file__):
        files = [real(frame.filename) for frame in reversed(frames)]
        file = next((file for file in files if file.startswith(f"{backend}{os.sep}")), "")
        found = re.findall(r"""environ\[["'](\w+)["']\](?!\s*=[^=])""", "".join(linecache.getlines(file)))
        names = [str(error.args[0]), *found]
    elif isinstance(error, KeyError) and frames and is_of_a_copy(error, real(frames[-1].filename), backend):
        names = [str(error.args[0])]
    elif type(error).__name__ == "ValidationError":
        names = required_settings(error)
    else:
        names = [name for name in unset if re.search(rf"\b{re.escape(name)}\b", str(error))]
    return [name for name in dict.fromkeys(names) if name not in os.environ]


def is_of_a_copy(error: KeyError, file: str, backend: Path) -> bool:
    """Whether a copy of the environment lacks a variable, such as `{**dotenv_values(), **os.environ}["TOKEN"]`."""
    name = str(error.args[0]) if error.args else ""
    is_variable = re.fullmatch(r"[A-Z][A-Z0-9_]*", name) is not None
    return is_variable and file.startswith(f"{backend}{os.sep}") and "environ" in "".join(linecache.getlines(file))


def wrong_variables(error: BaseException, given: dict[str, str]) -> list[str]:
    """The given variables whose values an error is about: those of settings that are not valid, or whose values it quotes."""
    if type(error).__name__ == "ValidationError":
        kind = class_of_settings(error)
        places = [[str(part) for part in item["loc"]] for item in error.errors() if item["loc"]] if kind else []
        names = [name for place in places for name in (variable_of(kind, place), variable_of(kind, place[:1]))]
    elif type(error).__name__ == "SettingsError":
        kind = class_of_settings(error)
        names = [variable_of(kind, [name]) for name in re.findall(r'field "(\w+)"', str(error))] if kind else []
    else:
        names = [name for name, value in given.items() if value and repr(value) in str(error)]
    upper = {name.upper(): name for name in given}
    return list(dict.fromkeys(upper[name.upper()] for name in names if name.upper() in upper))


def writes_in(error: BaseException, backend: Path) -> bool:
    """Whether it writes in the backend's folder."""
    is_refused = isinstance(error, OSError) and error.errno == errno.EROFS and error.filename
    return bool(is_refused) and Path(os.path.realpath(str(error.filename))).is_relative_to(backend)


def of_sqlite(error: BaseException, backend: Path) -> str | None:
    """The backend's line with which Flask-SQLAlchemy makes the folder of an SQLite database; None if it does not."""
    frames = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    is_made = isinstance(error, OSError) and error.errno == errno.EROFS and any("/flask_sqlalchemy/" in file for file in frames)
    return location_in(backend.parent, error, "backend") if is_made else None


def required_settings(error: Any) -> list[str]:
    """The variables of the fields that pydantic's settings lack."""
    lacking = [item["loc"] for item in error.errors() if item["type"] in ("missing", "value_error.missing") and item["loc"]]
    kind = class_of_settings(error)
    if kind is None:
        return []
    # A field that holds other fields is seldom a variable of its own.
    fields = getattr(kind, "model_fields", {})
    plain = [place for place in lacking if len(place) > 1 or not has_fields(fields.get(place[0]))]
    return [variable_of(kind, [str(part) for part in place]) for place in plain]


def settings_of(error: BaseException) -> list[str]:
    """The variables of all fields of the class of settings that an error is about."""
    kind = class_of_settings(error)
    fields = getattr(kind, "model_fields", None) or getattr(kind, "__fields__", {})
    return [variable_of(kind, [name]) for name, field in fields.items() if not has_fields(field)]


def class_of_settings(error: BaseException) -> Any:
    """Pydantic 1 names the class; pydantic-settings has it in the frames."""
    kind = getattr(error, "model", None)
    for frame, _ in traceback.walk_tb(error.__traceback__):
        own = frame.f_locals.get("__pydantic_self__", frame.f_locals.get("self"))
        if any(base.__name__ == "BaseSettings" for base in type(own).__mro__):
            kind = type(own)
    return kind


def has_fields(field: Any) -> bool:
    return hasattr(getattr(field, "annotation", None), "model_fields")


def variable_of(settings: Any, place: list[str]) -> str:
    """The variable that a class of settings reads for a field, or a field within a field."""
    config = getattr(settings, "model_config", None)
    name, *inner = place
    if config is None:
        field = settings.__fields__.get(name)
        names = sorted(field.field_info.extra.get("env_names", ())) if field else []
        is_case_sensitive = settings.__config__.case_sensitive
        variable = names[0] if names else name
    else:
        is_case_sensitive = config.get("case_sensitive")
        # Pydantic names an alias instead of its field, and an alias has no prefix.
        variable = f"{config.get('env_prefix') or ''}{name}" if name in settings.model_fields else name
        if delimiter := config.get("env_nested_delimiter"):
            variable = delimiter.join([variable, *inner])
    return variable if is_case_sensitive else variable.upper()


def judge(error: BaseException, package: Path, answer: dict[str, Any], unset: list[str]) -> None:
    causes = causes_of(error)
    error = causes[-1]
    where = location_in(package, error) or location_in(package, causes[0])
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
    # A library for settings raises in its own code, and may have caught another error there.
    where = next((found for cause in reversed(causes) if (found := location_in(package, cause, "backend"))), where)
    answer.setdefault("unproved", f"{text_of(error)} ({where})" if where else text_of(error))
    if isinstance(error, ImportError):
        answer["foreign"] = foreign(package / "site-packages")


def location_in(package: Path, error: BaseException, *of: str) -> str:
    """The last line of the backend or of a distribution in the error's traceback. `of`: only of these folders."""
    folders = tuple(f"{package / folder}{os.sep}" for folder in of or ("backend", "site-packages"))
    frames = [(real(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    found = [(file, line) for file, line in frames if file.startswith(folders)]
    return f"{Path(found[-1][0]).relative_to(package)}:{found[-1][1]}" if found else ""


def real(file: str) -> str:
    """The package's file that a link leads to. What is not read from a file, such as `<string>`, stays."""
    return file if file.startswith("<") else os.path.realpath(file)


def has_wrong_driver(error: BaseException) -> bool:
    """Whether it would not be raised with another driver in the database's URL."""
    is_not_async = type(error).__name__ == "InvalidRequestError" and "async driver" in str(error)
    return (
        isinstance(error, MissingGreenlet) or is_not_async or (isinstance(error, ModuleNotFoundError) and error.name in DRIVERS)
    )


def text_of(error: BaseException) -> str:
    """The error in one line. Pydantic's message has a line for each setting."""
    from cdk_alembic.database.failures import without_values

    lines = [line.strip() for line in f"{type(error).__name__}: {without_values(error)}".splitlines()]
    return " ".join(lines)[:MAX_TEXT]


def in_code(error: BaseException) -> bool:
    """Whether no setting avoids the error."""
    return isinstance(root_of(error), (ImportError, SyntaxError))


def root_of(error: BaseException) -> BaseException:
    return causes_of(error)[-1]


def causes_of(error: BaseException) -> list[BaseException]:
    """An error and its causes, up to what caused an error of the runner or of Flask, or the module that a failed import lacks."""
    causes = [error]
    while not isinstance(error, ModuleNotFoundError) and (cause := cause_of(error)) is not None:
        if isinstance(error, ImportError) and not isinstance(cause, ModuleNotFoundError):
            break
        causes.append(cause)
        error = cause
    return causes


def cause_of(error: BaseException) -> BaseException | None:
    # Flask raises it `from None`.
    return error.__context__ if type(error).__name__ == "NoAppException" else error.__cause__


def generated(error: ImportError, backend: Path) -> str | None:
    """The module that a backend imports from its own package, and that the package does not have; None if it is another error."""
    found = re.match(r"cannot import name '(\w+)' from '([\w.]+)'", str(error))
    file = Path(os.path.realpath(error.path or ""))
    is_own = file.name == "__init__.py" and file.is_relative_to(backend)
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
        modules = {name.lower().replace("-", "_"), *(distribution.read_text("top_level.txt") or "").split()}
        libraries = [library for module in modules for library in (site_packages / module).rglob("*.so")]
        libraries += [library for module in modules for library in site_packages.glob(f"{module}.*so")]
        if any(not library.name.endswith(suffixes) for library in libraries):
            found.append(f"{name}=={distribution.version}")
    return sorted(found)


if __name__ == "__main__":
    # The project's own output must not mix with the answer.
    out, sys.stdout = sys.stdout, sys.stderr
    installed = json.loads(Path(sys.argv[4]).read_text(encoding="utf-8")) if sys.argv[4] else None
    found = main(Path(sys.argv[1]).resolve(), sys.argv[2], json.loads(sys.argv[3]), installed)
    out.write(json.dumps(found))
    out.flush()
    # The project's threads and what it registered to run at exit must not change the answer or delay it.
    os._exit(0)
