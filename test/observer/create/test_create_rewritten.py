"""A second create agrees although PostgreSQL rewrites definitions, and a new revision runs as it is written."""

from __future__ import annotations

from observing import Observed
from test_create_unseen import ID, agree, create, must_agree_and_restore, with_models

TABLE = 'op.execute("CREATE TABLE aa (id serial PRIMARY KEY, size int, code varchar(9), made timestamp)")'
DROP = 'op.execute("DROP TABLE aa")'
MODEL = """sa.Table("aa", target_metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("size", sa.Integer),
  sa.Column("code", sa.String(9)), sa.Column("made", sa.DateTime), {more})
"""
CONDITIONS = (
    "size BETWEEN 1 AND 5 AND size BETWEEN 2 AND 3",
    "size = 1 OR (size = 2 OR size = 3)",
    "size > 1 AND (size > 2 AND (id > 3 AND id < 9))",
    "code IN ('x', 'y') AND NOT code IN ('z')",
    "size NOT BETWEEN 1 AND 5 AND made > now() - interval '1 day'",
)
# Each has another condition.
WITH_OTHERS = "\n".join(
    f'op.execute("ALTER TABLE aa ADD CONSTRAINT ck_{number} CHECK (size > 0); CREATE INDEX ix_{number} ON aa (size)")'
    for number in range(len(CONDITIONS))
)


def test_conditions_that_postgresql_rewrites_are_written_once(observed: Observed) -> None:
    observed.revision("aa", None, f"{TABLE}\n{WITH_OTHERS}", DROP)
    more = []
    for number, condition in enumerate(CONDITIONS):
        more.append(f'sa.CheckConstraint("{condition}", name="ck_{number}")')
        where = "" if "now()" in condition else f', postgresql_where=sa.text("{condition}")'
        more.append(f'sa.Index("ix_{number}", "size"{where})')
    with_models(observed, MODEL.format(more=", ".join(more)))
    assert create(observed)[1] == []
    must_agree_and_restore(observed)


def test_checks_are_written_with_the_name_in_the_models_or_the_one_that_postgresql_chooses(observed: Observed) -> None:
    observed.revision("aa", None, TABLE, DROP)
    quoted = 'sa.CheckConstraint("size BETWEEN 1 AND 2", name="Size of aa")'
    with_models(observed, MODEL.format(more=f'sa.CheckConstraint("size > 1"), {quoted}'))
    text, left = create(observed)
    assert left == [] and "create_check_constraint('aa_size_check', 'aa', 'size > 1')" in text
    assert "create_check_constraint('Size of aa', 'aa', 'size BETWEEN 1 AND 2')" in text
    must_agree_and_restore(observed)


def test_defaults_run_as_they_are_written(observed: Observed) -> None:
    observed.revision("aa", None, TABLE, DROP)
    defaults = ("CURRENT_TIMESTAMP AT TIME ZONE 'utc'", "now() AT TIME ZONE 'utc'", "'infinity'")
    columns = ", ".join(
        f'sa.Column("seen_{number}", sa.DateTime, server_default=sa.text("{default}"), nullable=False)'
        for number, default in enumerate(defaults)
    )
    with_models(
        observed,
        MODEL.format(more=columns)
        + f'sa.Table("bb", target_metadata, sa.Column("id", sa.Integer, primary_key=True), {columns})\n',
    )
    text, left = create(observed)
    assert left == [] and "((" not in text
    must_agree_and_restore(observed)


def test_a_failed_revision_before_is_named_with_its_cause(observed: Observed) -> None:
    observed.revision("aa", None, 'op.execute("SELECT 1 / 0")')
    with_models(observed, ID)
    message = agree(observed)["message"]
    assert "revision aa" in message and "division by zero" in message, message
