import { type Case, keeps, keepsSql } from './case';

/** Objects that the same revision creates, and objects that it replaces. */
// biome-ignore format: one case on a line
export const KEPT_OWN: readonly Case[] = [
  keeps('a temporary table', 'op.execute("CREATE TEMPORARY TABLE ids AS SELECT id FROM users")\nop.execute("DELETE FROM ids")\nop.execute("DROP TABLE ids")'),
  keeps('a table of the same revision', 'op.create_table("staging", sa.Column("id", sa.Integer))\nop.execute("TRUNCATE staging")\nop.drop_table("staging")'),
  keeps('a table of the same revision, in a file', 'op.execute("CREATE TABLE s (id int); INSERT INTO s SELECT 1; DELETE FROM s; DROP TABLE s;")'),
  keeps('a table that was made by SELECT INTO', 'op.execute("SELECT * INTO copy_of_users FROM users")\nop.execute("DROP TABLE copy_of_users")'),
  keeps('a table that was made and renamed', 'op.execute("CREATE TABLE a (id int); ALTER TABLE a RENAME TO b; DROP TABLE b")'),
  keeps('a column of the same revision', 'op.add_column("users", sa.Column("tmp", sa.Text()))\nop.execute("UPDATE users SET tmp = NULL")\nop.drop_column("users", "tmp")'),
  keeps('a schema of the same revision', 'op.execute("CREATE SCHEMA staging; CREATE TABLE staging.a (id int)")\nop.execute("DROP SCHEMA staging CASCADE")'),
  keeps('the type that an enum swap renamed away', 'op.execute("ALTER TYPE status RENAME TO status_old")\nop.execute("CREATE TYPE status AS ENUM (\'a\', \'b\')")\nop.execute("ALTER TABLE orders ALTER COLUMN status TYPE status USING status::text::status")\nop.execute("DROP TYPE status_old")'),
  keeps('an enum swap with SQLAlchemy', 'old.create(op.get_bind())\nop.alter_column("orders", "status", type_=old, existing_type=new, postgresql_using="status::text::status_old")\nnew.drop(op.get_bind(), checkfirst=False)', { head: 'old = sa.Enum("a", name="status_old")\nnew = postgresql.ENUM("a", "b", name="status")' }),
  keeps('an array of texts as long as before', 'op.alter_column("users", "name", existing_type=sa.VARCHAR(length=100), type_=postgresql.ARRAY(sa.String()), postgresql_using="name::character varying(100)[]")'),
  keeps('a view', 'op.execute("DROP VIEW IF EXISTS active_users")\nop.execute("CREATE VIEW active_users AS SELECT * FROM users")'),
  keeps('a materialized view that is made anew', 'op.execute("DROP MATERIALIZED VIEW IF EXISTS monthly")\nop.execute("CREATE MATERIALIZED VIEW monthly AS SELECT 1 AS a")'),
  keeps('a DO block that makes a type', 'op.execute("DO $$ BEGIN CREATE TYPE mood AS ENUM (\'a\'); EXCEPTION WHEN duplicate_object THEN NULL; END $$")'),
  keepsSql("CREATE TEMP TABLE t (id int); INSERT INTO t SELECT id FROM users; TRUNCATE t; DROP TABLE t"),
  keepsSql("CREATE TEMPORARY TABLE t ON COMMIT DROP AS SELECT 1 AS id; DELETE FROM t"),
  keepsSql("CREATE TEMP TABLE IF NOT EXISTS t (id int); DROP TABLE t"),
  keepsSql("SELECT id INTO TEMP t FROM users; DROP TABLE t"),
  keepsSql("CREATE TEMP TABLE t (id int); DROP TABLE pg_temp.t"),
  keepsSql("CREATE UNLOGGED TABLE staging (id int); INSERT INTO staging SELECT id FROM users; DROP TABLE staging"),
  keepsSql("CREATE TABLE public.a (id int); DROP TABLE a"),
  keepsSql("CREATE TABLE a (id int); DROP TABLE public.a"),
  keepsSql('CREATE TABLE "A" (id int); DROP TABLE "A";'),
  keepsSql("CREATE TABLE a (id int); ALTER TABLE a RENAME TO b; ALTER TABLE b DROP COLUMN id; DROP TABLE b CASCADE"),
  keepsSql("CREATE TABLE a (id int, b text); ALTER TABLE a ALTER b TYPE int USING NULL"),
  keepsSql("CREATE TABLE a AS SELECT * FROM users; UPDATE a SET email = NULL; DELETE FROM a WHERE true"),
  keepsSql("CREATE SCHEMA s; CREATE TABLE s.a (id int); DROP TABLE s.a; DROP SCHEMA s"),
  keepsSql("CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM (1) TO (2); ALTER TABLE events DETACH PARTITION events_2025; DROP TABLE events_2025"),
  keepsSql("ALTER TABLE users ADD COLUMN tmp int; UPDATE users SET tmp = id; ALTER TABLE users DROP COLUMN tmp"),
  keepsSql("ALTER TABLE users ADD a int, ADD b int; ALTER TABLE users DROP a, DROP b"),
  keepsSql("ALTER TABLE users ADD a int; ALTER TABLE users RENAME a TO b; ALTER TABLE users DROP COLUMN b"),
  keepsSql("CREATE VIEW v AS SELECT 1 AS a; DROP VIEW v CASCADE"),
  keepsSql("CREATE OR REPLACE VIEW v AS SELECT 1 AS a"),
  keepsSql("DROP VIEW v; CREATE VIEW v AS SELECT 2 AS a"),
  keepsSql("DROP VIEW IF EXISTS a, b"),
  keepsSql("UPDATE users SET seen_at = GREATEST(seen_at, made_at), first_at = LEAST(first_at, users.made_at::timestamp)"),
  keepsSql("UPDATE users SET meta = jsonb_set(meta, '{sealed}', meta->'_sealed') WHERE meta ? '_sealed' AND id > 4; UPDATE users SET meta = meta - '_sealed' WHERE meta ? '_sealed' AND id > 4"),
  keepsSql("UPDATE users SET meta = meta - 'state' || '{\"done\": true}' WHERE kind = 'job' AND meta @> '{\"state\": \"NEW\"}'; UPDATE users SET meta = meta - 'state' - 'step' WHERE meta->>'state' = 'OLD' AND (users.meta->'step') = '4'"),
  keeps('a JSON null that becomes an empty document', 'users = sa.table("users", sa.column("meta"))\nop.execute(users.update().where(users.c.meta == postgresql.JSONB.NULL).values(meta={}))'),
  keepsSql("DROP VIEW v RESTRICT"),
  keepsSql("DROP MATERIALIZED VIEW m; CREATE MATERIALIZED VIEW m AS SELECT 2 AS a WITH NO DATA; REFRESH MATERIALIZED VIEW m"),
  keepsSql("REFRESH MATERIALIZED VIEW CONCURRENTLY m"),
  keepsSql("CREATE TYPE t AS ENUM ('a'); DROP TYPE t"),
  keepsSql("ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS ENUM ('a'); ALTER TABLE users ALTER COLUMN m TYPE mood USING m::text::mood; DROP TYPE mood_old"),
  keepsSql("ALTER TYPE app.mood RENAME TO mood_old; CREATE TYPE app.mood AS ENUM ('a'); ALTER TABLE users ALTER COLUMN m DROP DEFAULT, ALTER COLUMN m TYPE app.mood USING m::text::app.mood, ALTER m SET DEFAULT 'a'; DROP TYPE app.mood_old"),
  keepsSql("CREATE TYPE mood_new AS ENUM ('a'); ALTER TABLE users ALTER m TYPE mood_new USING m::text::mood_new; DROP TYPE mood; ALTER TYPE mood_new RENAME TO mood"),
  keepsSql("ALTER TYPE mood RENAME TO old; CREATE TYPE mood AS ENUM ('a'); ALTER TABLE users ALTER m TYPE mood USING (CASE m::text WHEN 'x' THEN 'a' ELSE m::text END)::mood; DROP TYPE old"),
  keepsSql("ALTER TYPE mood ADD VALUE 'b'; ALTER TYPE mood RENAME VALUE 'a' TO 'c'"),
  keepsSql("DO $$ BEGIN CREATE TEMP TABLE t (id int); DROP TABLE t; END $$"),
  keeps('a table of the revision, through the operations', 'op.create_table("tmp", sa.Column("id", sa.Integer))\nop.execute("DELETE FROM tmp")\nop.drop_table("tmp")'),
  keeps('a table of the revision, through its object', 'tmp = op.create_table("tmp", sa.Column("id", sa.Integer))\nop.execute(tmp.delete())\ntmp.drop(op.get_bind())'),
  keeps('a table of the revision, with a schema', 'op.create_table("tmp", sa.Column("id", sa.Integer), schema="app")\nop.drop_table("tmp", schema="app")'),
  keeps('a table of the revision, by SQLAlchemy', 'tmp = sa.Table("tmp", sa.MetaData(), sa.Column("id", sa.Integer))\ntmp.create(op.get_bind())\ntmp.drop(op.get_bind())'),
  keeps('a temporary table by prefixes', 'op.create_table("tmp", sa.Column("id", sa.Integer), prefixes=["TEMPORARY"])\nop.execute("TRUNCATE tmp")'),
  keeps('a temporary table by Table', 'tmp = sa.Table("tmp", sa.MetaData(), sa.Column("id", sa.Integer), prefixes=["TEMPORARY"])\ntmp.create(op.get_bind())\nop.get_bind().execute(tmp.delete())\ntmp.drop(op.get_bind())'),
  keeps('a column of the revision in a batch', 'with op.batch_alter_table("users") as batch:\n    batch.add_column(sa.Column("tmp", sa.Integer))\nwith op.batch_alter_table("users") as batch:\n    batch.drop_column("tmp")'),
  keeps('a temporary table of a context manager', 'with temporary() as name:\n    op.execute(f"DELETE FROM {name}")', {
    head: 'from contextlib import contextmanager\n\n@contextmanager\ndef temporary():\n    op.execute("CREATE TABLE tmp (id int)")\n    yield "tmp"\n    op.execute("DROP TABLE tmp")',
  }),
  keeps('an enum swap with helpers', 'swap("users", "mood", ["a"])', {
    head: `def swap(table, column, labels):
    op.execute(f"ALTER TYPE {column} RENAME TO {column}_old")
    sa.Enum(*labels, name=column).create(op.get_bind())
    op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {column} USING {column}::text::{column}")
    op.execute(f"DROP TYPE {column}_old")`,
  }),
  keeps('an enum swap with objects', 'tmp.create(op.get_bind(), checkfirst=False)\nop.execute("ALTER TABLE users ALTER COLUMN mood TYPE _mood USING mood::text::_mood")\nold.drop(op.get_bind(), checkfirst=False)\nnew.create(op.get_bind(), checkfirst=False)\nop.execute("ALTER TABLE users ALTER COLUMN mood TYPE mood USING mood::text::mood")\ntmp.drop(op.get_bind(), checkfirst=False)', {
    head: 'old = sa.Enum("a", "b", name="mood")\nnew = sa.Enum("a", "b", "c", name="mood")\ntmp = sa.Enum("a", "b", "c", name="_mood")',
  }),
  keeps('an enum that becomes a text', 'op.alter_column("users", "mood", existing_type=sa.Enum("a", name="mood"), type_=sa.String(), postgresql_using="mood::text")\nsa.Enum(name="mood").drop(op.get_bind())'),
  keeps('sync_enum_values', 'op.sync_enum_values("public", "mood", ["a", "b"], [("users", "mood")])'),
  keeps('the type of a column that goes with it', 'op.add_column("users", sa.Column("mood", sa.Enum("a", name="mood")))\nop.drop_column("users", "mood")\nsa.Enum(name="mood").drop(op.get_bind())'),
  keeps('alembic_utils, a view that is replaced', 'op.replace_entity(PGView("public", "active", "SELECT 1"))\nop.create_entity(PGView("public", "b", "SELECT 1"))\nop.drop_entity(PGView("public", "c", "SELECT 1"))\nop.drop_entity(PGFunction("public", "f()", "x"))', { head: 'from alembic_utils.pg_view import PGView\nfrom alembic_utils.pg_function import PGFunction' }),
  keeps('SQL with a schema that the context has', 'schema = op.get_context().opts.get("version_table_schema")\nop.execute(f"CREATE TABLE {schema}.a (id int)")\nop.execute(f"DROP TABLE {schema}.a")'),
  keeps('temporary with pg_temp', 'op.execute("CREATE TABLE pg_temp.keep (id int); TRUNCATE pg_temp.keep; DROP TABLE pg_temp.keep")'),
  keeps('same revision made', 'op.create_table("a", sa.Column("id", sa.Integer), sa.Column("b", sa.Text))\nop.execute("INSERT INTO a SELECT 1, \'x\'")\nwith op.batch_alter_table("a") as batch:\n    batch.drop_column("b")\nop.execute("UPDATE a SET id = NULL")\nop.drop_table("a")'),
  keeps('same revision made in a helper', 'name = make()\nop.drop_table(name)', { head: 'def make():\n    op.create_table("a", sa.Column("id", sa.Integer))\n    return "a"' }),
  keeps('same revision made, in a loop', 'for n in ("a", "b"):\n    op.create_table(n, sa.Column("id", sa.Integer))\nfor n in ("a", "b"):\n    op.execute(f"DELETE FROM {n}")\n    op.drop_table(n)'),
  keeps('column copy with own column', 'op.add_column("users", sa.Column("n", sa.Integer))\nop.execute("UPDATE users SET n = age::int")\nop.alter_column("users", "n", type_=sa.BigInteger())\nop.execute("UPDATE users SET n = NULL WHERE n = 0")'),
  keeps('enum swap with one helper', `op.execute("ALTER TYPE status RENAME TO status__old")
op.execute("CREATE TYPE status AS ENUM ('a', 'b')")
op.execute("ALTER TABLE orders ALTER COLUMN status DROP DEFAULT")
op.execute("ALTER TABLE orders ALTER COLUMN status TYPE status USING (status::text::status)")
op.execute("ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'a'::status")
op.execute("DROP TYPE status__old")`),
  keeps('enum swap with mapping', `op.execute("ALTER TYPE status RENAME TO old_status")
sa.Enum("a", "b", name="status").create(op.get_bind(), checkfirst=True)
with op.batch_alter_table("orders") as b:
    b.alter_column("status", type_=sa.Enum("a", "b", name="status"), postgresql_using="CASE status::text WHEN 'c' THEN 'a' ELSE status::text END::status")
op.execute("DROP TYPE IF EXISTS old_status")`),
  keeps('enum swap through text', `op.execute("ALTER TABLE orders ALTER COLUMN status TYPE VARCHAR(255) USING status::VARCHAR(255)")
op.execute("DROP TYPE IF EXISTS status")
op.execute("CREATE TYPE status AS ENUM ('a')")
op.execute("ALTER TABLE orders ALTER COLUMN status TYPE status USING status::status")`),
  keeps('view replaced', 'op.execute("DROP VIEW IF EXISTS v_orders")\nop.execute("CREATE VIEW v_orders AS SELECT 1 AS a")'),
  keeps('matview replaced later', 'op.execute("DROP MATERIALIZED VIEW mv")\nop.add_column("orders", sa.Column("x", sa.Integer))\nop.execute("CREATE MATERIALIZED VIEW mv AS SELECT x FROM orders")'),
  keeps('op.execute("CREATE TEMP TABLE d ON COMMIT DROP AS SELECT 1 AS id")', 'op.execute("CREATE TEMP TABLE d ON COMMIT DROP AS SELECT 1 AS id")\nop.execute("DELETE FROM d")\nop.execute("DROP TABLE IF EXISTS d")'),
  keeps('t = op.create_table("x", sa.Column("id", sa.Integer))', 't = op.create_table("x", sa.Column("id", sa.Integer))\nop.bulk_insert(t, [{"id": 1}])\nop.execute(t.delete())\nop.drop_table("x")'),
  keeps('op.execute("ALTER TABLE x ALTER COLUMN s TYPE s USING s::text::s")', 'op.execute("ALTER TYPE s RENAME TO s_old")\nnew = postgresql.ENUM("a", name="s")\nnew.create(op.get_bind())\nop.execute("ALTER TABLE x ALTER COLUMN s TYPE s USING s::text::s")\npostgresql.ENUM(name="s_old").drop(op.get_bind())'),
  keeps('op.execute("CREATE VIEW v AS SELECT y FROM x")', 'op.execute("DROP VIEW v")\nop.execute("ALTER TABLE x ADD COLUMN y int")\nop.execute("CREATE VIEW v AS SELECT y FROM x")'),
  keepsSql('ALTER TABLE teams ADD title text; UPDATE teams t SET title = t.name::text; ALTER TABLE teams DROP name'),
  keepsSql("ALTER TABLE tenants ADD theme jsonb; UPDATE tenants SET settings = settings - 'theme', theme = settings -> 'theme'"),
  keepsSql("ALTER TABLE users ADD email_entered text; UPDATE users SET email_entered = email; UPDATE users SET email = lower(email)"),
  keepsSql("ALTER TABLE profiles ADD data jsonb; UPDATE profiles SET data = jsonb_build_object('bio', bio, 'age', age); ALTER TABLE profiles DROP bio, DROP age"),
  keeps('a column that is copied, renamed and dropped', 'op.add_column("teams", sa.Column("new_plan", sa.Enum("a", name="plan_new")))\nop.execute("UPDATE teams SET new_plan = CAST(CAST(plan AS text) AS plan_new)")\nop.alter_column("teams", "plan", new_column_name="old_plan")\nop.alter_column("teams", "new_plan", new_column_name="plan")\nop.drop_column("teams", "old_plan")'),
  keepsSql("ALTER TABLE users ADD state text; UPDATE users SET state = 'on' WHERE active; UPDATE users SET state = 'off' WHERE active = false; ALTER TABLE users DROP active"),
];
