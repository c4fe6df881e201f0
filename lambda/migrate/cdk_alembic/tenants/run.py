"""One tenant: an upgrade to head, or a look at what is pending."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ..project.project import Project
from ..project.revisions import current
from ..protocol.invocation import Call
from ..protocol.tenant_contract import Tenant
from ..run.run import Run
from .connection import KeptConnection
from .place import Place, heads_in, place_of


class TenantRun(Run):
    """A run whose version table is known to lie in the tenant's schema, and which is verified over the connection that holds the
    mutex: env.py is executed once."""

    def __init__(self, project: Project, call: Call, tenant: Tenant, database: str | None, kept: KeptConnection) -> None:
        super().__init__(project, call, "head", downgrade=False)
        self.place: Place | None = None
        """Set as soon as env.py has connected."""
        self.heads: tuple[str, ...] | None = None
        """What the version table held at last; None: not known."""
        self.driver: str | None = None
        self._tenant = tenant
        self._database = database
        self._kept = kept
        self._is_concluded = False
        self._engine: Any = None

    def upgrade(self) -> None:
        """Goes to head. Raises RunnerError."""
        self.project.of_tenant(self._tenant.argument)
        self._is_concluded = False
        try:
            self.execute()
            if not self._is_concluded:
                self._kept.close()
                current(self.project, self._conclude)
        finally:
            self._dispose()

    def plan(self) -> None:
        """Reads where the tenant is. Raises RunnerError."""
        self.project.of_tenant(self._tenant.argument)

        def look(heads: tuple[str, ...], context: Any) -> None:
            self._find_place(context)
            self.heads = self.call.before = heads

        try:
            current(self.project, look)
        finally:
            self._dispose()

    @contextmanager
    def around(self, context: Any) -> Iterator[None]:
        self._find_place(context)
        with super().around(context):
            try:
                yield
            finally:
                self._read_heads()
            # What env.py's own transaction holds back is not to be seen yet.
            if self.heads is not None and not self._uncommitted and self._is_there(self.heads):
                self._conclude(self.heads, context, self._mutex)

    def _find_place(self, context: Any) -> None:
        self._engine = context.connection.engine
        self.driver = context.dialect.driver
        self.place = place_of(context, self._tenant, self._database)
        self.call.schema = self.place.own_schema
        self.call.connect = lambda context: self._kept.of(context, self.place)

    def _read_heads(self) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        with suppress(SQLAlchemyError):
            self.heads = heads_in(self._mutex, self.place)

    def _is_there(self, heads: tuple[str, ...]) -> bool:
        if self.project.unknown(heads) or not (self.stopped or set(heads) == set(self.target)):
            return False
        return {item["revision"] for item in self.call.applied} <= self.project.lineage(heads)

    def _conclude(self, heads: tuple[str, ...], context: Any, over: Any = None) -> None:
        self.heads = heads
        self._is_concluded = True
        self.conclude(heads, context, over)

    def _dispose(self) -> None:
        """An engine with a pool would keep connections open that no other tenant uses. One that is async belongs to a loop that
        has ended, and env.py has to do it."""
        if self._engine is not None and not self._engine.dialect.is_async:
            self._engine.dispose()
        self._engine = None
