"""Loads a project's revisions from the folders that env.py sets, without a database.

A file that uses `op` or connects outside of its functions can only be loaded with one, within `alembic upgrade`: it is loaded
when it runs.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from symtable import symtable
from types import ModuleType
from typing import Any

from cdk_alembic.connection.listeners import listening
from cdk_alembic.project.project import Project

from .stand_ins import NotConnected, module_with_ids, needs_database

_AT_LOAD = "cdk_alembic_at_load"
_failed_imports: dict[str, Exception] = {}
"""By env.py's folder."""


def load_without_database(project: Project) -> None:
    """Loads the revisions at the point where env.py would connect, with the paths, locations and context that it has set so far.

    Nothing connects, unless env.py has its own `creator`; that connection is not used. If env.py fails earlier, the revisions are
    loaded with what it has set so far; the code that connects reports the failure. A file that connects is loaded when it runs.
    Raises ProjectError for revisions that can't be loaded.
    """
    from alembic.runtime.environment import EnvironmentContext
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import Pool

    is_loading = False

    def load(*_: Any) -> None:
        nonlocal is_loading
        if is_loading:
            raise NotConnected
        is_loading = True
        project.revisions.load()
        raise _Loaded

    environment = EnvironmentContext(project.config, project.script, fn=load, dont_mutate=True)
    # If env.py has its own `creator`, it connects without do_connect. A class's listeners run before those of an engine, which
    # may connect themselves.
    with _late_loading(), listening((Engine, "do_connect", load), (Pool, "connect", load)):
        with suppress(_Loaded, SystemExit), environment:
            try:
                project.script.run_env()
            except Exception as error:
                if _is_in_import(error):
                    _failed_imports.setdefault(project.script.dir, error)
        project.failed_import = _failed_imports.get(project.script.dir)
        is_loading = True
        project.revisions.load()


def _is_in_import(error: Exception) -> bool:
    """Whether a module that env.py imports failed."""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return any(code.co_name == "<module>" and Path(code.co_filename).name != "env.py" for code in codes) or isinstance(
        error, ImportError
    )


class _Loaded(BaseException):
    """Stops env.py before it connects. A BaseException, so that `except Exception` in env.py does not catch it."""


def at_load(script: Any) -> dict[str, Any] | None:
    """Where a script that is loaded when it runs first needs the database: `line` and `code`, and `connects` if it connects
    itself. None: it is loaded like most."""
    return getattr(script.module, _AT_LOAD, None)


@contextmanager
def _late_loading() -> Iterator[None]:
    """Within this block, Alembic gets modules whose functions load the file each time they run, if it can't be loaded now."""
    from alembic import util

    load = util.load_python_file

    def load_or_postpone(folder: Any, filename: Any) -> ModuleType:
        try:
            return load(folder, filename)
        except (NameError, NotConnected) as error:
            path = Path(folder) / filename
            module = module_with_ids(path) if needs_database(error) else None
            if module is None:
                raise
            setattr(module, _AT_LOAD, _place(error, str(path)))
            for name in _defined_in(path) & {"upgrade", "downgrade"}:
                setattr(module, name, _loads_and_runs(folder, filename, name))
            return module

    util.load_python_file = load_or_postpone
    try:
        yield
    finally:
        util.load_python_file = load


def _defined_in(path: Path) -> set[str]:
    """The names that a file defines or imports outside of its functions."""
    symbols = symtable(path.read_bytes(), str(path), "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


def _loads_and_runs(folder: Any, filename: Any, name: str) -> Callable[..., None]:
    def run(**arguments: Any) -> None:
        from alembic import util

        getattr(util.load_python_file(folder, filename), name)(**arguments)

    run.__name__ = name
    return run


def _place(error: BaseException, file: str) -> dict[str, Any]:
    frame = next(frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file)
    connects = {"connects": True} if isinstance(error, NotConnected) else {}
    return {"line": frame.lineno, "code": frame.line or "", **connects}
