"""Revisions that fail, leave their transaction or do not find their way back: reported, and the rest goes on."""

from __future__ import annotations

import pytest
from each_driver import DRIVERS
from observing import NOTHING, Observed

CONCURRENTLY = 'with op.get_context().autocommit_block():\n    op.create_index("ix", "aa", ["id"], postgresql_concurrently=True)'
DROP_CONCURRENTLY = 'with op.get_context().autocommit_block():\n    op.drop_index("ix", postgresql_concurrently=True)'


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_an_index_is_really_built_concurrently_up_down_and_up_again(observed: Observed, template: str, scheme: str) -> None:
    observed.initialise(f"{scheme}://nobody:secret@127.0.0.1:1/nowhere", template)
    observed.table_revision("aa")
    observed.revision("bb", "aa", CONCURRENTLY, DROP_CONCURRENTLY)
    observed.table_revision("cc", "bb")
    facts = observed.observe("bb", "cc")
    upgrade = facts["bb"]["upgrade"]
    assert upgrade["leftTransaction"] is True
    assert [(item["sql"], item["transaction"], item["locks"]) for item in upgrade["statements"] if "INDEX" in item["sql"]] == [
        ("CREATE INDEX CONCURRENTLY ix ON aa (id)", -1, [])
    ]
    assert facts["bb"]["downgrade"]["leftTransaction"] is True
    assert facts["bb"]["notRestored"] == NOTHING
    assert facts["bb"]["again"] == {"outcome": "done", "differs": NOTHING}
    assert "rows" not in facts["bb"]
    assert facts["cc"]["upgrade"]["outcome"] == "done"


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_revision_whose_second_connection_waits_for_it_fails(observed: Observed, template: str, scheme: str) -> None:
    observed.initialise(f"{scheme}://nobody:secret@127.0.0.1:1/nowhere", template)
    observed.table_revision("aa")
    observed.revision(
        "bb",
        "aa",
        'op.add_column("aa", sa.Column("name", sa.Text))\n'
        "with op.get_bind().engine.connect() as other:\n"
        '    other.execute(sa.text("SELECT count(*) FROM aa"))',
    )
    observed.table_revision("cc", "bb")
    facts = observed.observe("bb", "cc")
    failure = facts["bb"]["upgrade"]["failure"]
    assert (failure["sqlState"], failure["statement"]) == ("55P03", "SELECT count(*) FROM aa")
    assert facts["cc"]["upgrade"]["outcome"] == "done"


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_failing_upgrade_is_rolled_back_and_the_rest_continues(observed: Observed, template: str, scheme: str) -> None:
    observed.initialise(f"{scheme}://nobody:secret@127.0.0.1:1/nowhere", template)
    observed.table_revision("aa")
    observed.revision(
        "bb", "aa", 'op.execute("CREATE TABLE half (id int)")\nop.execute("SELECT * FROM nowhere")\nop.drop_table("aa")'
    )
    observed.table_revision("cc", "bb")
    facts = observed.observe("aa", "bb", "cc")
    upgrade = facts["bb"]["upgrade"]
    assert upgrade["outcome"] == "failed"
    assert upgrade["failure"]["sqlState"] == "42P01"
    assert upgrade["failure"]["statement"] == "SELECT * FROM nowhere"
    assert upgrade["failure"]["line"] == 16
    assert 'relation "nowhere" does not exist' in upgrade["failure"]["message"]
    # The last ones are what Alembic renders offline.
    assert [item["sql"] for item in upgrade["statements"]] == [
        "CREATE TABLE half (id int)",
        "SELECT * FROM nowhere",
        "DROP TABLE aa",
    ]
    assert facts["bb"]["downgrade"]["outcome"] == "not_run"
    assert "changes" not in facts["bb"]
    assert facts["cc"]["upgrade"]["outcome"] == "done"
    assert facts["cc"]["changes"]["added"]["table cc"] == "TABLE"
    assert "table half" not in facts["cc"]["changes"]["removed"]


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_failure_within_an_autocommit_block_is_survived(observed: Observed, template: str, scheme: str) -> None:
    observed.initialise(f"{scheme}://nobody:secret@127.0.0.1:1/nowhere", template)
    observed.table_revision("aa")
    observed.revision("bb", "aa", 'with op.get_context().autocommit_block():\n    op.execute("SELECT * FROM nowhere")')
    observed.revision("cc", "bb", 'op.execute("CREATE INDEX CONCURRENTLY ix ON aa (id)")')
    observed.table_revision("dd", "cc")
    facts = observed.observe("bb", "cc", "dd")
    assert facts["bb"]["upgrade"]["failure"]["sqlState"] == "42P01"
    assert facts["cc"]["upgrade"]["failure"]["sqlState"] == "25001"
    assert facts["cc"]["upgrade"]["leftTransaction"] is False
    assert facts["dd"]["upgrade"]["outcome"] == "done"


