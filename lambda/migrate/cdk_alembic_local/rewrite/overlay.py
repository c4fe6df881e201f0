"""Replaces the project's revisions by copies with changes, to try these before they are written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cdk_alembic.project.project import Project


@contextmanager
def overlaid(project: Project, files: list[dict[str, Any]], folder: str | None) -> Iterator[None]:
    """Within this block, the revisions are those of copied folders with these files added or replaced.

    `files`: `file`, as in facts, and `text`. `folder`: the folder for the copies, if it exists on this machine.
    """
    if not files:
        yield
        return
    scripts = project.script
    parent = folder if folder and Path(folder).is_dir() else None
    with tempfile.TemporaryDirectory(dir=parent, prefix="overlay-") as there:
        copies = []
        for number, location in enumerate(scripts._version_locations):
            original = Path(location).resolve()
            copy = _prepare_copy(original, project.directory.resolve().parent, Path(there) / str(number))
            if original.is_dir():
                shutil.copytree(original, copy, ignore=shutil.ignore_patterns("__pycache__"))
            for one in files:
                path = (project.directory / one["file"]).resolve()
                if path.is_relative_to(original):
                    target = copy / path.relative_to(original)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_text(one["text"], encoding="utf-8")
            copies.append(copy)
        before = scripts._version_locations
        scripts.__dict__["_version_locations"] = copies
        scripts.__dict__.pop("versions", None)
        try:
            yield
        finally:
            scripts.__dict__["_version_locations"] = before


def _prepare_copy(original: Path, top: Path, there: Path) -> Path:
    """The path for a copy of the folder, next to links to its siblings and to those of the folders above it up to `top`.
    Revisions read files by paths that are relative to their own."""
    top = top if original.is_relative_to(top) else original.parent
    copy = there / original.relative_to(top)
    copy.parent.mkdir(parents=True)
    for folder in list(original.parents)[: len(original.parts) - len(top.parts)]:
        # A folder above the project may not be readable.
        with suppress(PermissionError):
            for beside in folder.iterdir():
                link = there / beside.relative_to(top)
                if beside != original and not link.exists():
                    link.symlink_to(beside)
    return copy
