"""Tables are filled like production's: as many rows within the limits, the same share of NULLs, keys that exist."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from backends import Database
from cdk_alembic.catalog import catalog_sql, raw
from cdk_alembic.catalog.catalog_reader import Catalog
from cdk_alembic_local.measure import fill as module
from cdk_alembic_local.measure.fill import Fill, FilledTable, Limits
from cdk_alembic_local.measure.values import TargetSchema
from cdk_alembic_local.scratch import rows
from sqlalchemy import Connection, create_engine

CONTEXT = SimpleNamespace(version_table="alembic_version", version_table_schema=None)
NOTHING = TargetSchema({}, {})


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with create_engine(database.url("postgresql+psycopg")).connect() as connection:
        yield connection
        connection.rollback()


def filled(
    connection: Connection,
    sql: str,
    names: list[str],
    production: list[dict[str, Any]],
    later: TargetSchema = NOTHING,
    **limits: Any,
) -> dict[str, FilledTable]:
    """Makes the tables and fills them. `production`: TableTargets."""
    raw.execute(connection, f"CREATE SCHEMA cdk_alembic_scratch; {sql}")
    catalog_sql.prepare(connection, CONTEXT)
    rows.prepare(connection)
    snapshot = Catalog().take(connection)
    bounds = Limits(**{"rows": 10_000, "bytes": 10**9, "deadline": time.monotonic() + 600, **limits})
    return Fill(connection, snapshot, later, {one["name"]: one for one in production}, bounds).fill(names)


def value(connection: Connection, query: str) -> Any:
    return raw.value(connection, f"SELECT to_json(({query}))::text")


def column(name: str, nulls: float = 0, distinct: float = -1, width: int = 24) -> dict[str, Any]:
    return {"name": name, "nulls": nulls, "distinct": distinct, "width": width}


def target(name: str, rows: int, *columns: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "rows": rows, "columns": list(columns)}


def test_rows_nulls_distinct_values_and_widths_are_those_of_the_statistics(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_ROWS", 700)  # several statements
    sql = """CREATE TYPE mood AS ENUM ('good', 'bad');
      CREATE TABLE users
        (id serial PRIMARY KEY, email text UNIQUE NOT NULL, note text, mood mood NOT NULL, n int, at timestamptz)"""
    columns = (column("email", width=30), column("note", 0.25, 10, 200), column("n", 0.9, 5), column("at", 1))
    found = filled(connection, sql, ["users"], [target("users", 3000, *columns)])
    assert found == {"users": FilledTable(3000)}
    assert value(connection, "SELECT count(*) FROM users") == 3000
    assert value(connection, "SELECT count(*) FROM users WHERE note IS NULL") == 750
    assert value(connection, "SELECT count(*) FROM users WHERE n IS NULL") == 2700
    assert value(connection, "SELECT count(at) FROM users") == 0
    assert value(connection, "SELECT count(DISTINCT note) FROM users") == 10
    assert value(connection, "SELECT count(DISTINCT n) FROM users") == 5
    assert value(connection, "SELECT count(DISTINCT mood) FROM users") == 2
    assert value(connection, "SELECT json_build_array(min(length(note)), max(length(note)), min(length(email))) FROM users") == [
        200,
        200,
        30,
    ]


def test_foreign_keys_hold_even_to_tables_that_were_not_requested(connection: Connection) -> None:
    sql = """CREATE TABLE plans (code text PRIMARY KEY);
      CREATE TABLE users (id serial PRIMARY KEY, plan text NOT NULL REFERENCES plans);
      CREATE TABLE tags (id uuid PRIMARY KEY);
      CREATE TABLE tagged (user_id int REFERENCES users, tag_id uuid REFERENCES tags, PRIMARY KEY (user_id, tag_id));
      CREATE TABLE details (user_id int PRIMARY KEY REFERENCES users, up int REFERENCES details)"""
    production = [target("users", 50), target("tags", 20), target("tagged", 900), target("details", 500)]
    found = filled(connection, sql, ["users", "tagged", "details", "tags"], production)
    assert found["users"] == FilledTable(50)
    assert found["tagged"] == FilledTable(900)
    # One for each user.
    assert found["details"] == FilledTable(50, "values")
    assert value(connection, "SELECT count(*) FROM plans") == module.REFERENCED_ROWS
    assert value(connection, "SELECT count(*) FROM users JOIN plans ON code = plan") == 50
    assert value(connection, "SELECT count(*) FROM tagged JOIN users u ON u.id = user_id JOIN tags t ON t.id = tag_id") == 900
    # The constraints were there, and nothing was disabled for good.
    raw.execute(connection, "SAVEPOINT s")
    with pytest.raises(Exception, match="violates foreign key"):
        raw.execute(connection, "INSERT INTO users (plan) VALUES ('nowhere')")
    raw.execute(connection, "ROLLBACK TO SAVEPOINT s")


@pytest.mark.parametrize(
    ("limits", "limit", "least", "most"),
    [
        ({"rows": 2000}, "rows", 2000, 2000),
        ({"bytes": 400_000}, "bytes", 100, 4000),
        ({"deadline": 0}, "time", 0, 0),
    ],
)
def test_each_limit_ends_the_fill_and_is_reported(
    connection: Connection, limits: dict[str, Any], limit: str, least: int, most: int
) -> None:
    sql = "CREATE TABLE users (id serial PRIMARY KEY, name text)"
    found = filled(connection, sql, ["users"], [target("users", 1_000_000, column("name", width=100))], **limits)
    assert found["users"].limit == limit
    assert found["users"].rows == value(connection, "SELECT count(*) FROM users")
    assert least <= found["users"].rows <= most
    assert value(connection, "SELECT pg_total_relation_size('users')") <= 440_000


def test_rows_fulfill_checks_domains_and_what_the_revision_adds(connection: Connection) -> None:
    sql = """CREATE DOMAIN positive AS int CHECK (VALUE > 0);
      CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n positive NOT NULL, team_id int, kind text, code text,
        email varchar(80) NOT NULL UNIQUE CHECK (email LIKE '%@%'), state text NOT NULL CHECK (state IN ('on', 'off')),
        twice int GENERATED ALWAYS AS (2) STORED, parts int[], period int4range);
      CREATE TABLE teams (id int PRIMARY KEY)"""
    named = ["id", "n", "team_id", "kind", "code", "email", "state", "twice", "parts", "period"]
    kinds = {"kind": "mood", "code": "integer"}
    after = {
        "columns": [{"name": name, "type": kinds.get(name, "text")} for name in named],
        "constraints": [
            {
                "name": "fk",
                "kind": "foreign key",
                "definition": "",
                "columns": ["team_id"],
                "references": {"table": "teams", "columns": ["id"]},
            }
        ],
        "indexes": [{"name": "u", "unique": True, "columns": ["code"], "definition": ""}],
    }
    later = TargetSchema({"users": after}, {"type mood": "ENUM ('good', 'bad')"})
    found = filled(connection, sql, ["users"], [target("users", 500, column("code", distinct=3))], later)
    assert found["users"] == FilledTable(500)
    for statement in (
        "ALTER TABLE users ADD FOREIGN KEY (team_id) REFERENCES teams",
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "ALTER TABLE users ALTER kind TYPE mood USING kind::mood",
        "ALTER TABLE users ALTER code TYPE int USING code::int",
        "CREATE UNIQUE INDEX u ON users (code)",
        "ALTER TABLE users ALTER team_id SET NOT NULL",
    ):
        raw.execute(connection, statement)


def test_a_table_that_rejects_generated_rows_is_reported_with_the_reason(connection: Connection) -> None:
    sql = "CREATE TABLE users (id serial PRIMARY KEY, a int NOT NULL, b int NOT NULL, CHECK (a * 3 = b * 7 + 1))"
    found = filled(connection, sql, ["users"], [target("users", 500)])
    assert (found["users"].rows, found["users"].limit) == (0, "values")
    assert "check constraint" in (found["users"].reason or "")


def test_triggers_do_not_run_and_are_enabled_again(connection: Connection) -> None:
    sql = """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
      CREATE TABLE users (id serial PRIMARY KEY);
      CREATE TRIGGER refused BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION refuse()"""
    assert filled(connection, sql, ["users"], [target("users", 300)]) == {"users": FilledTable(300)}
    with pytest.raises(Exception, match="refused"):
        raw.execute(connection, "INSERT INTO users DEFAULT VALUES")


def test_rows_of_a_partitioned_table_are_in_its_partitions(connection: Connection) -> None:
    sql = """CREATE TABLE events (id int, at int) PARTITION BY HASH (id);
      CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1)"""
    production = [target("events", 400), target("events_0", 200), target("events_1", 200)]
    assert filled(connection, sql, ["events", "events_0", "events_1"], production) == {"events": FilledTable(400)}
    assert value(connection, "SELECT count(*) FROM ONLY events_0") + value(connection, "SELECT count(*) FROM events_1") == 400
