"""Answers the observer's requests, by verb (`ask`), and writes the reports (lib/contract/facts).

Each answer imports what it needs: a short request should not wait for the modules of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cdk_alembic.project.environment import application_context
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.errors import ProjectError, RunnerError

from .per_request import forget
from .replay_cache.copy_point import CopyPoint, Report
from .replay_cache.trace import installed_packages
from .rewrite.overlay import overlaid


class Answers:
    """Answers one request after another."""

    def __init__(
        self, load: Callable[[], Project], report: Report, copy_point: Callable[[], CopyPoint] | None, on_scratch: bool
    ) -> None:
        """`copy_point`: makes a request's own; None: the replay is not traced. `on_scratch`: whether the observer has a scratch
        database."""
        self._load = load
        self._report = report
        self._copy_point = copy_point or (lambda: None)
        self._on_scratch = on_scratch
        self._loaded: Project | None = None
        """The previous request's project, if this one may use it."""

    def answer(self, ask: dict[str, Any]) -> None:
        forget()
        loaded, self._loaded = self._loaded, None
        verb, overlay = ask["ask"], ask.get("overlay") or []
        if verb in _OF_TEXTS:
            self._report(_OF_TEXTS[verb](self._load(), ask, overlay))
        elif verb == "graph" and not overlay:
            self._loaded = self._graph(self._load(), self._copy_point())
        elif verb == "observe" and not overlay and loaded is not None:
            self._answer_loaded(loaded, ask)
        else:
            project = self._load()
            if verb == "standing":
                self._search_checkout(ask)
            with overlaid(project, overlay, ask.get("folder")):
                if verb == "graph":
                    self._graph(project, None)
                elif self._has_revisions(project, ask):
                    self._answer_loaded(project, ask)

    def _search_checkout(self, ask: dict[str, Any]) -> None:
        """Before anything imports the models: env.py, a revision or the application's context."""
        from .scratch.standing import search_checkout

        search_checkout(ask["repository"], ask["checkout"])

    def _graph(self, project: Project, copy_point: CopyPoint | None) -> Project | None:
        from .source.graph import graph

        found = graph(project)
        self._report({"report": "graph", "graph": found})
        if copy_point:
            self._report({"report": "python", "installed": installed_packages()})
        # Some of the revisions could not be loaded: the next request tries again.
        return None if "problem" in found else project

    def _has_revisions(self, project: Project, ask: dict[str, Any]) -> bool:
        """Whether the revisions that are about to run can be loaded; if not, `observe` reports what their files tell."""
        if ask["ask"] not in ("observe", "try"):
            return True
        from .source.graph import load

        try:
            load(project)
        except ProjectError as error:
            if ask["ask"] == "try":
                raise
            from .source.unreplayed import observe_files

            observe_files(project, ask, error, self._report)
            return False
        return True

    def _answer_loaded(self, project: Project, ask: dict[str, Any]) -> None:
        verb = ask["ask"]
        if ask.get("scratch") is not None:
            self._answer_on_scratch(project, ask)
        elif verb not in _ON_OWN_DATABASE or self._on_scratch:
            raise RunnerError("invalid_request", f'"{verb}" needs a scratch database', "start the observer with one")
        else:
            with application_context(project):
                self._report(_ON_OWN_DATABASE[verb](project, ask))

    def _answer_on_scratch(self, project: Project, ask: dict[str, Any]) -> None:
        from .scratch.scratch import Scratch

        scratch, verb = Scratch(ask["scratch"], ask.get("disposable", False)), ask["ask"]
        with scratch.redirecting(project):
            try:
                if verb == "observe":
                    from .replay.observe import observe

                    observe(project, scratch, ask, self._report, self._copy_point())
                elif verb in _ON_SCRATCH:
                    with application_context(project):
                        _ON_SCRATCH[verb](project, scratch, ask, self._report)
                else:
                    raise RunnerError("invalid_request", f'unknown request "{verb}"', "the two sides are not of the same version")
            except RunnerError as error:
                raise scratch.refused or error from error


def _bodies(project: Project, ask: dict[str, Any], overlay: list[dict[str, Any]]) -> dict[str, Any]:
    from .rewrite.bodies import bodies

    return {"report": "bodies", "bodies": bodies(project.directory / ask["file"], _texts(project, overlay))}


def _compose(project: Project, ask: dict[str, Any], overlay: list[dict[str, Any]]) -> dict[str, Any]:
    from .rewrite.compose import compose

    files = compose(project.directory / ask["file"], ask["file"], ask["revisions"], _texts(project, overlay))
    return {"report": "composed", "files": files}


def _write(project: Project, ask: dict[str, Any], overlay: list[dict[str, Any]]) -> dict[str, Any]:
    from .rewrite.write import write

    failure = write(project, ask["files"])
    return {"report": "written", **({"failure": failure} if failure else {})}


def _texts(project: Project, overlay: list[dict[str, Any]]) -> dict[Any, str]:
    return {project.directory / one["file"]: one["text"] for one in overlay}


_OF_TEXTS: Mapping[str, Callable[[Project, dict[str, Any], list[dict[str, Any]]], dict[str, Any]]] = {
    "bodies": _bodies,
    "compose": _compose,
    "write": _write,
}
"""What reads and writes files alone."""


def _catalog(project: Project, ask: dict[str, Any]) -> dict[str, Any]:
    from .replay.matching_revision import entries_of

    return {"report": "catalog", "entries": entries_of(project)}


def _invoke(project: Project, ask: dict[str, Any]) -> dict[str, Any]:
    from .replay.invoke import invoke

    return {"report": "answer", "answer": invoke(project, ask["request"])}


_ON_OWN_DATABASE: Mapping[str, Callable[[Project, dict[str, Any]], dict[str, Any]]] = {"catalog": _catalog, "invoke": _invoke}
"""What uses the database that env.py connects to, in the application's context."""


def _invoke_on_scratch(project: Project, scratch: Any, ask: dict[str, Any], report: Report) -> None:
    report(_invoke(project, ask))


def _try(project: Project, scratch: Any, ask: dict[str, Any], report: Report) -> None:
    from .replay.trial import trial

    trial(project, scratch, ask, report)


def _measure(project: Project, scratch: Any, ask: dict[str, Any], report: Report) -> None:
    from .measure.measure import measure

    measure(project, scratch, ask, report)


def _place(project: Project, scratch: Any, ask: dict[str, Any], report: Report) -> None:
    from .replay.matching_revision import match_revision

    scratch.prepare(ask.get("overwrite", False))
    try:
        report({"report": "placed", "placed": match_revision(project, scratch, ask["entries"])})
    finally:
        scratch.leave()


def _create(project: Project, scratch: Any, ask: dict[str, Any], report: Report) -> None:
    from .create_on_scratch import create_on_scratch

    report({"report": "created", **create_on_scratch(project, scratch, ask)})


def _standing(project: Project, scratch: Any, ask: dict[str, Any], report: Report) -> None:
    from .create_on_scratch import standing_on_scratch

    report({"report": "standing", "standing": standing_on_scratch(project, scratch, ask)})


_ON_SCRATCH: Mapping[str, Callable[[Project, Any, dict[str, Any], Report], None]] = {
    "invoke": _invoke_on_scratch,
    "try": _try,
    "measure": _measure,
    "place": _place,
    "create": _create,
    "standing": _standing,
}
"""What uses the scratch database, in the application's context."""
