"""Reads the tenants of a database over one connection: for each command, only what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..production.replication import SOURCES, parse_replicated
from ..protocol.request import Settings
from ..protocol.tenant_request import Tenant
from . import skip
from .replicated import Replicated
from .skip import Access, TenantState

ReadState = Callable[[Tenant], TenantState | None]
"""Reads a tenant; None: env.py must run. Raises the driver's exceptions."""


@contextmanager
def survey(
    command: str, settings: Settings, replicated: Replicated, access: Access, tenants: list[Tenant]
) -> Iterator[ReadState]:
    """Opens a connection that reads the tenants of one database. Raises the driver's exceptions."""
    opened = (
        _survey_drift(access, tenants) if command == "drift" else _survey_heads(command, settings, replicated, access, tenants)
    )
    with opened as read_state:
        yield read_state


@contextmanager
def _survey_heads(
    command: str, settings: Settings, replicated: Replicated, access: Access, tenants: list[Tenant]
) -> Iterator[ReadState]:
    with skip.connected(access) as connection:
        contents = skip.read_contents(connection, access, tenants)
        if replicated.must_read(tenants[0], command):
            replicated.store(tenants[0], parse_replicated(connection.fetch_value(SOURCES)))
        kept = {tenant.name for tenant in tenants}
        if command == "upgrade" and settings.on_drift is not None:
            from .unchanged import with_kept_catalog

            kept = with_kept_catalog(connection, access, tenants) if contents.keeps_catalog else set()

        def read_state(tenant: Tenant) -> TenantState | None:
            if not contents.has(access, tenant):
                return None
            return skip.read_state(connection, access, tenant)._replace(keeps_catalog=tenant.name in kept)

        yield read_state


@contextmanager
def _survey_drift(access: Access, tenants: list[Tenant]) -> Iterator[ReadState]:
    from . import unchanged

    with skip.connected(access, timeouts=unchanged.TIMEOUTS) as connection:
        contents = skip.read_contents(connection, access, tenants)
        if contents.keeps_catalog:
            unchanged.prepare(connection, tenants)

        def read_state(tenant: Tenant) -> TenantState | None:
            return (
                unchanged.read_state(connection, access, tenant)
                if contents.keeps_catalog and contents.has(access, tenant)
                else None
            )

        yield read_state
