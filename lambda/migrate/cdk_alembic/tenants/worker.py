"""The worker: migrates a batch of tenants to head, plans it, or looks for drift. A failed tenant does not stop the others.

A tenant that must wait (for another run, a locked table, a starting server) is postponed to the end, where all share one wait.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import closing
from typing import Any

from ..connection.address import DatabaseVariables
from ..connection.retries import Retries
from ..database.failures import describe, sql_state
from ..project.project import Project
from ..protocol.errors import ProjectError, RunnerError, unexpected
from ..protocol.log import log
from ..protocol.request import Invocation, Request
from ..protocol.rules import CONTRACT_VERSION
from ..protocol.tenant_request import Tenant, TenantRequest
from ..run.failure import QUERY_CANCELED
from ..run.garbage import collecting
from . import skip
from .databases import Databases
from .listening import ConnectOptions, quiet
from .outcomes import Outcomes
from .replicated import Replicated
from .run import TenantRun
from .skip import Access
from .survey import ReadState, survey

# Errors that may be temporary, and the limit for waiting.
_RETRYABLE = {"locked": "mutex_wait", "lock_not_available": "lock_retry", "database_unreachable": "connect_retry"}
_NO_WAIT = {limit: 0.0 for limit in _RETRYABLE.values()}
_NOT_REACHED = ("database_unreachable", "database_refused", "secret_unavailable")
# invalid_schema_name is about the tenant, not the server.
_OF_ONE_TENANT = ("3F000",)


def migrate(project: Project, invocation: Invocation, variables: DatabaseVariables) -> dict[str, Any]:
    """Executes a validated `upgrade`, `plan` or `drift` and returns the contract's TenantAnswer. Raises RunnerError if the
    whole request can't start."""
    connect_options = ConnectOptions()
    databases = Databases(project, variables, invocation.settings.database, connect_options)
    with quiet(), collecting(), connect_options.recorded(), closing(databases):
        return _Batch(project, invocation, databases).answer()


