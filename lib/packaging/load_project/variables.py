"""The environment variables that the backend reads, and those that an error is about."""

from __future__ import annotations

import linecache
import os
import re
import sys
import traceback
from pathlib import Path
from typing import Any

from .errors import real


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
    names."""
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


def required_settings(error: Any) -> list[str]:
    """The variables of the fields that pydantic's settings lack."""
    lacking = [item["loc"] for item in error.errors() if item["type"] in ("missing", "value_error.missing") and item["loc"]]
    kind = class_of_settings(error)
    if kind is None:
        return []
    is_nested = (getattr(kind, "model_config", None) or {}).get("env_nested_delimiter") is not None
    places = [place for given in lacking for place in required_places(field_at(kind, given), given, is_nested)]
    return [variable_of(kind, [str(part) for part in place]) for place in places]


def required_places(field: Any, place: tuple[Any, ...], is_nested: bool) -> list[tuple[Any, ...]]:
    """Where the values of a field without one go: the field, or the required fields within it if each has a variable."""
    if not has_fields(field):
        return [place]
    if not is_nested:
        # It is seldom a variable of its own.
        return []
    inner = [
        (inner, (*place, inner.alias or name)) for name, inner in field.annotation.model_fields.items() if inner.is_required()
    ]
    return [found for field, place in inner for found in required_places(field, place, is_nested)]


def field_at(settings: Any, place: tuple[Any, ...]) -> Any:
    """The field at a place in settings, which may be named by its alias."""
    field = None
    for part in place:
        fields = getattr(settings, "model_fields", {})
        field = fields.get(part) or next((field for field in fields.values() if field.alias == part), None)
        settings = getattr(field, "annotation", None)
    return field


def settings_of(error: BaseException) -> list[str]:
    """The variables of all fields of the class of settings that an error is about."""
    kind = class_of_settings(error)
    return [variable_of(kind, [name]) for name, field in fields_of(kind).items() if not has_fields(field)]


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


def fields_of(settings: Any) -> dict[str, Any]:
    return getattr(settings, "model_fields", None) or getattr(settings, "__fields__", {})


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
