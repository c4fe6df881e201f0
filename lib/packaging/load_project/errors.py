"""Explains from an exception why a package did not load."""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Modules in Lambda's Python, https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
PROVIDED = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six", "awslambdaric")

MAX_TEXT = 500


def judge(error: BaseException, package: Path, answer: dict[str, Any], unset: list[str], *, with_overlay: bool) -> None:
    causes = causes_of(error)
    error = causes[-1]
    where = location_in(package, error) or location_in(package, causes[0])
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith(PROVIDED) and not exists(error.name):
        parent = sys.modules.get(error.name.rpartition(".")[0])
        own = {"own": True} if is_own_package(getattr(parent, "__file__", None), package / "backend") else {}
        answer.setdefault("missing", {"module": error.name, "by": where, "unset": unset, **own})
        return
    in_folder = isinstance(error, ImportError) and error.name and error.path is None and "unknown location" in str(error)
    if in_folder and not has_library(error.name):
        # A folder has this name but not the module.
        answer.setdefault("missing", {"module": error.name, "by": where, "unset": unset})
        return
    if isinstance(error, ImportError) and (name := generated(error, package / "backend")):
        answer.setdefault("missing", {"module": name, "by": where, "unset": unset, "own": True})
        return
    answer.setdefault("unproved", described(causes, package))
    if isinstance(error, ImportError):
        # A library of this architecture may need a newer Linux.
        of_library = any(re.search(r"\.so\b", str(cause)) for cause in causes)
        if of_library or not with_overlay:
            answer["foreign"] = foreign(package / "site-packages", is_foreign=(lambda _: True) if of_library else is_elsewhere)


def described(causes: list[BaseException], package: Path) -> str:
    """The last cause, and where."""
    # A library for settings raises in its own code, and may have caught another error there.
    where = own_line(causes, package) or location_in(package, causes[-1]) or location_in(package, causes[0])
    return f"{text_of(causes[-1])} ({where})" if where else text_of(causes[-1])


def own_line(causes: list[BaseException], package: Path) -> str:
    """The backend's line that is nearest to the last cause; empty if there is none."""
    return next(filter(None, (location_in(package, cause, "backend") for cause in reversed(causes))), "")