@pytest.mark.parametrize("how", ["raise SystemExit(3)", "raise ValueError('no')", "import nowhere"])
def test_an_upgrade_that_raises_is_a_failure_with_its_line(observed: Observed, how: str) -> None:
    observed.revision("aa", None, how)
    observed.table_revision("bb", "aa")
    facts = observed.observe("aa", "bb")
    assert facts["aa"]["upgrade"]["failure"]["line"] == 15
    assert facts["bb"]["upgrade"]["outcome"] == "done"


def test_a_failing_downgrade_is_reported(observed: Observed) -> None:
    observed.revision("aa", None, 'op.execute("CREATE TABLE aa (id int UNIQUE)")', 'op.drop_constraint(None, "aa")')
    observed.table_revision("bb", "aa")
    facts = observed.observe("aa", "bb")
    assert facts["aa"]["downgrade"]["outcome"] == "failed"
    assert facts["aa"]["downgrade"]["failure"]["line"] == 19
    assert "notRestored" not in facts["aa"] and "again" not in facts["aa"]
    assert facts["bb"]["again"]["outcome"] == "done"


def test_leftovers_of_a_downgrade_are_reported_with_their_effect(observed: Observed) -> None:
    observed.revision(
        "aa",
        None,
        "op.execute(\"CREATE TYPE mood AS ENUM ('x', 'y')\")\nop.execute(\"CREATE TABLE aa (m mood)\")",
        'op.drop_table("aa")',
    )
    observed.table_revision("bb", "aa")
    facts = observed.observe("aa", "bb")
    assert facts["aa"]["notRestored"] == {**NOTHING, "added": {"type mood": "ENUM ('x', 'y')"}}
    assert facts["aa"]["again"]["outcome"] == "failed"
    assert facts["aa"]["again"]["failure"]["sqlState"] == "42710"
    assert facts["bb"]["upgrade"]["outcome"] == "done"


def test_a_broken_round_trip_without_a_transaction_is_repaired_for_later_revisions(observed: Observed) -> None:
    observed.table_revision("aa")
    observed.revision("bb", "aa", CONCURRENTLY, 'op.drop_table("aa")\nop.execute("COMMIT")\nop.execute("SELECT * FROM nowhere")')
    observed.revision("cc", "bb", 'op.execute("ALTER TABLE aa ADD name text")', 'op.drop_column("aa", "name")')
    facts = observed.observe("aa", "bb", "cc")
    assert facts["bb"]["downgrade"]["failure"]["sqlState"] == "42P01"
    assert facts["cc"]["upgrade"]["outcome"] == "done"
    assert facts["cc"]["changes"]["added"] == {"column aa.name": "text"}


def test_a_revision_whose_second_upgrade_fails_counts_as_applied_for_later_ones(observed: Observed) -> None:
    observed.table_revision("aa")
    observed.revision("bb", "aa", CONCURRENTLY, 'op.execute("COMMIT")')
    observed.revision("cc", "bb", 'op.execute("ALTER TABLE aa ADD name text")', 'op.drop_column("aa", "name")')
    facts = observed.observe("aa", "bb", "cc")
    assert facts["bb"]["again"]["failure"]["sqlState"] == "42P07"
    assert facts["cc"]["upgrade"]["outcome"] == "done"
    assert "unapplied" not in facts["cc"]


def test_a_text_of_several_statements_may_end_the_transaction(observed: Observed) -> None:
    observed.table_revision("aa")
    commits = 'op.execute("ALTER TABLE aa ADD COLUMN IF NOT EXISTS name text;\\ncommit;")'
    observed.revision("bb", "aa", f"{commits}\n{commits}", 'op.execute("ALTER TABLE aa DROP COLUMN name; COMMIT WORK")')
    observed.table_revision("cc", "bb")
    facts = observed.observe("bb", "cc")
    assert (facts["bb"]["upgrade"]["outcome"], facts["bb"]["upgrade"]["leftTransaction"]) == ("done", True)
    assert facts["bb"]["downgrade"]["leftTransaction"] is True
    assert facts["bb"]["again"]["outcome"] == "done"
    assert facts["cc"]["upgrade"]["outcome"] == "done"


@pytest.mark.parametrize("how", ['op.execute("COMMIT")', "op.get_bind().commit()"])
def test_a_revision_that_commits_itself_keeps_its_version_stamp(observed: Observed, how: str) -> None:
    observed.table_revision("aa")
    observed.revision("bb", "aa", f'op.execute("ALTER TABLE aa ADD name text")\n{how}', f'op.drop_column("aa", "name")\n{how}')
    observed.table_revision("cc", "bb")
    facts = observed.observe("bb", "cc")
    assert facts["bb"]["upgrade"]["leftTransaction"] is True
    assert facts["bb"]["upgrade"]["statements"][0]["transaction"] == 0
    assert facts["bb"]["notRestored"] == NOTHING
    assert facts["cc"]["upgrade"]["outcome"] == "done"


