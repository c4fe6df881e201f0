"""The observer's process: reads one request (`ask`) per line and writes reports (lib/contract/facts)."""

from __future__ import annotations

import atexit
import importlib
import json
import os
import socket
import sys
import sysconfig
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from cdk_alembic.database.failures import describe, location
from cdk_alembic.project.environment import application_context, flask_folder
from cdk_alembic.project.project import Project
from cdk_alembic.project.scripts import needs_flask
from cdk_alembic.project.search_path import import_root
from cdk_alembic.protocol.errors import ProjectError, RunnerError
from cdk_alembic.protocol.log import redacted, without_secrets

from .replay_cache.copy_point import CopyPoint
from .replay_cache.trace import Trace, installed_packages
from .rewrite.overlay import overlaid

Report = Callable[[dict[str, Any]], None]


def main(hello: dict[str, Any], bytecode: Callable[[], str | None]) -> None:
    """Answers the requests on standard input until it ends. The backend's output goes to standard error.

    `bytecode`: returns the modules' bytecode if it is saved and has changed.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)
    asks, sys.stdin = sys.stdin.buffer, Path(os.devnull).open()  # noqa: SIM115
    _activate()
    folder = Path(hello["project"]).resolve()
    file = folder / hello["config"] if "config" in hello else None
    load = partial(Project, folder, file, x=hello.get("x", ()))
    if needs_flask(folder / "env.py"):
        # `flask db` runs next to the application, and the Alembic project is a subfolder.
        sys.path.insert(0, str(import_root(flask_folder(folder.parent))))

    def report(facts: dict[str, Any]) -> None:
        answers.write(json.dumps(facts, default=str) + "\n")
        answers.flush()

    def wait() -> None:
        asks.readline()

    trace = Trace() if hello.get("trace") else None
    loaded: Project | None = None
    is_fork = False
    while line := asks.readline():
        try:
            if (ask := json.loads(line))["ask"] == "fork":
                done, channel = _fork(ask["socket"])
                if channel:
                    is_fork, asks, answers = True, channel.makefile("rb"), channel.makefile("w", encoding="utf-8", newline="\n")
                else:
                    report({"report": "forked", "done": done})
                    report({"report": "end"})
                continue
            copy_point = CopyPoint(trace, report, wait) if trace else None
            loaded = _answer(ask, load, hello.get("scratch", False), report, copy_point, loaded)
            report({"report": "end"})
        except RunnerError as error:
            loaded = None
            # The next step may name a column `password`, as in --rename.
            report({"report": "failed", "error": {**redacted(error.facts()), "next": without_secrets(error.next)}})
        except (Exception, SystemExit) as error:
            loaded = None
            traceback.print_exc()
            report({"report": "failed", "error": redacted(_unexpected(error))})
        if hello.get("scratch"):
            _load_ahead()
    if is_fork:
        os._exit(0)
    if kept := bytecode():
        report({"report": "bytecode", "bytecode": kept})
    _exit()


def _activate() -> None:
    """Lets the backend find its environment's commands, such as a formatter in post_write_hooks, as if it were activated."""
    commands, found = sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)
    if commands not in found.split(os.pathsep):
        os.environ["PATH"] = f"{commands}{os.pathsep}{found}"


def _fork(path: str) -> tuple[bool, socket.socket | None]:
    """Continues in a forked process, which keeps all imports and reads its requests from this socket.

    Returns whether it forked, which is safe only on Linux with one thread; in the new process, also the connection.
    """
    # A fork keeps only the current thread, but the locks of all threads. Frameworks of macOS do not survive a fork.
    if sys.platform != "linux" or len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208
        return False, None
    channel = socket.socket(socket.AF_UNIX)
    try:
        channel.connect(path)
    except OSError:
        # It runs in a container.
        channel.close()
        return False, None
    if os.fork() == 0:
        return True, channel
    channel.close()
    return True, None


def _exit() -> None:
    """Exits without cleaning up the backend's modules, because the caller is waiting."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(0)


def _load_ahead() -> None:
    """Imports modules for the next request while its database may still be starting. That request reports any missing module."""
    with suppress(Exception):
        importlib.import_module("cdk_alembic_local.replay.observe")


def _answer(
    ask: dict[str, Any],
    load: Callable[[], Project],
    on_scratch: bool,
    report: Report,
    copy_point: CopyPoint | None,
    loaded: Project | None,
) -> Project | None:
    """Answers a request. `loaded`: the previous request's project. Returns the project if the next request may use it."""
    verb, overlay = ask["ask"], ask.get("overlay") or []
    if verb in ("bodies", "compose", "write"):
        _answer_about_texts(load(), ask, overlay, report)
        return None
    if verb == "graph" and not overlay:
        return _graph(load(), report, copy_point)
    if loaded is not None and verb == "observe" and not overlay:
        _answer_loaded(loaded, ask, on_scratch, report, copy_point)
        return None
    project = load()
    with overlaid(project, overlay, ask.get("folder")):
        if verb == "graph":
            _graph(project, report, None)
            return None
        _load_and_answer(project, ask, on_scratch, report, copy_point)
    return None


