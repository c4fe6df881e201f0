"""Runs the runner's requests in this process, with the same guard, mutex and contract as in production."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import sys
from typing import Any, TextIO

from cdk_alembic.connection.retries import Retries
from cdk_alembic.connection.watchdog import watching
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.checks import problems
from cdk_alembic.protocol.errors import RunnerError
from cdk_alembic.protocol.log import redacted
from cdk_alembic.protocol.process import Process
from cdk_alembic.protocol.request import Invocation, Limits, Request, Settings
from cdk_alembic.protocol.rules import REQUEST, RESTRICTED_COMMANDS
from cdk_alembic.run.blocker_watch import name_holders
from cdk_alembic.run.commands import carry_out

STAGE = "local"
# There is no deadline in this process: a day.
SECONDS = 24 * 3600.0
# Seconds. A local database does not resume or fail over; it may still be starting.
LIMITS = Limits(connect_retry=2.0)


def invoke(project: Project, request: Any, guard: bool = True) -> dict[str, Any]:
    """Returns the contract's answer. `guard`: whether data loss must be acknowledged. Raises RunnerError."""
    if wrong := problems(REQUEST, request):
        raise RunnerError("invalid_request", "; ".join(wrong), "use the same version on both sides")
    settings = Settings(STAGE, RESTRICTED_COMMANDS, {"source": "environment"}, limits=LIMITS, guard=guard)
    process = Process(None, f"{socket.gethostname()} {os.getpid()}", lambda: SECONDS)
    invocation = Invocation(Request.of(request), settings, process)
    retries = Retries(invocation)
    with (
        contextlib.redirect_stdout(_WithoutLog(sys.stdout)),
        watching(process),
    ):
        while True:
            try:
                return redacted(carry_out(project, invocation))
            except RunnerError as error:
                name_holders(error, project.version_table)
                retries.pause(error)


class _WithoutLog(io.TextIOBase):
    """Drops the runner's own log, which is for CloudWatch, and keeps the backend's output."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        if not text.startswith('{"level": '):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()
