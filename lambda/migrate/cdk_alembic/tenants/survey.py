"""Looks at the tenants of a database over one connection: for each command, only what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..production.replication import LOOK, followed_in
from ..protocol.request import Settings
from ..protocol.tenant_request import Tenant
from . import skip
from .followed import Followed
from .skip import Found, Shown

Look = Callable[[Tenant], Found | None]
"""What there is of a tenant; None: env.py has to look. Raises the driver's exceptions."""


@contextmanager
def looking(command: str, settings: Settings, followed: Followed, shown: Shown, tenants: list[Tenant]) -> Iterator[Look]:
    """Looks at tenants of one database. Raises the driver's exceptions."""
    opened = _comparing(shown, tenants) if command == "drift" else _reading(command, settings, followed, shown, tenants)
    with opened as look:
        yield look


@contextmanager
def _reading(command: str, settings: Settings, followed: Followed, shown: Shown, tenants: list[Tenant]) -> Iterator[Look]:
    with skip.connected(shown) as connection:
        present = skip.present(connection, shown, tenants)
        if followed.must_ask(tenants[0], command):
            followed.learn(tenants[0], followed_in(connection.ask(LOOK)))
        kept = {tenant.name for tenant in tenants}
        if command == "upgrade" and settings.on_drift is not None:
            from .unchanged import with_kept

            kept = with_kept(connection, shown, tenants) if present.keeps else set()

        def look(tenant: Tenant) -> Found | None:
            if not present.has(shown, tenant):
                return None
            return skip.look(connection, shown, tenant)._replace(keeps=tenant.name in kept)

        yield look


@contextmanager
def _comparing(shown: Shown, tenants: list[Tenant]) -> Iterator[Look]:
    from . import unchanged

    with skip.connected(shown, waits=unchanged.WAITS) as connection:
        present = skip.present(connection, shown, tenants)
        if present.keeps:
            unchanged.prepare(connection, tenants)

        def look(tenant: Tenant) -> Found | None:
            return unchanged.look(connection, shown, tenant) if present.keeps and present.has(shown, tenant) else None

        yield look
