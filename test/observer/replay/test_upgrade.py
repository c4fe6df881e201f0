"""What is seen of an upgrade that runs on the scratch database."""

from __future__ import annotations

import pytest
from each_driver import DRIVERS
from observing import NOTHING, Observed


@pytest.mark.every_driver
@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_statements_locks_rewrites_and_changes_are_seen_with_every_driver(observed: Observed, template: str, scheme: str) -> None:
    observed.initialise(f"{scheme}://nobody:secret@127.0.0.1:1/nowhere", template)
    observed.revision("aa", None, 'op.execute("CREATE TABLE aa (id int PRIMARY KEY, name text)")', 'op.drop_table("aa")')
    observed.revision(
        "bb",
        "aa",
        'op.alter_column("aa", "id", type_=sa.BigInteger)\n'
        "op.execute(\"UPDATE aa SET name = NULL WHERE name LIKE 'a%' AND id % 2 = 1\")\n"
        'op.create_table("bb", sa.Column("aa_id", sa.BigInteger, sa.ForeignKey("aa.id", name="fk")))',
        'op.drop_table("bb")\nop.alter_column("aa", "id", type_=sa.Integer)',
    )
    facts = observed.observe("bb")
    version = observed.database.rows("SHOW server_version")[0][0].split()[0]
    assert facts["environment"] == {
        "keeps": True,
        "outerTransaction": False,
        "transactionPerMigration": False,
        "versionTable": "alembic_version",
        "driver": scheme.partition("+")[2],
        "autocommitBlocks": True,
        "lockTimeout": False,
        "file": "alembic/env.py",
        "postgres": version,
    }
    facts = facts["bb"]
    upgrade = facts["upgrade"]
    assert (upgrade["outcome"], upgrade["leftTransaction"], upgrade["statementsLeftOut"]) == ("done", False, 0)
    alter, update, create = upgrade["statements"]
    assert alter["sql"] == "ALTER TABLE aa ALTER COLUMN id TYPE BIGINT"
    assert (alter["line"], alter["transaction"]) == (15, 0)
    assert {"relation": "aa", "table": "aa", "mode": "AccessExclusiveLock"} in alter["locks"]
    assert alter["rewrites"] == ["aa"]
    assert update["sql"] == "UPDATE aa SET name = NULL WHERE name LIKE 'a%' AND id % 2 = 1"
    assert [lock["mode"] for lock in update["locks"] if lock["relation"] == "aa"] == ["RowExclusiveLock"]
    assert {"relation": "aa", "table": "aa", "mode": "ShareRowExclusiveLock"} in create["locks"]
    assert {lock["table"] for lock in create["locks"]} == {"aa"}
    assert facts["changes"]["added"] == {
        "table bb": "TABLE",
        "column bb.aa_id": "bigint",
        "constraint bb.fk": "FOREIGN KEY (aa_id) REFERENCES aa(id)",
    }
    assert facts["changes"]["changed"] == {"column aa.id": ["integer NOT NULL", "bigint NOT NULL"]}
    assert facts["notRestored"] == NOTHING
    assert facts["again"] == {"outcome": "done", "differs": NOTHING}
    assert facts["downgrade"]["outcome"] == "done"
    assert facts["before"]["aa"]["columns"][0]["type"] == "integer"
    assert facts["after"]["bb"]["constraints"][0]["references"] == {"table": "aa", "columns": ["id"]}


def test_what_a_file_executes_when_it_is_loaded_belongs_to_each_of_its_functions(observed: Observed) -> None:
    observed.revision("aa", None, 'op.add_column("seen", sa.Column("note", sa.Text))', 'op.drop_table("seen")')
    path = observed.versions / "aa.py"
    on_load = 'op.execute("CREATE TABLE IF NOT EXISTS seen (id int)")'
    path.write_text(path.read_text().replace("\n\n\ndef upgrade", f"\n\n{on_load}\n\n\ndef upgrade"))
    facts = observed.observe("aa")["aa"]
    assert facts["atLoad"] == {"line": 13, "code": on_load}
    assert [(one["sql"].split(" seen")[0], one["line"]) for one in facts["upgrade"]["statements"]] == [
        ("CREATE TABLE IF NOT EXISTS", 13),
        ("ALTER TABLE", 17),
    ]
    assert [one["line"] for one in facts["downgrade"]["statements"]] == [13, 21]
    assert facts["again"] == {"outcome": "done", "differs": NOTHING}


def test_statements_on_another_connection_of_the_engine_are_seen(observed: Observed) -> None:
    observed.revision("aa", None, 'op.execute("CREATE TABLE aa (id int)")', 'op.drop_table("aa")')
    observed.revision(
        "bb",
        "aa",
        "with op.get_bind().engine.connect() as other:\n"
        '    other = other.execution_options(isolation_level="AUTOCOMMIT")\n'
        '    other.execute(sa.text("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON aa (id)"))\n'
        'op.execute("UPDATE aa SET id = 1 WHERE id = 2")',
        'op.drop_index("ix")',
    )
    facts = observed.observe("bb")["bb"]
    seen = [(one["sql"], one["line"] > 0, one["transaction"]) for one in facts["upgrade"]["statements"]]
    assert seen == [
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON aa (id)", True, -2),
        ("UPDATE aa SET id = 1 WHERE id = 2", True, 0),
    ]
    assert facts["upgrade"]["leftTransaction"] is False


@pytest.mark.every_driver
@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_statement_that_failed_is_shown_as_postgresql_reads_it(observed: Observed, template: str, scheme: str) -> None:
    observed.initialise(f"{scheme}://nobody:secret@127.0.0.1:1/nowhere", template)
    observed.revision("aa", None, "op.execute(\"SELECT 'a%' % 'b' FROM aa\")")
    assert observed.observe("aa")["aa"]["upgrade"]["failure"]["statement"] == "SELECT 'a%' % 'b' FROM aa"


def test_a_revision_before_the_reviewed_one_may_need_what_one_upgrade_remembers(observed: Observed) -> None:
    colors = 'sa.Column("color", sa.Enum("red", "blue", name="color"))'
    observed.revision("aa", None, f'op.create_table("aa", {colors})', 'op.drop_table("aa")')
    observed.revision("bb", "aa", f'op.create_table("bb", {colors})', 'op.drop_table("bb")')
    observed.revision("cc", "bb", 'op.add_column("bb", sa.Column("size", sa.Integer))', 'op.drop_column("bb", "size")')
    assert observed.observe("cc")["cc"]["upgrade"]["outcome"] == "done"
    # Deployed alone, it fails.
    facts = observed.observe("bb", "cc")
    assert "already exists" in facts["bb"]["upgrade"]["failure"]["message"]


def test_what_one_upgrade_remembers_does_not_include_what_a_failed_run_created(observed: Observed) -> None:
    color, size = (f'sa.Column("{name}", sa.Enum("{value}", name="{name}"))' for name, value in (("color", "red"), ("size", "S")))
    observed.revision("aa", None, f'op.create_table("aa", {color})', 'op.drop_table("aa")')
    observed.revision("bb", "aa", f'op.create_table("bb", {size}, {color})', 'op.drop_table("bb")')
    observed.revision("cc", "bb", 'op.add_column("bb", sa.Column("id", sa.Integer))', 'op.drop_column("bb", "id")')
    assert observed.observe("cc")["cc"]["upgrade"]["outcome"] == "done"
