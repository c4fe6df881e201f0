"""What Alembic and its operations send over asyncpg."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from conftest import Backend, Database, failure, invoke


@pytest.fixture
def over_asyncpg(package: Backend, database: Database) -> Backend:
    return package.initialise(database.url("postgresql+asyncpg"), "async")


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that the process prepares."""
    statements: list[str] = []
    prepare = asyncpg.Connection.prepare

    def noted(self: Any, query: str, **options: Any) -> Any:
        statements.append(query)
        return prepare(self, query, **options)

    monkeypatch.setattr(asyncpg.Connection, "prepare", noted)
    return statements


def test_ddl_and_the_version_table_are_not_prepared(over_asyncpg: Backend, database: Database, prepared: list[str]) -> None:
    over_asyncpg.table_revision("aa")
    over_asyncpg.revision(
        "bb",
        "aa",
        'op.add_column("aa", sa.Column("share", sa.Text, server_default="50%"))\nop.create_index("i", "aa", ["share"])',
    )
    assert len(invoke()["applied"]) == 2
    ours = [statement for statement in prepared if "cdk_alembic" not in statement]
    assert not [statement for statement in ours if statement.lstrip().startswith(("CREATE", "ALTER", "UPDATE"))]
    assert database.versions() == ["bb"]
    assert database.rows("SELECT column_default FROM information_schema.columns WHERE column_name = 'share'") == [
        ("'50%'::text",)
    ]


def test_a_revision_counts_rows_and_catches_errors_as_with_alembic(over_asyncpg: Backend, database: Database) -> None:
    over_asyncpg.revision(
        "aa",
        None,
        'table = op.create_table("aa", sa.Column("id", sa.Integer))\n'
        'op.bulk_insert(table, [{"id": 1}, {"id": 2}])\n'
        'update = table.update().values(id=table.c.id + sa.literal_column("1"))\n'
        "updated = op.get_bind().execute(update).rowcount\n"
        "returned = op.get_bind().execute(update.returning(table.c.id)).all()\n"
        "try:\n"
        "    with op.get_bind().begin_nested():\n"
        '        op.create_table("aa", sa.Column("id", sa.Integer))\n'
        "except sa.exc.ProgrammingError as error:\n"
        '    op.bulk_insert(table, [{"id": 100 * updated + len(returned)}])\n'
        'with op.get_context().autocommit_block():\n    op.create_index("i", "aa", ["id"], postgresql_concurrently=True)',
    )
    assert invoke()["applied"]
    assert database.rows("SELECT id FROM aa ORDER BY id") == [(3,), (4,), (202,)]
    assert database.rows("SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relname = 'i'") == [
        (True,)
    ]


def test_several_commands_in_one_text_are_refused_as_with_alembic(over_asyncpg: Backend, database: Database) -> None:
    for statement in [
        'op.execute("CREATE TABLE aa (id int); CREATE TABLE bb (id int)")',
        'op.execute(sa.DDL("CREATE TABLE aa (id int); CREATE TABLE bb (id int)"))',
    ]:
        over_asyncpg.revision("aa", None, statement)
        assert "multiple commands" in failure()["error"]["message"]
        assert "aa" not in database.tables()


def test_a_version_that_another_run_changed_is_not_overwritten(over_asyncpg: Backend, database: Database) -> None:
    over_asyncpg.table_revision("aa")
    over_asyncpg.revision("bb", "aa", "op.execute(\"UPDATE alembic_version SET version_num = 'moved'\")")
    assert "expected to match one row" in failure()["error"]["message"]
    assert database.versions() == ["aa"]


def test_an_operation_after_a_commit_in_sql_runs_as_with_alembic(over_asyncpg: Backend, database: Database) -> None:
    commit = 'op.execute("COMMIT")\n'
    over_asyncpg.table_revision("aa")
    over_asyncpg.revision("bb", "aa", f'{commit}op.add_column("aa", sa.Column("share", sa.Text))\n{commit}')
    over_asyncpg.table_revision("cc", "bb")
    assert [one["revision"] for one in invoke()["applied"]] == ["aa", "bb", "cc"]
    assert database.versions() == ["cc"]
    assert database.rows("SELECT count(*) FROM information_schema.columns WHERE column_name = 'share'") == [(1,)]
