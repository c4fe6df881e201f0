"""The worker: takes a batch of tenants to head, or looks where they are. What is wrong with one does not stop the others.

A tenant that waits - for a rival, a busy table, a server on its way - is put off to the end, where all share one wait.
"""

from __future__ import annotations

import os
import time
import uuid
from collections import deque
from collections.abc import Iterable
from typing import Any

from ..database import address as database
from ..database.attempts import until_connected
from ..database.failures import describe
from ..project.project import Project
from ..project.revisions import path
from ..project.version_updates import keeping_scripts
from ..protocol.contract import CONTRACT_VERSION, Request
from ..protocol.errors import RunnerError
from ..protocol.invocation import Call
from ..protocol.log import log
from ..protocol.tenant_contract import Tenant, TenantRequest
from ..run.run import QUERY_CANCELED
from . import skip as tenant_skip
from .connection import KeptConnection
from .connects import Connects, quiet
from .outcomes import Outcomes
from .run import TenantRun
from .skip import Shown

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
    with quiet(), keeping_scripts(), Connects() as connects:
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
        self.outcomes = Outcomes(project, call)
        self.begun = 0
        self.left: list[Tenant] = []
        self.not_begun: list[Tenant] = []
        self.put_off: deque[tuple[Tenant, Call, RunnerError]] = deque()
        self.budget = {limit: getattr(call.settings.limits, limit) for limit in _PUT_OFF.values()}
        self.entered: tuple[str | None] | None = None
        self.address: dict[str, str] | None = None
        self.shown: dict[str | None, Shown] = {}
        self.seen: dict[str, tuple[str, ...]] = {}

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
            "outcomes": sorted(self.outcomes.by_name.values(), key=lambda outcome: order[outcome["tenant"]]),
            "left": [tenant.as_given() for tenant in sorted(self.left, key=lambda tenant: order[tenant.name])],
            "notBegun": sorted((tenant.name for tenant in self.not_begun), key=order.__getitem__),
            **self.outcomes.facts(),
            "protected": self.call.settings.protected,
        }

    def _database(self, secret: str | None, tenants: list[Tenant]) -> None:
        """All tenants of one database."""
        if self._ends_before(tenants):
            return
        try:
            self._enter(secret)
        except Exception as failure:
            error = failure if isinstance(failure, RunnerError) else _unforeseen(failure)
            if secret is None:
                self._give_back(error, tenants)
            else:
                self.begun += 1
                for tenant in tenants:
                    self._finish(tenant, self._call(tenant), time.monotonic(), error=error)
            return
        todo = deque(tenants)
        swept = False
        while todo:
            if not swept and (shown := self._shown(secret)):
                todo = deque(self._sweep(shown, todo))
                swept = True
                continue
            if self._ends_before(todo):
                return
            tenant = todo.popleft()
            is_first = secret is None and secret not in self.shown and not self.outcomes.by_name and not self.put_off
            limits = {**_NO_WAIT, "connect_retry": self.budget["connect_retry"]} if is_first else _NO_WAIT
            try:
                self._one(tenant, self._call(tenant), limits)
            except RunnerError as error:
                self._give_back(error, [tenant, *todo])
                return

    def _ends_before(self, tenants: Iterable[Tenant]) -> bool:
        """Whether these are not begun any more: too many have failed, or the time is used up."""
        if self._too_many_failed():
            self.not_begun.extend(tenants)
            return True
        if self._is_over():
            self.left.extend(tenants)
            return True
        return False

    def _give_back(self, error: RunnerError, tenants: Iterable[Tenant]) -> None:
        """The function's database does not let anybody in: of no tenant in particular."""
        if not self.outcomes.by_name and not self.put_off:
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
            self._finish(tenant, call, started, run, error)

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
            if self._is_over() and self.outcomes.by_name:
                self.left.append(tenant)
                continue
            limit = _PUT_OFF[error.code]
            started = time.monotonic()
            self._one(tenant, call, self.budget, last=True)
            self.budget[limit] = max(0.0, self.budget[limit] - (time.monotonic() - started))

    def _finish(
        self, tenant: Tenant, call: Call, started: float, run: TenantRun | None = None, error: RunnerError | None = None
    ) -> None:
        if self.outcomes.add(tenant, call, started, self.seen.get(tenant.name, ()), run, error) == "partial":
            self.left.append(tenant)

    def _too_many_failed(self) -> bool:
        tolerated = self.request.tolerated_failures
        if tolerated is not None and self.outcomes.failed + len(self.put_off) > tolerated:
            # They may have been put off for nothing.
            self._settle()
        return tolerated is not None and self.outcomes.failed > tolerated

    def _is_over(self) -> bool:
        return self.begun > 0 and (self.call.is_over() or self.outcomes.is_full())

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
                    if self.call.remaining_seconds() < self.call.reserve_seconds or self.outcomes.is_full():
                        return [*rest, *tenants[number:]]
                    schema = tenant.schema or shown.place.schema
                    if schema not in present or not self._skips(connection, shown, tenant):
                        rest.append(tenant)
        except Exception as error:
            log(
                "INFO", "tenants_not_skipped", stage=self.call.settings.stage, reason=f"{type(error).__name__}: {describe(error)}"
            )
            return [tenant for tenant in tenants if tenant.name not in self.outcomes.by_name]
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
        self._finish(tenant, call, started)
        return True


def _unforeseen(error: Exception) -> RunnerError:
    return RunnerError(
        "internal_error",
        f"the runner failed: {type(error).__name__}: {describe(error)}",
        "look at the function's log, and report it as a defect of cdk-alembic",
    )
