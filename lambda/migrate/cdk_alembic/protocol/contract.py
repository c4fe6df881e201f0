"""The contract between the Python runner and the TypeScript side: names and wire shapes.

Its twin is lib/contract/index.ts, which documents every field. The two are held together by test/contract/*.json, which the tests
of both languages must accept or reject alike. This file imports nothing but the standard library.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

CONTRACT_VERSION = 1
SETTINGS_VARIABLE = "CDK_ALEMBIC_SETTINGS"
REQUEST_VARIABLE = "CDK_ALEMBIC_REQUEST"
MANIFEST_FILE = "cdk_alembic/manifest.json"
BACKEND_DIRECTORY = "backend"
DEPENDENCIES_DIRECTORY = "site-packages"

COMMANDS = ("upgrade", "plan", "current", "history", "downgrade", "stamp")
RESTRICTED_COMMANDS = ("downgrade", "stamp")
SLICED_COMMANDS = ("upgrade", "downgrade")
STATUSES = ("complete", "partial", "pending", "ahead")
PLACES = ("container",)
ALLOWANCES = ("drop_invalid_indexes",)
DATA_LOSS_RULES = (
    "drop-table",
    "drop-column",
    "drop-schema",
    "drop-type",
    "drop-materialized-view",
    "drop-cascade",
    "drop-owned",
    "detach-partition",
    "truncate",
    "delete-all",
    "clear-column",
    "convert-column",
    "unread-sql",
)
RUNNER_CODES = (
    "invalid_request",
    "not_allowed",
    "invalid_settings",
    "invalid_project",
    "unknown_revision",
    "multiple_heads",
    "database_ahead",
    "database_unreachable",
    "database_refused",
    "secret_unavailable",
    "locked",
    "blocked",
    "invalid_index",
    "needs_container",
    "migration_failed",
    "lock_not_available",
    "deadline_reached",
    "cancelled",
    "version_not_moved",
    "internal_error",
)

REVISION_PATTERN = re.compile(
    r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*(?:@(?:heads?|base|[A-Za-z0-9_]+))?(?:[+-][0-9]{1,4})?|[+-][0-9]{1,4})"
)
MAX_REVISION_LENGTH = 128
MAX_SLICE_SECONDS = 900
REQUESTED_BY_PATTERN = re.compile(r"[\x20-\x7e]{1,200}")
RUN_ID_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_REQUEST_KEYS = ("command", "revision", "sliceSeconds", "allow", "requestedBy", "runId", "sql", "in")
_SETTINGS_KEYS = ("stage", "allow", "database", "guard", "guardUnread", "protected", "limits", "eventBus", "tenants", "container")
_LIMIT_KEYS = ("mutexWaitSeconds", "lockTimeoutSeconds", "lockRetrySeconds", "connectRetrySeconds")

_DATABASE_KEYS = {
    "environment": (("source",), ()),
    "secret": (("source", "secretArn", "variables"), ("host", "port", "database")),
    "iam": (("source", "variables", "host", "port", "user", "database"), ()),
}
_VARIABLE_KEYS = ("url", "urlScheme", "host", "port", "user", "password", "database")


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
    """The function migrates tenants; `query` lists them."""
    guard_unread: bool = False
    """Whether a revision whose SQL can't be read stops the run, too."""


