"""A password that changes while a container runs: a run of hours outlasts tokens and rotations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cdk_alembic import task
from cdk_alembic.handler import MigrationFailed, respond
from conftest import Backend, Database
from network import aws
from secret_databases import role, secret, secret_settings


@pytest.fixture
def rotated(package: Backend, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The statement that rotates the password of the role that runs the migrations. The secret knows the new one from its second
    reader on."""
    secret_settings(monkeypatch, "postgresql+psycopg")
    passwords = iter(["the-old-one"])

    def fetch(*_: Any) -> dict[str, str]:
        return {"SecretString": secret(database, username=user, password=next(passwords, "the-new-one"))}

    with role(database, "the-old-one") as user, aws(monkeypatch, fetch):
        package.initialise("driver://").read_url_from("DATABASE_URL")
        yield f"op.execute('''ALTER ROLE \"{user}\" PASSWORD 'the-new-one' ''')"


def run() -> dict[str, Any]:
    return respond({"in": "container"}, task.task_process(None))


def test_a_rotated_password_does_not_fail_the_verification(package: Backend, database: Database, rotated: str) -> None:
    package.revision("aa", None, rotated)
    answer = run()
    assert (answer["status"], answer["to"]) == ("complete", ["aa"])
    assert database.rows("SELECT outcome FROM cdk_alembic.run") == [("complete",)]


def test_a_failure_is_recorded_after_the_password_was_rotated(package: Backend, database: Database, rotated: str) -> None:
    package.revision("aa", None, f"with op.get_context().autocommit_block():\n    {rotated}\nop.execute('SELECT 1 / 0')")
    with pytest.raises(MigrationFailed, match="division by zero"):
        run()
    [(outcome, error)] = database.rows("SELECT outcome, error FROM cdk_alembic.run")
    assert outcome == "migration_failed" and "division by zero" in error
