"""A plan with the SQL that it would run."""

from __future__ import annotations

import pytest
from conftest import Backend, Database, invoke
from each_driver import DRIVERS


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_plan_shows_the_sql_of_what_is_pending_and_runs_none_of_it(
    package: Backend, database: Database, template: str, scheme: str
) -> None:
    package.initialise(database.url(scheme), template)
    package.table_revision("aa")
    package.revision("bb", "aa", 'op.add_column("aa", sa.Column("name", sa.Text, server_default="50%"))')
    package.revision("cc", "bb", 'op.get_bind().execute(sa.text("SELECT 1")).scalar()')
    invoke({"revision": "aa"})
    answer = invoke({"command": "plan", "sql": True})
    assert [item["revision"] for item in answer["sql"]] == ["bb", "cc"]
    assert "ALTER TABLE aa ADD COLUMN name TEXT DEFAULT '50%';" in answer["sql"][0]["sql"]
    assert "CREATE TABLE" not in answer["sql"][0]["sql"]
    assert answer["sql"][1]["sql"] is None
    assert answer["sql"][1]["reason"]
    assert database.versions() == ["aa"]
    assert database.rows("SELECT attname FROM pg_attribute WHERE attrelid = 'aa'::regclass AND attnum > 0") == [("id",)]
    assert invoke()["to"] == ["cc"]


def test_a_merge_is_rendered(backend: Backend) -> None:
    backend.table_revision("aa")
    backend.table_revision("b1", "aa")
    backend.table_revision("b2", "aa")
    backend.revision("cc", ("b1", "b2"), 'op.execute("SELECT 1")')
    rendered = {item["revision"]: item["sql"] for item in invoke({"command": "plan", "sql": True})["sql"]}
    assert "CREATE TABLE b1" in rendered["b1"]
    assert "SELECT 1;" in rendered["cc"]


def test_sql_is_not_rendered_unless_requested(backend: Backend) -> None:
    backend.table_revision("aa")
    assert "sql" not in invoke({"command": "plan"})


def test_a_statement_that_ends_with_a_semicolon_gets_no_second_one(backend: Backend) -> None:
    backend.revision("aa", None, 'op.execute("CREATE TABLE aa (id int);")\nop.execute("SELECT \';;\\n;;\'")')
    [rendered] = invoke({"command": "plan", "sql": True})["sql"]
    assert "CREATE TABLE aa (id int);\n" in rendered["sql"]
    assert "SELECT ';;\n;;';" in rendered["sql"]
