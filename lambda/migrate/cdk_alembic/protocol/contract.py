"""Validated requests and settings. lib/contract documents each field."""

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
    compute: str | None = None


class Limits(NamedTuple):
    """The runner's timeouts in seconds. docs/timeouts.md gives the reasons for the defaults."""

    mutex_wait: float = 60
    lock_timeout: float = 5
    lock_retry: float = 120
    connect_retry: float = 30


class Settings(NamedTuple):
    """The construct's settings, validated with `settings_problems`."""

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
    """Whether a revision whose SQL can't be read also stops the run."""
    """Set if the function migrates tenants; its `query` lists them."""


def request_problems(request: object) -> list[str]:
    """All problems of a request; empty if it is valid."""
    return problems(REQUEST, request)


def parse_request(request: dict[str, Any]) -> Request:
    """Parses a request that `request_problems` found valid."""
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
    """All problems of the function's settings; empty if they are valid."""
    return problems(SETTINGS, settings)


def parse_settings(settings: dict[str, Any]) -> Settings:
    """Parses settings that `settings_problems` found valid."""
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
