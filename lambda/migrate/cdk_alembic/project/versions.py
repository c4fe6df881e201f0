"""The versions of Alembic and SQLAlchemy that the runner supports. Synth also rejects versions that are too new."""

from __future__ import annotations

import re

from ..protocol.errors import RunnerError
from ..protocol.rules import SUPPORTED_VERSIONS


def refuse_too_old() -> None:
    """Raises RunnerError `invalid_project` for a version before the oldest supported one."""
    import alembic
    import sqlalchemy

    for name, module in (("alembic", alembic), ("sqlalchemy", sqlalchemy)):
        supported = SUPPORTED_VERSIONS[name]
        if _parts(module.__version__) < _parts(supported["from"]):
            raise RunnerError(
                "invalid_project",
                f"{name} {module.__version__} is installed, and {supported['text']} is supported",
                f"update {name} in the backend's dependencies and try again",
            )


def _parts(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:3]]
