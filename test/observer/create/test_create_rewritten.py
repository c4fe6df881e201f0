"""A second create agrees although PostgreSQL rewrites definitions, and a new revision runs as it is written."""

from __future__ import annotations

import pytest
from observing import Observed
from test_create_unseen import ID, agree, create, must_agree_and_restore, with_models

TABLE = 'op.execute("CREATE TABLE aa (id serial PRIMARY KEY, size int, code varchar(9), made timestamp)")'
DROP = 'op.execute("DROP TABLE aa")'
MODEL = """sa.Table("aa", target_metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("size", sa.Integer),
  sa.Column("code", sa.String(9)), sa.Column("made", sa.DateTime), {more})
"""
WITH_OTHERS = """op.execute("ALTER TABLE aa ADD CONSTRAINT ck CHECK (size > 0)")
op.execute("CREATE INDEX ix ON aa (size)")"""
CONDITIONS = (
    "size BETWEEN 1 AND 5 AND size BETWEEN 2 AND 3",
    "size = 1 OR (size = 2 OR size = 3)",
    "size > 1 AND (size > 2 AND (id > 3 AND id < 9))",
    "code IN ('x', 'y') AND NOT code IN ('z')",
    "size NOT BETWEEN 1 AND 5 AND made > now() - interval '1 day'",
)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_that_postgresql_rewrites_is_written_once(observed: Observed, condition: str) -> None:
    observed.revision("aa", None, f"{TABLE}\n{WITH_OTHERS}", DROP)
    more = f'sa.CheckConstraint("{condition}", name="ck")'
    where = "" if "now()" in condition else f', postgresql_where=sa.text("{condition}")'
    more += f', sa.Index("ix", "size"{where})'
    with_models(observed, MODEL.format(more=more))
    assert create(observed)[1] == []
    must_agree_and_restore(observed)


def test_a_check_without_a_name_is_written(observed: Observed) -> None:
    observed.revision("aa", None, TABLE, DROP)
    with_models(observed, MODEL.format(more='sa.CheckConstraint("size > 1")'))
    text, left = create(observed)
    assert left == [] and "create_check_constraint('aa_size_check', 'aa', 'size > 1')" in text
    must_agree_and_restore(observed)


def test_a_check_with_a_quoted_name_is_written_as_in_the_models(observed: Observed) -> None:
    observed.revision("aa", None, TABLE, DROP)
    with_models(observed, MODEL.format(more='sa.CheckConstraint("size BETWEEN 1 AND 2", name="Size of aa")'))
    text, _ = create(observed)
    assert "create_check_constraint('Size of aa', 'aa', 'size BETWEEN 1 AND 2')" in text
    must_agree_and_restore(observed)


@pytest.mark.parametrize("default", ["CURRENT_TIMESTAMP AT TIME ZONE 'utc'", "now() AT TIME ZONE 'utc'", "'infinity'"])
def test_a_default_runs_as_it_is_written(observed: Observed, default: str) -> None:
    observed.revision("aa", None, TABLE, DROP)
    column = f'sa.Column("seen", sa.DateTime, server_default=sa.text("{default}"), nullable=False)'
    with_models(
        observed,
        MODEL.format(more=column) + f'sa.Table("bb", target_metadata, sa.Column("id", sa.Integer, primary_key=True), {column})\n',
    )
    text, left = create(observed)
    assert left == [] and ("((" in text) is False
    must_agree_and_restore(observed)


def test_a_failed_revision_before_is_named_with_its_cause(observed: Observed) -> None:
    observed.revision("aa", None, 'op.execute("SELECT 1 / 0")')
    with_models(observed, ID)
    message = agree(observed)["message"]
    assert "revision aa" in message and "division by zero" in message, message
