"""A database that create_all made and nobody stamped: the revision whose catalog it has."""

from __future__ import annotations

from typing import Any

import pytest
from backends import empty
from observing import NOTHING, Observed


@pytest.fixture
def shop(observed: Observed) -> Observed:
    """Four revisions: the third changes rows only."""
    observed.table_revision("aa")
    observed.revision("bb", "aa", 'op.execute("ALTER TABLE aa ADD email text, ADD CONSTRAINT uq_email UNIQUE (email)")')
    observed.revision("cc", "bb", "op.execute(\"UPDATE aa SET email = 'x'\")")
    observed.table_revision("dd", "cc")
    return observed


def catalog_of(project: Observed, *statements: str) -> dict[str, str]:
    """The own database's entries once the statements have filled it. It is empty again afterwards."""
    url, scratch = project.database.url("postgresql+psycopg"), project.scratch
    project.initialise(url)
    project.scratch = None
    with project.database.connect() as connection:
        for statement in statements:
            connection.execute(statement)
    before = project.database.tables()
    entries = project.ask({"ask": "catalog"})[0]["entries"]
    assert project.database.tables() == before
    empty(project.database)
    project.initialise("postgresql+psycopg://nobody:secret@127.0.0.1:1/nowhere")
    project.scratch = scratch
    return entries


def placed(project: Observed, entries: dict[str, str]) -> dict[str, Any]:
    report, end = project.ask({"ask": "place", "entries": entries})
    assert end == {"report": "end"}
    return report["placed"]


def test_the_revision_with_the_same_catalog_is_found_along_with_later_ones_that_only_change_rows(shop: Observed) -> None:
    entries = catalog_of(
        shop,
        "CREATE TABLE aa (email text, id serial PRIMARY KEY, CONSTRAINT uq_email UNIQUE (email))",
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
        "GRANT SELECT ON aa TO PUBLIC",
    )
    assert placed(shop, entries) == {"command": "alembic", "heads": ["bb"], "later": ["cc"], "differs": NOTHING}


def test_without_an_equal_catalog_the_nearest_revision_is_found_with_its_differences(shop: Observed) -> None:
    found = placed(shop, catalog_of(shop, "CREATE TABLE aa (id serial PRIMARY KEY, email varchar(20))"))
    assert (found["heads"], found["later"]) == (["aa"], [])
    assert found["differs"] == {"added": {}, "removed": {"column aa.email": "character varying(20)"}, "changed": {}}


def test_the_schema_of_the_version_table_exists_before_the_first_revision(shop: Observed) -> None:
    entries = catalog_of(
        shop,
        "CREATE SCHEMA kept",
        "CREATE TABLE aa (email text, id serial PRIMARY KEY, CONSTRAINT uq_email UNIQUE (email))",
    )
    env = (shop.directory / "alembic" / "env.py").read_text()
    shop.write_env(env.replace("connection=connection,", "connection=connection, version_table_schema='kept',"))
    assert placed(shop, entries) == {"command": "alembic", "heads": ["bb"], "later": ["cc"], "differs": NOTHING}


def test_a_revision_that_cannot_be_applied_ends_the_search_and_is_named(shop: Observed) -> None:
    entries = catalog_of(shop, "CREATE TABLE zz (id int)")
    shop.revision("bb", "aa", "raise ValueError('no settings')")
    found = placed(shop, entries)
    assert found["heads"] == ["aa"]
    assert found["stopped"] == "revision bb: ValueError: no settings (bb.py:15)"


def test_every_head_of_labelled_branches_is_named(observed: Observed) -> None:
    for revision in ("aa", "bb"):
        observed.table_revision(revision)
        file = observed.versions / f"{revision}.py"
        file.write_text(file.read_text().replace("branch_labels = None", f'branch_labels = ("{revision}s",)'))
    entries = catalog_of(observed, "CREATE TABLE aa (id serial PRIMARY KEY)", "CREATE TABLE bb (id serial PRIMARY KEY)")
    assert placed(observed, entries)["heads"] == ["aa", "bb"]
