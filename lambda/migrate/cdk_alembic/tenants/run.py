"""One tenant: an upgrade to head, a plan, or the command drift."""

from __future__ import annotations

from typing import Any

from ..database.version_table import VersionTable
from ..production import replication
from ..project.environment import current
from ..project.project import Project
from ..protocol.request import Invocation
from ..protocol.tenant_request import Tenant
from ..run.migrate import migrate
from ..run.preconditions import is_fresh
from ..run.run import Run
from .databases import Databases
from .location import locate
from .replicated import Replicated


class TenantRun:
    """Runs a command for one tenant, whose version table is in its schema."""

    def __init__(
        self,
        project: Project,
        invocation: Invocation,
        tenant: Tenant,
        databases: Databases,
        replicated: Replicated,
    ) -> None:
        """`databases`: the tenant's one is selected."""
        self.invocation = invocation
        self.drift: dict[str, Any] | None = None
        """The contract's DriftReport; only the command drift sets it."""
        self.driver: str | None = None
        """Set once env.py has connected."""
        self._project = project
        self._tenant = tenant
        self._database = databases.selected_name()
        self._kept_connection = databases.kept_connection
        self._replicated = replicated
        self._engine: Any = None
        self._run = Run(project, invocation, tenant.schema, self._locate, self._kept_connection.open)
        self.progress = self._run.progress
        # Closed before the version table is read again over env.py's own connection.
        invocation.renew = self._kept_connection.close

    def carry_out(self) -> None:
        """Executes the request's command. Raises RunnerError."""
        self._project.for_tenant(self._tenant.argument)
        try:
            {"upgrade": self._upgrade, "plan": self._plan, "drift": self._compare}[self.invocation.request.command]()
        finally:
            # The engine's pool would keep connections open that no other tenant uses. An async engine belongs to a closed event
            # loop, so env.py must dispose of it.
            if self._engine is not None and not self._engine.dialect.is_async:
                self._engine.dispose()
            self._engine = None

    def _upgrade(self) -> None:
        if self._replicated.must_read(self._tenant, "upgrade") or self._replicated.is_replicated(self._tenant):
            heads, _ = current(self._project, self._read_replication)
            self._replicated.refuse(self._tenant, self.invocation, heads)
        migrate(self._run)

    def _plan(self) -> None:
        """Reads the tenant's revisions."""

        def read(heads: tuple[str, ...], context: Any) -> None:
            table = self.progress.table = self._locate(context)
            self.progress.heads = self.invocation.before = heads
            if heads == self._project.revisions.heads:
                return
            with self._kept_connection.open(context, table) as connection:
                lineage = self._project.revisions.lineage(heads)
                self.progress.fresh = is_fresh(connection, table, heads, lineage, table.own_schema)
                if self._replicated.must_read(self._tenant, "plan"):
                    self._replicated.store(self._tenant, replication.read_replicated(connection))

        heads, _ = current(self._project, read)
        self._replicated.warn(self._tenant, self.invocation, heads)

    def _compare(self) -> None:
        """Compares the tenant's schema, or its own database, with the catalog that its last run kept."""
        from ..drift.check import ALLOWANCE, report

        def compare(heads: tuple[str, ...], context: Any) -> None:
            table = self.progress.table = self._locate(context)
            self.progress.heads = self.invocation.before = heads
            accept = ALLOWANCE in self.invocation.request.allow
            with self._kept_connection.open(context, table) as connection:
                self.drift = report(connection, table, heads, accept, self._tenant.schema)

        current(self._project, compare)

    def _read_replication(self, _heads: tuple[str, ...], context: Any) -> None:
        table = self.progress.table = self._locate(context)
        if self._replicated.must_read(self._tenant, "upgrade"):
            with self._kept_connection.open(context, table) as connection:
                self._replicated.store(self._tenant, replication.read_replicated(connection))

    def _locate(self, context: Any) -> VersionTable:
        self._engine = context.connection.engine
        self.driver = context.dialect.driver
        return locate(context, self._tenant, self._database)