def location_in(package: Path, error: BaseException, *of: str) -> str:
    """The last line of the backend or of a distribution in the error's traceback. `of`: only of these folders."""
    folders = tuple(f"{package / folder}{os.sep}" for folder in of or ("backend", "site-packages"))
    frames = [(real(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((real(error.filename), error.lineno))
    found = [(file, line) for file, line in frames if file.startswith(folders)]
    return f"{Path(found[-1][0]).relative_to(package)}:{found[-1][1]}" if found else ""


def real(file: str) -> str:
    """The package's file that a link leads to. What is no file stays: `<string>`, or the source that a compiled library names."""
    path = Path(os.path.realpath(file))
    return str(path) if path.exists() else file


def writes_in(error: BaseException, backend: Path) -> bool:
    """Whether it writes in the backend's folder."""
    is_refused = isinstance(error, OSError) and error.errno == errno.EROFS and error.filename
    return bool(is_refused) and Path(os.path.realpath(str(error.filename))).is_relative_to(backend)


def absent_in(error: BaseException, backend: Path) -> str | None:
    """The path below the backend, or below a copy of it, that is not there; None for another error."""
    name = error.filename if isinstance(error, FileNotFoundError) else None
    name = name or logging_file(error)
    if not isinstance(name, str):
        return None
    path = Path(in_backend(str(Path.cwd() / name)))
    return path.relative_to(backend).as_posix() if path.is_relative_to(backend) else None


def logging_file(error: BaseException) -> str | None:
    """The file that logging.config.fileConfig does not find, which its own error does not name before Python 3.12."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_name == "fileConfig")
    names = (frame.f_locals.get("fname") for frame in frames)
    return next((name for name in names if isinstance(name, str) and not Path(name).exists()), None)


def in_backend(text: str) -> str:
    """A text with the backend's own paths instead of those of its writable copy, which this process made."""
    backend = Path(os.environ["LAMBDA_TASK_ROOT"]) / "backend"
    return re.sub(rf"{re.escape(os.environ['HOME'])}/cdk-alembic-\w+(?=/)", str(backend), text)


def of_sqlite(error: BaseException, backend: Path) -> str | None:
    """The backend's line with which Flask-SQLAlchemy makes the folder of an SQLite database; None if it does not."""
    frames = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    is_made = isinstance(error, OSError) and error.errno == errno.EROFS and any("/flask_sqlalchemy/" in file for file in frames)
    return location_in(backend.parent, error, "backend") if is_made else None


def text_of(error: BaseException) -> str:
    """The error in one line. Pydantic's message has a line for each setting."""
    from cdk_alembic.database.failures import shortened, without_values

    # That of a syntax error ends with the file's name.
    text = error.msg if isinstance(error, SyntaxError) else without_values(error)
    return shortened(f"{type(error).__name__}: {text}", MAX_TEXT)


def in_code(error: BaseException) -> bool:
    """Whether no setting avoids the error."""
    return isinstance(root_of(error), (ImportError, SyntaxError))


def has_wrong_syntax(error: BaseException, backend: Path) -> bool:
    """Whether a file of the backend has a syntax error."""
    root = root_of(error)
    return isinstance(root, SyntaxError) and Path(real(root.filename or "")).is_relative_to(backend)


def root_of(error: BaseException) -> BaseException:
    return causes_of(error)[-1]


def causes_of(error: BaseException) -> list[BaseException]:
    """An error and its causes, up to what caused an error of the runner or of Flask, the module that a failed import lacks, or a
    setting that can't be read."""
    causes = [error]
    while not (isinstance(error, ModuleNotFoundError) or is_of_settings(error)) and (cause := cause_of(error)) is not None:
        if isinstance(error, ImportError) and not isinstance(cause, ModuleNotFoundError):
            break
        causes.append(cause)
        error = cause
    return causes


def is_of_settings(error: BaseException) -> bool:
    """Whether Pydantic names a setting whose value is not JSON. Its cause has only the value's position."""
    return type(error).__name__ == "SettingsError"


def cause_of(error: BaseException) -> BaseException | None:
    if type(error).__name__ != "NoAppException":
        return error.__cause__
    # Flask raises it `from None` for a failed import. Otherwise its own text says more than the cause.
    return error.__context__ if isinstance(error.__context__, ImportError) else None


def is_own_package(file: str | None, backend: Path) -> bool:
    """Whether a file is the `__init__.py` of a package of the backend, so that no distribution has more of it."""
    path = Path(os.path.realpath(file or ""))
    return path.name == "__init__.py" and path.is_relative_to(backend)


def generated(error: ImportError, backend: Path) -> str | None:
    """The module that a backend imports from its own package, and that the package does not have; None if it is another error."""
    found = re.match(r"cannot import name '(\w+)' from '([\w.]+)'", str(error))
    # A circular import also has names that are not defined yet.
    is_missing = is_own_package(error.path, backend) and "partially initialized" not in str(error)
    return f"{found[2]}.{found[1]}" if found and is_missing else None


def exists(name: str) -> bool:
    """Whether the package has a module, even one for another machine."""
    below = Path(*name.split("."))
    for root in map(Path, sys.path):
        parent = root / below.parent
        if (root / below).is_dir() or any(parent.glob(f"{below.name}.py*")):
            return True
    return has_library(name)


def has_library(name: str) -> bool:
    """Whether the package has a compiled module, even one for another machine; its types may be in a folder of the same name."""
    below = Path(*name.split("."))
    return any(any((root / below.parent).glob(f"{below.name}.*so")) for root in map(Path, sys.path))


def foreign(site_packages: Path, is_foreign: Callable[[Path], bool]) -> list[str]:
    """Distributions with libraries that this Python can't load, as `name==version`."""
    found = []
    for distribution in distributions(path=[str(site_packages)]):
        name = distribution.metadata["Name"]
        modules = {name.lower().replace("-", "_"), *(distribution.read_text("top_level.txt") or "").split()}
        libraries = [library for module in modules for library in (site_packages / module).rglob("*.so")]
        libraries += [library for module in modules for library in site_packages.glob(f"{module}.*so")]
        if any(is_foreign(library) for library in libraries):
            found.append(f"{name}=={distribution.version}")
    return sorted(found)


def is_elsewhere(library: Path) -> bool:
    """Whether a library is for another Python or another machine."""
    if ".cpython-" in library.name:
        return not library.name.endswith(tuple(suffix for suffix in EXTENSION_SUFFIXES if suffix.startswith(".cpython")))
    # Such as .abi3.so: its name has no machine.
    return machine_of(library) != machine_of(Path(sys.executable))


def machine_of(file: Path) -> bytes:
    """The parts of the header of an ELF file that name its machine: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html"""
    with file.open("rb") as opened:
        header = opened.read(20)
    return header[:6] + header[18:]
