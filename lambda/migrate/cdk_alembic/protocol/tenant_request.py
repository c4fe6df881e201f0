"""Tenants and a valid request for them. lib/contract/tenants documents each field."""

from __future__ import annotations

from typing import Any, NamedTuple

_TENANT_KEYS = ("name", "schema", "secretArn")


class Tenant(NamedTuple):
    """A valid tenant."""

    name: str
    given_schema: str | None = None
    secret_arn: str | None = None

    @property
    def argument(self) -> str:
        """The value of `-x tenant=` for env.py."""
        return self.given_schema or self.name

    @property
    def schema(self) -> str | None:
        """The schema that must have its version table; None: any schema in the tenant's own database."""
        return self.given_schema or (None if self.secret_arn else self.name)

    def as_given(self) -> dict[str, str]:
        """The contract's Tenant."""
        return {key: value for key, value in zip(_TENANT_KEYS, self, strict=True) if value is not None}


class TenantRequest(NamedTuple):
    """A valid request for tenants."""

    command: str
    tenants: tuple[Tenant, ...]
    after: str | None
    tolerated_failures: int | None
    slice_seconds: float | None
    allow: tuple[str, ...]
    requested_by: str
    run_id: str | None

    @classmethod
    def of(cls, event: dict[str, Any]) -> TenantRequest:
        """The request of an event that has no problems."""
        tolerated = event.get("toleratedFailures")
        return cls(
            command=event.get("command", "upgrade"),
            tenants=tuple(Tenant(*(tenant.get(key) for key in _TENANT_KEYS)) for tenant in event.get("tenants", ())),
            after=event.get("after"),
            tolerated_failures=None if tolerated is None else int(tolerated),
            slice_seconds=event.get("sliceSeconds"),
            allow=tuple(event.get("allow", ())),
            requested_by=event.get("requestedBy", "invoke"),
            run_id=event.get("runId"),
        )
