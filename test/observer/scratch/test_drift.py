"""Models against migrations, at head."""

from __future__ import annotations

import pytest
from each_driver import DRIVERS
from observing import NOTHING, Observed

MODELS = """
import sqlalchemy as sa
target_metadata = sa.MetaData()
sa.Table("aa", target_metadata,
  sa.Column("id", sa.Integer, primary_key=True),
  sa.Column("name", sa.Text, {name}),
  sa.Column("kind", sa.Enum("x", "y", name="kind")),
  sa.CheckConstraint("id > 0"{check}),
  sa.Index("ix", "name"))
"""
SAME = (
    "op.execute(\"CREATE TYPE kind AS ENUM ('x', 'y')\")\n"
    'op.execute("CREATE TABLE aa (id serial PRIMARY KEY, name text, kind kind, CONSTRAINT aa_id_check CHECK (id > 0))")\n'
    'op.execute("CREATE INDEX ix ON aa (name)")'
)


def with_models(observed: Observed, name: str = "nullable=True", check: str = "", more: str = "") -> None:
    env = (observed.directory / "alembic" / "env.py").read_text()
    assert "target_metadata = None" in env
    observed.write_env(env.replace("target_metadata = None", MODELS.format(name=name, check=check) + more))


@pytest.mark.parametrize(("template", "scheme"), DRIVERS)
def test_models_and_migrations_that_agree_do_not_differ(observed: Observed, template: str, scheme: str) -> None:
    observed.initialise(f"{scheme}://nobody:secret@127.0.0.1:1/nowhere", template)
    with_models(observed, check=', name="other_name"')
    observed.revision("aa", None, SAME + '\nop.execute("CREATE TABLE of_somebody_else (id int)")')
    env = (observed.directory / "alembic" / "env.py").read_text()
    observed.write_env(
        env.replace("connection=connection,", "connection=connection, include_name=lambda name, *_: name != 'of_somebody_else',")
    )
    assert observed.observe(drift=True)["drift"] == {"operations": [], "catalog": NOTHING}


OBJECTS = """
def include_object(made, name, kind, reflected, compare_to):
    assert kind == "table" or made.table.name == "aa"
    return not (reflected and compare_to is None and kind != "table") and name not in ("kind", "ix", "left")

sa.Table("left", target_metadata, sa.Column("id", sa.Integer, primary_key=True, server_default=sa.text("7")))
"""
# Autogenerate would create what the models have under such a name.
NAMES = """
def include_name(name, kind, parents):
    assert kind in ("schema", "table") or parents["schema_qualified_table_name"] == parents["table_name"] == "aa"
    return name not in ("old", "f")
"""
MORE = """ALTER TABLE aa ADD CONSTRAINT u EXCLUDE (name WITH =), ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES aa;
CREATE INDEX old ON aa (id) WHERE id > 7;"""
CHANGED = "ALTER TABLE aa ALTER kind SET DEFAULT 'x'; CREATE TABLE \"left\" (id serial PRIMARY KEY);"


@pytest.mark.parametrize(
    ("option", "filters", "migrated"),
    [
        ("include_object", OBJECTS, SAME.replace("(name)", "(name) WHERE id > 7") + f'\nop.execute("""{MORE}{CHANGED}""")'),
        ("include_name", NAMES, f'{SAME}\nop.execute("""{MORE}""")'),
    ],
)
def test_what_env_py_leaves_out_of_the_comparison_is_no_difference(
    observed: Observed, option: str, filters: str, migrated: str
) -> None:
    with_models(observed, more=filters)
    env = (observed.directory / "alembic" / "env.py").read_text()
    observed.write_env(env.replace("connection=connection,", f"connection=connection, {option}={option},"))
    observed.revision("aa", None, migrated)
    drift = observed.observe(drift=True)["drift"]
    assert (drift["operations"], drift["catalog"]["changed"], drift["catalog"]["added"]) == ([], {}, {})
    # Autogenerate knows no EXCLUDE, so no filter is for one.
    assert list(drift["catalog"]["removed"]) == ["constraint aa.u"]


def test_each_operation_of_autogenerate_is_one_line(observed: Observed) -> None:
    with_models(observed, more='sa.Table("bb", target_metadata, sa.Column("id", sa.Integer, primary_key=True))\n')
    observed.revision("aa", None, SAME.replace("name text, ", "").replace("(name)", "(id)"))
    drift = observed.observe(drift=True)["drift"]
    assert [operation.partition("(")[0] for operation in drift["operations"]] == [
        "op.create_table",
        "op.add_column",
        "op.drop_index",
        "op.create_index",
    ]
    assert drift["catalog"] == NOTHING


