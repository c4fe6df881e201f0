"""Snapshots that read only what has changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest
from backends import Database, fresh_database
from cdk_alembic.catalog import catalog_sql, raw
from cdk_alembic.catalog.catalog import Snapshot
from cdk_alembic.catalog.catalog_reader import Catalog, read
from each_driver import ALL
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


@contextmanager
def started(database: Database) -> Iterator[Connection]:
    with create_engine(database.url("postgresql+psycopg")).connect() as connection:
        raw.execute(connection, START)
        catalog_sql.prepare(connection, CONTEXT)
        raw.commit(connection)
        yield connection


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with started(database) as connection:
        yield connection


@pytest.fixture(scope="module")
def database_of_changes() -> Iterator[Database]:
    with fresh_database() as database:
        with started(database):
            pass
        yield database


@pytest.fixture
def rolled_back(database_of_changes: Database) -> Iterator[Connection]:
    """Another session, whose changes end with it."""
    with create_engine(database_of_changes.url("postgresql+psycopg")).connect() as connection:
        yield connection


def text_of(snapshot: Snapshot) -> tuple[dict[str, str], dict[str, dict], dict]:
    return dict(sorted(snapshot.entries.items())), snapshot.tables, snapshot.relations


@pytest.mark.parametrize("change", CHANGES)
def test_a_snapshot_has_everything_that_changed_and_that_a_rollback_restored(rolled_back: Connection, change: str) -> None:
    connection, catalog = rolled_back, Catalog()
    start = text_of(catalog.take(connection))
    raw.execute(connection, "SAVEPOINT one")
    for _ in range(2):
        raw.execute(connection, change)
        assert text_of(catalog.take(connection)) == text_of(Catalog().take(connection)) == text_of(read(connection, CONTEXT))
        raw.execute(connection, "ROLLBACK TO SAVEPOINT one")
        assert text_of(catalog.take(connection)) == start


# What goes leaves no row behind in which it could be seen.
GOING = (
    ("ALTER TABLE items DROP CONSTRAINT items_owner_id_fkey",),
    ("DROP INDEX ix_users_name",),
    ("DROP TRIGGER touched ON users",),
    ("GRANT SELECT ON items TO PUBLIC", "REVOKE SELECT ON items FROM PUBLIC"),
    ("COMMENT ON TABLE items IS 'items'", "COMMENT ON TABLE items IS NULL"),
    ("CREATE PUBLICATION news FOR TABLE items", "ALTER PUBLICATION news SET TABLE users", "DROP PUBLICATION news"),
    ("CREATE RULE nothing AS ON DELETE TO items DO INSTEAD NOTHING", "DROP RULE nothing ON items"),
    ("CREATE POLICY own ON items USING (label > '')", "DROP POLICY own ON items"),
    ("CREATE TABLE child () INHERITS (users)", "ALTER TABLE child NO INHERIT users", "DROP TABLE child"),
    # An index of a partitioned table becomes valid.
    (
        "CREATE TABLE whole (n int) PARTITION BY RANGE (n)",
        "CREATE TABLE whole_1 PARTITION OF whole DEFAULT",
        "CREATE INDEX ix_whole ON ONLY whole (n)",
        "CREATE INDEX ix_whole_1 ON whole_1 (n)",
        "ALTER INDEX ix_whole ATTACH PARTITION ix_whole_1",
    ),
    ("CREATE TABLE one PARTITION OF parts DEFAULT", "ALTER TABLE parts DETACH PARTITION one"),
    ("ALTER SEQUENCE users_id_seq OWNED BY NONE", "ALTER SEQUENCE users_id_seq OWNED BY users.id"),
    ("ALTER TABLE items ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY", "ALTER TABLE items ALTER COLUMN id DROP IDENTITY"),
)


@pytest.mark.parametrize("changes", GOING)
def test_a_snapshot_has_everything_that_was_committed(connection: Connection, changes: tuple[str, ...]) -> None:
    catalog = Catalog()
    seen = [fresh(connection, catalog)]
    for change in changes:
        raw.execute(connection, change)
        raw.commit(connection)
        seen.append(fresh(connection, catalog))
        assert seen[-1] != seen[-2]
        assert seen[-1] == text_of(read(connection, CONTEXT))


def fresh(connection: Connection, catalog: Catalog) -> Any:
    with raw.rolled_back(connection):
        return text_of(catalog.take(connection))


# Steps of a random history; `{n}` is a table. Many fail where another one has not run.
STEPS = (
    "CREATE TABLE t{n} (id serial PRIMARY KEY, name text DEFAULT 'x', kind kind, n positive CHECK (n > 1), t{n} int UNIQUE)",
    "CREATE TABLE t{n} (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
    "CREATE TABLE t{n}_1 PARTITION OF t{n} DEFAULT",
    "DROP TABLE t{n} CASCADE",
    "ALTER TABLE t{n} ADD COLUMN extra{m} int DEFAULT {m}",
    "ALTER TABLE t{n} DROP COLUMN extra{m}",
    "ALTER TABLE t{n} ALTER COLUMN extra{m} SET DEFAULT {n}",
    "ALTER TABLE t{n} ALTER COLUMN extra{m} DROP DEFAULT",
    "ALTER TABLE t{n} ALTER COLUMN extra{m} SET NOT NULL",
    "ALTER TABLE t{n} ALTER COLUMN extra{m} TYPE bigint",
    "ALTER TABLE t{n} RENAME COLUMN extra{m} TO extra{n}",
    "ALTER TABLE t{n} RENAME TO t{m}",
    "CREATE INDEX i{m} ON t{n} (name)",
    "CREATE UNIQUE INDEX u{m} ON t{n} (lower(name)) WHERE id > {m}",
    "CREATE INDEX CONCURRENTLY c{m} ON t{n} (kind)",
    "DROP INDEX CONCURRENTLY c{m}",
    "DROP INDEX i{m}, u{m}",
    "ALTER INDEX i{m} RENAME TO c{n}",
    "ALTER TABLE t{n} ADD CONSTRAINT f{m} FOREIGN KEY (id) REFERENCES t{m} (id) NOT VALID",
    "ALTER TABLE t{n} VALIDATE CONSTRAINT f{m}",
    "ALTER TABLE t{n} DROP CONSTRAINT f{m}",
    "ALTER TABLE t{n} ADD CONSTRAINT k{m} CHECK (id <> {m})",
    "ALTER TABLE t{n} DROP CONSTRAINT k{m}",
    "CREATE TRIGGER g{m} BEFORE UPDATE ON t{n} FOR EACH ROW EXECUTE FUNCTION touch()",
    "DROP TRIGGER g{m} ON t{n}",
    "ALTER TABLE t{n} DISABLE TRIGGER g{m}",
    "CREATE FUNCTION h{m}(n int) RETURNS int LANGUAGE sql AS 'SELECT {n}'",
    "DROP FUNCTION h{m}",
    "CREATE TYPE e{m} AS ENUM ('a', 'b{n}')",
    "ALTER TYPE e{m} ADD VALUE 'c{n}'",
    "DROP TYPE e{m}",
    "ALTER TABLE t{n} ADD COLUMN typed e{m}",
    "CREATE SEQUENCE s{m} START {n}",
    "ALTER SEQUENCE s{m} OWNED BY t{n}.id",
    "ALTER SEQUENCE s{m} OWNED BY NONE",
    "DROP SEQUENCE s{m}",
    "CREATE VIEW v{m} AS SELECT id FROM t{n}",
    "CREATE MATERIALIZED VIEW w{m} AS SELECT id FROM t{n}",
    "DROP VIEW v{m}",
    "CREATE EXTENSION pg_trgm",
    "DROP EXTENSION pg_trgm CASCADE",
    "ALTER TABLE t{n} ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY p{m} ON t{n} USING (id > {m})",
    "DROP POLICY p{m} ON t{n}",
    "GRANT SELECT ON t{n} TO PUBLIC",
    "REVOKE SELECT ON t{n} FROM PUBLIC",
    "COMMENT ON TABLE t{n} IS 'table {m}'",
    "COMMENT ON TABLE t{n} IS NULL",
    "INSERT INTO t{n} (id) VALUES ({m})",
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i{m}'::regclass",
    "DELETE FROM pg_trigger WHERE tgname = 'g{m}'",
)


SEEDS = [(0, "public"), (3, "other"), (5, "other, public")]
if ALL:
    SEEDS += [(1, "public"), (2, "public")]


@pytest.mark.parametrize(("seed", "path"), SEEDS)
def test_an_updated_snapshot_equals_a_new_one_after_any_changes(database: Database, seed: int, path: str) -> None:
    random = Random(seed)
    with create_engine(database.url("postgresql+psycopg")).connect() as connection:
        raw.execute(connection, START.replace("CREATE SCHEMA other;", f"CREATE SCHEMA other; SET search_path = {path};"))
        catalog_sql.prepare(connection, CONTEXT)
        raw.commit(connection)
        catalog, done = Catalog(), 0
        for step in range(60):
            in_transaction = step % 3 > 0
            raw.roll_back(connection)
            connection.connection.dbapi_connection.autocommit = not in_transaction
            for _ in range(random.randint(1, 4)):
                sql = random.choice(STEPS).format(n=random.randint(1, 3), m=random.randint(1, 3))
                if in_transaction:
                    raw.execute(connection, "SAVEPOINT one")
                try:
                    raw.execute(connection, sql)
                    done += 1
                except Exception:
                    if in_transaction:
                        raw.execute(connection, "ROLLBACK TO SAVEPOINT one")
                if random.random() < 0.3:
                    assert text_of(catalog.take(connection)) == text_of(read(connection, CONTEXT)), sql
            if in_transaction:
                random.choice((raw.commit, raw.roll_back))(connection)
            assert fresh(connection, catalog) == text_of(read(connection, CONTEXT))
        assert done > 30


# Whether no transaction runs that is as old as the tables.
OLD = "SELECT to_json(age(pg_snapshot_xmin(pg_current_snapshot())::xid) < age(xmin))::text FROM pg_class WHERE relname = 'kept'"


# PostgreSQL 18's citext has functions with an SQL body.
@pytest.mark.parametrize("first", ["SELECT", "CREATE EXTENSION citext SCHEMA other", "SET search_path = other"])
def test_a_snapshot_reads_only_the_tables_that_changed(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    catalog, found = Catalog(), []
    raw.execute(connection, first)
    raw.commit(connection)
    # Tests that run beside this one have transactions that are older than these tables: anything younger is read again.
    while not raw.value(connection, OLD):
        raw.roll_back(connection)
        sleep(0.05)
    # They also create roles, after which everything is read again.
    raw.execute(connection, "LOCK TABLE pg_authid IN SHARE MODE")
    before = catalog.take(connection)
    value = raw.value

    def noted(used: Connection, sql: str) -> Any:
        found.append(value(used, sql))
        return found[-1]

    monkeypatch.setattr(raw, "value", noted)
    raw.execute(connection, "ALTER TABLE public.users ADD COLUMN age int")
    after = catalog.take(connection)
    views = {"names", "kept"}
    assert {name for _, name, *_ in found[0]["texts"]["relations"]} == {"users", "users_pkey", "ix_users_name", *views}
    assert len(found) == 1
    assert {after.relations[oid].name for oid in before.changed_owners(after)} == {"users", *views}
    assert before.change_to(after) == {"added": {"column users.age": "integer"}, "removed": {}, "changed": {}}