class _Batch:
    def __init__(self, project: Project, invocation: Invocation, databases: Databases) -> None:
        self.project = project
        self.invocation = invocation
        self.databases = databases
        self.request: TenantRequest = invocation.request
        self.stage = invocation.settings.stage
        self.run_id = uuid.UUID(self.request.run_id) if self.request.run_id else uuid.uuid4()
        self.outcomes = Outcomes(project, invocation)
        self.replicated = Replicated(project, invocation)
        self.started_count = 0
        self.left: list[Tenant] = []
        self.not_started: list[Tenant] = []
        self.postponed: deque[tuple[Tenant, Invocation, RunnerError]] = deque()
        self.budget = {limit: getattr(invocation.settings.limits, limit) for limit in _RETRYABLE.values()}
        self.heads_read: dict[str, tuple[str, ...]] = {}

    def answer(self) -> dict[str, Any]:
        databases: dict[str | None, list[Tenant]] = {}
        for tenant in self.request.tenants:
            databases.setdefault(tenant.secret_arn, []).append(tenant)
        for secret, tenants in databases.items():
            self._migrate_database(secret, tenants)
        self._run_postponed()
        order = {tenant.name: number for number, tenant in enumerate(self.request.tenants)}
        return {
            "contract": CONTRACT_VERSION,
            "command": self.request.command,
            "stage": self.stage,
            "status": "partial" if self.left else "complete",
            "heads": list(self.project.revisions.heads),
            "outcomes": sorted(self.outcomes.by_name.values(), key=lambda outcome: order[outcome["tenant"]]),
            "left": [tenant.as_given() for tenant in sorted(self.left, key=lambda tenant: order[tenant.name])],
            "notStarted": sorted((tenant.name for tenant in self.not_started), key=order.__getitem__),
            **self.outcomes.facts(),
            "protected": self.invocation.settings.protected,
        }

    def _migrate_database(self, secret: str | None, tenants: list[Tenant]) -> None:
        """Handles all tenants of one database: one by one until env.py has reached one, then only those that are not at head."""
        self._run_postponed_early()
        if self._ends_before(tenants):
            return
        try:
            self.databases.select(secret)
        except Exception as failure:
            self._fail_database(secret, tenants, failure if isinstance(failure, RunnerError) else unexpected(failure))
            return
        tenants = self._migrate_each(tenants, until=lambda: self.databases.access_to(secret) is not None)
        if tenants:
            self._migrate_each(self._skip_finished(self.databases.access_to(secret), tenants))
            self.outcomes.warn(self.replicated.postponed_warnings())

    def _migrate_each(self, tenants: list[Tenant], until: Callable[[], bool] = lambda: False) -> list[Tenant]:
        """Handles the tenants one by one. Returns those left when `until` becomes true."""
        for number, tenant in enumerate(tenants):
            rest = tenants[number:]
            if until():
                return rest
            self._run_postponed_early()
            if self._ends_before(rest):
                return []
            try:
                self._migrate_one(tenant, self._invocation(tenant), self._first_limits(tenant))
            except RunnerError as error:
                self._return_tenants(error, rest)
                return []
        return []

    def _first_limits(self, tenant: Tenant) -> dict[str, float]:
        """Only the first tenant waits for its server right away. Otherwise the waits would add up."""
        is_first = (
            tenant.secret_arn is None and not self.databases.is_any_reached() and not self.outcomes.by_name and not self.postponed
        )
        return {**_NO_WAIT, "connect_retry": self.budget["connect_retry"]} if is_first else _NO_WAIT

    def _ends_before(self, tenants: list[Tenant]) -> bool:
        """Whether no more tenants start, because too many failed or the time is up."""
        tolerated = self.request.tolerated_failures
        if tolerated is not None and self.outcomes.failed > tolerated:
            self.not_started.extend(tenants)
            return True
        if self._is_over():
            self.left.extend(tenants)
            return True
        return False

    def _is_over(self) -> bool:
        return self.started_count > 0 and (self.invocation.is_over() or self.outcomes.is_full())

    def _run_postponed_early(self) -> None:
        """Handles the postponed tenants if counting them as failures would exceed the limit: they may succeed now."""
        tolerated = self.request.tolerated_failures
        if tolerated is not None and self.outcomes.failed + len(self.postponed) > tolerated:
            self._run_postponed()

    def _run_postponed(self) -> None:
        """Handles the postponed tenants, which may wait now."""
        while self.postponed:
            tenant, invocation, error = self.postponed.popleft()
            if self._is_over() and self.outcomes.by_name:
                self.left.append(tenant)
                continue
            limit = _RETRYABLE[error.code]
            started = time.monotonic()
            self._migrate_one(tenant, invocation, self.budget, last=True)
            self.budget[limit] = max(0.0, self.budget[limit] - (time.monotonic() - started))

    def _return_tenants(self, error: RunnerError, tenants: list[Tenant]) -> None:
        """Ends the call after a failure that affects all tenants: an unreachable database, or a broken project."""
        if isinstance(error, ProjectError) or (not self.outcomes.by_name and not self.postponed):
            raise error
        log("WARNING", "tenants_given_back", stage=self.stage, code=error.code, reason=error.message)
        self.left.extend(tenants)

    def _fail_database(self, secret: str | None, tenants: list[Tenant], error: RunnerError) -> None:
        if secret is None:
            self._return_tenants(error, tenants)
            return
        self.started_count += 1
        for tenant in tenants:
            self._finish(tenant, self._invocation(tenant), time.monotonic(), error=error)

    def _settings(self, secret: str | None) -> Any:
        # A worker has no container: a revision that requires one fails.
        return self.invocation.settings._replace(container=None, database=self.databases.settings(secret))

    def _invocation(self, tenant: Tenant) -> Invocation:
        request = self.request
        run_id = str(uuid.uuid5(self.run_id, tenant.name))
        return Invocation(
            Request(
                command=request.command,
                slice_seconds=request.slice_seconds,
                allow=request.allow,
                requested_by=request.requested_by,
                run_id=run_id,
            ),
            self.invocation.settings,
            self.invocation.process,
            self.invocation.started,
            tenant=tenant.name,
        )

    def _migrate_one(self, tenant: Tenant, invocation: Invocation, limits: dict[str, float], last: bool = False) -> None:
        """Migrates or plans a tenant through env.py. Raises RunnerError for failures that affect all tenants."""
        started = time.monotonic()
        self.started_count += 1
        run, error = self._run(tenant, invocation, limits)
        if error and not last and self._affects_all(error, tenant, invocation, run):
            raise error
        if error and self._came_too_late(error) and not invocation.applied:
            self.left.append(tenant)
        elif error and error.code in _RETRYABLE and not last:
            self.postponed.append((tenant, invocation, error))
        else:
            self._finish(tenant, invocation, started, run, error)

    def _run(
        self, tenant: Tenant, invocation: Invocation, limits: dict[str, float]
    ) -> tuple[TenantRun | None, RunnerError | None]:
        """A tenant's run and its failure."""
        run: TenantRun | None = None
        try:
            settings = self._settings(tenant.secret_arn)
            invocation.settings = settings._replace(limits=settings.limits._replace(**limits))
            retries = Retries(invocation)
            while True:
                try:
                    self.databases.select(tenant.secret_arn)
                    run = TenantRun(self.project, invocation, tenant, self.databases, self.replicated)
                    self._execute(run, tenant)
                    return run, None
                except RunnerError as error:
                    retries.pause(error)
        except RunnerError as failure:
            return run, failure
        except Exception as failure:
            return run, unexpected(failure)

    def _execute(self, run: TenantRun, tenant: Tenant) -> None:
        self.databases.start_recording()
        try:
            run.carry_out()
        except RunnerError as error:
            if error.code.startswith("database_") and run.invocation.before is None:
                self.databases.fetch_again()
            raise
        finally:
            self.databases.store_access(tenant.secret_arn, run.driver, run.progress.table)

    def _came_too_late(self, error: RunnerError) -> bool:
        """Whether the statement was canceled because earlier tenants used up the time: the next request has more."""
        return error.sql_state == QUERY_CANCELED and self.invocation.process.is_late() and self.started_count > 1

    def _affects_all(self, error: RunnerError, tenant: Tenant, invocation: Invocation, run: TenantRun | None) -> bool:
        if isinstance(error, ProjectError):
            return True
        if invocation.before is not None or (run is not None and run.progress.table is not None):
            # The database was reachable.
            return False
        return tenant.secret_arn is None and error.code in _NOT_REACHED and error.sql_state not in _OF_ONE_TENANT

    def _finish(
        self,
        tenant: Tenant,
        invocation: Invocation,
        started: float,
        run: TenantRun | None = None,
        error: RunnerError | None = None,
        drift: dict[str, Any] | None = None,
    ) -> None:
        if invocation.before is None:
            invocation.before = self.heads_read.get(tenant.name)
        if self.outcomes.add(tenant, invocation, started, run, error, drift) == "partial":
            self.left.append(tenant)

    def _skip_finished(self, access: Access, tenants: list[Tenant]) -> list[Tenant]:
        """Finishes the tenants that do not need env.py, and returns the others."""
        rest = []
        try:
            with survey(self.request.command, self.invocation.settings, self.replicated, access, tenants) as read_state:
                for number, tenant in enumerate(tenants):
                    if self._has_no_time():
                        return [*rest, *tenants[number:]]
                    if not self._finish_without_run(read_state, access, tenant):
                        rest.append(tenant)
        except Exception as error:
            log("INFO", "tenants_not_skipped", stage=self.stage, reason=f"{type(error).__name__}: {describe(error)}")
            return [tenant for tenant in tenants if tenant.name not in self.outcomes.by_name]
        return rest

    def _finish_without_run(self, read_state: ReadState, access: Access, tenant: Tenant) -> bool:
        """Finishes a tenant that does not need env.py. Returns whether it did."""
        started = time.monotonic()
        state = self._state_of(read_state, access, tenant)
        if state is None:
            return False
        self.heads_read[tenant.name] = state.heads
        if not self._needs_no_run(state, tenant):
            return False
        invocation = self._invocation(tenant)
        invocation.before = state.heads
        self.replicated.warn(tenant, invocation, state.heads)
        self._finish(tenant, invocation, started, drift=state.drift)
        return True

    def _state_of(self, read_state: ReadState, access: Access, tenant: Tenant) -> skip.TenantState | None:
        """The tenant's state; None if its version table can't be read or is invalid: env.py's run reports why."""
        try:
            state = read_state(tenant)
            if state is not None:
                self.project.revisions.check_rows(state.heads, access.table.name)
        except RunnerError:
            return None
        except Exception as error:
            if sql_state(error) is None:
                raise  # the connection itself
            return None
        return state

    def _has_no_time(self) -> bool:
        return self.invocation.process.seconds_left() < 0 or self.outcomes.is_full()

    def _needs_no_run(self, state: skip.TenantState, tenant: Tenant) -> bool:
        """Whether the tenant needs no run: it is at head, only planned, or has no drift."""
        if self.request.command == "drift":
            return state.drift is not None
        if state.is_free and bool(self.project.revisions.heads) and state.heads == self.project.revisions.heads:
            return state.keeps_catalog
        # A database without a revision needs a run: it determines whether there is anything to lose. So does the first tenant
        # whose pending revisions must be rendered for replication.
        return self.request.command == "plan" and bool(state.heads) and not self.replicated.must_render(tenant, state.heads)
