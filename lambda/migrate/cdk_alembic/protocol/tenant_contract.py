"""Validated tenants and their requests. lib/contract/tenants documents each field."""

from __future__ import annotations

from typing import Any, NamedTuple

from .checks import problems, wrong_with
from .rules import TENANT_COMMANDS, TENANT_REQUEST, TENANT_STATUSES, TENANTS, TENANTS_PAGE

__all__ = [
    "TENANTS_PAGE",
    "TENANT_COMMANDS",
    "TENANT_STATUSES",
    "Tenant",
    "TenantRequest",
    "parse_tenant_request",
    "tenant_list_problems",
    "tenant_request_problems",
]

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
    """A request that passed `tenant_request_problems`."""

    command: str
    tenants: tuple[Tenant, ...]
    after: str | None
    tolerated_failures: int | None
    slice_seconds: float | None
    allow: tuple[str, ...]
    requested_by: str
    run_id: str | None


def tenant_request_problems(request: object) -> list[str]:
    """All problems of a request; empty if it is valid."""
    return problems(TENANT_REQUEST, request)


def parse_tenant_request(request: dict[str, Any]) -> TenantRequest:
    """Parses a request that `tenant_request_problems` found valid."""
    tolerated = request.get("toleratedFailures")
    return TenantRequest(
        request.get("command", "upgrade"),
        tuple(Tenant(*(tenant.get(key) for key in _TENANT_KEYS)) for tenant in request.get("tenants", ())),
        request.get("after"),
        None if tolerated is None else int(tolerated),
        request.get("sliceSeconds"),
        tuple(request.get("allow", ())),
        request.get("requestedBy", "invoke"),
        request.get("runId"),
    )


def tenant_list_problems(tenants: object) -> list[str]:
    """All problems of a list of tenants of any length; empty if it is valid."""
    return wrong_with(TENANTS, tenants, "tenants")