def request_problems(request: object) -> list[str]:
    """All that is wrong with a request; empty when it can be carried out."""
    if not isinstance(request, dict):
        return ["the request must be a JSON object"]
    problems = unknown_keys(request, _REQUEST_KEYS)
    command = request.get("command", "upgrade")
    if command not in COMMANDS:
        problems.append(f"unknown command {json.dumps(command)}: use {', '.join(COMMANDS)}")
        return problems
    if "revision" in request:
        revision = request["revision"]
        if command in ("current", "history"):
            problems.append(f'"{command}" takes no revision')
        elif not matches(REVISION_PATTERN, revision) or len(revision) > MAX_REVISION_LENGTH:
            problems.append(f"{json.dumps(revision)} is not a revision: use an id, head, base or a step such as +1 or -1")
    elif command in ("downgrade", "stamp"):
        problems.append(f'"{command}" needs a revision')
    if "sliceSeconds" in request:
        seconds = request["sliceSeconds"]
        if command not in SLICED_COMMANDS:
            problems.append(f'"{command}" takes no sliceSeconds')
        elif not is_number(seconds) or not 0 <= seconds <= MAX_SLICE_SECONDS:
            problems.append(f"sliceSeconds must be a number from 0 to {MAX_SLICE_SECONDS}")
    if "allow" in request:
        allow = request["allow"]
        if command != "upgrade":
            problems.append(f'"{command}" takes no allow')
        elif not isinstance(allow, list) or any(item not in ALLOWANCES for item in allow):
            problems.append(f"allow must be a list of {', '.join(ALLOWANCES)}")
    if "requestedBy" in request and not matches(REQUESTED_BY_PATTERN, request["requestedBy"]):
        problems.append("requestedBy must be a text of at most 200 printable ASCII characters")
    if "runId" in request and not matches(RUN_ID_PATTERN, request["runId"]):
        problems.append("runId must be a UUID in lower case")
    if "sql" in request:
        if command != "plan":
            problems.append(f'"{command}" takes no sql')
        elif not isinstance(request["sql"], bool):
            problems.append("sql must be true or false")
    if "in" in request:
        if command not in ("upgrade", "plan"):
            problems.append(f'"{command}" takes no in')
        elif request["in"] not in PLACES:
            problems.append(f"in must be {', '.join(PLACES)}")
    return problems


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
    if not isinstance(settings, dict):
        return ["the settings must be a JSON object"]
    problems = unknown_keys(settings, _SETTINGS_KEYS)
    if not is_text(settings.get("stage")):
        problems.append("stage must be a text")
    allow = settings.get("allow")
    if not isinstance(allow, list) or any(item not in RESTRICTED_COMMANDS for item in allow):
        problems.append(f"allow must be a list of {', '.join(RESTRICTED_COMMANDS)}")
    problems.extend(_database_problems(settings.get("database")))
    if not isinstance(settings.get("guard", True), bool):
        problems.append("guard must be true or false")
    if not isinstance(settings.get("guardUnread", False), bool):
        problems.append("guardUnread must be true or false")
    if not isinstance(settings.get("protected", False), bool):
        problems.append("protected must be true or false")
    if "eventBus" in settings and not is_text(settings["eventBus"]):
        problems.append("eventBus must be a text")
    if "container" in settings and not is_text(settings["container"]):
        problems.append("container must be a text")
    if "tenants" in settings:
        problems.extend(_tenants_problems(settings["tenants"]))
    limits = settings.get("limits", {})
    if not isinstance(limits, dict):
        return [*problems, "limits must be a JSON object"]
    problems.extend(unknown_keys(limits, _LIMIT_KEYS))
    problems.extend(f"limits.{key} must be a number of seconds" for key, value in limits.items() if not _is_seconds(value))
    return problems


def parse_settings(settings: dict[str, Any]) -> Settings:
    """Settings in which `settings_problems` found nothing."""
    limits = {_snake(key): value for key, value in settings.get("limits", {}).items()}
    return Settings(
        settings["stage"],
        tuple(settings["allow"]),
        settings["database"],
        settings.get("guard", True),
        settings.get("protected", False),
        Limits(**limits),
        settings.get("eventBus"),
        settings.get("container"),
        settings.get("tenants"),
        settings.get("guardUnread", False),
    )


def _snake(key: str) -> str:
    """`lockTimeoutSeconds` as `lock_timeout`."""
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), key).removesuffix("_seconds")


def _database_problems(database: Any) -> list[str]:
    source = database.get("source") if isinstance(database, dict) else None
    if not isinstance(source, str) or source not in _DATABASE_KEYS:
        return [f"database.source must be one of {', '.join(_DATABASE_KEYS)}"]
    required, optional = _DATABASE_KEYS[source]
    problems = [f"database.{key} is missing" for key in required if key not in database]
    problems.extend(unknown_keys(database, required + optional))
    for key, value in database.items():
        if key == "port":
            if not _is_port(value):
                problems.append("database.port must be a number from 1 to 65535")
        elif key == "variables":
            problems.extend(_variables_problems(value))
        elif not is_text(value):
            problems.append(f"database.{key} must be a text")
    return problems


def _variables_problems(variables: object) -> list[str]:
    if not isinstance(variables, dict):
        return ["database.variables must be a JSON object"]
    problems = unknown_keys(variables, _VARIABLE_KEYS)
    problems.extend(f"database.variables.{key} must be a text" for key, value in variables.items() if not is_text(value))
    if not set(variables) - {"urlScheme"}:
        problems.append("database.variables must name at least one variable")
    return problems


def _tenants_problems(tenants: object) -> list[str]:
    if not isinstance(tenants, dict):
        return ["tenants must be a JSON object"]
    problems = unknown_keys(tenants, ("query",))
    if "query" in tenants and not is_text(tenants["query"]):
        problems.append("tenants.query must be a text")
    return problems


def unknown_keys(value: dict[str, Any], known: tuple[str, ...]) -> list[str]:
    return [f"unknown key {json.dumps(key)}: use {', '.join(known)}" for key in value if key not in known]


def matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_seconds(value: Any) -> bool:
    return is_number(value) and 0 <= value <= MAX_SLICE_SECONDS


def is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535
