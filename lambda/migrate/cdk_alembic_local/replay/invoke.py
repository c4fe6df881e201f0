"""Requests to the runner, carried out in this process: the same guard, mutex and contract as in production."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import sys
from typing import Any, TextIO

from cdk_alembic.database.connecting import until_connected
from cdk_alembic.project.project import Project
from cdk_alembic.protocol.contract import RESTRICTED_COMMANDS, Limits, Settings, parse_request, request_problems
from cdk_alembic.protocol.errors import RunnerError
from cdk_alembic.protocol.invocation import Invocation
from cdk_alembic.protocol.log import redacted
from cdk_alembic.run.commands import execute

STAGE = "local"
# There is no function that would be killed.
SECONDS = 24 * 3600.0
# Here no database resumes from a pause or fails over: one that just starts has so long, and who has not started it is told.
LIMITS = Limits(connect_retry=2.0)


def invoke(project: Project, request: Any, guard: bool = True) -> dict[str, Any]:
    """The contract's answer. `guard`: whether data loss has to be acknowledged. Raises RunnerError."""
    if problems := request_problems(request):
        raise RunnerError("invalid_request", "; ".join(problems), "the two sides are not of the same version")
    settings = Settings(STAGE, RESTRICTED_COMMANDS, {"source": "environment"}, limits=LIMITS, guard=guard)
    holder = f"cdk-alembic {STAGE} {socket.gethostname()} {os.getpid()}"
    invocation = Invocation(parse_request(request), settings, holder, lambda: SECONDS, 1.0)
    with contextlib.redirect_stdout(_WithoutLog(sys.stdout)):
        return redacted(until_connected(invocation, lambda: execute(project, invocation)))


class _WithoutLog(io.TextIOBase):
    """The runner's own log is for CloudWatch; what the backend prints goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        if not text.startswith('{"level": '):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()
