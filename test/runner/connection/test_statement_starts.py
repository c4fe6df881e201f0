"""Statements are recognized by their first words, wherever they stand in a text."""

from __future__ import annotations

import pytest
from cdk_alembic.connection.statement_starts import statement_starts
from cdk_alembic.run.session import OWN_COMMIT


@pytest.mark.parametrize(
    "text",
    [
        "COMMIT",
        "  commit work ;",
        "-- finished\nCOMMIT",
        "/* finished; really */ END",
        "INSERT INTO users VALUES ('Ada'); COMMIT;",
        "INSERT INTO users VALUES (E'it\\'s');END TRANSACTION",
        "DO $$ BEGIN PERFORM 1; END $$; COMMIT",
        "COMMIT; BEGIN",
        "CREATE FUNCTION one() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END; COMMIT",
    ],
)
def test_a_commit_is_found(text: str) -> None:
    assert any(map(OWN_COMMIT.match, statement_starts(text)))


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO notes VALUES ('; COMMIT')",
        "INSERT INTO notes VALUES (E'\\'; COMMIT; --')",
        'ALTER TABLE "a; COMMIT" ADD COLUMN x int',
        "DO $$ BEGIN PERFORM 1; END $$",
        "CREATE PROCEDURE fill() LANGUAGE plpgsql AS $fill$ BEGIN INSERT INTO aa VALUES (1); COMMIT; END $fill$",
        "CREATE FUNCTION one() RETURNS int BEGIN ATOMIC SELECT 0; SELECT 1; END",
        "SELECT 1 -- ; COMMIT",
        "CREATE TEMP TABLE work ON COMMIT DROP AS SELECT 1",
        "COMMIT PREPARED 'one'",
        "SELECT CASE WHEN true THEN 1 END",
    ],
)
def test_what_only_looks_like_a_commit_is_none(text: str) -> None:
    assert not any(map(OWN_COMMIT.match, statement_starts(text)))
