"""Upgrade and downgrade do not share objects: in production each is run by a process of its own."""

from __future__ import annotations

import pytest
from observing import NOTHING, Observed

TABLE_ONCE = """
import sqlalchemy as sa
metadata = sa.MetaData()


def users():
    return sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True))
"""
# SQLAlchemy keeps a type of the dialect for each type, with the name that it had at first.
ENUM_THAT_IS_RENAMED = 'import sqlalchemy as sa\nmood = sa.Enum("good", "bad", name="mood")\n'
ON_OTHER_CONNECTIONS = 'with op.get_context().autocommit_block():\n    op.execute("SELECT 1")\n'


def write_revision(observed: Observed, head: str, upgrade: str, downgrade: str) -> None:
    observed.revision("aa", None, upgrade, downgrade)
    file = observed.versions / "aa.py"
    before, functions, after = file.read_text().partition("def upgrade")
    file.write_text(f"{before}{head}\n\n{functions}{after}")


def assert_goes_down_and_up(observed: Observed) -> None:
    facts = observed.observe("aa")["aa"]
    assert facts["downgrade"]["outcome"] == "done", facts["downgrade"]
    assert facts["notRestored"] == NOTHING
    assert facts["again"] == {"outcome": "done", "differs": NOTHING}


@pytest.mark.parametrize("leaves", ["", ON_OTHER_CONNECTIONS], ids=["in one transaction", "leaves its transaction"])
def test_tables_that_a_revision_defines_once_are_new_in_every_run(observed: Observed, leaves: str) -> None:
    write_revision(observed, TABLE_ONCE, f"{leaves}users().create(op.get_bind())", f"{leaves}users().drop(op.get_bind())")
    assert_goes_down_and_up(observed)


def test_tables_that_a_module_beside_the_revisions_defines_once_are_new_in_every_run(observed: Observed) -> None:
    (observed.versions.parent / "shared_tables.py").write_text(TABLE_ONCE)
    write_revision(
        observed,
        "import os, sys\nsys.path.append(os.path.dirname(os.path.dirname(__file__)))\nfrom shared_tables import users",
        "users().create(op.get_bind())",
        "users().drop(op.get_bind())",
    )
    assert_goes_down_and_up(observed)


def test_a_type_of_the_backend_that_a_function_renames_is_new_in_every_run(observed: Observed) -> None:
    (observed.directory / "backend_types.py").write_text(ENUM_THAT_IS_RENAMED)
    write_revision(
        observed,
        "from backend_types import mood",
        'mood.name = "mood"\nmood.create(op.get_bind())\nop.execute("ALTER TYPE mood RENAME TO old_mood")',
        'mood.name = "old_mood"\nmood.drop(op.get_bind(), checkfirst=False)',
    )
    assert_goes_down_and_up(observed)


def test_a_file_that_can_be_imported_only_once_is_not_reloaded(observed: Observed) -> None:
    (observed.directory / "backend_models.py").write_text("import sqlalchemy as sa\nmetadata = sa.MetaData()\n")
    write_revision(
        observed,
        'from backend_models import metadata\nusers = sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True))',
        "users.create(op.get_bind())",
        "users.drop(op.get_bind())",
    )
    assert_goes_down_and_up(observed)
