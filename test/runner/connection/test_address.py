"""How the database's address reaches the backend. Secrets Manager is a fake here; the end-to-end tests use the local AWS."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from cdk_alembic.connection import address
from cdk_alembic.connection.address import DatabaseVariables
from cdk_alembic.protocol.errors import RunnerError
from sqlalchemy.engine import make_url

ODD = "p%w@r/d: 'x'"
RDS_SECRET = {"host": "db.internal", "port": 5433, "username": "app", "password": ODD, "dbname": "saas"}
PARTS = {"host": "H", "port": "P", "user": "U", "password": "W", "database": "D"}


def fill(monkeypatch: pytest.MonkeyPatch, secret: Any, **settings: Any) -> dict[str, str]:
    text = secret if isinstance(secret, str) else json.dumps(secret)
    monkeypatch.setattr(address, "_fetch", lambda arn: text)
    environ: dict[str, str] = {}
    DatabaseVariables(environ, {"source": "secret", "secretArn": "arn:db", "variables": PARTS, **settings}).fill()
    return environ


def test_an_rds_secret_supplies_all_parts_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fill(monkeypatch, RDS_SECRET) == {"H": "db.internal", "P": "5433", "U": "app", "W": ODD, "D": "saas"}


@pytest.mark.parametrize("host", ["db.internal", "fd00::1"])
def test_a_url_survives_an_odd_password_and_an_ipv6_host(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    variables = {"url": "DATABASE_URL", "urlScheme": "postgresql+asyncpg"}
    environ = fill(monkeypatch, {**RDS_SECRET, "host": host, "dbname": "odd name"}, variables=variables)
    url = make_url(environ["DATABASE_URL"])
    assert (url.drivername, url.host, url.port) == ("postgresql+asyncpg", host, 5433)
    assert (url.username, url.password, url.database) == ("app", ODD, "odd name")


def test_a_secret_can_be_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = fill(monkeypatch, "postgresql://app:p%25w%40r@db.internal/saas")
    assert environ == {"H": "db.internal", "P": "5432", "U": "app", "W": "p%w@r", "D": "saas"}


def test_settings_of_the_construct_override_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = fill(monkeypatch, RDS_SECRET, host="proxy", port=6000, database="other")
    assert (environ["H"], environ["P"], environ["D"]) == ("proxy", "6000", "other")


@pytest.mark.parametrize("secret", [{}, [], "not an address", {"username": "app", "password": "x"}])
def test_an_unusable_secret_is_reported_with_what_is_missing(monkeypatch: pytest.MonkeyPatch, secret: Any) -> None:
    with pytest.raises(RunnerError) as raised:
        fill(monkeypatch, secret)
    assert raised.value.code == "secret_unavailable"
    assert "host" in raised.value.message


def test_no_part_of_an_unreadable_url_is_in_the_error_or_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunnerError) as raised:
        fill(monkeypatch, "postgresql://app:hunter/2secret@db.internal/saas")
    assert raised.value.code == "secret_unavailable"
    assert "hunter" not in str(raised.value)
    # The log shows the cause of a failure.
    assert raised.value.__cause__ is None


def test_a_changed_password_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"source": "secret", "secretArn": "arn:db", "variables": PARTS}
    environ: dict[str, str] = {}
    monkeypatch.setattr(address, "_fetch", lambda arn: json.dumps(RDS_SECRET))
    assert DatabaseVariables(environ, settings).fill() is True
    assert DatabaseVariables(environ, settings).fill() is False
    monkeypatch.setattr(address, "_fetch", lambda arn: json.dumps({**RDS_SECRET, "password": "new"}))
    assert DatabaseVariables(environ, settings).fill() is True
    assert environ["W"] == "new"


def test_an_unreachable_secrets_manager_fails_in_seconds_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        with pytest.raises(RunnerError) as raised:
            DatabaseVariables({}, {"source": "secret", "secretArn": "arn:db", "variables": PARTS}).fill()
    assert raised.value.code == "secret_unavailable"
    assert "interface endpoint" in raised.value.next


def test_an_iam_token_replaces_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    environ: dict[str, str] = {}
    settings = {"source": "iam", "host": "db", "port": 5432, "user": "migrator", "database": "saas", "variables": PARTS}
    DatabaseVariables(environ, settings).fill()
    assert (environ["H"], environ["U"], environ["D"]) == ("db", "migrator", "saas")
    assert "Action=connect" in environ["W"] and "X-Amz-Signature" in environ["W"]
