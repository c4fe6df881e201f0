"""Reads the upgrades of revisions: `UpgradeStep[]` of lib/contract/facts.ts for each file."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .interpreter import Interpreter


def read_upgrade(path: Path, root: Path, roots: list[Path], tree: ast.Module | None = None) -> list[dict[str, Any]]:
    """The effects of a revision's `upgrade`, in order. `root` contains the backend; `roots` are searched for its modules.

    `tree`: the file, if it was parsed already."""
    try:
        parsed = tree or ast.parse(path.read_bytes())
        interpreter = Interpreter(path.resolve(), root.resolve(), [one.resolve() for one in roots], parsed)
    except (SyntaxError, ValueError, OSError):
        return [{"unread": "the file", "line": 1, "spread": False}]
    try:
        interpreter.run("upgrade")
    except Exception:  # TooMuch, RecursionError, or unexpected Python: packaging continues, and the guard reports it.
        interpreter.effects.append({"unread": "all of the upgrade", "line": 1, "spread": False})
    return interpreter.effects


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
