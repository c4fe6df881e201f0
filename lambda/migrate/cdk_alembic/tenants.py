"""The worker: takes a batch of tenants to head, or looks where they are. What is wrong with one does not stop the others.

A tenant that waits - for a rival, a busy table, a server on its way - is put off to the end, where all share one wait.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections import deque
from collections.abc import Iterable
from typing import Any

from . import database, tenant_skip
from .attempts import until_connected
from .call import Call
from .contract import CONTRACT_VERSION, Request
from .errors import RunnerError
from .failures import describe, shortened
from .guard import data_losses
from .log import log
from .project import Project
from .revisions import path
from .run import QUERY_CANCELED
from .tenant_connection import KeptConnection
from .tenant_connects import Connects, quiet
from .tenant_contract import Tenant, TenantRequest
from .tenant_run import TenantRun
from .tenant_skip import Shown

# A state of Step Functions hands on 256 KiB at most, the tenants that are left among it,
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MAX_OUTCOMES_LENGTH = 150_000
MAX_MESSAGE_LENGTH = 600
MAX_WARNINGS = 50

# What may be otherwise a moment later.
_PUT_OFF = {"locked": "mutex_wait", "lock_not_available": "lock_retry", "database_unreachable": "connect_retry"}
_NO_WAIT = {limit: 0.0 for limit in _PUT_OFF.values()}
# permission_denied and invalid_schema_name: of the tenant, not of the server.
_OF_ONE = ("42501", "3F000")


def migrate(project: Project, call: Call) -> dict[str, Any]:
    """Carries out a checked `upgrade` or `plan` and gives the contract's TenantAnswer. Raises RunnerError when the call as a
    whole can't begin."""
    # Several heads are of the project: every tenant would say so.
    path(project, "head", (), downgrade=False)
    with quiet(), Connects() as connects:
        batch = _Batch(project, call, connects)
        try:
            return batch.answer()
        finally:
            batch.kept.close()


