"""Waits for a database that is on its way: paused, failing over, not there yet, or with a password that is just being rotated."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from ..protocol.errors import RunnerError
from ..protocol.invocation import Call
from ..protocol.log import log

PAUSE_SECONDS = (0.5, 2.0)

# invalid_password and invalid_authorization_specification
_PASSWORD_STATES = ("28P01", "28000")


def until_connected(call: Call, attempt: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The attempt's answer. It is made again while the database can't be reached, within the stage's limit, and once more when
    the password was refused: each attempt fetches the secret anew. Never after a run has begun."""
    give_up = time.monotonic() + call.settings.limits.connect_retry
    refusals = 0
    while True:
        try:
            return attempt()
        except RunnerError as error:
            refused = error.code == "database_refused" and error.sql_state in _PASSWORD_STATES
            refusals += refused
            may_come = error.code == "database_unreachable" or (refused and refusals == 1 and _is_fetched(call))
            if call.before is not None or not may_come or time.monotonic() >= give_up or call.is_over():
                raise
            call.refuse_if_cancelled()
            log("WARNING", "connect_retry", stage=call.settings.stage, code=error.code, reason=error.message)
            time.sleep(random.uniform(*PAUSE_SECONDS))


def _is_fetched(call: Call) -> bool:
    return call.settings.database["source"] != "environment"
