"""Where Python searches for a backend's modules: its entries in sys.path."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path


def search_package(folders: Iterable[Path], command: Path | None = None) -> None:
    """Adds folders of the function's package to sys.path behind Python's library, as in a virtual environment: an old
    distribution may have modules of the same names, such as asyncio or enum34. They come before the libraries that Lambda brings.

    `command`: the folder of Alembic's command, which Python puts first, and which an env.py may drop."""
    added = [str(folder) for folder in folders if folder.is_dir()]
    first = [str(command)] if command else []
    sys.path[:] = dict.fromkeys([*first, *(entry for entry in sys.path if entry in _LIBRARY), *added, *sys.path])


def search_project(directory: Path) -> None:
    """Adds a project on a developer's machine to sys.path: its modules, such as an `email.py` beside alembic.ini, never hide
    Python's."""
    position = max((index + 1 for index, entry in enumerate(sys.path) if entry in _LIBRARY), default=0)
    for path in (directory / "src", import_root(directory)):
        if path.is_dir() and str(path) not in sys.path:
            sys.path.insert(position, str(path))
    if str(directory) not in sys.path:
        sys.path.append(str(directory))


def import_root(folder: Path) -> Path:
    """The folder that sys.path needs for the package that a folder belongs to; the folder itself if it is no package."""
    return next(above for above in (folder, *folder.parents) if not (above / "__init__.py").is_file())


_LIBRARY = {(_folder := str(Path(os.__file__).parent)), os.path.join(_folder, "lib-dynload")}  # noqa: PTH118
"""Entries of sys.path with Python's own library."""
