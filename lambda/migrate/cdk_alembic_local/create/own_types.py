"""Types of the models in a new revision: it must run without the models, which change later, and with what it imports."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def own_types(template: Path) -> Iterator[None]:
    """Within this block, Alembic writes the database types behind the backend's own types, and imports types of packages.
    `template`: the project's script.py.mako, which may import some."""
    from alembic.autogenerate import render

    prefix, defined = render._user_autogenerate_prefix, render._user_defined_render
    imported = template.read_text(encoding="utf-8") if template.is_file() else ""

    def with_import(context: Any, item: Any) -> str:
        module = item.__module__
        top = re.escape(module.partition(".")[0])
        if context.opts["user_module_prefix"] is None and not re.search(rf"^(?:import|from) {top}\b", imported, re.MULTILINE):
            context.imports.add(f"import {module}")
        return prefix(context, item)

    def in_database(kind: str, item: Any, context: Any) -> Any:
        rendered = defined(kind, item, context)
        if rendered is not False or kind != "type" or context.opts["user_module_prefix"] is not None:
            return rendered
        meant = _in_database(item, context.dialect)
        return False if meant is None else render._repr_type(meant, context)

    render._user_autogenerate_prefix, render._user_defined_render = with_import, in_database
    try:
        yield
    finally:
        render._user_autogenerate_prefix, render._user_defined_render = prefix, defined


def _in_database(item: Any, dialect: Any) -> Any:
    """The type behind a TypeDecorator of the backend; None for any other type, or if it is unknown."""
    from sqlalchemy.types import TypeDecorator

    if not isinstance(item, TypeDecorator) or not _is_own(type(item).__module__):
        return None
    meant = item.load_dialect_impl(dialect)
    # A driver's type has no name that a revision could import.
    is_public = type(meant).__module__.startswith("sqlalchemy.") and not type(meant).__name__.startswith("_")
    return meant if is_public else None


def _is_own(module: str) -> bool:
    """Whether a module belongs to the backend, and not to a package or to Python."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return False
    path, standard = Path(file).resolve(), Path(sysconfig.get_path("stdlib")).resolve()
    return not path.is_relative_to(standard) and not {"site-packages", "dist-packages"} & set(path.parts)
