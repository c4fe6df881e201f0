"""Snapshots that read only what has changed."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from backends import Database
from cdk_alembic.catalog import catalog_sql, raw
from cdk_alembic.catalog.catalog import Snapshot
from cdk_alembic.catalog.catalog_reader import Catalog, read
from sqlalchemy import Connection, create_engine

CONTEXT = SimpleNamespace(version_table="alembic_version", version_table_schema=None)

START = """
CREATE SCHEMA cdk_alembic_scratch; CREATE SCHEMA other;
CREATE TYPE kind AS ENUM ('x', 'y'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE FUNCTION twice(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2 * n';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE users
  (id serial PRIMARY KEY, name text DEFAULT 'x', kind kind DEFAULT 'x', n positive, m int DEFAULT twice(1), a int);
CREATE TABLE items (id int PRIMARY KEY, owner_id int REFERENCES users, label text);
CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
CREATE INDEX ix_users_name ON users (name);
CREATE VIEW names AS SELECT u.name, i.label FROM users u JOIN items i ON i.owner_id = u.id;
CREATE MATERIALIZED VIEW kept AS SELECT name FROM users;
CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
COMMENT ON COLUMN users.name IS 'a name';
CREATE TABLE alembic_version (version_num text)
"""

# Each changes the text of what it names or of something else.
CHANGES = (
    "ALTER TABLE users ADD COLUMN age int NOT NULL DEFAULT 1",
    "ALTER TABLE users DROP COLUMN a",
    "ALTER TABLE users ALTER COLUMN a TYPE bigint",
    "ALTER TABLE users ALTER COLUMN name SET NOT NULL",
    "ALTER TABLE users ALTER COLUMN name DROP DEFAULT",
    "ALTER TABLE users ALTER COLUMN name SET DEFAULT 'y'",
    "ALTER TABLE users RENAME COLUMN id TO key",
    "ALTER TABLE users RENAME TO people",
    "ALTER TABLE users SET SCHEMA other",
    "ALTER SCHEMA other RENAME TO another",
    "ALTER TYPE kind RENAME TO sort",
    "ALTER TYPE kind RENAME VALUE 'x' TO 'z'",
    "ALTER TYPE kind ADD VALUE 'z'",
    "ALTER DOMAIN positive SET DEFAULT 3",
    "ALTER DOMAIN positive RENAME TO above_zero",
    "ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 100)",
    "ALTER FUNCTION twice(int) RENAME TO doubled",
    "ALTER FUNCTION touch() SET SCHEMA other",
    "CREATE OR REPLACE FUNCTION twice(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n + n'",
    "CREATE FUNCTION of_users() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT count(name)::int FROM users; END",
    "ALTER SEQUENCE users_id_seq RENAME TO counter",
    "ALTER SEQUENCE users_id_seq OWNED BY NONE",
    "ALTER SEQUENCE users_id_seq INCREMENT 5",
    "CREATE INDEX ON users (lower(name)) WHERE a > 0",
    "ALTER INDEX ix_users_name RENAME TO by_name",
    "DROP INDEX ix_users_name",
    "ALTER INDEX ix_users_name SET (fillfactor = 50)",
    "ALTER TABLE users ADD CONSTRAINT few CHECK (a < 9) NOT VALID",
    "ALTER TABLE items DROP CONSTRAINT items_owner_id_fkey",
    "ALTER TABLE items RENAME CONSTRAINT items_owner_id_fkey TO owned",
    "ALTER TABLE users DISABLE TRIGGER touched",
    "ALTER TRIGGER touched ON users RENAME TO touches",
    "DROP TRIGGER touched ON users",
    "CREATE RULE nothing AS ON DELETE TO items DO INSTEAD NOTHING",
    "CREATE POLICY own ON items USING (EXISTS (SELECT FROM users WHERE users.id = owner_id))",
    "ALTER TABLE items ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE items REPLICA IDENTITY FULL",
    "ALTER TABLE items SET (fillfactor = 50)",
    "ALTER TABLE items SET UNLOGGED",
    "ALTER TABLE items ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY",
    "GRANT SELECT ON items TO PUBLIC",
    "GRANT SELECT (label) ON items TO PUBLIC",
    "GRANT USAGE ON SCHEMA other TO PUBLIC",
    "REVOKE EXECUTE ON FUNCTION touch() FROM PUBLIC",
    "COMMENT ON COLUMN users.name IS 'the name'",
    "COMMENT ON TABLE items IS 'items'",
    "COMMENT ON COLUMN users.name IS NULL",
    "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "CREATE TABLE child () INHERITS (users)",
    "CREATE STATISTICS of_users ON name, a FROM users",
    "CREATE PUBLICATION news FOR TABLE items",
    "CREATE PUBLICATION all_news FOR ALL TABLES",
    "CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
    "CREATE EVENT TRIGGER watched ON sql_drop EXECUTE FUNCTION watch()",
    "CREATE TYPE pair AS (a int, b int)",
    "CREATE INDEX ON kept (name)",
    "REFRESH MATERIALIZED VIEW kept",
    "ALTER VIEW names RENAME COLUMN label TO title",
    "CREATE OR REPLACE VIEW names AS SELECT name, 'x' AS label FROM users",
    "DROP TABLE items CASCADE",
    "CREATE SCHEMA first; CREATE TABLE first.users (id int PRIMARY KEY); SET search_path = first, public",
    "SET search_path = other",
    "CREATE TEMPORARY TABLE users (id int PRIMARY KEY)",
    "SET quote_all_identifiers = on",
    "ALTER TABLE users ADD COLUMN at timestamptz DEFAULT '2026-01-01 00:00+00'; SET TimeZone = 'Asia/Tokyo'",
)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with create_engine(database.url("postgresql+psycopg")).connect() as connection:
        raw.execute(connection, START)
        catalog_sql.prepare(connection, CONTEXT)
        raw.commit(connection)
        yield connection


def text_of(snapshot: Snapshot) -> tuple[dict[str, str], dict[str, dict], dict]:
    return dict(sorted(snapshot.entries.items())), snapshot.tables, snapshot.relations


@pytest.mark.parametrize("change", CHANGES)
def test_a_snapshot_has_everything_that_changed_and_that_a_rollback_restored(connection: Connection, change: str) -> None:
    catalog = Catalog()
    start = text_of(catalog.take(connection))
    raw.execute(connection, "SAVEPOINT one")
    for _ in range(2):
        raw.execute(connection, change)
        assert text_of(catalog.take(connection)) == text_of(Catalog().take(connection)) == text_of(read(connection, CONTEXT))
        raw.execute(connection, "ROLLBACK TO SAVEPOINT one")
        assert text_of(catalog.take(connection)) == start


def test_a_snapshot_reads_only_the_tables_that_changed(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog, asked = Catalog(), []
    # Tests that run beside this one create roles, after which everything is read again.
    raw.execute(connection, "LOCK TABLE pg_authid IN SHARE MODE")
    catalog.take(connection)
    value = raw.value
    monkeypatch.setattr(raw, "value", lambda used, sql: asked.append(sql) or value(used, sql))
    raw.execute(connection, "ALTER TABLE users ADD COLUMN age int")
    oids = (
        "SELECT json_build_array('users'::regclass::oid::bigint, 'names'::regclass::oid::bigint, 'kept'::regclass::oid::bigint)"
    )
    users, *views = value(connection, f"{oids}::text")
    catalog.take(connection)
    catalog.take(connection)
    read_again = [sorted(map(int, sql.split("{")[1].split("}")[0].split(","))) for sql in asked if "texts" in sql]
    assert read_again == [sorted([users, *views]), sorted(views)]
    assert not [sql for sql in asked if "rest" in sql or "comments" in sql]
