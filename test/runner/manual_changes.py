"""Every kind of object, and a change by hand of each."""

BASE = '''
op.execute("""
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN code AS text CHECK (VALUE <> '');
CREATE SCHEMA billing;
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL, name varchar(40) DEFAULT 'x',
  born timestamptz DEFAULT '2000-01-01 00:00+00', mood mood);
CREATE TABLE orders (id serial PRIMARY KEY, user_id bigint REFERENCES users, total numeric(8,2) CHECK (total >= 0));
CREATE TABLE billing.invoices (id bigint PRIMARY KEY, at date NOT NULL);
CREATE TABLE people (id serial PRIMARY KEY, age int, CONSTRAINT adult CHECK (age > 17));
ALTER TABLE people ENABLE ROW LEVEL SECURITY, SET (fillfactor = 80);
ALTER TABLE people ADD CONSTRAINT old CHECK (age < 200) NOT VALID;
CREATE INDEX people_age ON people (age);
COMMENT ON TABLE people IS 'all';
COMMENT ON COLUMN people.age IS 'in years';
COMMENT ON INDEX people_age IS 'fast';
COMMENT ON CONSTRAINT adult ON people IS 'by law';
CREATE POLICY grown ON people USING (age > 17);
CREATE RULE stay AS ON DELETE TO people DO INSTEAD NOTHING;
GRANT SELECT ON people TO pg_monitor;
CREATE TABLE events (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') WITH (fillfactor = 90);
CREATE UNIQUE INDEX users_email ON users (lower(email)) WHERE name IS NOT NULL;
CREATE INDEX orders_user_id ON orders (user_id);
CREATE VIEW rich AS SELECT users.id, sum(total) AS total FROM users JOIN orders ON user_id = users.id GROUP BY users.id;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS orders FROM orders;
CREATE SEQUENCE numbers START 5;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NEW; END $f$;
CREATE FUNCTION twice(i int) RETURNS int LANGUAGE sql AS 'SELECT i * 2';
CREATE TRIGGER people_touch BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY own ON orders USING (user_id > 0);
CREATE RULE quiet AS ON DELETE TO orders DO INSTEAD NOTHING;
CREATE STATISTICS users_names ON email, name FROM users;
COMMENT ON TABLE users IS 'people';
COMMENT ON COLUMN users.email IS 'it''s theirs';
ALTER TABLE users ENABLE ROW LEVEL SECURITY, SET (fillfactor = 90);
CREATE POLICY readers ON orders AS RESTRICTIVE FOR SELECT TO pg_monitor, PUBLIC USING (true);
GRANT SELECT, INSERT ON orders TO pg_monitor;
GRANT UPDATE ON orders TO pg_monitor WITH GRANT OPTION;
""")
'''

