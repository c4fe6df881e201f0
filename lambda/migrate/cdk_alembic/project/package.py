"""The layout of the function's package, from its manifest. A hand-built package has none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..protocol.rules import MANIFEST_FILE


def package_root() -> Path:
    """The folder of the function's package."""
    return Path(os.environ.get("LAMBDA_TASK_ROOT") or Path(__file__).parents[2])


def manifest(root: Path) -> dict[str, Any]:
    """The manifest that lib/packaging/layout/manifest.ts wrote; empty if there is none."""
    file = root / MANIFEST_FILE
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def packaged_driver() -> str | None:
    """The PostgreSQL driver that env.py uses; None if unknown."""
    return manifest(package_root()).get("driver")