def _graph(project: Project, report: Report, copy_point: CopyPoint | None) -> Project | None:
    from .source.graph import graph

    found = graph(project)
    report({"report": "graph", "graph": found})
    if copy_point:
        report({"report": "python", "installed": installed_packages()})
    # Some of the revisions could not be loaded: the next request tries again.
    return None if "problem" in found else project


def _load_and_answer(
    project: Project, ask: dict[str, Any], on_scratch: bool, report: Report, copy_point: CopyPoint | None
) -> None:
    verb = ask["ask"]
    if verb in ("observe", "try"):
        from .source.graph import load

        try:
            load(project)
        except ProjectError as error:
            if verb == "try":
                raise
            from .source.unreplayed import observe_files

            observe_files(project, ask, error, report)
            return
    _answer_loaded(project, ask, on_scratch, report, copy_point)


def _answer_loaded(project: Project, ask: dict[str, Any], on_scratch: bool, report: Report, copy_point: CopyPoint | None) -> None:
    verb, scratch_url = ask["ask"], ask.get("scratch")
    if scratch_url is None:
        if verb == "catalog" and not on_scratch:
            from .replay.matching_revision import entries_of

            with application_context(project):
                report({"report": "catalog", "entries": entries_of(project)})
            return
        if verb != "invoke" or on_scratch:
            raise RunnerError("invalid_request", f'"{verb}" needs a scratch database', "start the observer with one")
        from .replay.invoke import invoke

        with application_context(project):
            report({"report": "answer", "answer": invoke(project, ask["request"])})
        return
    from .scratch.scratch import Scratch

    scratch = Scratch(scratch_url, ask.get("disposable", False))
    with scratch.redirecting(project):
        try:
            _answer_on_scratch(ask, project, scratch, report, copy_point)
        except RunnerError as error:
            raise scratch.refused or error from error


def _answer_about_texts(project: Project, ask: dict[str, Any], overlay: list[dict[str, Any]], report: Report) -> None:
    path = project.directory / ask.get("file", "")
    texts = {project.directory / one["file"]: one["text"] for one in overlay}
    if ask["ask"] == "bodies":
        from .rewrite.bodies import bodies

        report({"report": "bodies", "bodies": bodies(path, texts)})
    elif ask["ask"] == "compose":
        from .rewrite.compose import compose

        report({"report": "composed", "files": compose(path, ask["file"], ask["revisions"], texts)})
    else:
        from .rewrite.write import write

        failure = write(project, ask["files"])
        report({"report": "written", **({"failure": failure} if failure else {})})


def _answer_on_scratch(ask: dict[str, Any], project: Project, scratch: Any, report: Report, copy_point: CopyPoint | None) -> None:
    verb = ask["ask"]
    if verb == "invoke":
        from .replay.invoke import invoke

        with application_context(project):
            report({"report": "answer", "answer": invoke(project, ask["request"])})
    elif verb == "observe":
        from .replay.observe import observe

        observe(project, scratch, ask, report, copy_point)
    elif verb == "try":
        from .replay.trial import trial

        with application_context(project):
            trial(project, scratch, ask, report)
    elif verb == "measure":
        from .measure.measure import measure

        with application_context(project):
            measure(project, scratch, ask, report)
    elif verb == "place":
        from .replay.matching_revision import match_revision

        scratch.prepare(ask.get("overwrite", False))
        try:
            with application_context(project):
                report({"report": "placed", "placed": match_revision(project, scratch, ask["entries"])})
        finally:
            scratch.leave()
    elif verb == "create":
        from .create_on_scratch import create_on_scratch

        report({"report": "created", **create_on_scratch(project, scratch, ask)})
    else:
        raise RunnerError("invalid_request", f'unknown request "{verb}"', "the two sides are not of the same version")


def _unexpected(error: BaseException) -> dict[str, Any]:
    return RunnerError(
        "internal_error",
        f"the observer failed: {describe(error)}{location(error)}",
        "look at the traceback above, and report it as a defect of cdk-alembic",
    ).facts()
