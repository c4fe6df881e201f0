"""A new revision changes and names types so that it runs as it is written."""

from __future__ import annotations

from typing import Any

import pytest
from observing import Observed
from test_create_unseen import agree, create, must_agree_and_restore, with_models

DROP = 'op.execute("DROP TABLE aa")'
AGREE = "models and migrations agree: there is nothing to write into a revision"


def model(kind: str, more: str = "") -> str:
    return f'sa.Table("aa", target_metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("kind", {kind}){more})\n'


def table(*columns: str) -> str:
    more = "".join(f", sa.Column({column})" for column in columns)
    return f'sa.Table("aa", target_metadata, sa.Column("id", sa.Integer, primary_key=True){more})\n'


def observe_new(observed: Observed) -> dict[str, Any]:
    [graph] = [report["graph"] for report in observed.ask({"ask": "graph"}) if report["report"] == "graph"]
    [new] = [one["revision"] for one in graph["revisions"] if one["revision"] != "aa"]
    return observed.observe(new)[new]


def test_a_change_of_type_gets_using_if_postgresql_has_no_implicit_conversion(observed: Observed) -> None:
    changes = [
        ("one", "varchar(20) DEFAULT 'firm'", 'sa.Enum("person", "firm", name="state"), server_default="firm"', "state"),
        ("two", "text", "sa.Integer", "INTEGER"),
        ("three", "integer DEFAULT 1", "sa.Boolean, server_default=sa.true()", "BOOLEAN"),
        # Only the way back needs it.
        ("four", "integer", "sa.Text", "INTEGER"),
    ]
    old = ", ".join(f"{name} {column}" for name, column, *_ in changes)
    observed.revision("aa", None, f'op.execute("CREATE TABLE aa (id serial PRIMARY KEY, {old})")', DROP)
    with_models(observed, table(*(f'"{name}", {kind}' for name, _, kind, _ in changes)))
    text, left = create(observed)
    assert left == []
    for name, *_, to in changes:
        assert f"postgresql_using='{name}::{to}'" in text
    must_agree_and_restore(observed)


def test_a_type_is_changed_although_env_py_compares_no_types_if_casts_lead_there_and_back(observed: Observed) -> None:
    old = "CREATE TABLE aa (id serial PRIMARY KEY, number integer NOT NULL DEFAULT 1, kind varchar(9))"
    observed.revision("aa", None, f'op.execute("{old}")', DROP)
    enum = "sa.Enum('a', 'b', name='state')"
    with_models(observed, table("'number', sa.BigInteger, server_default='1', nullable=False", f"'kind', {enum}"))
    env = (observed.directory / "alembic" / "env.py").read_text()
    observed.write_env(env.replace("connection=connection,", "connection=connection, compare_type=False,"))
    text, left = create(observed)
    assert left == []
    for changed in (
        "number TYPE bigint'",
        "number TYPE integer'",
        "kind TYPE state USING kind::state'",
        "kind TYPE character varying(9)'",
    ):
        assert text.count(changed) == 1, text
    must_agree_and_restore(observed)


def test_a_column_gets_another_enum_with_its_default(observed: Observed) -> None:
    old = "CREATE TYPE was AS ENUM ('x', 'y'); CREATE TABLE aa (id serial PRIMARY KEY, kind was NOT NULL DEFAULT 'x')"
    observed.revision("aa", None, f"op.execute({old!r})", DROP + '\nop.execute("DROP TYPE was")')
    with_models(observed, model('sa.Enum("x", "y", name="state"), nullable=False, server_default="x"'))
    text, left = create(observed)
    assert left == [] and "postgresql_using='kind::text::state'" in text and text.count("server_default='x'") == 1, text
    assert agree(observed)["message"] == AGREE
    facts = observe_new(observed)
    assert (facts["upgrade"]["outcome"], facts["downgrade"]["outcome"]) == ("done", "done"), facts
    assert facts["notRestored"] == {"added": {}, "removed": {}, "changed": {}}


def test_a_type_that_postgresql_converts_implicitly_is_written_as_alembic_does(observed: Observed) -> None:
    observed.revision("aa", None, 'op.execute("CREATE TABLE aa (id serial PRIMARY KEY, kind varchar(20) DEFAULT 1)")', DROP)
    with_models(observed, model("sa.Text"))
    assert "postgresql_using" not in create(observed)[0]


