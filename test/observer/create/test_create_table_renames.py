"""A rename of a table takes along what is named after it."""

from __future__ import annotations

import pytest
from observing import Observed
from test_create_unseen import create, must_agree_and_restore, with_models

OLD = """op.execute("CREATE TABLE bb (id serial PRIMARY KEY, name text UNIQUE, size int CONSTRAINT ck_bb CHECK (size > 0))")
op.execute("COMMENT ON TABLE bb IS 'old'")
op.execute("CREATE INDEX ix_bb_size ON bb (size)")
op.execute("CREATE TABLE cc (id serial PRIMARY KEY, bb_id int REFERENCES bb)")"""
DROP = 'op.execute("DROP TABLE cc, bb")'
MODELS = """key = lambda: sa.Column("id", sa.Integer, primary_key=True)
sa.Table("aa", target_metadata, key(), sa.Column("name", sa.Text, unique=True), sa.Column("size", sa.Integer, index=True),
  sa.CheckConstraint("size > 0", name="ck_aa"), comment="new")
sa.Table("cc", target_metadata, key(), sa.Column("bb_id", sa.Integer, sa.ForeignKey("aa.id")))
"""


@pytest.mark.parametrize("schema", [None, "shop"])
def test_a_renamed_table_keeps_its_members_and_gets_its_new_comment(observed: Observed, schema: str | None) -> None:
    observed.revision("aa", None, OLD, DROP)
    with_models(observed, MODELS)
    if schema:
        observed.write_env_with_search_path(schema)
    text, left = create(observed, renames=[["bb", "aa"]])
    assert left == [], (left, text)
    for part in ("drop_table", "create_index", "drop_index", "create_foreign_key", "drop_constraint", "create_unique"):
        assert part not in text, text
    for part in (
        "ALTER TABLE aa RENAME CONSTRAINT bb_pkey TO aa_pkey",
        "ALTER TABLE aa RENAME CONSTRAINT bb_name_key TO aa_name_key",
        "ALTER TABLE aa RENAME CONSTRAINT ck_bb TO ck_aa",
        "ALTER INDEX ix_bb_size RENAME TO ix_aa_size",
        "create_table_comment('aa', 'new'",
        "create_table_comment('aa', 'old'",
    ):
        assert part in " ".join(text.split()).replace("( ", "("), (part, text)
    must_agree_and_restore(observed)


def test_other_changes_of_a_renamed_table_are_written_too(observed: Observed) -> None:
    observed.revision("aa", None, OLD, DROP)
    with_models(
        observed, MODELS.replace('sa.Column("name", sa.Text, unique=True)', 'sa.Column("name", sa.Text, server_default="x")')
    )
    text, left = create(observed, renames=[["bb", "aa"]])
    assert left == [] and "drop_table" not in text, (left, text)
    must_agree_and_restore(observed)


def test_what_a_convention_names_after_a_renamed_table_is_renamed_once_also_a_key_that_refers_to_it(observed: Observed) -> None:
    keys = "'fk': 'fk_%(table_name)s_%(referred_table_name)s', 'uq': 'uq_%(table_name)s', 'pk': 'pk_%(table_name)s'"
    convention = f"{{'ix': 'ix_%(table_name)s_%(column_0_name)s', {keys}}}"
    named = OLD.replace("PRIMARY KEY,", "CONSTRAINT pk_bb PRIMARY KEY,", 1).replace("UNIQUE", "CONSTRAINT uq_bb UNIQUE")
    named = named.replace("PRIMARY KEY, bb_id int", "CONSTRAINT pk_cc PRIMARY KEY, bb_id int CONSTRAINT fk_cc_bb")
    observed.revision("aa", None, named, DROP)
    with_models(observed, f"target_metadata = sa.MetaData(naming_convention={convention})\n{MODELS}")
    text, left = create(observed, renames=[["bb", "aa"]])
    for rename in ("uq_bb TO uq_aa", "pk_bb TO pk_aa", "fk_cc_bb TO fk_cc_aa"):
        assert text.count(f"RENAME CONSTRAINT {rename}") == 1, (rename, text)
    assert left == []
    must_agree_and_restore(observed)
