"""Calls in processes of their own, as Lambda makes them. They are forked: Python and Alembic are loaded already."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from typing import Any

from cdk_alembic import handler
from cdk_alembic.handler import MigrationFailed
from conftest import Context

_fork = multiprocessing.get_context("fork")


class Call:
    """One call of the handler, under way."""

    def __init__(self, event: Any = None, seconds: float = 300) -> None:
        self._end, end = _fork.Pipe(duplex=False)
        self._process = _fork.Process(target=_run, args=(end, event, seconds), daemon=True)
        self._process.start()
        end.close()

    def answer(self, timeout: float = 400) -> dict[str, Any]:
        """What the handler answered; of a failure its JSON."""
        assert self._end.poll(timeout), "the call gave no answer in time"
        answer = self._end.recv()
        self._process.join()
        return answer

    def is_over(self) -> bool:
        return self._end.poll()

    def kill(self) -> None:
        """As Lambda does at the deadline."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.join()


def _run(end: Any, event: Any, seconds: float) -> None:
    try:
        answer = handler.handler(event, Context(seconds))
    except MigrationFailed as error:
        answer = json.loads(str(error))
    end.send(answer)
