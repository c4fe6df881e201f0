import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from fastapi.testclient import TestClient


def execute(sql: str) -> list[asyncpg.Record]:
    """Run SQL beside the backend, on the server in the POSTGRES_* variables."""

    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(
            host=os.environ["POSTGRES_HOST"],
            port=int(os.environ.get("POSTGRES_PORT", "5432")),
            user=os.environ["POSTGRES_USER"],
            password=os.environ["POSTGRES_PASSWORD"],
            database=os.environ["POSTGRES_DB"],
        )
        try:
            return await connection.fetch(sql)
        finally:
            await connection.close()

    return asyncio.run(run())


@contextmanager
def scratch_database() -> Iterator[None]:
    """A separate database for each test."""
    given, scratch = os.environ["POSTGRES_DB"], f"test_{uuid4().hex}"
    execute(f"CREATE DATABASE {scratch}")
    os.environ["POSTGRES_DB"] = scratch
    try:
        yield
    finally:
        os.environ["POSTGRES_DB"] = given
        execute(f"DROP DATABASE {scratch} WITH (FORCE)")


@pytest.fixture(scope="session")
def alembic_config() -> Config:
    return Config(Path(__file__).parent.parent / "alembic.ini")


@pytest.fixture
def database() -> Iterator[None]:
    with scratch_database():
        yield


@pytest.fixture(scope="session")
def api(alembic_config: Config) -> Iterator[TestClient]:
    with scratch_database():
        command.upgrade(alembic_config, "head")
        from app.main import app  # connects to the database that is configured when it is imported

        with TestClient(app) as client:
            yield client
