"""A tenant's database that stops answering, at each moment of a run: the others are migrated."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cdk_alembic.connection import address as addresses
from cdk_alembic.connection import destination, watchdog
from conftest import Backend, Database, invoke
from each_driver import DRIVERS
from network import closed_port, freezing, port_of
from secret_databases import secret
from tenancy import codes, versions
from tenant_databases import tenants


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
@pytest.mark.parametrize("moment", ["pg_postmaster_start_time", "version_num", "pg_try_advisory_lock", "CREATE TABLE r1"])
def test_a_frozen_database_fails_only_its_tenant(
    package: Backend,
    own: dict[str, Database],
    by_secret: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    template: str,
    scheme: str,
    moment: str,
) -> None:
    by_secret(scheme, template, limits={"connectRetrySeconds": 0, "lockRetrySeconds": 0})
    monkeypatch.setattr(watchdog, "ANSWER_SECONDS", 5)
    monkeypatch.setattr(destination, "CONNECT_TIMEOUT_SECONDS", 5)
    fetch = addresses._fetch
    package.table_revision("r1")
    with closed_port() as bound, freezing(bound, moment.encode()) as frozen:
        frozen_secret = secret(own["acme"], port=port_of(bound))
        monkeypatch.setattr(addresses, "_fetch", lambda arn: frozen_secret if arn == "arn:acme" else fetch(arn))
        request = tenants(acme={"secretArn": "arn:acme"}, globex={"secretArn": "arn:globex"})
        # A revision has until the deadline.
        answer = invoke(request, seconds=30 if moment.startswith("CREATE") else 60)
        assert frozen.is_set()
        failed = codes(answer)
        while answer["left"]:
            answer = invoke({"tenants": answer["left"]}, seconds=40)
            failed = {**codes(answer), **failed}
    assert set(failed) == {"acme"}
    assert failed["acme"] in ("database_unreachable", "deadline_reached")
    assert versions(own["globex"], "public") == ["r1"]
