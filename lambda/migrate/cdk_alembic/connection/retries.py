"""Retries while the database is not available: paused, failing over, starting, or rotating its password."""

from __future__ import annotations

import random
import time

from ..protocol.errors import RunnerError
from ..protocol.log import log
from ..protocol.request import Invocation

PAUSE_SECONDS = (0.5, 2.0)

# invalid_password and invalid_authorization_specification
_PASSWORD_STATES = ("28P01", "28000")


class Retries:
    """One request's attempts to reach its database; each fetches the secret again."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._give_up = time.monotonic() + invocation.settings.limits.connect_retry
        self._refusals = 0

    def pause(self, error: RunnerError) -> None:
        """Waits before the next attempt, or raises the error: an unreachable database is retried within the stage's limit, a
        refused password once, and nothing after a run has started."""
        settings = self._invocation.settings
        is_refused = error.code == "database_refused" and error.sql_state in _PASSWORD_STATES
        self._refusals += is_refused
        is_fetched = settings.database["source"] != "environment"
        may_recover = error.code == "database_unreachable" or (is_refused and self._refusals == 1 and is_fetched)
        has_time = time.monotonic() < self._give_up and not self._invocation.is_over()
        if self._invocation.before is not None or not may_recover or not has_time:
            raise error
        self._invocation.process.refuse_if_cancelled()
        log("WARNING", "connect_retry", stage=settings.stage, code=error.code, reason=error.message)
        time.sleep(random.uniform(*PAUSE_SECONDS))
