"""The secrets of the backend that are not the database's: how they reach it, and that nothing shows them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cdk_alembic.handler import respond
from cdk_alembic.task import task_process
from conftest import Backend, Database, failure, invoke, set_settings
from network import aws
from tenancy import batch, create_schemas, outcomes, set_tenant_settings, write_env

KEYS = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:keys-AbCdEf"
STRIPE = {"name": "STRIPE_KEY", "secretArn": KEYS, "field": "stripe"}
WHOLE = {"name": "STRIPE_KEY", "secretArn": KEYS}
WRITES_KEY = 'op.execute("CREATE TABLE keys AS SELECT md5(\'{}\') AS key".format(__import__("os").environ["STRIPE_KEY"]))'


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What Secrets Manager has, by ARN."""
    texts = {KEYS: json.dumps({"stripe": "sk-first-one", "limit": 5})}
    for name in ("STRIPE_KEY", "OTHER"):
        # Put back afterwards.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    with aws(monkeypatch, lambda _, request: {"SecretString": texts[request["SecretId"]]}):
        yield texts


@pytest.mark.parametrize("run", [invoke, lambda: respond({"in": "container"}, task_process(None))])
def test_a_revision_reads_a_secret_from_its_variable(
    backend: Backend, database: Database, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch, run: Callable[[], Any]
) -> None:
    set_settings(monkeypatch, secrets=[STRIPE])
    backend.revision("aa", None, WRITES_KEY)
    run()
    assert database.rows("SELECT key FROM keys") == database.rows("SELECT md5('sk-first-one')")


def test_a_tenant_reads_a_secret_from_its_variable(
    backend: Backend, database: Database, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_tenant_settings(monkeypatch, secrets=[STRIPE])
    write_env(backend)
    create_schemas(database, ["acme"])
    backend.revision("aa", None, WRITES_KEY)
    assert outcomes(invoke(batch("acme")))["acme"]["status"] == "complete"
    assert database.rows("SELECT key FROM acme.keys") == database.rows("SELECT md5('sk-first-one')")


def test_a_rotated_secret_is_read_again_also_by_modules_that_were_loaded_before(
    backend: Backend, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_settings(monkeypatch, secrets=[STRIPE])
    (backend.directory / "shop_keys.py").write_text('import os\nKEY = os.environ["STRIPE_KEY"]\n')
    env = (backend.directory / "alembic" / "env.py").read_text()
    backend.write_env(f"import os, shop_keys\nassert shop_keys.KEY == os.environ['STRIPE_KEY']\n{env}")
    backend.table_revision("aa")
    invoke()
    secrets[KEYS] = json.dumps({"stripe": "sk-the-second-one"})
    assert invoke({"command": "current"})["status"] == "complete"


def test_what_is_no_secret_in_a_secret_of_a_database_stays_readable(
    backend: Backend, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets[KEYS] = '{"engine": "postgres", "username": "shop_admin", "password": "sk-first-one"}'
    set_settings(monkeypatch, secrets=[WHOLE])
    backend.revision("aa", None, 'raise ValueError("postgresql rejects shop_admin with sk-first-one")')
    assert "postgresql rejects shop_admin with ***" in failure()["error"]["message"]


@pytest.mark.parametrize(
    ("field", "text", "key"),
    [
        (STRIPE, '{"stripe": "sk-first-one"}', "secret"),
        (WHOLE, "-----BEGIN KEY-----\nsk-first-one\n-----END KEY-----", "secret"),
        (WHOLE, '{"stripe": {"keys": ["sk-first-one"]}}', "json.loads(secret)['stripe']['keys'][0]"),
    ],
)
def test_neither_answer_nor_log_shows_a_secret(
    backend: Backend,
    secrets: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    field: dict[str, str],
    text: str,
    key: str,
) -> None:
    secrets[KEYS] = text
    set_settings(monkeypatch, secrets=[field])
    show = f'import json, os\nsecret = os.environ["STRIPE_KEY"]\nkey = {key}\nprint(key)\nraise ValueError(f"rejected: {{key}}")'
    backend.revision("aa", None, show)
    answer = failure()
    assert "rejected: " in answer["error"]["message"]
    assert "sk-first-one" not in json.dumps(answer) + "".join(capfd.readouterr())


def test_what_is_no_text_is_json(secrets: dict[str, str], backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    set_settings(monkeypatch, secrets=[{"name": "OTHER", "secretArn": KEYS, "field": "limit"}])
    backend.revision("aa", None, 'import os\nassert os.environ["OTHER"] == "5"')
    assert invoke()["status"] == "complete"


@pytest.mark.parametrize("text", ['{"other": "hunter-two"}', '"hunter-two"', "hunter-two"])
def test_a_secret_without_the_field_is_reported_by_name_and_not_shown(
    backend: Backend, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    secrets[KEYS] = text
    set_settings(monkeypatch, secrets=[STRIPE])
    backend.table_revision("aa")
    answer = failure()
    assert answer["error"]["code"] == "secret_unavailable"
    assert answer["error"]["message"] == f"the secret {KEYS} has no field stripe"
    assert "hunter" not in json.dumps(answer)
