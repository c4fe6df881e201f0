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
from cdk_alembic.project.environment import flask_folder
from cdk_alembic.project.project import Project
from cdk_alembic.project.scripts import needs_flask
from cdk_alembic.project.search_path import import_root
from cdk_alembic.protocol.errors import RunnerError
from cdk_alembic.protocol.log import redacted, without_secrets

from .answers import Answers
from .replay_cache.copy_point import CopyPoint
from .replay_cache.trace import Trace


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

    def copy_point() -> CopyPoint | None:
        return CopyPoint(trace, report, wait) if trace else None

    replies = Answers(load, report, copy_point, hello.get("scratch", False))
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
            replies.answer(ask)
            report({"report": "end"})
        except RunnerError as error:
            # The next step may name a column `password`, as in --rename.
            report({"report": "failed", "error": {**redacted(error.facts()), "next": without_secrets(error.next)}})
        except (Exception, SystemExit) as error:
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


def _unexpected(error: BaseException) -> dict[str, Any]:
    return RunnerError(
        "internal_error",
        f"the observer failed: {describe(error)}{location(error)}",
        "look at the traceback above, and report it as a defect of cdk-alembic",
    ).facts()
