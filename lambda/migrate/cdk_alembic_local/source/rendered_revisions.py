"""Revisions that could not run: their facts are completed by Alembic's offline rendering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cdk_alembic.project.project import Project

from .offline import add_rendered


class RenderedRevisions:
    """Collects revisions, and reports them when env.py has ended: it can't run inside itself."""

    def __init__(self, project: Project, report: Callable[[dict[str, Any]], None]) -> None:
        self._project = project
        self._report = report
        self._waiting: list[tuple[Any, dict[str, Any]]] = []

    def add(self, script: Any, facts: dict[str, Any]) -> None:
        """`facts`: RevisionFacts without the statements that did not run."""
        self._waiting.append((script, facts))

    def report(self) -> None:
        """Completes and reports what was added."""
        while self._waiting:
            script, facts = self._waiting.pop(0)
            facts["upgrade"] = self._rendered(script, True, facts["upgrade"])
            if hasattr(script.module, "downgrade"):
                facts["downgrade"] = self._rendered(script, False, facts["downgrade"])
            self._report({"report": "revision", "revision": facts})

    def _rendered(self, script: Any, is_upgrade: bool, facts: dict[str, Any]) -> dict[str, Any]:
        from alembic.runtime.migration import RevisionStep

        return add_rendered(self._project, RevisionStep(self._project.script.revision_map, script, is_upgrade), facts)