class _Batch:
    def __init__(self, project: Project, call: Call, connects: Connects) -> None:
        self.project = project
        self.call = call
        self.request: TenantRequest = call.request
        self.connects = connects
        self.kept = KeptConnection()
        self.run_id = uuid.UUID(self.request.run_id) if self.request.run_id else uuid.uuid4()
        self.outcomes: dict[str, dict[str, Any]] = {}
        self.length = 0
        self.failed = 0
        self.begun = 0
        self.left: list[Tenant] = []
        self.not_begun: list[Tenant] = []
        self.put_off: deque[tuple[Tenant, Call, RunnerError]] = deque()
        self.budget = {limit: getattr(call.settings.limits, limit) for limit in _PUT_OFF.values()}
        self.warnings: dict[str, None] = {}
        self.losses: dict[str, dict[str, Any]] = {}
        self.entered: tuple[str | None] | None = None
        self.address: dict[str, str] | None = None
        self.shown: dict[str | None, Shown] = {}
        self.seen: dict[str, tuple[str, ...]] = {}
        self.paths: dict[tuple[str, ...], list[Any]] = {}

    def answer(self) -> dict[str, Any]:
        databases: dict[str | None, list[Tenant]] = {}
        for tenant in self.request.tenants:
            databases.setdefault(tenant.secret_arn, []).append(tenant)
        for secret, tenants in databases.items():
            self._database(secret, tenants)
        self._settle()
        order = {tenant.name: number for number, tenant in enumerate(self.request.tenants)}
        return {
            "contract": CONTRACT_VERSION,
            "command": self.request.command,
            "stage": self.call.settings.stage,
            "status": "partial" if self.left else "complete",
            "heads": list(self.project.heads),
            "outcomes": sorted(self.outcomes.values(), key=lambda outcome: order[outcome["tenant"]]),
            "left": [tenant.as_given() for tenant in sorted(self.left, key=lambda tenant: order[tenant.name])],
            "notBegun": sorted((tenant.name for tenant in self.not_begun), key=order.__getitem__),
            "failed": self.failed,
            "dataLoss": list(self.losses.values()),
            "warnings": _some(list(self.warnings)),
            "protected": self.call.settings.protected,
        }

    def _database(self, secret: str | None, tenants: list[Tenant]) -> None:
        """All tenants of one database."""
        try:
            self._enter(secret)
        except Exception as failure:
            error = failure if isinstance(failure, RunnerError) else _unforeseen(failure)
            if secret is None:
                self._give_back(error, tenants)
            else:
                for tenant in tenants:
                    self._finish(tenant, self._call(tenant), None, time.monotonic(), error)
            return
        todo = deque(tenants)
        swept = False
        while todo:
            if not swept and (shown := self._shown(secret)):
                todo = deque(self._sweep(shown, todo))
                swept = True
                continue
            if self._too_many_failed():
                self.not_begun.extend(todo)
                return
            if self._is_over():
                self.left.extend(todo)
                return
            tenant = todo.popleft()
            is_first = secret is None and secret not in self.shown and not self.outcomes and not self.put_off
            limits = {**_NO_WAIT, "connect_retry": self.budget["connect_retry"]} if is_first else _NO_WAIT
            try:
                self._one(tenant, self._call(tenant), limits)
            except RunnerError as error:
                self._give_back(error, [tenant, *todo])
                return

    def _give_back(self, error: RunnerError, tenants: Iterable[Tenant]) -> None:
        """The function's database does not let anybody in: of no tenant in particular."""
        if not self.outcomes and not self.put_off:
            raise error
        log("WARNING", "tenants_given_back", stage=self.call.settings.stage, code=error.code, reason=error.message)
        self.left.extend(tenants)

    def _enter(self, secret: str | None) -> None:
        """Fills the environment with the address of a database. Raises RunnerError."""
        if self.entered == (secret,):
            return
        self.entered = None
        self.kept.close()
        settings = self._settings(secret).database
        database.take_tls_back(os.environ)
        self.address = None if settings["source"] == "environment" else database.fetch(settings)
        if self.address and database.fill_with(self.address, settings, os.environ):
            # The backend reads its settings from the environment when it is imported.
            self.project.forget_modules()
        self.entered = (secret,)

    def _settings(self, secret: str | None) -> Any:
        # No container takes over from a worker: a revision that needs one fails.
        settings = self.call.settings._replace(container=None)
        return settings if secret is None else settings._replace(database=database.of_tenant(settings.database, secret))

    def _call(self, tenant: Tenant) -> Call:
        request = self.request
        run_id = str(uuid.uuid5(self.run_id, tenant.name))
        return Call(
            Request(request.command, None, request.slice_seconds, request.allow, request.requested_by, run_id),
            self.call.settings,
            self.call.holder,
            self.call.remaining_seconds,
            self.call.reserve_seconds,
            self.call.started,
            place=self.call.place,
            tenant=tenant.name,
        )

    def _one(self, tenant: Tenant, call: Call, limits: dict[str, float], last: bool = False) -> None:
        """A tenant by the full way. Raises RunnerError for what is not about this tenant."""
        started = time.monotonic()
        self.begun += 1
        run: TenantRun | None = None

        def attempt() -> dict[str, Any]:
            nonlocal run
            self._enter(tenant.secret_arn)
            run = TenantRun(self.project, call, tenant, self.address["database"] if tenant.secret_arn else None, self.kept)
            self.connects.clear()
            try:
                run.upgrade() if self.request.command == "upgrade" else run.plan()
            except RunnerError as error:
                if error.code.startswith("database_") and call.before is None:
                    # A rotated password is fetched anew.
                    self.entered = None
                raise
            finally:
                self._learn(tenant, run)
            return {}

        error: RunnerError | None = None
        try:
            call.settings = self._settings(tenant.secret_arn)
            call.settings = call.settings._replace(limits=call.settings.limits._replace(**limits))
            until_connected(call, attempt)
        except RunnerError as failure:
            error = failure
        except Exception as failure:
            error = _unforeseen(failure)
        if error and call.before is None and self._is_of_all(error, tenant) and not last:
            raise error
        if error and self._came_too_late(error) and not call.applied:
            self.left.append(tenant)
        elif error and error.code in _PUT_OFF and not last:
            self.put_off.append((tenant, call, error))
        else:
            self._finish(tenant, call, run, started, error)

    def _came_too_late(self, error: RunnerError) -> bool:
        """Whether the statement was cancelled because the tenants before had used up the time: it has more in the next call."""
        near = self.call.remaining_seconds() <= self.call.reserve_seconds + 1
        return error.sql_state == QUERY_CANCELED and near and self.begun > 1

    def _is_of_all(self, error: RunnerError, tenant: Tenant) -> bool:
        reached = error.code in ("database_unreachable", "database_refused", "secret_unavailable")
        return tenant.secret_arn is None and reached and error.sql_state not in _OF_ONE

    def _settle(self) -> None:
        """Takes those that were put off, which now may wait."""
        while self.put_off:
            tenant, call, error = self.put_off.popleft()
            if self._is_over() and self.outcomes:
                self.left.append(tenant)
                continue
            limit = _PUT_OFF[error.code]
            started = time.monotonic()
            self._one(tenant, call, self.budget, last=True)
            self.budget[limit] = max(0.0, self.budget[limit] - (time.monotonic() - started))

    def _too_many_failed(self) -> bool:
        tolerated = self.request.tolerated_failures
        if tolerated is not None and self.failed + len(self.put_off) > tolerated:
            # They may have been put off for nothing.
            self._settle()
        return tolerated is not None and self.failed > tolerated

    def _is_over(self) -> bool:
        return self.begun > 0 and (self.call.is_over() or self.length > MAX_OUTCOMES_LENGTH)

    def _learn(self, tenant: Tenant, run: TenantRun) -> None:
        """What env.py has shown of its database."""
        options = self.connects.only()
        if run.place is None or options is None or run.driver is None:
            return
        self.shown.setdefault(tenant.secret_arn, Shown(run.driver, options, run.place))

    def _shown(self, secret: str | None) -> Shown | None:
        if secret is None or secret in self.shown:
            return self.shown.get(secret)
        # What env.py does with the address of one secret it does with that of another.
        other = next((arn for arn in self.shown if arn is not None), None)
        return tenant_skip.elsewhere(self.shown[other], self.address) if other else None

    def _sweep(self, shown: Shown, tenants: Iterable[Tenant]) -> Iterable[Tenant]:
        """Finishes the tenants that need no env.py, and gives the others."""
        tenants = list(tenants)
        rest = []
        try:
            with tenant_skip.connected(shown) as connection:
                present = tenant_skip.present(connection, shown, tenants)
                for number, tenant in enumerate(tenants):
                    if self.call.remaining_seconds() < self.call.reserve_seconds or self.length > MAX_OUTCOMES_LENGTH:
                        return [*rest, *tenants[number:]]
                    schema = tenant.schema or shown.place.schema
                    if schema not in present or not self._skips(connection, shown, tenant):
                        rest.append(tenant)
        except Exception as error:
            log(
                "INFO", "tenants_not_skipped", stage=self.call.settings.stage, reason=f"{type(error).__name__}: {describe(error)}"
            )
            return [tenant for tenant in tenants if tenant.name not in self.outcomes]
        return rest

    def _skips(self, connection: Any, shown: Shown, tenant: Tenant) -> bool:
        started = time.monotonic()
        found = tenant_skip.look(connection, shown, tenant)
        self.seen[tenant.name] = found.heads
        at_head = found.is_free and bool(self.project.heads) and found.heads == self.project.heads
        if self.request.command == "upgrade" and not at_head:
            return False
        call = self._call(tenant)
        call.before = found.heads
        self._finish(tenant, call, None, started, None)
        return True

    def _finish(self, tenant: Tenant, call: Call, run: TenantRun | None, started: float, error: RunnerError | None) -> None:
        before = call.before if call.before is not None else self.seen.get(tenant.name, ())
        after = run.heads if run and run.heads is not None else before
        pending = self._pending(after)
        outcome = {
            "tenant": tenant.name,
            "status": self._status(run, after, pending, error),
            "from": sorted(before),
            "to": sorted(after),
            "applied": [item["revision"] for item in call.applied],
            "pending": len(pending),
            "durationMs": round((time.monotonic() - started) * 1000),
        }
        if error:
            outcome["error"] = self._failure(tenant, error)
        self.outcomes[tenant.name] = outcome
        self.length += len(json.dumps(outcome))
        self.failed += error is not None
        if outcome["status"] == "partial":
            self.left.append(tenant)
        self.call.applied.extend(call.applied)
        self.call.lock_wait_seconds += call.lock_wait_seconds
        self.warnings.update(dict.fromkeys(call.warnings))
        if after:
            self.losses.update((json.dumps(loss), loss) for loss in data_losses(pending))

    def _status(self, run: TenantRun | None, after: tuple[str, ...], pending: list[Any], error: RunnerError | None) -> str:
        if error:
            return "failed"
        if self.request.command == "upgrade":
            return run.status if run else "complete"
        if self.project.unknown(after):
            return "ahead"
        return "pending" if pending else "complete"

    def _pending(self, heads: tuple[str, ...]) -> list[Any]:
        if self.project.unknown(heads):
            return []
        if heads not in self.paths:
            steps, _ = path(self.project, "head", heads, downgrade=False)
            self.paths[heads] = [step.revision for step in steps]
        return self.paths[heads]

    def _failure(self, tenant: Tenant, error: RunnerError) -> dict[str, Any]:
        facts = {name: value for name, value in error.facts().items() if name != "dataLoss"}  # it is that of all
        texts = {name: shortened(facts[name], MAX_MESSAGE_LENGTH) for name in ("message", "next")}
        facts = {**facts, **texts}
        log("WARNING", "tenant_failed", stage=self.call.settings.stage, tenant=tenant.name, **facts)
        return facts


def _unforeseen(error: Exception) -> RunnerError:
    return RunnerError(
        "internal_error",
        f"the runner failed: {type(error).__name__}: {describe(error)}",
        "look at the function's log, and report it as a defect of cdk-alembic",
    )


def _some(warnings: list[str]) -> list[str]:
    more = len(warnings) - MAX_WARNINGS
    return warnings if more <= 0 else [*warnings[:MAX_WARNINGS], f"and {more} warnings more"]
