"""The contract of a run over many tenants, as far as the worker is concerned.

Its twin is lib/contract/tenants.ts, which documents every field. The two are held together by test/contract/tenant-*.json, which
the tests of both languages must accept or reject alike.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from .contract import (
    ALLOWANCES,
    MAX_SLICE_SECONDS,
    REQUESTED_BY_PATTERN,
    RUN_ID_PATTERN,
    is_number,
    is_text,
    matches,
    unknown_keys,
)

TENANT_COMMANDS = ("upgrade", "plan", "tenants")
TENANT_STATUSES = ("complete", "pending", "partial", "ahead", "failed")
TENANT_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_$.-]{0,62}")
MAX_BATCH_SIZE = 1000
TENANTS_PAGE = 10_000

_KEYS = ("command", "tenants", "after", "toleratedFailures", "sliceSeconds", "allow", "requestedBy", "runId")
_TENANT_KEYS = ("name", "schema", "secretArn")


class Tenant(NamedTuple):
    """A tenant that passed `tenant_problems`."""

    name: str
    given_schema: str | None = None
    secret_arn: str | None = None

    @property
    def argument(self) -> str:
        """What env.py gets as `-x tenant=`."""
        return self.given_schema or self.name

    @property
    def schema(self) -> str | None:
        """Where its version table has to lie; None: wherever env.py keeps it in the tenant's own database."""
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
    """All that is wrong with a request; empty when it can be carried out."""
    if not isinstance(request, dict):
        return ["the request must be a JSON object"]
    problems = unknown_keys(request, _KEYS)
    command = request.get("command", "upgrade")
    if command not in TENANT_COMMANDS:
        problems.append(f"unknown command {json.dumps(command)}: use {', '.join(TENANT_COMMANDS)}")
        return problems
    tenants = request.get("tenants")
    if command == "tenants":
        if "tenants" in request:
            problems.append('"tenants" lists them and takes none')
    elif not isinstance(tenants, list) or not 1 <= len(tenants) <= MAX_BATCH_SIZE:
        problems.append(f'"{command}" needs tenants, a list of 1 to {MAX_BATCH_SIZE}')
    else:
        problems.extend(problem for tenant in tenants for problem in tenant_problems(tenant))
        problems.extend(_named_twice(tenants))
    if "after" in request:
        if command != "tenants":
            problems.append(f'"{command}" takes no after')
        elif not matches(TENANT_PATTERN, request["after"]):
            problems.append(f"after: {_name_problem(request['after'])}")
    for key in ("toleratedFailures", "sliceSeconds", "allow"):
        if key in request and command != "upgrade":
            problems.append(f'"{command}" takes no {key}')
        elif key in request and not _FITS[key](request[key]):
            problems.append(_RULES[key])
    if "requestedBy" in request and not matches(REQUESTED_BY_PATTERN, request["requestedBy"]):
        problems.append("requestedBy must be a text of at most 200 printable ASCII characters")
    if "runId" in request and not matches(RUN_ID_PATTERN, request["runId"]):
        problems.append("runId must be a UUID in lower case")
    return problems


def parse_tenant_request(request: dict[str, Any]) -> TenantRequest:
    """A request in which `tenant_request_problems` found nothing."""
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


def tenant_problems(tenant: object) -> list[str]:
    """All that is wrong with a tenant; empty when it can be migrated."""
    if not isinstance(tenant, dict):
        return [f'{json.dumps(tenant)} is no tenant: use {{"name": "..."}}']
    problems = unknown_keys(tenant, _TENANT_KEYS)
    name = tenant.get("name")
    if not matches(TENANT_PATTERN, name):
        problems.append(_name_problem(name))
    if "schema" in tenant and not matches(TENANT_PATTERN, tenant["schema"]):
        problems.append(f"the schema of tenant {json.dumps(name)}: {_name_problem(tenant['schema'])}")
    if "secretArn" in tenant and not is_text(tenant["secretArn"]):
        problems.append(f"the secretArn of tenant {json.dumps(name)} must be a text")
    return problems


def _named_twice(tenants: list[Any]) -> list[str]:
    names = [json.dumps(tenant.get("name")) for tenant in tenants if isinstance(tenant, dict)]
    seen: set[str] = set()
    twice = dict.fromkeys(name for name in names if name in seen or seen.add(name))
    return [f"tenant {name} is named twice" for name in twice]


def _name_problem(name: object) -> str:
    return (
        f'{json.dumps(name)} is not a usable name: use at most 63 letters, digits, "_", "$", ".", "-", '
        'the first a letter, digit or "_"'
    )


def _is_count(value: Any) -> bool:
    # JSON has one kind of number: 2.0 is 2.
    return is_number(value) and value >= 0 and value == int(value)


_FITS = {
    "toleratedFailures": _is_count,
    "sliceSeconds": lambda value: is_number(value) and 0 <= value <= MAX_SLICE_SECONDS,
    "allow": lambda value: isinstance(value, list) and all(item in ALLOWANCES for item in value),
}
_RULES = {
    "toleratedFailures": "toleratedFailures must be a number of tenants",
    "sliceSeconds": f"sliceSeconds must be a number from 0 to {MAX_SLICE_SECONDS}",
    "allow": f"allow must be a list of {', '.join(ALLOWANCES)}",
}
