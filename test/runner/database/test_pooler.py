"""PgBouncer between the runner and PostgreSQL: in transaction or statement mode no lock would hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from conftest import MUTEX, Backend, Database, failure, invoke
from each_driver import DRIVERS
from servers import pgbouncer


@pytest.fixture
def through(package: Backend, database: Database) -> Iterator[Callable[..., None]]:
    """Lets a backend connect through PgBouncer."""
    with ExitStack() as stack:

        def prepare(template: str, scheme: str, mode: str) -> None:
            port, database.port = database.port, stack.enter_context(pgbouncer(database, mode))
            package.initialise(database.url(scheme), template)
            database.port = port
            package.table_revision("aa")

        yield prepare


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_shares_sessions_is_refused_before_any_lock_is_taken(
    database: Database, through: Callable[..., None], template: str, scheme: str, mode: str
) -> None:
    through(template, scheme, mode)
    for _ in range(2):
        error = failure()["error"]
        if mode == "statement" and scheme in ("postgresql+pg8000", "postgresql+psycopg2"):
            # PgBouncer ends the connection with its reason, which these two do not pass on.
            assert error["code"] == "database_unreachable"
        else:
            assert error["code"] == "pooled_connection", error
            assert "5432" in error["next"]
    assert database.rows(f"SELECT FROM pg_locks WHERE {MUTEX}") == []
    assert database.tables() == []


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_pooler_in_session_mode_is_accepted(
    database: Database, through: Callable[..., None], template: str, scheme: str
) -> None:
    through(template, scheme, "session")
    assert invoke()["to"] == ["aa"]
