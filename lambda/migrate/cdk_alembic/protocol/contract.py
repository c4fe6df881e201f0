"""What came in, once `rules` has found nothing wrong with it: lib/contract says what each field means."""

from __future__ import annotations

from typing import Any, NamedTuple

from .checks import problems
from .rules import (
    ALLOWANCES,
    BACKEND_DIRECTORY,
    COMMANDS,
    CONTRACT_VERSION,
    DATA_LOSS_RULES,
    DEPENDENCIES_DIRECTORY,
    MANIFEST_FILE,
    REQUEST,
    REQUEST_VARIABLE,
    RESTRICTED_COMMANDS,
    RUNNER_CODES,
    SETTINGS,
    SETTINGS_VARIABLE,
    STATUSES,
)

__all__ = [
    "ALLOWANCES",
    "BACKEND_DIRECTORY",
    "COMMANDS",
    "CONTRACT_VERSION",
    "DATA_LOSS_RULES",
    "DEPENDENCIES_DIRECTORY",
    "MANIFEST_FILE",
    "REQUEST_VARIABLE",
    "RESTRICTED_COMMANDS",
    "RUNNER_CODES",
    "SETTINGS_VARIABLE",
    "STATUSES",
    "Limits",
    "Request",
    "Settings",
    "parse_request",
    "parse_settings",
    "request_problems",
    "settings_problems",
]


class Request(NamedTuple):
    """A request that passed `request_problems`."""

    command: str = "upgrade"
    revision: str | None = None
    slice_seconds: float | None = None
    allow: tuple[str, ...] = ()
    requested_by: str = "invoke"
    run_id: str | None = None
    sql: bool = False
    place: str | None = None


class Limits(NamedTuple):
    """How long the runner waits for what, in seconds. The reasons for the defaults are in docs/timeouts.md."""

    mutex_wait: float = 60
    lock_timeout: float = 5
    lock_retry: float = 120
    connect_retry: float = 30


class Settings(NamedTuple):
    """What the construct told the runner, after `settings_problems` found nothing."""

    stage: str
    allow: tuple[str, ...]
    database: dict[str, Any]
    guard: bool = True
    protected: bool = False
    limits: Limits = Limits()
    event_bus: str | None = None
    container: str | None = None
    tenants: dict[str, Any] | None = None
    guard_unread: bool = False
    """Whether a revision whose SQL can't be read stops the run, too."""
    """The function migrates tenants; `query` lists them."""


def request_problems(request: object) -> list[str]:
    """All that is wrong with a request; empty when it can be carried out."""
    return problems(REQUEST, request)


def parse_request(request: dict[str, Any]) -> Request:
    """A request in which `request_problems` found nothing."""
    return Request(
        request.get("command", "upgrade"),
        request.get("revision"),
        request.get("sliceSeconds"),
        tuple(request.get("allow", ())),
        request.get("requestedBy", "invoke"),
        request.get("runId"),
        request.get("sql", False),
        request.get("in"),
    )


def settings_problems(settings: object) -> list[str]:
    """All that is wrong with the function's settings; empty when they can be used."""
    return problems(SETTINGS, settings)


def parse_settings(settings: dict[str, Any]) -> Settings:
    """Settings in which `settings_problems` found nothing."""
    limits = settings.get("limits", {})
    return Settings(
        settings["stage"],
        tuple(settings["allow"]),
        settings["database"],
        settings.get("guard", True),
        settings.get("protected", False),
        Limits(
            limits.get("mutexWaitSeconds", Limits().mutex_wait),
            limits.get("lockTimeoutSeconds", Limits().lock_timeout),
            limits.get("lockRetrySeconds", Limits().lock_retry),
            limits.get("connectRetrySeconds", Limits().connect_retry),
        ),
        settings.get("eventBus"),
        settings.get("container"),
        settings.get("tenants"),
        settings.get("guardUnread", False),
    )
