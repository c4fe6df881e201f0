"""Continues despite revisions that Python can't load: replaces each with a module that has the same ids but can't run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from .literals import bound_values, known_values

_IDS = ("revision", "down_revision", "branch_labels", "depends_on")
_LINE = re.compile(rf"^({'|'.join(_IDS)})\b[^=\n]*=(?!=)(.*)$", re.MULTILINE)
_REASON = "cdk_alembic_not_loaded"


class NotConnected(Exception):
    """The error of a file that connects while it is loaded without a database."""


@contextmanager
def stand_ins() -> Iterator[None]:
    """Enter it while Alembic loads the scripts. A file whose ids can't be read still fails."""
    from alembic import util

    load = util.load_python_file

    def load_or_stand_in(folder: Any, filename: Any) -> ModuleType:
        path = Path(folder) / filename
        try:
            module = load(folder, filename)
        except (Exception, SystemExit) as error:
            if needs_database(error):
                raise
            module = module_with_ids(path)
            if module is None:
                raise
            setattr(module, _REASON, error)
            module.upgrade = module.downgrade = _cannot_run
        else:
            if hasattr(module, "revision") and not hasattr(module, "upgrade"):
                setattr(module, _REASON, "the file has no function upgrade()")
                module.upgrade = _cannot_run
        return module

    util.load_python_file = load_or_stand_in
    try:
        yield
    finally:
        util.load_python_file = load


def needs_database(error: BaseException) -> bool:
    """Whether a file can't be loaded only because it uses `op` or `context`, or connects, outside of its functions."""
    uses_proxy = isinstance(error, NameError) and "proxy object has not yet been established" in str(error)
    return uses_proxy or isinstance(error, NotConnected)


def reason_not_loaded(script: Any) -> BaseException | str | None:
    """Why a revision can't run: the error from importing its file, or a text."""
    return getattr(script.module, _REASON, None)


def values_of(path: Path) -> tuple[dict[str, Any], str]:
    """The literal ids in a file, and the first line of its docstring."""
    source = path.read_bytes()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return dict(_literals(source.decode(errors="replace"))), ""
    doc = (ast.get_docstring(tree) or "").strip().splitlines() or [""]
    return known_values(bound_values(ast.walk(tree))), doc[0]


def _literals(text: str) -> Iterator[tuple[str, Any]]:
    for name, value in _LINE.findall(text):
        try:
            yield name, ast.literal_eval(value.strip())
        except (SyntaxError, ValueError):
            continue


def module_with_ids(path: Path) -> ModuleType | None:
    """A module with the ids that a file has as literals, and nothing else. None: they can't be read."""
    values, doc = values_of(path)
    if not isinstance(values.get("revision"), str) or "down_revision" not in values:
        return None
    module = ModuleType(re.sub(r"\W", "_", path.name), doc)
    module.__file__ = str(path)
    for name in _IDS:
        setattr(module, name, values.get(name))
    return module


def _cannot_run(**_: Any) -> None:
    raise RuntimeError("the file of this revision can't be loaded")
