"""What a run saves after each revision, and what that must not change."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from alembic.runtime import migration
from conftest import DRIVERS, Backend, Database, failure, invoke
from sqlalchemy import Engine, event


@pytest.fixture
def updates() -> Iterator[list[str]]:
    """The statements that moved the version table."""
    found: list[str] = []

    def hear(connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE") and "alembic_version" in statement:
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    yield found
    event.remove(Engine, "before_cursor_execute", hear)


def three_revisions(package: Backend) -> None:
    package.table_revision("aa")
    package.table_revision("bb", "aa")
    package.table_revision("cc", "bb")


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_one_statement_moves_the_version_table_for_all_revisions(
    package: Backend, database: Database, updates: list[str], template: str, scheme: str
) -> None:
    package.initialise(database.url(scheme), template)
    three_revisions(package)
    assert invoke()["to"] == ["cc"]
    assert len(updates) == 2 and len(set(updates)) == 1
    assert database.versions() == ["cc"]


def test_a_version_table_that_a_revision_widens_is_moved_on(backend: Backend, database: Database) -> None:
    three_revisions(backend)
    backend.revision("dd", "cc", 'op.alter_column("alembic_version", "version_num", type_=sa.String(64))')
    backend.revision("e" * 40, "dd")
    assert invoke()["to"] == ["e" * 40]
    assert database.versions() == ["e" * 40]


def test_a_version_table_in_a_schema_of_its_own_is_moved(backend: Backend, database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE SCHEMA own")
    backend.configure_with("version_table_schema='own'")
    three_revisions(backend)
    assert invoke()["to"] == ["cc"]
    assert database.rows("SELECT version_num FROM own.alembic_version") == [("cc",)]


def test_a_row_of_the_version_table_that_a_revision_removes_is_missed(backend: Backend, database: Database) -> None:
    backend.table_revision("aa")
    backend.revision("bb", "aa", 'op.execute("DELETE FROM alembic_version")')
    error = failure()["error"]
    assert error["code"] == "migration_failed" and error["revision"] == "bb"
    assert "expected to match one row when updating 'aa' to 'bb' in 'alembic_version'; 0 found" in error["message"]
    assert database.versions() == ["aa"]


@pytest.mark.parametrize("fails", [False, True])
def test_alembic_and_the_collector_are_afterwards_what_they_were(backend: Backend, fails: bool) -> None:
    before = migration.HeadMaintainer
    backend.revision("aa", None, 'op.execute("no SQL")' if fails else "pass")
    failure() if fails else invoke()
    assert migration.HeadMaintainer is before
    assert gc.get_freeze_count() == 0
