"""What a revision does to rows that stood in the tables before it."""

from __future__ import annotations

import pytest
from each_driver import DRIVERS
from observing import NOTHING, Observed

TABLE = 'op.execute("CREATE TABLE aa (id serial PRIMARY KEY, name text, kept text)")'


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_a_dropped_column_is_restored_without_its_values(observed: Observed, template: str, scheme: str) -> None:
    observed.initialise(f"{scheme}://nobody:secret@127.0.0.1:1/nowhere", template)
    observed.revision("aa", None, TABLE, 'op.drop_table("aa")')
    observed.revision("bb", "aa", 'op.drop_column("aa", "name")', 'op.add_column("aa", sa.Column("name", sa.Text))')
    facts = observed.observe("bb")["bb"]
    assert facts["notRestored"] == NOTHING
    assert facts["rows"] == {"tables": ["aa"], "deleted": [], "changed": [], "notBroughtBack": ["aa.name"]}


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
@pytest.mark.parametrize(
    ("change", "state"),
    [
        ('op.alter_column("aa", "name", nullable=False)', "23502"),
        ('op.create_unique_constraint("u", "aa", ["name"])', "23505"),
        ('op.execute("ALTER TABLE aa ADD n int NOT NULL")', "23502"),
    ],
)
def test_a_change_that_existing_rows_forbid_is_reported(
    observed: Observed, template: str, scheme: str, change: str, state: str
) -> None:
    observed.initialise(f"{scheme}://nobody:secret@127.0.0.1:1/nowhere", template)
    observed.revision("aa", None, TABLE, 'op.drop_table("aa")')
    observed.revision("bb", "aa", change, 'op.execute("DROP TABLE aa CASCADE")\n' + TABLE)
    facts = observed.observe("bb")["bb"]
    assert facts["upgrade"]["outcome"] == "done"
    assert facts["again"] == {"outcome": "done", "differs": NOTHING}
    assert facts["rows"]["upgradeFailure"]["sqlState"] == state
    assert facts["rows"]["upgradeFailure"]["line"] == 15


def test_a_new_foreign_key_is_tried_on_rows_that_refer_to_nothing(observed: Observed) -> None:
    observed.revision(
        "aa", None, 'op.execute("CREATE TABLE aa (id serial PRIMARY KEY)")\nop.execute("CREATE TABLE bb (aa_id int)")'
    )
    observed.revision("bb", "aa", 'op.create_foreign_key("fk", "bb", "aa", ["aa_id"], ["id"])', 'op.drop_constraint("fk", "bb")')
    facts = observed.observe("bb")["bb"]
    assert facts["rows"]["tables"] == ["aa", "bb"]
    assert facts["rows"]["upgradeFailure"]["sqlState"] == "23503"


def test_deleted_and_changed_rows_are_reported(observed: Observed) -> None:
    observed.revision("aa", None, f'{TABLE}\nop.execute("CREATE TABLE bb (id int PRIMARY KEY)")')
    observed.revision("bb", "aa", 'op.execute("UPDATE aa SET name = \'x\'")\nop.execute("DELETE FROM bb")')
    facts = observed.observe("bb")["bb"]
    assert facts["rows"] == {
        "tables": ["aa", "bb"],
        "deleted": ["bb"],
        "changed": ["aa.name"],
        "notBroughtBack": ["aa.name", "bb"],
    }


def test_a_backfill_of_nulls_loses_nothing(observed: Observed) -> None:
    observed.revision("aa", None, TABLE)
    observed.revision(
        "bb",
        "aa",
        'op.execute("UPDATE aa SET name = \'x\' WHERE name IS NULL")\nop.alter_column("aa", "name", nullable=False)',
        'op.alter_column("aa", "name", nullable=True)',
    )
    facts = observed.observe("bb")["bb"]
    assert facts["rows"] == {"tables": ["aa"], "deleted": [], "changed": [], "notBroughtBack": []}


def test_a_wider_type_keeps_values_and_a_narrower_one_does_not(observed: Observed) -> None:
    observed.revision("aa", None, 'op.execute("CREATE TABLE aa (id serial PRIMARY KEY, n int, t timestamp, s text)")')
    observed.revision(
        "bb",
        "aa",
        'op.execute("ALTER TABLE aa ALTER n TYPE text, ALTER t TYPE timestamptz, ALTER s TYPE varchar(1) USING left(s, 1)")',
        'op.execute("ALTER TABLE aa ALTER n TYPE int USING n::int, ALTER t TYPE timestamp, ALTER s TYPE text")',
    )
    facts = observed.observe("bb")["bb"]
    assert facts["rows"]["changed"] == []
    assert facts["rows"]["notBroughtBack"] == ["aa.s"]


def test_tables_are_filled_along_their_foreign_keys_checks_enums_and_keys(observed: Observed) -> None:
    observed.revision(
        "aa",
        None,
        "op.execute(\"CREATE TYPE mood AS ENUM ('sad', 'ok')\")\n"
        'op.execute("CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 1 AND 5)")\n'
        'op.execute("CREATE TABLE aa (id uuid PRIMARY KEY, m mood NOT NULL, p percent NOT NULL, c char(2) NOT NULL)")\n'
        "op.execute(\"CREATE TABLE bb (aa_id uuid NOT NULL UNIQUE REFERENCES aa, k text NOT NULL CHECK (k IN ('x', 'y')), "
        "a text[] NOT NULL, j jsonb NOT NULL, d date NOT NULL, i inet NOT NULL, n numeric(3, 2) NOT NULL, "
        'g int GENERATED ALWAYS AS (1) STORED, q bigint GENERATED ALWAYS AS IDENTITY)")',
    )
    observed.revision("bb", "aa", 'op.execute("ALTER TABLE bb ADD x int")', 'op.drop_column("bb", "x")')
    assert observed.observe("bb")["bb"]["rows"] == {
        "tables": ["aa", "bb"],
        "deleted": [],
        "changed": [],
        "notBroughtBack": [],
    }


