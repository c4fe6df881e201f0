"""Reports a request to the operator: its result in the log, metrics, and an event on the bus after a run."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from .log import log
from .request import Invocation
from .rules import CHANGING_COMMANDS, DRIFT_FOUND

EVENT_SOURCE = "cdk-alembic"
EVENT_DETAIL_TYPE = "Migration Run Ended"
DRIFT_DETAIL_TYPE = "Migration Drift Found"
NAMESPACE = "cdk-alembic"
# An event's limit is 256 kB.
MAX_DRIFTED = 100
MAX_DRIFTED_TENANTS = 20

# An unreachable bus must not delay a deploy.
EVENT_TIMEOUT_SECONDS = 2

_UNITS = {"Applied": "Count", "Failed": "Count", "Duration": "Milliseconds", "LockWait": "Milliseconds"}


def completed(invocation: Invocation, answer: Mapping[str, Any]) -> None:
    """Reports the answer to a request: the contract's MigrateAnswer, TenantAnswer or TenantList."""
    if answer["command"] == "tenants":
        log("INFO", "run_ended", stage=answer["stage"], command="tenants", tenants=len(answer["tenants"]))
        return
    if "outcomes" in answer:
        _tenants_completed(invocation, answer)
        return
    log(
        "INFO",
        "run_ended",
        stage=answer["stage"],
        command=answer["command"],
        status=answer["status"],
        before=answer["from"],
        after=answer["to"],
        applied=len(answer["applied"]),
        pending=len(answer["pending"]),
    )
    if (drift := answer.get("drift")) and drift["status"] == "drifted":
        facts = _drift(drift, len(drift["objects"]) + drift.get("objectsLeftOut", 0))
        log("WARNING", DRIFT_FOUND, stage=answer["stage"], **facts)
        _send_drift(invocation, facts)
    _run_ended(invocation, answer["status"], {key: answer[key] for key in ("from", "to", "applied", "runId") if key in answer})


def _drift(drift: Mapping[str, Any], count: int) -> dict[str, Any]:
    objects = [{key: drifted[key] for key in ("change", "object")} for drifted in drift["objects"][:MAX_DRIFTED]]
    return {"keptAt": drift["keptAt"], "count": count, "objects": objects}


def _send_drift(invocation: Invocation, facts: dict[str, Any]) -> None:
    stage, bus = invocation.settings.stage, invocation.settings.event_bus
    if bus:
        _send_event(bus, {"stage": stage, **facts}, DRIFT_DETAIL_TYPE)


def _tenants_completed(invocation: Invocation, answer: Mapping[str, Any]) -> None:
    outcomes = answer["outcomes"]
    log(
        "INFO",
        "run_ended",
        stage=answer["stage"],
        command=answer["command"],
        status=answer["status"],
        tenants=len(outcomes),
        failed=answer["failed"],
        left=len(answer["left"]),
        applied=sum(len(outcome["applied"]) for outcome in outcomes),
        pending=sum(outcome["pending"] for outcome in outcomes),
    )
    drifted = [
        {"tenant": outcome["tenant"], **_drift(outcome["drift"], outcome["drift"]["count"])}
        for outcome in outcomes
        if outcome.get("drift", {}).get("status") == "drifted"
    ]
    for facts in drifted:
        log("WARNING", DRIFT_FOUND, stage=answer["stage"], **facts)
    if drifted:
        _send_drift(invocation, {"count": len(drifted), "tenants": drifted[:MAX_DRIFTED_TENANTS]})
    facts = {name: len(answer[name]) for name in ("outcomes", "left", "notStarted")}
    outcome = "tenants_failed" if answer["failed"] else answer["status"]
    _run_ended(invocation, outcome, {"tenants": {**facts, "failed": answer["failed"]}, "runId": invocation.request.run_id})


def failed(invocation: Invocation | None, error: Mapping[str, Any], traceback: str | None) -> None:
    """Reports the contract's FailureDetail. `invocation`: None if the request or the settings were invalid."""
    log("ERROR", "run_failed", **error, stage=invocation.settings.stage if invocation else None, traceback=traceback)
    if invocation:
        _run_ended(invocation, error["code"], {"error": error, "applied": invocation.applied})


def _run_ended(invocation: Invocation, outcome: str, facts: dict[str, Any]) -> None:
    """Writes the metrics of a request that may have migrated, and sends the event unless the run continues in another slice.

    `outcome` is a status or an error's code; `facts` go into the event.
    """
    if invocation.request.command not in CHANGING_COMMANDS:
        return
    settings = invocation.settings
    has_failed = outcome not in ("complete", "partial")
    # CloudWatch extracts metrics from such a line, without an API call:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    definitions = [{"Name": name, "Unit": unit} for name, unit in _UNITS.items()]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["stage"]], "Metrics": definitions}
    log(
        "INFO",
        "metrics",
        _aws={"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [directive]},
        stage=settings.stage,
        Applied=len(invocation.applied),
        Failed=int(has_failed),
        Duration=round((time.monotonic() - invocation.started) * 1000),
        LockWait=round(invocation.lock_wait_seconds * 1000),
    )
    if outcome != "partial" and (has_failed or invocation.applied) and settings.event_bus:
        _send_event(settings.event_bus, {"stage": settings.stage, "outcome": outcome, **facts})


def _send_event(bus: str, detail: dict[str, Any], detail_type: str = EVENT_DETAIL_TYPE) -> None:
    from .aws import client

    entry = {"EventBusName": bus, "Source": EVENT_SOURCE, "DetailType": detail_type, "Detail": json.dumps(detail)}
    try:
        answer = client("events", EVENT_TIMEOUT_SECONDS).put_events(Entries=[entry])
        reason = answer["Entries"][0].get("ErrorMessage") if answer["FailedEntryCount"] else None
    except Exception as error:  # the run has already ended
        reason = f"{type(error).__name__}: {error}"
    if reason:
        log("WARNING", "event_not_sent", bus=bus, reason=reason)
