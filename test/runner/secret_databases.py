"""Databases that the settings reach by a secret, and roles to log in with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cdk_alembic.connection import retries
from conftest import Database, set_settings


@contextmanager
def role(database: Database, password: str, name: str = "role") -> Iterator[str]:
    name = f"{name}_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE \"{name}\" LOGIN SUPERUSER PASSWORD '{password.replace(chr(39), chr(39) * 2)}'")
        try:
            yield name
        finally:
            connection.execute(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"')


def secret_settings(monkeypatch: pytest.MonkeyPatch, scheme: str, **options: Any) -> None:
    variables = {"url": "DATABASE_URL", "urlScheme": scheme}
    set_settings(monkeypatch, database={"source": "secret", "secretArn": "arn:db", "variables": variables}, **options)
    monkeypatch.setattr(retries, "PAUSE_SECONDS", (0.1, 0.3))
    # Put back afterwards.
    monkeypatch.setenv("DATABASE_URL", "")
    for name in ("PGSSLMODE", "PGSSLROOTCERT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def secret(database: Database, **changes: Any) -> str:
    parts = {"host": database.host, "port": database.port, "username": database.user, "password": database.password}
    return json.dumps({**parts, "dbname": database.name, **changes})
