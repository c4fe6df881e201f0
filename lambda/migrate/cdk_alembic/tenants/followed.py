"""Logical replication out of the tenants' databases. It is read once per database, and what pending revisions change once for all
its tenants at the same revision."""

from __future__ import annotations

from typing import Any

from ..production.replication import Changes, changes_in, judged, refuse_breaks, warnings
from ..project.project import Project
from ..project.render import render
from ..protocol.request import Invocation
from ..protocol.tenant_request import Tenant


class Followed:
    """What follows the databases of a request."""

    def __init__(self, project: Project, invocation: Invocation) -> None:
        self._project = project
        self._policy = invocation.settings.on_replication
        self._followed: dict[str | None, dict[str, Any] | None] = {}
        """By the secret of the database; None: nobody follows it."""
        self._changes: dict[tuple[str | None, tuple[str, ...]], Changes] = {}
        """By the secret of the database and the revisions before."""
        self._waiting: list[tuple[Tenant, tuple[str, ...]]] = []

    def must_ask(self, tenant: Tenant, command: str) -> bool:
        """Whether a command needs to know what follows the tenant's database, and does not know yet."""
        if tenant.secret_arn in self._followed:
            return False
        return self._policy == "refuse" if command == "upgrade" else command == "plan" and self._policy != "ignore"

    def learn(self, tenant: Tenant, found: dict[str, Any] | None) -> None:
        """What follows the tenant's database: the result of `replication.look`."""
        self._followed[tenant.secret_arn] = found

    def is_followed(self, tenant: Tenant) -> bool:
        """Whether something follows the tenant's database, as far as it was asked for."""
        return self._followed.get(tenant.secret_arn) is not None

    def must_render(self, tenant: Tenant, heads: tuple[str, ...]) -> bool:
        """Whether a plan has to render a tenant's revisions with env.py. The other tenants at the same revisions wait for
        `later`."""
        if not self.is_followed(tenant) or heads == self._project.revisions.heads or (tenant.secret_arn, heads) in self._changes:
            return False
        waiting = [other for other, at in self._waiting if at == heads]
        self._waiting.append((tenant, heads))
        return not waiting

    def later(self) -> list[str]:
        """Warnings of a plan about the tenants that waited."""
        said: list[str] = []
        for tenant, heads in self._waiting:
            if (tenant.secret_arn, heads) in self._changes and (replication := self._judged(tenant, heads)):
                said.extend(warnings(replication))
        self._waiting.clear()
        return said

    def refuse(self, tenant: Tenant, invocation: Invocation, heads: tuple[str, ...]) -> None:
        """Raises RunnerError `breaks_replication`. env.py is the tenant's."""
        if replication := self._judged(tenant, heads):
            refuse_breaks(replication, invocation)

    def warn(self, tenant: Tenant, invocation: Invocation, heads: tuple[str, ...]) -> None:
        """Adds the warnings of a plan. env.py is the tenant's, if it is needed."""
        if replication := self._judged(tenant, heads):
            invocation.warnings.extend(warnings(replication))

    def _judged(self, tenant: Tenant, heads: tuple[str, ...]) -> dict[str, Any] | None:
        found = self._followed.get(tenant.secret_arn)
        if found is None or heads == self._project.revisions.heads or self._project.revisions.unknown(heads):
            return None
        key = (tenant.secret_arn, heads)
        if key not in self._changes:
            steps, _ = self._project.revisions.path("head", heads, downgrade=False)
            self._changes[key] = changes_in(render(self._project, steps), self._project.version_table, tenant.schema)
        return judged(self._changes[key], found, tenant.schema)
