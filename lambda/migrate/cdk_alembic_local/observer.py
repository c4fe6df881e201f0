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
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TextIO

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


class _Channel:
    """The caller's requests and the reports for it: a JSON document per line."""

    def __init__(self, asks: BinaryIO, reports: TextIO) -> None:
        self._asks = asks
        self._reports = reports

    def asks(self) -> Iterator[dict[str, Any]]:
        while line := self._asks.readline():
            yield json.loads(line)

    def report(self, facts: dict[str, Any]) -> None:
        self._reports.write(json.dumps(facts, default=str) + "\n")
        self._reports.flush()

    def wait(self) -> None:
        """Waits until the caller has dealt with the last report."""
        self._asks.readline()

    def move_to(self, connection: socket.socket) -> None:
        self._asks, self._reports = connection.makefile("rb"), connection.makefile("w", encoding="utf-8", newline="\n")


def main(hello: dict[str, Any], bytecode: Callable[[], str | None]) -> None:
    """Answers the requests on standard input until it ends. The backend's output goes to standard error.

    `bytecode`: returns the modules' bytecode if it is saved and has changed.
    """
    channel = _take_standard_streams()
    _activate()
    folder = Path(hello["project"]).resolve()
    file = folder / hello["config"] if "config" in hello else None
    load = partial(Project, folder, file, x=hello.get("x", ()))
    if needs_flask(folder / "env.py"):
        # `flask db` runs next to the application, and the Alembic project is a subfolder.
        sys.path.insert(0, str(import_root(flask_folder(folder.parent))))
    trace = Trace() if hello.get("trace") else None
    copy_point = partial(CopyPoint, trace, channel.report, channel.wait) if trace else None
    has_scratch = hello.get("scratch", False)
    answers = Answers(load, channel.report, copy_point, has_scratch)
    is_fork = False
    for ask in channel.asks():
        if ask["ask"] == "fork":
            done, connection = _fork(ask["socket"])
            if connection:
                is_fork = True
                channel.move_to(connection)
            else:
                channel.report({"report": "forked", "done": done})
                channel.report({"report": "end"})
            continue
        _answer(answers, ask, channel)
        if has_scratch:
            _load_ahead()
    if is_fork:
        os._exit(0)
    if kept := bytecode():
        channel.report({"report": "bytecode", "bytecode": kept})
    _exit()


def _take_standard_streams() -> _Channel:
    """The caller's streams, hidden from the backend's code."""
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)
    asks, sys.stdin = sys.stdin.buffer, Path(os.devnull).open()  # noqa: SIM115
    return _Channel(asks, reports)


def _answer(answers: Answers, ask: dict[str, Any], channel: _Channel) -> None:
    try:
        answers.answer(ask)
        channel.report({"report": "end"})
    except RunnerError as error:
        # The next step may name a column `password`, as in --rename.
        channel.report({"report": "failed", "error": {**redacted(error.facts()), "next": without_secrets(error.next)}})
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        channel.report({"report": "failed", "error": redacted(_unexpected(error))})


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
