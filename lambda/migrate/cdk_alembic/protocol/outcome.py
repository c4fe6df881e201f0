"""The lines of the log that tell how a call ended."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

NAMESPACE = "cdk-alembic"

_UNITS = {"Applied": "Count", "Failed": "Count", "Duration": "Milliseconds", "LockWait": "Milliseconds"}


def ended(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of the event `run_ended`."""
    return {
        "stage": answer["stage"],
        "command": answer["command"],
        "status": answer["status"],
        "before": answer["from"],
        "after": answer["to"],
        "applied": len(answer["applied"]),
        "pending": len(answer["pending"]),
    }


def tenants_ended(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of the event `run_ended` of a call with tenants."""
    if answer["command"] == "tenants":
        return {"stage": answer["stage"], "command": "tenants", "tenants": len(answer["tenants"])}
    outcomes = answer["outcomes"]
    return {
        "stage": answer["stage"],
        "command": answer["command"],
        "status": answer["status"],
        "tenants": len(outcomes),
        "failed": answer["failed"],
        "left": len(answer["left"]),
        "applied": sum(len(outcome["applied"]) for outcome in outcomes),
        "pending": sum(outcome["pending"] for outcome in outcomes),
    }


def metrics(stage: str, *, applied: int, failed: bool, milliseconds: int, lock_wait: int) -> dict[str, Any]:
    """Facts of the event `metrics`."""
    # CloudWatch makes metrics of such a line, without a call of its API:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    definitions = [{"Name": name, "Unit": unit} for name, unit in _UNITS.items()]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["stage"]], "Metrics": definitions}
    return {
        "_aws": {"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [directive]},
        "stage": stage,
        "Applied": applied,
        "Failed": int(failed),
        "Duration": milliseconds,
        "LockWait": lock_wait,
    }
