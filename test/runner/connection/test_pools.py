"""Pools of env.py's engine that lend fewer connections than a run needs."""

from __future__ import annotations

import pytest
from conftest import Backend, Database, failure, invoke
from each_driver import DRIVERS

ONE = "pool_size=1, max_overflow=0, pool_timeout=1"


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
@pytest.mark.parametrize("pool", [ONE, "poolclass=pool.StaticPool"])
def test_a_pool_that_lends_one_connection_is_enough(
    backend: Backend, database: Database, template: str, scheme: str, pool: str
) -> None:
    _with_pool(backend, database, template, scheme, pool)
    assert invoke({"command": "plan"})["status"] == "pending"
    assert invoke()["applied"] != []
    assert invoke()["status"] == "complete"
    assert database.rows("SELECT outcome FROM cdk_alembic.run") == [("complete",)]


@pytest.mark.parametrize(
    "pool", ["poolclass=pool.SingletonThreadPool", "poolclass=pool.AssertionPool", "pool_size=1, max_overflow=1"]
)
def test_so_are_the_other_pools_of_sqlalchemy(backend: Backend, database: Database, pool: str) -> None:
    _with_pool(backend, database, "generic", "postgresql+psycopg", pool)
    assert invoke()["status"] == "complete"


def test_the_reason_of_a_failed_revision_is_recorded(backend: Backend, database: Database) -> None:
    _with_pool(backend, database, "generic", "postgresql+psycopg", ONE)
    backend.revision("bb", "aa", 'op.execute("SELECT 1 / 0")')
    assert failure()["error"]["code"] == "migration_failed"
    assert database.rows("SELECT outcome FROM cdk_alembic.run") == [("migration_failed",)]


def _with_pool(backend: Backend, database: Database, template: str, scheme: str, pool: str) -> None:
    backend.initialise(database.url(scheme), template)
    env = backend.directory / "alembic" / "env.py"
    env.write_text(env.read_text().replace("poolclass=pool.NullPool", pool))
    backend.table_revision("aa")
