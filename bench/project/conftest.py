"""What pytest-alembic asks of a project: an engine for each test, of an empty database."""

import os
import uuid

import pytest
from sqlalchemy import create_engine, make_url, text


@pytest.fixture
def alembic_engine():
    url, name = make_url(os.environ["DATABASE_URL"]), f"pytest_alembic_{uuid.uuid4().hex}"
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine = create_engine(url.set(database=name))
    yield engine
    engine.dispose()
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name}"))
    server.dispose()
