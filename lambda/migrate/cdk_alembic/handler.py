"""The function's entry."""

from __future__ import annotations

from typing import Any

from .respond import carry_out


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Carries out one request; no payload at all upgrades to head. Raises respond.MigrationFailed, so that nobody takes a failure
    for success: Lambda sets FunctionError and counts the error."""
    return carry_out(event, context)
