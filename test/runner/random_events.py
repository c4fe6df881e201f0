"""What the tests with random events share."""

from __future__ import annotations

import json
import os
from typing import Any

from cdk_alembic import handler
from cdk_alembic.handler import MigrationFailed
from cdk_alembic.protocol import rules
from conftest import Context
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXT, children, max_size=3),
    max_leaves=3,
)
SETTINGS: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "database": None,
    "phases": [Phase.generate],
    # `npm test` sends the same events each time; the soak tests send others.
    "derandomize": "EVENTS" not in os.environ,
}


def events(number: int) -> int:
    """How many events a test sends: `number`, or as many as the soak tests ask for."""
    return int(os.environ.get("EVENTS", number))


def outcome(event: Any) -> dict[str, Any] | str:
    """The answer or the error code. Raises anything else."""
    try:
        return handler.handler(event, Context(60))
    except MigrationFailed as error:
        answer = json.loads(str(error))
        assert answer["error"]["code"] in rules.RUNNER_CODES
        assert answer["error"]["message"] and answer["error"]["next"]
        assert len(str(error)) < 10_000
        return answer["error"]["code"]
