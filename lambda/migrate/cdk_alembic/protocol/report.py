"""What an operator sees of a call: metrics, and an event when a run has ended."""

from __future__ import annotations

import json
import time
from typing import Any

from .invocation import Call
from .log import log
from .outcome import metrics

EVENT_SOURCE = "cdk-alembic"
EVENT_DETAIL_TYPE = "Migration Run Ended"

# A bus that can't be reached must not hold up a deploy.
EVENT_TIMEOUT_SECONDS = 2


def report(call: Call, outcome: str, facts: dict[str, Any]) -> None:
    """Writes the metrics of a call that may have migrated, and sends the event unless the run goes on in a further slice.

    `outcome` is a status or an error's code; `facts` go into the event.
    """
    if call.request.command not in ("upgrade", "downgrade", "stamp"):
        return
    failed = outcome not in ("complete", "partial")
    _metrics(call, failed)
    if outcome != "partial" and (failed or call.applied) and call.settings.event_bus:
        _event(call.settings.event_bus, {"stage": call.settings.stage, "outcome": outcome, **facts})


def _metrics(call: Call, failed: bool) -> None:
    milliseconds = round((time.monotonic() - call.started) * 1000)
    lock_wait = round(call.lock_wait_seconds * 1000)
    facts = metrics(call.settings.stage, applied=len(call.applied), failed=failed, milliseconds=milliseconds, lock_wait=lock_wait)
    log("INFO", "metrics", **facts)


def _event(bus: str, detail: dict[str, Any]) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    from ..database.address import client

    entry = {"EventBusName": bus, "Source": EVENT_SOURCE, "DetailType": EVENT_DETAIL_TYPE, "Detail": json.dumps(detail)}
    try:
        answer = client("events", EVENT_TIMEOUT_SECONDS).put_events(Entries=[entry])
        reason = answer["Entries"][0].get("ErrorMessage") if answer["FailedEntryCount"] else None
    except (BotoCoreError, ClientError) as error:
        reason = str(error)
    if reason:
        log("WARNING", "event_not_sent", bus=bus, reason=reason)
