"""What an operator sees of a call: metrics, and an event when a run has ended."""

from __future__ import annotations

import json
import time
from typing import Any

from .call import Call
from .log import log

NAMESPACE = "cdk-alembic"
EVENT_SOURCE = "cdk-alembic"
EVENT_DETAIL_TYPE = "Migration Run Ended"

# A bus that can't be reached must not hold up a deploy.
EVENT_TIMEOUT_SECONDS = 2

_UNITS = {"Applied": "Count", "Failed": "Count", "Duration": "Milliseconds", "LockWait": "Milliseconds"}


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
    # CloudWatch makes metrics of such a line, without a call of its API:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    metrics = [{"Name": name, "Unit": unit} for name, unit in _UNITS.items()]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["stage"]], "Metrics": metrics}
    log(
        "INFO",
        "metrics",
        _aws={"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [directive]},
        stage=call.settings.stage,
        Applied=len(call.applied),
        Failed=int(failed),
        Duration=round((time.monotonic() - call.started) * 1000),
        LockWait=round(call.lock_wait_seconds * 1000),
    )


def _event(bus: str, detail: dict[str, Any]) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    from .database import client

    entry = {"EventBusName": bus, "Source": EVENT_SOURCE, "DetailType": EVENT_DETAIL_TYPE, "Detail": json.dumps(detail)}
    try:
        answer = client("events", EVENT_TIMEOUT_SECONDS).put_events(Entries=[entry])
        reason = answer["Entries"][0].get("ErrorMessage") if answer["FailedEntryCount"] else None
    except (BotoCoreError, ClientError) as error:
        reason = str(error)
    if reason:
        log("WARNING", "event_not_sent", bus=bus, reason=reason)
