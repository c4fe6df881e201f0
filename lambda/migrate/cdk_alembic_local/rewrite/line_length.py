"""How long a line of the project's code may be."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

_DEFAULT = 88
_FILES = ("ruff.toml", ".ruff.toml", "pyproject.toml")


def line_length(file: Path) -> int:
    """What Ruff or Black is configured for in the folders above a file, up to the repository's; otherwise their default."""
    for folder in file.resolve().parents:
        for name in _FILES:
            length = _settings(folder / name).get("line-length")
            if isinstance(length, int):
                return length
        if (folder / ".git").exists():
            break
    return _DEFAULT


def _settings(file: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if file.name != "pyproject.toml":
        return found
    tools = found.get("tool", {})
    return {**tools.get("black", {}), **tools.get("ruff", {})}
