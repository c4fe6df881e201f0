"""One tenant: an upgrade to head, or a plan."""

from __future__ import annotations

from typing import Any

from ..database.version_table import VersionTable
from ..project.environment import current
from ..project.project import Project
from ..protocol.request import Invocation
from ..protocol.tenant_request import Tenant
from ..run.preconditions import is_fresh
from ..run.run import Run
from .connection import KeptConnection
from .location import locate


class TenantRun(Run):
    """A run whose version table is known to be in the tenant's schema."""

    def __init__(
        self, project: Project, invocation: Invocation, tenant: Tenant, database: str | None, kept: KeptConnection
    ) -> None:
        """`database`: the name in the tenant's own secret."""
        super().__init__(project, invocation, "head")
        self.driver: str | None = None
        """Set once env.py has connected."""
        self._tenant = tenant
        self._database = database
        self._kept = kept
        self._engine: Any = None
        invocation.connect = lambda context: kept.of(context, self.table)
        # Before the version table is read again over env.py's own connection.
        invocation.renew = kept.close

    def upgrade(self) -> None:
        """Upgrades to head. Raises RunnerError."""
        self.project.for_tenant(self._tenant.argument)
        try:
            self.execute()
        finally:
            self._dispose()

    def plan(self) -> None:
        """Reads the tenant's revisions. Raises RunnerError."""
        self.project.for_tenant(self._tenant.argument)

        def look(heads: tuple[str, ...], context: Any) -> None:
            self.table = self.locate(context)
            self.heads = self.invocation.before = heads
            if heads != self.project.heads:
                lineage = self.project.lineage(revision for revision in heads if self.project.known(revision))
                with self._kept.of(context, self.table) as connection:
                    self.fresh = is_fresh(connection, self.table, heads, lineage, self.table.own_schema)

        try:
            current(self.project, look)
        finally:
            self._dispose()

    def locate(self, context: Any) -> VersionTable:
        self._engine = context.connection.engine
        self.driver = context.dialect.driver
        return locate(context, self._tenant, self._database)

    def _dispose(self) -> None:
        """Disposes of the engine's pool, which would keep connections open that no other tenant uses. An async engine belongs to
        a closed event loop, so env.py must dispose of it."""
        if self._engine is not None and not self._engine.dialect.is_async:
            self._engine.dispose()
        self._engine = None