def test_sample_values_satisfy_checks_and_later_types(observed: Observed) -> None:
    observed.revision(
        "aa",
        None,
        'op.execute(r"""CREATE TABLE aa (code text NOT NULL UNIQUE CHECK (code ~ \'^[A-Z]{2}-\\d{3}$\'), '
        "mail text NOT NULL CHECK (mail LIKE '%@%'), long text NOT NULL CHECK (length(long) >= 20), "
        'color text CHECK (color ~* \'^#([0-9a-f]{3}|[[:xdigit:]]{6})$\'), doc text, at text)""")',
    )
    observed.revision(
        "bb",
        "aa",
        'op.execute("ALTER TABLE aa ALTER doc TYPE jsonb USING doc::jsonb, ALTER at TYPE date USING at::date")',
        'op.execute("ALTER TABLE aa ALTER doc TYPE text, ALTER at TYPE text")',
    )
    rows = observed.observe("bb")["bb"]["rows"]
    assert rows == {"tables": ["aa"], "deleted": [], "changed": [], "notBroughtBack": []}


TRIGGERS = """
op.execute("CREATE TABLE aa (id serial PRIMARY KEY, name text)")
op.execute("CREATE TABLE bb (id serial PRIMARY KEY)")
op.execute("CREATE TABLE log (what text)")
op.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$")
op.execute(
    "CREATE FUNCTION write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ('x'); RETURN NULL; END $$"
)
op.execute("CREATE TRIGGER refuse BEFORE INSERT ON aa FOR EACH ROW EXECUTE FUNCTION refuse()")
op.execute("CREATE TRIGGER write AFTER INSERT ON bb FOR EACH ROW EXECUTE FUNCTION write()")
"""
# The revision's own statements fire them.
CHANGE = """
op.execute("DO $$ BEGIN IF EXISTS (SELECT FROM log WHERE what = 'x') THEN RAISE 'a trigger has written'; END IF; END $$")
op.execute("ALTER TABLE aa ADD x int")
op.execute("INSERT INTO bb DEFAULT VALUES")
op.execute("DO $$ BEGIN IF NOT EXISTS (SELECT FROM log WHERE what = 'x') THEN RAISE 'no trigger has written'; END IF; END $$")
"""


@pytest.mark.parametrize("may_replicate", [True, False])
def test_sample_rows_fire_no_triggers_but_the_revision_does(observed: Observed, may_replicate: bool) -> None:
    database = observed.database
    role = f"limited_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT ALL ON DATABASE {database.name} TO {role}")
        connection.execute(f"ALTER SCHEMA public OWNER TO {role}")
    try:
        if not may_replicate:
            assert observed.scratch is not None
            observed.scratch = observed.scratch.replace(f"{database.user}:{database.password}@", f"{role}:secret@")
        observed.revision("aa", None, TRIGGERS)
        observed.revision(
            "bb", "aa", CHANGE, 'op.execute("DELETE FROM bb")\nop.execute("DELETE FROM log")\nop.drop_column("aa", "x")'
        )
        facts = observed.observe("bb")["bb"]
        assert facts["upgrade"]["outcome"] == "done", facts["upgrade"]
        assert facts["rows"]["tables"] == ["aa", "bb", "log"]
        assert "upgradeFailure" not in facts["rows"]
        assert facts["notRestored"] == NOTHING
    finally:
        with database.connect() as connection:
            connection.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}; CREATE SCHEMA IF NOT EXISTS public")


DEFERRED = """
op.execute("CREATE TABLE aa (id int PRIMARY KEY)")
op.execute("CREATE TABLE bb (id int PRIMARY KEY, aa_id int REFERENCES aa DEFERRABLE INITIALLY DEFERRED, name text)")
"""


@pytest.mark.parametrize(
    ("upgrade", "downgrade", "failures"),
    [
        (["UPDATE bb SET name = 'x'", "ALTER TABLE bb ADD n int"], ["UPDATE bb SET name = 'x'", "ALTER TABLE bb DROP n"], []),
        # The upgrade commits before the downgrade begins.
        (["ALTER TABLE bb ADD n int", "UPDATE bb SET aa_id = (SELECT max(id) FROM aa)"], ["ALTER TABLE bb DROP n"], []),
        # PostgreSQL refuses these with existing rows, too.
        (["UPDATE bb SET aa_id = (SELECT max(id) FROM aa)", "ALTER TABLE bb ADD n int"], ["ALTER TABLE bb DROP n"], ["upgrade"]),
        (["UPDATE bb SET aa_id = 77"], [], ["upgrade"]),
        (
            ["SELECT"],
            ["UPDATE bb SET aa_id = (SELECT max(id) FROM aa)", "ALTER TABLE bb ALTER name SET DEFAULT 1"],
            ["downgrade"],
        ),
    ],
)
def test_existing_rows_have_no_pending_checks_of_what_a_revision_does_not_change(
    observed: Observed, upgrade: list[str], downgrade: list[str], failures: list[str]
) -> None:
    observed.revision("aa", None, DEFERRED, 'op.drop_table("bb")\nop.drop_table("aa")')
    up, down = ("\n".join(f'op.execute("{one}")' for one in part) or "pass" for part in (upgrade, downgrade))
    observed.revision("bb", "aa", up, down)
    facts = observed.observe("bb")["bb"]
    assert facts["again"]["outcome"] == "done"
    assert [name for name in ("upgrade", "downgrade") if f"{name}Failure" in facts["rows"]] == failures
