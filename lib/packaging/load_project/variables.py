"""The environment variables that the backend reads, and those that an error is about."""

from __future__ import annotations

import ast
import linecache
import os
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdk_alembic.database.failures import called_missing
from cdk_alembic.project.settings_classes import (
    class_of_settings,
    fields_of,
    has_fields,
    nests,
    required_settings,
    variable_of,
)

from .errors import is_of_settings, real

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    # The last four frames are those of os and of this script.
    frames = [frame.filename for frame in traceback.extract_stack(limit=7) if not frame.filename.startswith("<frozen")]
    *callers, reader = [real(file) for file in frames if file != __file__] or [""]
    folder = f"{backend}{os.sep}"
    return reader.startswith(folder) or any(
        name in "".join(linecache.getlines(file)) for file in callers if file.startswith(folder)
    )


def required_variables(error: BaseException, backend: Path, unset: list[str]) -> list[str]:
    """The unset variables that an error is about: everything that the same file, or the same class of settings, requires. With
    other libraries for settings, such as python-decouple and environs, and with the backend's own check: those that the error
    names, and those that the same file reads by the same call, or has in the same list."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<frozen")]
    if type(error).__name__ == "NoAppException":
        names = ["FLASK_APP"]
    elif isinstance(error, KeyError) and len(frames) > 1 and frames[-1].filename in (os.__file__, __file__):
        name, files = str(error.args[0]), own_files(frames, backend)
        found = re.findall(r"""environ\[["'](\w+)["']\](?!\s*=[^=])""", "".join(linecache.getlines([*files, ""][0])))
        names = [name, *found, *listed_with([name], files)]
    elif isinstance(error, KeyError) and frames and is_of_a_copy(error, real(frames[-1].filename), backend):
        names = [str(error.args[0])]
    elif type(error).__name__ == "ValidationError":
        names = required_settings(error)
    else:
        named = [name for name in unset if re.search(rf"\b{re.escape(name)}\b", str(error))]
        named = named or called_missing(error)
        files = own_files(frames, backend)
        names = [*named, *read_alike(named, files), *listed_with(named, files)]
    return [name for name in dict.fromkeys(names) if name not in os.environ]


def own_files(frames: list[traceback.FrameSummary], backend: Path) -> list[str]:
    """The backend's files in a traceback, the innermost first."""
    files = [real(frame.filename) for frame in reversed(frames)]
    return [file for file in files if file.startswith(f"{backend}{os.sep}") and file.endswith(".py")]


def nodes_of(file: str) -> Iterator[ast.AST]:
    return ast.walk(ast.parse("".join(linecache.getlines(file))))


def listed_with(named: list[str], files: list[str]) -> list[str]:
    """The variables that one of the files has in the same list, or the same table, as one of these."""
    for file in files:
        for node in nodes_of(file):
            for items in items_of(node):
                texts = [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]
                if any(name in texts for name in named):
                    return [text for text in texts if re.fullmatch(r"[A-Z][A-Z0-9_]*", text)]
    return []


def items_of(node: ast.AST) -> list[list[Any]]:
    if isinstance(node, ast.Dict):
        return [node.keys, node.values]
    return [node.elts] if isinstance(node, (ast.List, ast.Tuple, ast.Set)) else []


def read_alike(named: list[str], files: list[str]) -> list[str]:
    """The variables without a default that one of the files reads by the call that reads one of these."""
    for file in files:
        calls = [node for node in nodes_of(file) if isinstance(node, ast.Call)]
        read = [(ast.unparse(call.func), call.args[0].value, call) for call in calls if is_of_constant(call)]
        readers = {reader for reader, name, _ in read if name in named}
        if readers:
            return [name for reader, name, call in read if reader in readers and not has_default(call)]
    return []


def is_of_constant(call: ast.Call) -> bool:
    return bool(call.args) and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)


def has_default(call: ast.Call) -> bool:
    return len(call.args) > 1 or any(keyword.arg in (None, "default") for keyword in call.keywords)


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
    elif is_of_settings(error):
        kind = class_of_settings(error)
        names = [variable_of(kind, [name]) for name in re.findall(r'field "(\w+)"', str(error))] if kind else []
        # Pydantic 1 names the variable.
        names += re.findall(r'env var "(\w+)"', str(error))
    else:
        names = [name for name, value in given.items() if value and repr(value) in str(error)]
    upper = {name.upper(): name for name in given}
    return list(dict.fromkeys(upper[name.upper()] for name in names if name.upper() in upper))


def settings_of(error: BaseException) -> list[str]:
    """The variables of all fields of the class of settings that an error is about."""
    return variables_of(class_of_settings(error))


def variables_of(settings: Any) -> list[str]:
    """The variables of all fields of a class of settings."""
    is_nested = nests(settings)
    places = [place for name, field in fields_of(settings).items() for place in places_of(field, (name,), is_nested)]
    return [variable_of(settings, [*place]) for place in places]


def places_of(field: Any, place: tuple[str, ...], is_nested: bool) -> list[tuple[str, ...]]:
    """Where the values of a field go: the field, or the fields within it if each has a variable."""
    if not has_fields(field):
        return [place]
    inner = field.annotation.model_fields if is_nested else {}
    return [found for name, one in inner.items() for found in places_of(one, (*place, one.alias or name), is_nested)]


def settings_in_line(error: BaseException, backend: Path) -> list[str]:
    """The variables of the settings that the backend's line names where an error comes from: `create_engine(settings.db_dsn)`."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = next((frame for frame in reversed(frames) if real(frame.filename).startswith(f"{backend}{os.sep}")), None)
    if frame is None or frame.lineno is None:
        return []
    lines = range(frame.lineno, (frame.end_lineno or frame.lineno) + 1)
    names = re.findall(r"\.(\w+)", "".join(linecache.getline(frame.filename, line) for line in lines))
    return [variable_of(kind, [name]) for name in names for kind in classes_of_settings() if name in fields_of(kind)]


def classes_of_settings() -> list[Any]:
    """The backend's classes of settings."""
    modules = (sys.modules.get(name) for name in ("pydantic_settings", "pydantic", "pydantic.v1"))
    # Pydantic 2 raises for the name.
    bases = [vars(module).get("BaseSettings") for module in modules if module]
    found = {kind: None for base in bases if base is not None for kind in base.__subclasses__()}
    todo = list(found)
    while todo:
        new = [kind for kind in todo.pop().__subclasses__() if kind not in found]
        found.update(dict.fromkeys(new))
        todo += new
    return list(found)
