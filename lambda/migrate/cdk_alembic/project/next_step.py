"""What to do about an error outside of the revisions: in env.py, or in the application that it loads."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from configparser import InterpolationSyntaxError
from pathlib import Path

from ..database.failures import missing_variable, sql_state, unset_variables
from ..protocol.rules import DRIVERS, INSTALL_BACKEND
from .configuration import left_out, to_package
from .project import Project
from .settings_classes import required_settings

_NO_URL = re.compile(r"Could not parse \w+ URL from ")
_UNKNOWN_DIALECT = re.compile(r"Can't load plugin: sqlalchemy\.dialects:(\w+)")
# Advanced Alchemy's template of env.py reads config.db_url and others, which its own commands set.
_OTHER_CONFIG = re.compile(r"'Config' object has no attribute '(\w+)'")
_OF_OTHERS = ("node_modules", "site-packages", "cdk.out")
"""Folders of other people's packages, and of copies of the project's."""
_DOUBLE_PERCENT = 'double each % of the URL for configparser: config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))'


def next_step(project: Project, error: BaseException, otherwise: str) -> str:
    """The step that makes env.py run, or `otherwise`."""
    if sql_state(error):
        return "change this statement of env.py, or the database that rejects it, and try again"
    if missing_variable(error):
        return f"set it {project.environment}"
    if names := unset_variables(error):
        return f"set {', '.join(names)}, which it reads, {project.environment}"
    if found := _OTHER_CONFIG.search(str(error)):
        return (
            f"make env.py run with `{project.command}`: it reads config.{found[1]}, which only another command sets, such as "
            "`litestar database`; read the address and the other options from the backend's settings"
        )
    if type(error).__name__ == "ValidationError":
        names = ", ".join(required_settings(error)) or "the variables that env.py reads"
        return f"set {names} {project.environment}"
    if requirement := left_out(error):
        return f"the package has only what the migrations import: {to_package(requirement)}"
    # A name that is not in its module is a mistake in the code, such as a circular import.
    if isinstance(error, ImportError) and "cannot import name" not in str(error):
        if error.name in DRIVERS:
            return _driver_step(project, error.name)
        if not project.is_packaged:
            return _import_step(project, error.name)
    return _address_step(project, error) or otherwise


def _driver_step(project: Project, missing: str) -> str:
    """For a driver that is not installed."""
    # SQLAlchemy 2.1 reads postgresql:// as psycopg, older ones as psycopg2. An async env.py needs asyncpg or psycopg.
    others = ("psycopg",) if missing == "asyncpg" else ("psycopg", "psycopg2", "pg8000")
    installed = next((name for name in others if importlib.util.find_spec(name)), None)
    use = f"begin the address that env.py reads with postgresql+{installed}://, or " if installed else ""
    add = (
        f"add {missing} to the backend's dependencies"
        if project.is_packaged
        else f"install {missing} in the backend's environment"
    )
    return use + add


def _import_step(project: Project, missing: str | None) -> str:
    """For a module that was not found. A folder of the project may have it: the team sets PYTHONPATH."""
    package = (missing or "").partition(".")[0]
    folder = next(_folders_with(package, project.directory), None) if package and package not in sys.modules else None
    if folder is None:
        return INSTALL_BACKEND
    return f"set PYTHONPATH={os.path.relpath(folder, project.directory)}, the folder with {package}, {project.environment}"


def _folders_with(package: str, directory: Path, levels: int = 2) -> Iterator[Path]:
    """The folders below a directory in which Python would find a package or module, the nearest first."""
    folders = [path for path in sorted(directory.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    own = [folder for folder in folders if not (folder / "pyvenv.cfg").is_file() and folder.name not in _OF_OTHERS]
    yield from (folder for folder in own if any((folder / package).glob("*.py")) or (folder / f"{package}.py").is_file())
    if levels > 1:
        for folder in own:
            yield from _folders_with(package, folder, levels - 1)


def _address_step(project: Project, error: BaseException) -> str | None:
    """For an address that SQLAlchemy or configparser does not read."""
    dialect = _UNKNOWN_DIALECT.search(str(error))
    if dialect and dialect[1] == "driver":
        return "write the database's address into sqlalchemy.url of alembic.ini: it has the placeholder of `alembic init`"
    if dialect and dialect[1] == "postgres":
        return "begin the address with postgresql://, which SQLAlchemy knows, instead of postgres://"
    if _NO_URL.search(str(error)):
        if project.is_packaged:
            return "env.py's variable for the database's address is not set, or holds no URL: name it with DatabaseVariables"
        return (
            "set the variable from which env.py reads the database's address, or sqlalchemy.url of alembic.ini, to a URL such as "
            f"postgresql://user@localhost/name; set a variable {project.environment}"
        )
    if isinstance(error, InterpolationSyntaxError):
        return "write each % of the URL in alembic.ini as %%, for configparser"
    return _DOUBLE_PERCENT if "invalid interpolation syntax" in str(error) else None