# A change by hand of each kind, and the object that it is found as: another one than that of the change before.
PLANTED = {
    "an index dropped": ("DROP INDEX orders_user_id", "removed", "index orders_user_id"),
    "an index added": ("CREATE INDEX by_hand ON users (born)", "added", "index by_hand"),
    "an index changed": (
        "DROP INDEX users_email; CREATE UNIQUE INDEX users_email ON users (email)",
        "changed",
        "index users_email",
    ),
    "a column added": ("ALTER TABLE users ADD extra int NOT NULL DEFAULT 3", "added", "column users.extra"),
    "a column dropped": ("ALTER TABLE users DROP born", "removed", "column users.born"),
    "a column's type": ("ALTER TABLE users ALTER name TYPE varchar(80)", "changed", "column users.name"),
    "NOT NULL": ("ALTER TABLE users ALTER email DROP NOT NULL", "changed", "column users.email"),
    "a default": ("ALTER TABLE users ALTER name SET DEFAULT 'y'", "changed", "column users.name"),
    "a check dropped": (
        "ALTER TABLE orders DROP CONSTRAINT orders_total_check",
        "removed",
        "constraint orders.orders_total_check",
    ),
    "a check added": ("ALTER TABLE users ADD CONSTRAINT ck CHECK (id > 0)", "added", "constraint users.ck"),
    "a foreign key": (
        "ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey",
        "removed",
        "constraint orders.orders_user_id_fkey",
    ),
    "a table added": ("CREATE TABLE by_hand (id int PRIMARY KEY, t text)", "added", "table by_hand"),
    "a table dropped": ("DROP TABLE billing.invoices", "removed", "table billing.invoices"),
    "a table with all that it had": ("DROP TABLE people", "removed", "table people"),
    "a view": ("CREATE OR REPLACE VIEW rich AS SELECT id, 1::numeric AS total FROM users", "changed", "view rich"),
    "a materialized view": ("DROP MATERIALIZED VIEW totals", "removed", "materialized view totals"),
    "a trigger dropped": ("DROP TRIGGER users_touch ON users", "removed", "trigger users.users_touch"),
    "a function": (
        "CREATE OR REPLACE FUNCTION twice(i int) RETURNS int LANGUAGE sql AS 'SELECT i * 3'",
        "changed",
        "function twice(i integer)",
    ),
    "a trigger disabled": ("ALTER TABLE users DISABLE TRIGGER users_touch", "changed", "trigger users.users_touch"),
    "a type added": ("CREATE TYPE size AS ENUM ('s')", "added", "type size"),
    "a schema": ("CREATE SCHEMA by_hand", "added", "schema by_hand"),
    "an extension": ("CREATE EXTENSION btree_gin", "added", "extension btree_gin"),
    "a domain": ("ALTER DOMAIN code SET NOT NULL", "changed", "domain code"),
    "a policy": ("ALTER POLICY own ON orders USING (user_id > 1)", "changed", "policy orders.own"),
    "row security": ("ALTER TABLE orders ENABLE ROW LEVEL SECURITY", "changed", "table orders"),
    "a rule": ("DROP RULE quiet ON orders", "removed", "rule orders.quiet"),
    "a sequence": ("ALTER SEQUENCE numbers INCREMENT 2", "changed", "sequence numbers"),
    "statistics": ("DROP STATISTICS users_names", "removed", "statistics users_names"),
    "a comment": ("COMMENT ON TABLE users IS 'persons'", "changed", "comment on table users"),
    "a grant": ("GRANT SELECT ON users TO pg_monitor", "added", "grants on table users"),
    "storage options": ("ALTER TABLE users SET (fillfactor = 70, autovacuum_enabled = off)", "changed", "table users"),
    "a publication": ("CREATE PUBLICATION by_hand FOR TABLE users", "added", "publication by_hand"),
    "row security off": ("ALTER TABLE users DISABLE ROW LEVEL SECURITY, SET (fillfactor = 80)", "changed", "table users"),
    "storage options gone": ("ALTER TABLE events_2025 RESET (fillfactor)", "changed", "table events_2025"),
    "a policy dropped": ("DROP POLICY readers ON orders", "removed", "policy orders.readers"),
    "a rule added": ("CREATE RULE by_hand AS ON DELETE TO users DO INSTEAD NOTHING", "added", "rule users.by_hand"),
    "a sequence dropped": ("DROP SEQUENCE numbers", "removed", "sequence numbers"),
    "a domain added": ("CREATE DOMAIN by_hand AS int", "added", "domain by_hand"),
    "a comment gone": ("COMMENT ON COLUMN users.email IS NULL", "removed", "comment on table column users.email"),
    "a comment on a constraint": (
        "COMMENT ON CONSTRAINT users_pkey ON users IS 'by hand'",
        "added",
        "comment on table constraint users_pkey on users",
    ),
    "grants taken": ("REVOKE SELECT, UPDATE ON orders FROM pg_monitor", "changed", "grants on table orders"),
    "statistics added": ("CREATE STATISTICS by_hand ON id, born FROM users", "added", "statistics by_hand"),
    # Without DDL that brings it back: it comes last, because it stays.
    "a label of an enum": ("ALTER TYPE mood ADD VALUE 'fine'", "changed", "type mood"),
}
WITHOUT_DDL = ["a label of an enum"]