def test_an_unnamed_constraint_that_autogenerate_adds_is_not_reported_again_by_the_name_it_would_get(observed: Observed) -> None:
    key = 'sa.Column("up", sa.ForeignKey("aa.id", ondelete="CASCADE"), unique=True)'
    with_models(observed, more=f'sa.Table("bb", target_metadata, {key}, sa.Column("n", sa.Integer, unique=True))\n')
    observed.revision("aa", None, SAME + '\nop.execute("CREATE TABLE bb (up int REFERENCES aa CONSTRAINT own UNIQUE, n int)")')
    drift = observed.observe(drift=True)["drift"]
    assert [operation.partition(", 'bb'")[0] for operation in drift["operations"]] == [
        "op.create_unique_constraint(None",
        "op.drop_constraint(op.f('bb_up_fkey')",
        "op.create_foreign_key(None",
    ]
    assert drift["catalog"] == NOTHING


def test_differences_that_autogenerate_misses_are_found_in_the_catalog(observed: Observed) -> None:
    with_models(observed, name='server_default="x"')
    observed.revision("aa", None, SAME.replace("id > 0", "id > 1").replace("'x', 'y'", "'x'"))
    drift = observed.observe(drift=True)["drift"]
    assert drift["operations"] == []
    assert drift["catalog"] == {
        **NOTHING,
        "changed": {
            "column aa.name": ["text", "text DEFAULT 'x'::text"],
            "constraint aa.aa_id_check": ["CHECK ((id > 1))", "CHECK ((id > 0))"],
            "type kind": ["ENUM ('x')", "ENUM ('x', 'y')"],
        },
    }


def test_several_metadata_are_compared_together(observed: Observed) -> None:
    with_models(observed, more="target_metadata = [target_metadata, sa.MetaData()]\n")
    observed.revision("aa", None, SAME)
    assert observed.observe(drift=True)["drift"] == {"operations": [], "catalog": NOTHING}


def test_without_models_there_is_no_drift(observed: Observed) -> None:
    observed.table_revision("aa")
    assert observed.observe(drift=True)["drift"]["reason"] == "env.py sets no target_metadata"


def test_models_that_cannot_be_created_are_reported_and_autogenerate_still_runs(observed: Observed) -> None:
    with_models(observed, name="server_default=sa.text('nowhere()')")
    observed.revision("aa", None, SAME.replace("CREATE INDEX ix ON aa (name)", "SELECT 1"))
    drift = observed.observe(drift=True)["drift"]
    assert len(drift["operations"]) == 1
    assert "nowhere()" in drift["reason"]


@pytest.mark.parametrize(
    "of", ["{}", "postgresql.ARRAY({})", "type('Mood', (sa.TypeDecorator,), {{'impl': {}, 'cache_ok': True}})"]
)
def test_an_enum_that_the_models_leave_to_a_revision_is_compared(observed: Observed, of: str) -> None:
    mood = of.format("postgresql.ENUM('good', 'bad', name='mood', create_type=False)")
    with_models(
        observed, more=f'from sqlalchemy.dialects import postgresql\nsa.Table("bb", target_metadata, sa.Column("mood", {mood}))\n'
    )
    array = "[]" if "ARRAY" in of else ""
    created = "CREATE TYPE mood AS ENUM ('good'); CREATE TABLE bb (mood mood" + array + ")"
    observed.revision("aa", None, f'{SAME}\nop.execute("{created}")')
    drift = observed.observe(drift=True)["drift"]
    assert drift["catalog"] == {**NOTHING, "changed": {"type mood": ["ENUM ('good')", "ENUM ('good', 'bad')"]}}


def test_a_database_that_is_not_at_head_is_not_compared(observed: Observed) -> None:
    with_models(observed)
    observed.revision("aa", None, 'op.execute("SELECT * FROM nowhere")')
    assert observed.observe(drift=True)["drift"]["reason"] == "the database is not at head: aa could not be applied"


def test_an_operation_that_would_change_nothing_is_not_drift(observed: Observed) -> None:
    columns = 'sa.Column("a", sa.Integer, primary_key=True), sa.Column("b", sa.Integer, primary_key=True)'
    table = f'sa.Table("pair", target_metadata, {columns}, sa.UniqueConstraint("a", "b", name="uq_pair"))'
    with_models(observed, check=', name="aa_id_check"', more=table)
    # PostgreSQL gives the primary key the name of the UNIQUE with the same columns.
    pair = 'op.execute("CREATE TABLE pair (a int, b int, PRIMARY KEY (a, b), CONSTRAINT uq_pair UNIQUE (a, b))")'
    observed.revision("aa", None, f"{SAME}\n{pair}")
    assert observed.observe("aa", drift=True)["drift"] == {
        "operations": [],
        "catalog": {"added": {}, "removed": {}, "changed": {}},
    }


