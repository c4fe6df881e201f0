"""Runs programs as `python` would, in forks of a Python that has imported Alembic; `preloaded-python.ts` does so for jest."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

_SERVE = Path(__file__).parent / "serve.py"
_LIMIT_SECONDS = 600  # for a program that hangs, on the busiest machine


def run_preloaded(
    arguments: list[str], cwd: Path, environment: dict[str, str], text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs `python` with these arguments. A program that hangs is killed, and a TimeoutError raised.

    Args:
        text: Its standard input.
    """
    _, folder = _server()
    # Those with which this Python was started are no wish of the program's: with them, it would not be forked.
    wanted = {name: value for name, value in environment.items() if not _is_own(name, value)}
    with (
        TemporaryFile() as given,
        TemporaryFile() as output,
        TemporaryFile() as errors,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        given.write(text.encode())
        given.seek(0)
        connection.settimeout(_LIMIT_SECONDS)
        connection.connect(f"{folder.name}/socket")
        request = repr({"arguments": arguments, "folder": str(cwd), "environment": wanted}).encode() + b"\n"
        sent = socket.send_fds(connection, [request], [file.fileno() for file in (given, output, errors)])
        connection.sendall(request[sent:])
        code = connection.recv(16)
        assert code, "the program's parent has ended"
        printed = []
        for file in (output, errors):
            file.seek(0)
            printed.append(file.read().decode())
    return subprocess.CompletedProcess(arguments, int(code), *printed)


def _is_own(name: str, value: str) -> bool:
    return name.startswith("PYTHON") and name != "PYTHONPATH" and os.environ.get(name) == value


@cache
def _server() -> tuple[subprocess.Popen[bytes], TemporaryDirectory[str]]:
    """Started with the first program of this process, and ended with it."""
    folder = TemporaryDirectory()
    # As a backend's environment: a program for which Python would start differently is not forked.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [sys.executable, str(_SERVE), f"{folder.name}/socket"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    server = subprocess.Popen(command, env=environment, start_new_session=True, **pipes)
    assert server.stdout.readline() == b"ready\n"
    return server, folder