def test_a_single_downgrade_that_leaves_its_transaction_is_detected(observed: Observed) -> None:
    observed.table_revision("aa")
    observed.revision("bb", "aa", 'op.create_index("ix", "aa", ["id"])', DROP_CONCURRENTLY)
    facts = observed.observe("bb")["bb"]
    assert facts["upgrade"]["leftTransaction"] is False
    assert facts["downgrade"]["leftTransaction"] is True
    assert facts["notRestored"] == NOTHING
    assert facts["again"] == {"outcome": "done", "differs": NOTHING}


def test_a_revision_without_a_downgrade_is_not_run_backwards(observed: Observed) -> None:
    observed.table_revision("aa")
    file = observed.versions / "aa.py"
    file.write_text(file.read_text().partition("def downgrade")[0])
    facts = observed.observe("aa")["aa"]
    assert facts["downgrade"]["outcome"] == "not_run"
    assert facts["downgrade"]["reason"] == "the file has no function downgrade()"


def test_a_function_that_a_file_only_mentions_is_not_run_if_the_file_needs_the_database_to_load(observed: Observed) -> None:
    observed.table_revision("aa")
    file = observed.versions / "aa.py"
    upgrade = file.read_text().partition("def downgrade")[0]
    file.write_text(f'{upgrade}\n\nop.execute("SELECT 1")\nTEMPLATE = "def downgrade(): ..."\n')
    assert observed.observe("aa")["aa"]["downgrade"]["reason"] == "the file has no function downgrade()"


def test_an_error_of_the_database_that_is_swallowed_is_a_failure(observed: Observed) -> None:
    observed.revision("aa", None, 'try:\n    op.execute("SELECT nowhere")\nexcept Exception:\n    pass')
    observed.table_revision("bb", "aa")
    facts = observed.observe("aa", "bb")
    assert facts["aa"]["upgrade"]["failure"]["sqlState"] == "42703"
    assert [statement["sql"] for statement in facts["aa"]["upgrade"]["statements"]] == ["SELECT nowhere"]
    assert facts["bb"]["upgrade"]["outcome"] == "done"


@pytest.mark.parametrize(
    "how", ["op.get_bind().close()", 'op.execute("SELECT pg_terminate_backend(pg_backend_pid())")', "op.get_bind().invalidate()"]
)
def test_a_revision_that_kills_the_connection_is_skipped_and_the_rest_continues(observed: Observed, how: str) -> None:
    observed.table_revision("aa")
    observed.revision("bb", "aa", how)
    observed.table_revision("cc", "bb")
    facts = observed.observe("aa", "bb", "cc")
    assert facts["bb"]["upgrade"]["outcome"] == "failed"
    assert facts["bb"]["upgrade"]["failure"]["message"]
    assert facts["cc"]["upgrade"]["outcome"] == "done"
    assert facts["cc"]["again"]["outcome"] == "done"


@pytest.mark.parametrize(("chained", "state"), [("", "42P01"), (" from None", None)])
def test_an_error_that_a_revision_raises_in_place_of_the_databases_has_its_code(
    observed: Observed, chained: str, state: str | None
) -> None:
    attempt = f'try:\n    op.execute("DROP TABLE gone")\nexcept Exception:\n    raise RuntimeError("not dropped"){chained}'
    observed.revision("aa", None, attempt)
    failure = observed.observe("aa")["aa"]["upgrade"]["failure"]
    assert (failure["message"], failure.get("sqlState")) == ("RuntimeError: not dropped", state)


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
@pytest.mark.parametrize("then", ["", '\nop.execute("CREATE TABLE never (id int)")'])
def test_the_reason_is_the_error_that_aborted_the_transaction_also_if_the_revision_caught_it(
    observed: Observed, template: str, scheme: str, then: str
) -> None:
    observed.initialise(f"{scheme}://nobody:secret@127.0.0.1:1/nowhere", template)
    observed.revision("aa", None, f'try:\n    op.execute("SELECT 1 / 0")\nexcept Exception:\n    pass{then}')
    failure = observed.observe("aa")["aa"]["upgrade"]["failure"]
    assert (failure["sqlState"], failure["statement"]) == ("22012", "SELECT 1 / 0")
    assert "division by zero; the code caught this error" in failure["message"]
    source = (observed.versions / "aa.py").read_text().splitlines()
    assert source[failure["line"] - 1].strip() == 'op.execute("SELECT 1 / 0")'


@pytest.mark.parametrize("engine", ["op.get_bind().engine", "sa.create_engine(op.get_bind().engine.url)"])
def test_a_revision_that_asks_another_connection_what_is_there_goes_down_and_up_again(observed: Observed, engine: str) -> None:
    there = f'sa.inspect({engine}).has_table("aa")'
    observed.revision(
        "aa",
        None,
        f'if not {there}:\n    op.create_table("aa", sa.Column("id", sa.Integer))',
        f'if {there}:\n    op.drop_table("aa")',
    )
    facts = observed.observe("aa")["aa"]
    assert (facts["downgrade"]["outcome"], facts["notRestored"]) == ("done", NOTHING)
    assert facts["again"] == {"outcome": "done", "differs": NOTHING}