def test_a_default_that_only_the_database_has_is_drift_unless_the_models_insert_the_same(observed: Observed) -> None:
    columns = [f'sa.Column("{name}", sa.Integer, default={value})' for name, value in (("same", -1), ("other", 2))]
    with_models(observed, check=', name="aa_id_check"', more=f'sa.Table("t", target_metadata, {", ".join(columns)})')
    observed.revision("aa", None, f'{SAME}\nop.execute("CREATE TABLE t (same int DEFAULT -1, other int DEFAULT 1)")')
    assert observed.observe("aa", drift=True)["drift"]["catalog"]["changed"] == {
        "column t.other": ["integer DEFAULT 1", "integer"]
    }


def test_defaults_that_differ_only_in_form_are_not_drift(observed: Observed) -> None:
    defaults = {"at": "sa.func.now()", "zero": 'sa.text("0")', "price": '"-1.50"', "word": '"0"', "later": 'sa.text("now()")'}
    types = {"at": "sa.DateTime(timezone=True)", "zero": "sa.BigInteger", "price": "sa.Numeric(6, 2)", "word": "sa.Text"}
    defaults["said"], types["said"] = '"now()"', "sa.Text"
    defaults["tags"], types["tags"] = '"[]"', "sa.dialects.postgresql.JSONB"
    defaults["note"], types["note"] = '"a::b"', "sa.Text"
    columns = [f'sa.Column("{name}", {types.get(name, "sa.DateTime")}, server_default={of})' for name, of in defaults.items()]
    with_models(observed, check=', name="aa_id_check"', more=f'sa.Table("t", target_metadata, {", ".join(columns)})')
    table = (
        "CREATE TABLE t (at timestamptz DEFAULT CURRENT_TIMESTAMP, zero bigint DEFAULT '0', price numeric(6,2) DEFAULT -1.50,"
        " word text DEFAULT '1', later timestamp DEFAULT CURRENT_TIMESTAMP(0), said text DEFAULT 'CURRENT_TIMESTAMP',"
        " tags json DEFAULT '[]', note varchar(9) DEFAULT 'a::b')"
    )
    # The default keeps the type that the column had.
    altered = "ALTER TABLE t ALTER tags TYPE jsonb, ALTER note TYPE text"
    observed.revision("aa", None, f'{SAME}\nop.execute("{table}")\nop.execute("{altered}")')
    assert observed.observe("aa", drift=True)["drift"]["catalog"]["changed"] == {
        "column t.later": [
            "timestamp without time zone DEFAULT CURRENT_TIMESTAMP(0)",
            "timestamp without time zone DEFAULT now()",
        ],
        "column t.said": ["text DEFAULT 'CURRENT_TIMESTAMP'::text", "text DEFAULT 'now()'::text"],
        "column t.word": ["text DEFAULT '1'::text", "text DEFAULT '0'::text"],
    }


def test_a_unique_index_instead_of_a_constraint_with_the_same_name_is_drift(observed: Observed) -> None:
    table = 'sa.Table("t", target_metadata, sa.Column("n", sa.Integer), sa.Index("uq", "n", unique=True))'
    with_models(observed, check=', name="aa_id_check"', more=table)
    observed.revision("aa", None, f'{SAME}\nop.execute("CREATE TABLE t (n int, CONSTRAINT uq UNIQUE (n))")')
    assert observed.observe("aa", drift=True)["drift"]["operations"] == [
        "op.drop_constraint(op.f('uq'), 't', type_='unique')",
        "op.create_index('uq', 't', ['n'], unique=True)",
    ]


def test_duplicate_and_concurrently_built_indexes_of_the_models_are_compared(observed: Observed) -> None:
    column = 'sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", sa.Text, index=True)'
    twice = 'sa.Index("ix_busy_n", "n", postgresql_concurrently=True)'
    with_models(observed, check=', name="aa_id_check"', more=f'sa.Table("busy", target_metadata, {column}, {twice})')
    busy = 'op.execute("CREATE TABLE busy (id serial PRIMARY KEY, n text)")\nop.execute("CREATE INDEX ix_busy_n ON busy (n)")'
    observed.revision("aa", None, f"{SAME}\n{busy}")
    assert observed.observe("aa", drift=True)["drift"] == {"operations": [], "catalog": NOTHING}


@pytest.mark.parametrize("schema", ["shop", "my-shop"])
def test_models_are_compared_in_the_schema_of_the_search_path(observed: Observed, schema: str) -> None:
    table = 'sa.Table("bb", target_metadata, sa.Column("id", sa.ForeignKey("aa.id"), nullable=False), sa.Column("n", sa.Integer))'
    with_models(observed, name="server_default='x'", check=', name="aa_id_check"', more=table)
    observed.write_env_with_search_path(schema)
    observed.revision("aa", None, f"{SAME}\nop.execute('CREATE TABLE bb (id int NOT NULL REFERENCES aa, n int)')")
    assert observed.observe("aa", drift=True)["drift"] == {
        "operations": [],
        "catalog": {**NOTHING, "changed": {"column aa.name": ["text", "text DEFAULT 'x'::text"]}},
    }
