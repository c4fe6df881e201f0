"""The container's entry: `python -m cdk_alembic.task`. The same run as the function's, without a deadline.

The request is in the environment. What the function would answer is the last line of the log. SIGTERM, which ECS sends when the
task is stopped, cancels the statement that is running.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import threading
import time
import uuid
from contextlib import suppress
from functools import partial
from typing import Any

from .protocol.cancel import cancel
from .protocol.contract import REQUEST_VARIABLE
from .protocol.invocation import Call
from .protocol.log import log
from .protocol.rules import CONTAINER_EXIT_CODES
from .respond import MigrationFailed, carry_out, renew

# A statement may begin just after a cancellation has found nothing to cancel.
_CANCEL_AGAIN_SECONDS = 0.2


class Context:
    """In place of the context that Lambda gives."""

    def __init__(self, run_id: str | None) -> None:
        self.aws_request_id = run_id or str(uuid.uuid4())

    def get_remaining_time_in_millis(self) -> float:
        """A task has no deadline."""
        return math.inf


def main() -> int:
    """Carries out the request of the environment. Returns the exit code."""
    # Blocked, it waits for the thread that listens for it, whatever this one is busy with, and whatever the backend installs.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    event = _request()
    run_id = event.get("runId") if isinstance(event, dict) else None
    try:
        answer = carry_out(event, Context(run_id if isinstance(run_id, str) else None), "it runs in a container", _prepare)
        code = 0
    except MigrationFailed as failed:
        answer = json.loads(str(failed))
        code = CONTAINER_EXIT_CODES[answer["error"]["code"]]
    log("INFO", "task_ended", exitCode=code, answer=answer)
    return code


def _request() -> Any:
    text = os.environ.get(REQUEST_VARIABLE, "{}")
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _prepare(call: Call) -> None:
    call.place = "container"
    call.renew = partial(renew, call)
    threading.Thread(target=_cancel_on_signal, args=(call,), daemon=True).start()


def _cancel_on_signal(call: Call) -> None:
    signal.sigwait({signal.SIGTERM})
    call.cancelled = True
    log("WARNING", "cancelling", stage=call.settings.stage)
    while True:
        if call.connection is not None:
            with suppress(Exception):  # a connection that is closed meanwhile is at nothing
                cancel(call.connection)
        time.sleep(_CANCEL_AGAIN_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
