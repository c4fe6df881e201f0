"""What the revisions of a project may do to the version table, and where it may be."""

from __future__ import annotations

import gc

import pytest
from conftest import Backend, Database, failure, invoke
from each_driver import DRIVERS


def three_revisions(package: Backend) -> None:
    package.table_revision("aa")
    package.table_revision("bb", "aa")
    package.table_revision("cc", "bb")


def test_a_revision_can_widen_the_version_table(backend: Backend, database: Database) -> None:
    three_revisions(backend)
    backend.revision("dd", "cc", 'op.alter_column("alembic_version", "version_num", type_=sa.String(64))')
    backend.revision("e" * 40, "dd")
    assert invoke()["to"] == ["e" * 40]
    assert database.versions() == ["e" * 40]


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_an_id_that_is_too_long_for_the_version_table_is_named(
    package: Backend, database: Database, template: str, scheme: str
) -> None:
    package.initialise(database.url(scheme), template)
    package.table_revision("e" * 40)
    error = failure()["error"]
    assert (error["code"], error["revision"], error["sqlState"]) == ("migration_failed", "e" * 40, "22001")
    assert "its id of 40 characters is too long for the version table: value too long" in error["message"]
    assert "it was rolled back; shorten the id" in error["next"]
    assert database.tables() == []


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_version_table_with_another_schema_and_name_is_read_and_updated(
    package: Backend, database: Database, template: str, scheme: str
) -> None:
    package.initialise(database.url(scheme), template)
    package.configure_with("version_table='Odd versions', version_table_schema='Odd schema-%'")
    with database.connect() as connection:
        connection.execute('CREATE SCHEMA "Odd schema-%"')
    package.table_revision("aa")
    package.table_revision("bb", "aa")
    assert invoke({"sliceSeconds": 0})["to"] == ["aa"]
    assert invoke()["to"] == ["bb"]
    assert database.rows('SELECT version_num FROM "Odd schema-%"."Odd versions"') == [("bb",)]
    assert invoke({"command": "history"})["runs"][0]["to"] == ["bb"]
    assert database.tables() == ["aa", "bb"]


def test_a_version_table_can_be_in_its_own_schema(backend: Backend, database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE SCHEMA own")
    backend.configure_with("version_table_schema='own'")
    three_revisions(backend)
    assert invoke()["to"] == ["cc"]
    assert database.rows("SELECT version_num FROM own.alembic_version") == [("cc",)]


def test_a_missing_schema_of_the_version_table_is_named_with_the_setting_that_asks_for_it(
    backend: Backend, database: Database
) -> None:
    backend.configure_with("version_table_schema='own'")
    three_revisions(backend)
    error = failure()["error"]
    assert (error["code"], error["sqlState"]) == ("migration_failed", "3F000")
    assert 'the schema of the version table does not exist: schema "own" does not exist' in error["message"]
    assert "version_table_schema in env.py" in error["next"]
    assert database.tables() == []


def test_a_revision_that_removes_the_row_of_the_version_table_fails(backend: Backend, database: Database) -> None:
    backend.table_revision("aa")
    backend.revision("bb", "aa", 'op.execute("DELETE FROM alembic_version")')
    error = failure()["error"]
    assert error["code"] == "migration_failed" and error["revision"] == "bb"
    assert "expected to match one row when updating 'aa' to 'bb' in 'alembic_version'; 0 found" in error["message"]
    assert database.versions() == ["aa"]


@pytest.mark.parametrize("fails", [False, True])
def test_the_garbage_collector_works_as_before_after_a_run(backend: Backend, fails: bool) -> None:
    backend.revision("aa", None, 'op.execute("no SQL")' if fails else "pass")
    failure() if fails else invoke()
    assert gc.get_freeze_count() == 0
