"""The edge: validates event and settings once and turns them into types. lib/contract documents each field."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .checks import problems
from .errors import RunnerError
from .process import Process
from .rules import REQUEST, RESTRICTED_COMMANDS, SETTINGS, SETTINGS_VARIABLE, TENANT_REQUEST
from .tenant_request import TenantRequest


class Request(NamedTuple):
    """A valid request."""

    command: str = "upgrade"
    revision: str | None = None
    slice_seconds: float | None = None
    allow: tuple[str, ...] = ()
    requested_by: str = "invoke"
    run_id: str | None = None
    sql: bool = False
    compute: str | None = None
    snapshot: bool = False
    """Whether a run always makes an RDS snapshot first, even if it destroys no data."""

    @classmethod
    def of(cls, event: dict[str, Any]) -> Request:
        """The request of an event that has no problems."""
        given = {"compute" if key == "in" else _field(key): value for key, value in event.items()}
        return cls(**{**given, "allow": tuple(given.get("allow", ()))})


class Limits(NamedTuple):
    """The runner's timeouts in seconds. docs/timeouts.md gives the reasons for the defaults."""

    mutex_wait: float = 60
    lock_timeout: float = 5
    lock_retry: float = 120
    connect_retry: float = 30
    end_blockers: dict[str, Any] | None = None
    """The contract's EndBlockers."""

    @classmethod
    def of(cls, given: dict[str, Any]) -> Limits:
        """The contract's RunnerLimits, such as `mutexWaitSeconds`."""
        return cls(**{_field(key.removesuffix("Seconds")): value for key, value in given.items()})


class Settings(NamedTuple):
    """The construct's settings."""

    stage: str
    allow: tuple[str, ...]
    database: dict[str, Any]
    guard: bool = True
    protected: bool = False
    limits: Limits = Limits()
    event_bus: str | None = None
    container: str | None = None
    tenants: dict[str, Any] | None = None
    """Set if the function migrates tenants; its `query` lists them."""
    on_drift: str | None = None
    """What an upgrade does if someone changed the schema by hand: warn, refuse or ignore; None: drift is not checked."""
    guard_unread: bool = False
    """Whether a revision whose SQL can't be read also stops the run."""
    on_replication: str = "warn"
    """The contract's OnReplication."""
    snapshot: dict[str, Any] | None = None
    """The contract's SnapshotSettings."""
    secrets: tuple[dict[str, str], ...] = ()
    """The contract's SecretVariables."""

    @classmethod
    def of_environment(cls) -> Settings:
        """The settings that the construct set. Raises RunnerError `invalid_settings`."""
        try:
            given = json.loads(os.environ.get(SETTINGS_VARIABLE, "null"))
            wrong = problems(SETTINGS, given)
        except json.JSONDecodeError as error:
            wrong = [str(error)]
        if wrong:
            raise RunnerError(
                "invalid_settings",
                f"the environment variable {SETTINGS_VARIABLE} is not valid: {'; '.join(wrong)}",
                "correct it, or deploy the function with the construct AlembicMigration, which sets it",
            )
        return cls.of(given)

    @classmethod
    def of(cls, given: dict[str, Any]) -> Settings:
        """The contract's RunnerSettings that have no problems."""
        fields = {_field(key): value for key, value in given.items()}
        lists = {name: tuple(fields.get(name, ())) for name in ("allow", "secrets")}
        return cls(**{**fields, **lists, "limits": Limits.of(given.get("limits", {}))})


def _field(key: str) -> str:
    """The name of a field for a key of the contract: `event_bus` for `eventBus`."""
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key)


@dataclass
class Invocation:
    """One request in progress, with its results until now."""

    request: Request | TenantRequest
    settings: Settings
    process: Process
    started: float = field(default_factory=time.monotonic)
    applied: list[dict[str, Any]] = field(default_factory=list)
    """Committed revisions, even if the run fails later: the contract's AppliedRevision."""
    ended_blockers: list[dict[str, Any]] = field(default_factory=list)
    """Sessions that were ended: the contract's Blockers."""
    restore_point: dict[str, Any] | None = None
    """The contract's RestorePoint, once the run may change something."""
    before: tuple[str, ...] | None = None
    """The version table's revisions when first read."""
    warnings: list[str] = field(default_factory=list)
    """Warnings that did not stop the run."""
    renew: Callable[[], None] = lambda: None
    """Fetches the database's password again, for a new connection after a long run."""
    tenant: str | None = None
    """The tenant being migrated; None without tenants."""
    lock_wait_seconds: float = 0
    """Time spent waiting for the mutex, and on tries that failed because of a locked table."""

    @property
    def holder(self) -> str:
        """The application_name of the session that holds the mutex."""
        return f"cdk-alembic {self.settings.stage} {self.process.name}"

    def is_over(self) -> bool:
        """Whether no more revisions may start."""
        limit = self.request.slice_seconds
        used_up = limit is not None and time.monotonic() - self.started >= limit
        return used_up or self.process.seconds_left() < 0


def receive(event: Any, settings: Settings) -> Request | TenantRequest:
    """The Request of an event; if the stage has tenants, the TenantRequest. Without a payload, upgrades to head. Raises
    RunnerError `invalid_request` or `not_allowed`."""
    event = {} if event is None else event
    return _request(event, settings) if settings.tenants is None else _tenant_request(event)


def _request(event: Any, settings: Settings) -> Request:
    if wrong := problems(REQUEST, event):
        raise RunnerError(
            "invalid_request",
            "; ".join(wrong),
            'send {} to upgrade to head, or {"command": "plan"} to see what is pending; nothing was changed',
        )
    request = Request.of(event)
    if request.command in RESTRICTED_COMMANDS and request.command not in settings.allow:
        raise RunnerError(
            "not_allowed",
            f'"{request.command}" is not allowed for stage {settings.stage}',
            f"if this is intended, set allow{request.command.capitalize()} on the AlembicMigration of this stage, or "
            f'"{request.command}" in `allow` in {SETTINGS_VARIABLE}, and deploy',
        )
    if request.snapshot and settings.snapshot is None:
        raise RunnerError(
            "not_allowed",
            f"stage {settings.stage} makes no snapshots",
            "set snapshot: MigrationSnapshot.beforeDataLoss() on the AlembicMigration of this stage, or `snapshot` in "
            f"{SETTINGS_VARIABLE}, and deploy",
        )
    return request


def _tenant_request(event: Any) -> TenantRequest:
    """Rejects a plain invoke, which would migrate a schema that belongs to no tenant."""
    if wrong := problems(TENANT_REQUEST, event):
        raise RunnerError(
            "invalid_request",
            f"this function migrates tenants: {'; '.join(wrong)}",
            'name them, {"tenants": [{"name": "acme"}]}, or start the state machine: `npx migrate-invoke --tenants all`; '
            "nothing was changed",
        )
    return TenantRequest.of(event)