def test_a_type_of_the_backend_is_written_as_its_database_type(observed: Observed) -> None:
    (observed.directory / "shop.py").write_text(
        "import sqlalchemy as sa\nfrom sqlalchemy.dialects.postgresql import JSONB\n\n"
        "class Lower(sa.TypeDecorator):\n    impl = sa.String\n    cache_ok = True\n\n"
        "class Data(sa.TypeDecorator):\n    impl = sa.JSON\n    cache_ok = True\n\n"
        "    def load_dialect_impl(self, dialect):\n        return JSONB()\n"
    )
    observed.revision("aa", None, 'op.execute("CREATE TABLE aa (id serial PRIMARY KEY)")', DROP)
    with_models(observed, "import shop\n" + model("shop.Lower(50)", ', sa.Column("data", shop.Data)'))
    text, _ = create(observed)
    assert "sa.Column('kind', sa.String(length=50), nullable=True)" in text
    assert "postgresql.JSONB(" in text
    assert "shop" not in text
    assert agree(observed)["message"] == AGREE


def test_a_type_of_a_package_is_imported(observed: Observed) -> None:
    package = observed.directory / "lib" / "site-packages" / "vectors"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "types.py").write_text(
        "from sqlalchemy.types import UserDefinedType\n\n"
        "class Point(UserDefinedType):\n    cache_ok = True\n\n    def get_col_spec(self, **_):\n        return 'point'\n"
    )
    observed.revision("aa", None, 'op.execute("CREATE TABLE aa (id serial PRIMARY KEY)")', DROP)
    path = f"import sys\nsys.path.insert(0, {str(package.parent)!r})\nimport vectors.types\n"
    with_models(observed, path + model("vectors.types.Point"))
    text, _ = create(observed)
    assert "import vectors.types\n" in text
    assert "sa.Column('kind', vectors.types.Point(), nullable=True)" in text


def test_the_sequence_of_a_renamed_table_is_not_a_difference(observed: Observed) -> None:
    observed.revision("aa", None, 'op.execute("CREATE TABLE bb (id serial PRIMARY KEY)")', 'op.execute("DROP TABLE bb")')
    with_models(observed, 'sa.Table("aa", target_metadata, sa.Column("id", sa.Integer, primary_key=True))\n')
    assert create(observed, renames=[["bb", "aa"]])[1] == []
    assert agree(observed)["message"] == AGREE


ENUM_OPERATIONS = """
import sqlalchemy as sa
from alembic.autogenerate import comparators, renderers
from alembic.operations import ops

class EnumOperation(ops.MigrateOperation):
    def __init__(self, old_values, new_values):
        self.schema, self.name, self.old_values, self.new_values = "public", "kind", old_values, new_values

    def reverse(self):
        return EnumOperation(self.new_values, self.old_values)

@renderers.dispatch_for(EnumOperation)
def render(context, operation):
    if not operation.old_values:
        return "op.execute(\\"CREATE TYPE kind AS ENUM ('x', 'y')\\")"
    if not operation.new_values:
        return 'op.execute("DROP TYPE kind")'
    added = set(operation.new_values) - set(operation.old_values)
    return [f"op.execute(\\"ALTER TYPE kind ADD VALUE IF NOT EXISTS '{one}'\\")" for one in added] or "pass"

@comparators.dispatch_for("schema")
def compare(context, upgrade_ops, schemas):
    labels = "SELECT enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid WHERE typname = 'kind' ORDER BY enumsortorder"
    old = context.connection.execute(sa.text(labels)).scalars().all()
    if old != ["x", "y"]:
        upgrade_ops.ops.insert(0, EnumOperation(old, ["x", "y"]))
"""


@pytest.mark.parametrize(
    "old",
    [
        "CREATE TABLE aa (id serial PRIMARY KEY)",
        "CREATE TYPE kind AS ENUM ('x'); CREATE TABLE aa (id serial PRIMARY KEY, kind kind)",
    ],
)
def test_an_enum_that_a_packages_operations_write_is_written_once(observed: Observed, old: str) -> None:
    drop = 'op.execute("DROP TABLE IF EXISTS aa")\nop.execute("DROP TYPE IF EXISTS kind")'
    observed.revision("aa", None, f"op.execute({old!r})", drop)
    (observed.directory / "enum_operations.py").write_text(ENUM_OPERATIONS)
    with_models(observed, "import enum_operations\n" + model('sa.Enum("x", "y", name="kind")'))
    text, left = create(observed)
    assert left == [] and text.count("CREATE TYPE") <= 1 and text.count("DROP TYPE") <= 1 and text.count("ADD VALUE") <= 1
    assert agree(observed)["message"] == AGREE
    facts = observe_new(observed)
    assert (facts["upgrade"]["outcome"], facts["downgrade"]["outcome"], facts["again"]["outcome"]) == ("done", "done", "done")
