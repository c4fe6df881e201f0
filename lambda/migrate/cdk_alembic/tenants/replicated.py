"""Logical replication out of the tenants' databases. Reads it once per database, and the tables that pending revisions change
once for all tenants at the same revision."""

from __future__ import annotations

from typing import Any

from ..production.replication import Changes, changes_in, judge, refuse_breaks, warnings
from ..project.project import Project
from ..project.render import render
from ..protocol.request import Invocation
from ..protocol.tenant_request import Tenant


class Replicated:
    """The replication of a request's databases."""

    def __init__(self, project: Project, invocation: Invocation) -> None:
        self._project = project
        self._policy = invocation.settings.on_replication
        self._replicated: dict[str | None, dict[str, Any] | None] = {}
        """By the database's secret; None: it is not replicated."""
        self._changes: dict[tuple[str | None, tuple[str, ...]], Changes] = {}
        """By the database's secret and its revisions."""
        self._waiting: list[tuple[Tenant, tuple[str, ...]]] = []

    def must_read(self, tenant: Tenant, command: str) -> bool:
        """Whether a command needs the replication of the tenant's database, and it has not been read."""
        if tenant.secret_arn in self._replicated:
            return False
        return self._policy == "refuse" if command == "upgrade" else command == "plan" and self._policy != "ignore"

    def store(self, tenant: Tenant, found: dict[str, Any] | None) -> None:
        """Stores the replication of the tenant's database: the result of `replication.read_replicated`."""
        self._replicated[tenant.secret_arn] = found

    def is_replicated(self, tenant: Tenant) -> bool:
        """Whether the tenant's database is known to be replicated."""
        return self._replicated.get(tenant.secret_arn) is not None

    def must_render(self, tenant: Tenant, heads: tuple[str, ...]) -> bool:
        """Whether a plan must render a tenant's revisions with env.py. Other tenants at the same revisions wait for
        `postponed_warnings`."""
        if (
            not self.is_replicated(tenant)
            or heads == self._project.revisions.heads
            or (tenant.secret_arn, heads) in self._changes
        ):
            return False
        is_first = all(waiting != heads for _, waiting in self._waiting)
        self._waiting.append((tenant, heads))
        return is_first

    def postponed_warnings(self) -> list[str]:
        """A plan's warnings about the tenants that waited."""
        texts: list[str] = []
        for tenant, heads in self._waiting:
            if (tenant.secret_arn, heads) in self._changes and (replication := self._judge(tenant, heads)):
                texts.extend(warnings(replication))
        self._waiting.clear()
        return texts

    def refuse(self, tenant: Tenant, invocation: Invocation, heads: tuple[str, ...]) -> None:
        """Raises RunnerError `breaks_replication`. Call it while env.py is configured for the tenant."""
        if replication := self._judge(tenant, heads):
            refuse_breaks(replication, invocation)

    def warn(self, tenant: Tenant, invocation: Invocation, heads: tuple[str, ...]) -> None:
        """Adds the warnings of a plan. If `must_render`, call it while env.py is configured for the tenant."""
        if replication := self._judge(tenant, heads):
            invocation.warnings.extend(warnings(replication))

    def _judge(self, tenant: Tenant, heads: tuple[str, ...]) -> dict[str, Any] | None:
        found = self._replicated.get(tenant.secret_arn)
        if found is None or heads == self._project.revisions.heads or self._project.revisions.unknown(heads):
            return None
        key = (tenant.secret_arn, heads)
        if key not in self._changes:
            steps = self._project.revisions.route("head", heads, downgrade=False).steps
            self._changes[key] = changes_in(render(self._project, steps), self._project.version_table, tenant.schema)
        return judge(self._changes[key], found, tenant.schema)
