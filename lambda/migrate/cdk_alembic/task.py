"""The container's entry: `python -m cdk_alembic.task`. The same run as the function's, without a deadline.

The request is in the environment. The last line of the log has the answer that the function would give. SIGTERM, which ECS sends
when the task is stopped, cancels the statement that is running.
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
from typing import Any

from .connection.drivers import cancel
from .handler import MigrationFailed, respond
from .protocol.log import log
from .protocol.process import Process
from .protocol.rules import CONTAINER_EXIT_CODES, REQUEST_VARIABLE

# A statement may start just after a cancellation that found none.
_CANCEL_AGAIN_SECONDS = 0.2


def main() -> int:
    """Carries out the request of the environment. Returns the exit code."""
    # A blocked signal waits for the thread that listens for it, whatever this thread does and whatever handlers the backend
    # installs.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    event = _request()
    run_id = event.get("runId") if isinstance(event, dict) else None
    try:
        process = task_process(run_id if isinstance(run_id, str) else None)
        threading.Thread(target=_cancel_on_signal, args=(process,), daemon=True).start()
        answer = respond(event, process)
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


def task_process(run_id: str | None) -> Process:
    """A task has no deadline."""
    return Process("container", run_id or str(uuid.uuid4()), lambda: math.inf)


def _cancel_on_signal(process: Process) -> None:
    signal.sigwait({signal.SIGTERM})
    process.cancelled = True
    log("WARNING", "cancelling")
    while True:
        if process.connection is not None:
            with suppress(Exception):  # a closed connection runs nothing
                cancel(process.connection)
        time.sleep(_CANCEL_AGAIN_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
