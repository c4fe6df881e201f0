"""Finds the folder of the scripts. Requires no Alembic: synth uses the same rules."""

from __future__ import annotations

import ast
from pathlib import Path


def needs_flask(env: Path) -> bool:
    """Whether an env.py is that of Flask-Migrate. One that has it only in a comment is a project that has left Flask."""
    source = env.read_bytes() if env.is_file() else b""
    if b"current_app" not in source:
        return False
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return True
    return any("current_app" in (getattr(node, field, None) for field in ("id", "attr", "name")) for node in nodes)


def runs_without_flask(env: Path) -> bool:
    """Whether an env.py catches the RuntimeError that `current_app` raises without an application."""
    attempts = (node for node in ast.walk(ast.parse(env.read_bytes())) if isinstance(node, ast.Try))
    return any(
        any(isinstance(node, ast.Name) and node.id == "current_app" for one in attempt.body for node in ast.walk(one))
        and any(_catches_runtime_error(handler.type) for handler in attempt.handlers)
        for attempt in attempts
    )


def _catches_runtime_error(caught: ast.expr | None) -> bool:
    names = {node.id for node in ast.walk(caught) if isinstance(node, ast.Name)} if caught else {"Exception"}
    return not names.isdisjoint({"RuntimeError", "Exception", "BaseException"})


def location_of_scripts(script_location: str | None, folder: Path) -> str | None:
    """The script_location that counts; None if there is none. `folder`: that of alembic.ini.

    Flask-Migrate ignores the setting and uses the folder of alembic.ini:
    https://github.com/miguelgrinberg/Flask-Migrate/blob/main/src/flask_migrate/__init__.py
    An absolute folder that this machine lacks is a folder of an image, such as `/app/alembic`: its last parts name the one here.
    """
    if needs_flask(folder / "env.py") or (not script_location and (folder / "env.py").is_file()):
        return str(folder)
    if not script_location or not script_location.startswith("/") or Path(script_location).is_dir():
        return script_location
    names = Path(script_location).parts[1:]
    below = (folder.joinpath(*names[index:]) for index in range(len(names) + 1))
    return next((str(scripts) for scripts in below if (scripts / "env.py").is_file()), script_location)
