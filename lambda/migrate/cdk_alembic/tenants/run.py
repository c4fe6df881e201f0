"""One tenant: an upgrade to head, a plan, or the command drift."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from ..database.version_table import VersionTable
from ..production import replication
from ..project.environment import current
from ..project.project import Project
from ..protocol.request import Invocation
from ..protocol.tenant_request import Tenant
from ..run.preconditions import is_fresh
from ..run.run import Run
from .connection import KeptConnection
from .followed import Followed
from .location import locate


class TenantRun(Run):
    """A run whose version table is known to be in the tenant's schema."""

    def __init__(
        self,
        project: Project,
        invocation: Invocation,
        tenant: Tenant,
        database: str | None,
        kept: KeptConnection,
        followed: Followed,
    ) -> None:
        """`database`: the name in the tenant's own secret."""
        super().__init__(project, invocation, "head")
        self.schema = tenant.schema
        self.drift: dict[str, Any] | None = None
        """The contract's DriftReport, of the command drift."""
        self.driver: str | None = None
        """Set once env.py has connected."""
        self._tenant = tenant
        self._database = database
        self._kept = kept
        self._followed = followed
        self._engine: Any = None
        # Before the version table is read again over env.py's own connection.
        invocation.renew = kept.close

    def upgrade(self) -> None:
        """Upgrades to head. Raises RunnerError."""
        self.project.for_tenant(self._tenant.argument)
        try:
            if self._followed.must_ask(self._tenant, "upgrade") or self._followed.is_followed(self._tenant):
                heads, _ = current(self.project, self._look_at_replication)
                self._followed.refuse(self._tenant, self.invocation, heads)
            self.execute()
        finally:
            self._dispose()

    def plan(self) -> None:
        """Reads the tenant's revisions. Raises RunnerError."""
        self.project.for_tenant(self._tenant.argument)

        def look(heads: tuple[str, ...], context: Any) -> None:
            self.table = self.locate(context)
            self.heads = self.invocation.before = heads
            if heads == self.project.heads:
                return
            lineage = self.project.lineage(revision for revision in heads if self.project.known(revision))
            with self._kept.of(context, self.table) as connection:
                self.fresh = is_fresh(connection, self.table, heads, lineage, self.table.own_schema)
                if self._followed.must_ask(self._tenant, "plan"):
                    self._followed.learn(self._tenant, replication.look(connection))

        try:
            heads, _ = current(self.project, look)
            self._followed.warn(self._tenant, self.invocation, heads)
        finally:
            self._dispose()

    def compare(self) -> None:
        """Compares the tenant's schema, or its own database, with what its last run left. Raises RunnerError."""
        from ..drift.check import ALLOWANCE, report

        self.project.for_tenant(self._tenant.argument)

        def look(heads: tuple[str, ...], context: Any) -> None:
            self.table = self.locate(context)
            self.heads = self.invocation.before = heads
            accept = ALLOWANCE in self.invocation.request.allow
            with self._kept.of(context, self.table) as connection:
                self.drift = report(connection, self.table, heads, accept, self.schema)

        try:
            current(self.project, look)
        finally:
            self._dispose()

    def _look_at_replication(self, _heads: tuple[str, ...], context: Any) -> None:
        self.table = self.locate(context)
        if self._followed.must_ask(self._tenant, "upgrade"):
            with self._kept.of(context, self.table) as connection:
                self._followed.learn(self._tenant, replication.look(connection))

    def locate(self, context: Any) -> VersionTable:
        self._engine = context.connection.engine
        self.driver = context.dialect.driver
        return locate(context, self._tenant, self._database)

    def connect(self, context: Any) -> AbstractContextManager[Any]:
        return self._kept.of(context, self.table)

    def _dispose(self) -> None:
        """Disposes of the engine's pool, which would keep connections open that no other tenant uses. An async engine belongs to
        a closed event loop, so env.py must dispose of it."""
        if self._engine is not None and not self._engine.dialect.is_async:
            self._engine.dispose()
        self._engine = None
