"""The request of a function that migrates tenants, checked at its edge."""

from __future__ import annotations

from typing import Any

from ..protocol.errors import RunnerError
from ..protocol.tenant_contract import TenantRequest, parse_tenant_request, tenant_request_problems


def tenant_request(event: Any) -> TenantRequest:
    """The checked request. Raises RunnerError `invalid_request`: a plain invoke never migrates a schema of no tenant."""
    event = {} if event is None else event
    problems = tenant_request_problems(event)
    if problems:
        raise RunnerError(
            "invalid_request",
            f"this function migrates tenants: {'; '.join(problems)}",
            'name them, {"tenants": [{"name": "acme"}]}, or start the state machine: `npx migrate-invoke --tenants all`; '
            "nothing was changed",
        )
    return parse_tenant_request(event)
