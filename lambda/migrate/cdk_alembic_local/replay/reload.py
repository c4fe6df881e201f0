"""Gives each run of a revision's function new objects, as in production, where every command is a process of its own."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from ..source.loading import at_load

_HAS_RUN = "cdk_alembic_has_run"
_CREATED_TYPES = "cdk_alembic_created_types"


def reloaded_function(context: Any, script: Any, is_upgrade: bool) -> Callable[..., Any]:
    """A script's `upgrade` or `downgrade` with new objects. Run it once, before asking for another one."""
    # Alembic remembers the enum types that it has created, and SQLAlchemy each type as it was when it was first used.
    _created_types(context).extend(context.impl.memo.items())
    context.impl.memo.clear()
    context.connection.dialect._type_memos.clear()
    path, folder = Path(script.path), Path(context.script.dir)
    if _has_run(script) and (_holds_objects(script.module) or _helper_modules(path, folder)):
        # Some modules can be imported only once: they define tables in the metadata of the backend's models.
        with suppress(Exception, SystemExit):
            script.module = _reload(path, folder)
    setattr(script.module, _HAS_RUN, True)
    return script.module.upgrade if is_upgrade else script.module.downgrade


def _has_run(script: Any) -> bool:
    """Whether objects of its module were used before. A file that is loaded when it runs has new ones each time."""
    return hasattr(script.module, _HAS_RUN) and at_load(script) is None


def restore_created_types(context: Any) -> None:
    """Makes Alembic remember the types that all earlier functions have created, as in one `alembic upgrade`."""
    context.impl.memo.clear()
    for key, names in _created_types(context):
        context.impl.memo.setdefault(key, set()).update(names)


def created_types(context: Any) -> list[tuple[str, set[Any]]]:
    """What `restore_created_types` would restore, as an argument of `remember_types` in a later upgrade of the same database."""
    return [*_created_types(context), *context.impl.memo.items()]


def remember_types(context: Any, types: list[tuple[str, set[Any]]]) -> None:
    _created_types(context).extend(types)


def _created_types(context: Any) -> list[tuple[str, set[Any]]]:
    """Contents of Alembic's memo, by key."""
    return vars(context.impl).setdefault(_CREATED_TYPES, [])


def _reload(path: Path, folder: Path) -> ModuleType:
    """A new module of a revision, with new modules of the helpers beside it."""
    from alembic import util

    helpers = _helper_modules(path, folder)
    for name in helpers:
        del sys.modules[name]
    try:
        return util.load_python_file(path.parent, path.name)
    except BaseException:
        sys.modules.update(helpers)
        raise


def _holds_objects(module: ModuleType) -> bool:
    """Whether a module has objects other than functions, constants and imports: their state may change when a function runs."""
    return not all(
        isinstance(value, (str, int, type(None), ModuleType))
        or (isinstance(value, FunctionType) and value.__globals__ is vars(module))
        or (isinstance(value, type) and value.__module__ != module.__name__)
        or type(value).__module__ in ("typing", "__future__")
        for name, value in vars(module).items()
        if not name.startswith("__")
    )


def _helper_modules(path: Path, folder: Path) -> dict[str, ModuleType]:
    """The imported modules in the folders of the revision and of env.py, without env.py: importing that would start Alembic."""
    elsewhere = _elsewhere[path.parent, folder]
    # Must be fast: a backend has hundreds of modules, and this runs four times per revision.
    if new := sys.modules.keys() - elsewhere:
        own = tuple(f"{beside.resolve()}{os.sep}" for beside in (path.parent, folder))
        found = {name: sys.modules[name] for name in new if _is_helper(sys.modules[name], own)}
        elsewhere.update(new - found.keys())
        return found
    return {}


_elsewhere: defaultdict[tuple[Path, Path], set[str]] = defaultdict(set)
"""Names of modules that are in neither folder."""


def _is_helper(module: ModuleType, own: tuple[str, ...]) -> bool:
    file = getattr(module, "__file__", None)
    return bool(file) and file.startswith(own) and not file.endswith(f"{os.sep}env.py")
