"""Reads the upgrades of revisions: `UpgradeStep[]` of lib/contract/facts for each file."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ..per_request import per_request
from .interpreter.interpreter import Interpreter

_ADDS = re.compile(r"\bADD\b", re.IGNORECASE)
_ID = re.compile(r"^(down_revision|revision)\b[^=\n]*=\s*[\"']([^\"'\n]+)[\"']", re.MULTILINE)


def read_upgrade(path: Path, root: Path, roots: list[Path]) -> list[dict[str, Any]]:
    """The effects of a revision's `upgrade`, in order, after the columns that the revision before it adds, and the history of the
    tables whose rows it moves.

    `root` contains the backend; `roots` are searched for its modules."""
    own = _effects(path, root, tuple(roots), _text(path))
    written = [effect.get("sql", "") for effect in own]
    found = [*_history(path, root, tuple(roots), written)]
    if any("UPDATE" in sql.upper() for sql in written):
        before = _revisions(path.parent).get(_ids(path).get("down_revision", ""))
        earlier = _effects(before, root, tuple(roots), _text(before)) if before else []
        found += [{**effect, "isEarlier": True} for effect in earlier if _ADDS.search(effect.get("sql", ""))]
    return [*found, *own]


def _history(path: Path, root: Path, roots: tuple[Path, ...], own: list[str]) -> Iterator[dict[str, Any]]:
    """Statements that define the columns of copied and dropped tables: of the downgrade, and of earlier revisions."""
    if not any(_DROPS.search(sql) for sql in own):
        return
    tables = {name for sql in own if _COPIES.search(sql) for name in _FROM.findall(sql)}
    if not tables:
        return
    about = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(tables)))})\b")
    steps = [_effects(path, root, roots, _text(path), "downgrade")]
    seen, revisions = {path}, _revisions(path.parent)
    while (path := revisions.get(_ids(path).get("down_revision", ""), path)) not in seen:
        seen.add(path)
        if about.search(_text(path).decode(errors="replace")):
            steps.insert(1, _effects(path, root, roots, _text(path)))
    for index, effects in enumerate(steps):
        for effect in effects:
            sql = effect.get("sql", "")
            # A downgrade creates what the upgrade drops, and undoes the rest.
            if about.search(sql) and (_CREATES if index == 0 else _DEFINES).match(sql):
                yield {**effect, "isHistory": True}


_DROPS = re.compile(r"\b(?:DROP\s+TABLE|TRUNCATE|DELETE\s+FROM)\b", re.IGNORECASE)
_COPIES = re.compile(
    r"\b(?:INSERT\s+INTO|CREATE)\b.*\b(?:SELECT|VALUES)\b|\bUPDATE\b.*\bSET\b.*\bFROM\b", re.IGNORECASE | re.DOTALL
)
_FROM = re.compile(r"\b(?:FROM|VALUES\s*\()\s*(?:\"?\w+\"?\s*\.\s*(?=\"?\w+\"?\s*(?:;|\Z|\s)))?\"?(\w+)\"?", re.IGNORECASE)
_CREATES = re.compile(r"\s*CREATE\s+TABLE\b", re.IGNORECASE)
_DEFINES = re.compile(r"\s*(?:CREATE|ALTER)\s+TABLE\b", re.IGNORECASE)


def read_steps(path: Path, root: Path, roots: list[Path], name: str) -> list[dict[str, Any]]:
    """What `upgrade` or `downgrade` of a revision does: `SourceStep[]` of lib/contract/facts."""
    return _read(path, root, tuple(roots), _text(path), name)[1]


def _effects(path: Path, root: Path, roots: tuple[Path, ...], source: bytes, name: str = "upgrade") -> list[dict[str, Any]]:
    return _read(path, root, roots, source, name)[0]


# A revision is read for itself and for those after it.
@cache
def _read(
    path: Path, root: Path, roots: tuple[Path, ...], source: bytes, name: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The effects, which the deploy's guard checks, and the steps."""
    try:
        interpreter = Interpreter(_resolved(path), _resolved(root), [*map(_resolved, roots)], ast.parse(source))
    except (SyntaxError, ValueError):
        return [{"unread": "Python code", "line": 1, "spread": False}], []
    try:
        interpreter.run(name)
    except Exception:  # TooMuch, RecursionError, or unexpected Python: packaging continues, and the guard reports it.
        interpreter.effects.append({"unread": "Python code", "line": 1, "spread": False})
    return interpreter.effects, interpreter.steps


_resolved = per_request(Path.resolve)


def _text(path: Path) -> bytes:
    """A file's content; a null byte, which Python can't parse, if it can't be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b"\0"


def _ids(path: Path) -> dict[str, str]:
    return dict(_ID.findall(_text(path).decode(errors="replace")))


@per_request
def _revisions(folder: Path) -> dict[str, Path]:
    """The files of a folder's revisions, by id."""
    files = (file for file in sorted(folder.glob("*.py")) if file.is_file())
    return {ids["revision"]: file for file in files if "revision" in (ids := _ids(file))}


def module_roots(path: Path, root: Path, given: Iterable[str] = ()) -> list[Path]:
    """Folders where Python may find the backend's modules: its folder, its src/, `given`, and each parent of the revision."""
    roots = [root, root / "src", *(root / folder for folder in given), path.parent]
    folder = path.parent
    while folder != root and folder.is_relative_to(root):
        folder = folder.parent
        roots.append(folder)
    return roots


def main() -> None:
    """Reads `{"root": folder, "files": [path], "roots": [path]}`, relative to the root, and prints the steps by file."""
    ask = json.load(sys.stdin)
    root = Path(ask["root"]).resolve()
    given = ask.get("roots", ())
    sys.setrecursionlimit(5000)
    print(json.dumps({file: read_upgrade(root / file, root, module_roots(root / file, root, given)) for file in ask["files"]}))
