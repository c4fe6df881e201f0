"""The Python half of the contract; test/contract/contract.test.ts is the other. Both read the same examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cdk_alembic.protocol import contract, tenant_contract

EXAMPLES = Path(__file__).parent.parent / "contract"


def examples(kind: str, verdict: str) -> list[Any]:
    found = json.loads((EXAMPLES / f"{kind}.json").read_text())[verdict]
    assert found
    return [pytest.param(value, id=name) for name, value in found.items()]


@pytest.mark.parametrize("request_", examples("requests", "accepted"))
def test_a_good_request_is_accepted(request_: Any) -> None:
    assert contract.request_problems(request_) == []
    assert contract.parse_request(request_).command in contract.COMMANDS


@pytest.mark.parametrize("request_", examples("requests", "rejected"))
def test_a_bad_request_is_rejected(request_: Any) -> None:
    assert contract.request_problems(request_) != []


@pytest.mark.parametrize("settings", examples("settings", "accepted"))
def test_good_settings_are_accepted(settings: Any) -> None:
    assert contract.settings_problems(settings) == []
    assert contract.parse_settings(settings).stage == settings["stage"]


@pytest.mark.parametrize("settings", examples("settings", "rejected"))
def test_bad_settings_are_rejected(settings: Any) -> None:
    assert contract.settings_problems(settings) != []


def test_all_problems_are_listed_at_once() -> None:
    assert len(contract.request_problems({"revision": "a b", "sliceSeconds": -1, "later": 1})) == 3


@pytest.mark.parametrize("kind", ["answers", "failures"])
def test_the_examples_of_answers_use_the_words_of_the_contract(kind: str) -> None:
    for answer in json.loads((EXAMPLES / f"{kind}.json").read_text())["accepted"].values():
        assert answer["contract"] == contract.CONTRACT_VERSION
        assert answer["status"] in (*contract.STATUSES, "failed")
        assert answer.get("command", "upgrade") in contract.COMMANDS
        assert answer.get("error", {}).get("code", "locked") in contract.RUNNER_CODES


@pytest.mark.parametrize("request_", examples("tenant-requests", "accepted"))
def test_a_good_request_for_tenants_is_accepted(request_: Any) -> None:
    assert tenant_contract.tenant_request_problems(request_) == []
    parsed = tenant_contract.parse_tenant_request(request_)
    assert [tenant.as_given() for tenant in parsed.tenants] == request_.get("tenants", [])


@pytest.mark.parametrize("request_", examples("tenant-requests", "rejected"))
def test_a_bad_request_for_tenants_is_rejected(request_: Any) -> None:
    assert tenant_contract.tenant_request_problems(request_) != []


def test_the_examples_of_answers_about_tenants_use_the_words_of_the_contract() -> None:
    for kind in ("tenant-answers", "tenant-lists"):
        for answer in json.loads((EXAMPLES / f"{kind}.json").read_text())["accepted"].values():
            assert answer["command"] in tenant_contract.TENANT_COMMANDS
            for outcome in answer.get("outcomes", ()):
                assert outcome["status"] in tenant_contract.TENANT_STATUSES
            for tenant in answer.get("left", answer.get("tenants")):
                assert tenant_contract.tenant_problems(tenant) == []
