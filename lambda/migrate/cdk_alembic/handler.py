"""The function's entry. It imports next to nothing: a call that has nothing to do shall cost next to nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Carries out one request; no payload at all upgrades to head. Raises full.MigrationFailed, so that nobody takes a failure
    for success: Lambda sets FunctionError and counts the error."""
    from .shortcut.shortcut import attempt

    answer = attempt(event, context)
    if isinstance(answer, dict):
        return answer
    from .respond import carry_out

    return carry_out(event, context, answer)
