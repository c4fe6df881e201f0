"""The runner's side of the contract; test/contract/inputs.test.ts holds its checks against those of the TypeScript side."""

from __future__ import annotations

from cdk_alembic.protocol.checks import problems
from cdk_alembic.protocol.request import Limits, Request, Settings
from cdk_alembic.protocol.rules import REQUEST, TENANT_REQUEST
from cdk_alembic.protocol.tenant_request import TenantRequest


def test_a_request_is_read_with_its_defaults() -> None:
    assert Request.of({}) == Request("upgrade", None, None, (), "invoke", None, False, None)
    request = {"command": "plan", "revision": "+1", "sql": True, "in": "container", "requestedBy": "ci 7"}
    assert Request.of(request) == Request("plan", "+1", None, (), "ci 7", None, True, "container")


def test_settings_are_read_with_their_defaults() -> None:
    settings = {"stage": "dev", "allow": ["stamp"], "database": {"source": "environment"}}
    assert Settings.of(settings) == Settings("dev", ("stamp",), {"source": "environment"})
    limits = {"mutexWaitSeconds": 1, "lockTimeoutSeconds": 2, "lockRetrySeconds": 3, "connectRetrySeconds": 4}
    assert Settings.of({**settings, "limits": limits}).limits == Limits(1, 2, 3, 4)


def test_a_request_for_tenants_keeps_each_tenant_as_it_was_given() -> None:
    tenants = [{"name": "a"}, {"name": "b", "schema": "s"}, {"name": "c", "secretArn": "arn:c"}]
    request = TenantRequest.of({"tenants": tenants, "toleratedFailures": 2.0})
    assert [tenant.as_given() for tenant in request.tenants] == tenants
    assert request.tolerated_failures == 2


def test_values_that_json_cannot_express_are_rejected() -> None:
    for number in (float("inf"), float("nan")):
        assert problems(REQUEST, {"sliceSeconds": number})
        assert problems(TENANT_REQUEST, {"tenants": [{"name": "a"}], "toleratedFailures": number})
