"""The runner's side of the contract; test/contract/inputs.test.ts holds its checks against those of the TypeScript side."""

from __future__ import annotations

from cdk_alembic.protocol import contract, tenant_contract


def test_a_request_is_read_with_its_defaults() -> None:
    assert contract.parse_request({}) == contract.Request("upgrade", None, None, (), "invoke", None, False, None)
    request = {"command": "plan", "revision": "+1", "sql": True, "in": "container", "requestedBy": "ci 7"}
    assert contract.parse_request(request) == contract.Request("plan", "+1", None, (), "ci 7", None, True, "container")


def test_settings_are_read_with_their_defaults() -> None:
    settings = {"stage": "dev", "allow": ["stamp"], "database": {"source": "environment"}}
    assert contract.parse_settings(settings) == contract.Settings("dev", ("stamp",), {"source": "environment"})
    limits = {"mutexWaitSeconds": 1, "lockTimeoutSeconds": 2, "lockRetrySeconds": 3, "connectRetrySeconds": 4}
    assert contract.parse_settings({**settings, "limits": limits}).limits == contract.Limits(1, 2, 3, 4)


def test_a_request_for_tenants_keeps_each_tenant_as_it_was_given() -> None:
    tenants = [{"name": "a"}, {"name": "b", "schema": "s"}, {"name": "c", "secretArn": "arn:c"}]
    request = tenant_contract.parse_tenant_request({"tenants": tenants, "toleratedFailures": 2.0})
    assert [tenant.as_given() for tenant in request.tenants] == tenants
    assert request.tolerated_failures == 2


def test_what_json_can_not_say_has_problems_too() -> None:
    for number in (float("inf"), float("nan")):
        assert contract.request_problems({"sliceSeconds": number})
        assert tenant_contract.tenant_request_problems({"tenants": [{"name": "a"}], "toleratedFailures": number})
