import { type Case, keeps } from './case';

/** Revisions that lose no existing data, although they contain such words. */
export const HARMLESS: readonly Case[] = [
  keeps(
    'a table, a column, an index that are made',
    'op.create_table("users", sa.Column("id", sa.Integer))\nop.add_column("users", sa.Column("email", sa.Text()))\nop.create_index("ix", "users", ["email"])',
  ),
  keeps('words in a docstring and in comments', '"""DROP TABLE users"""\n# op.drop_table("users"), TRUNCATE users\npass'),
  keeps('words in comments of SQL', 'op.execute("-- DROP TABLE users\\nSELECT 1 /* TRUNCATE users */")'),
  keeps('words in an INSERT', "op.execute(\"INSERT INTO audit (action) VALUES ('DROP TABLE users'), ('DELETE FROM users')\")"),
  keeps(
    'words in bulk_insert',
    'op.bulk_insert(sa.table("actions", sa.column("name")), [{"name": "TRUNCATE users"}, {"name": "drop table"}])',
  ),
  keeps('words in COMMENT', 'op.execute("COMMENT ON TABLE users IS \'never DROP TABLE users; TRUNCATE users\'")'),
  keeps('words in print', 'print("DROP TABLE users")\nlogger.info("DELETE FROM users")', {
    head: 'import logging\nlogger = logging.getLogger(__name__)',
  }),
  keeps('words in raise', 'if sa.inspect(op.get_bind()).has_table("old"):\n    raise RuntimeError("run DROP TABLE old by hand")'),
  keeps(
    'a temporary table',
    'op.execute("CREATE TEMPORARY TABLE ids AS SELECT id FROM users")\nop.execute("DELETE FROM ids")\nop.execute("DROP TABLE ids")',
  ),
  keeps(
    'a table of the same revision',
    'op.create_table("staging", sa.Column("id", sa.Integer))\nop.execute("TRUNCATE staging")\nop.drop_table("staging")',
  ),
  keeps(
    'a table of the same revision, in a file',
    'op.execute("CREATE TABLE s (id int); INSERT INTO s SELECT 1; DELETE FROM s; DROP TABLE s;")',
  ),
  keeps(
    'a table that was made by SELECT INTO',
    'op.execute("SELECT * INTO copy_of_users FROM users")\nop.execute("DROP TABLE copy_of_users")',
  ),
  keeps('a table that was made and renamed', 'op.execute("CREATE TABLE a (id int); ALTER TABLE a RENAME TO b; DROP TABLE b")'),
  keeps(
    'a column of the same revision',
    'op.add_column("users", sa.Column("tmp", sa.Text()))\nop.execute("UPDATE users SET tmp = NULL")\nop.drop_column("users", "tmp")',
  ),
  keeps(
    'a schema of the same revision',
    'op.execute("CREATE SCHEMA staging; CREATE TABLE staging.a (id int)")\nop.execute("DROP SCHEMA staging CASCADE")',
  ),
  keeps('redis', 'redis.Redis().delete("users")\nclient.delete()', {
    head: 'import redis\nclient = redis.from_url("redis://localhost")',
  }),
  keeps('a file that is deleted', 'os.remove("/tmp/x")\nshutil.rmtree("/tmp/y", ignore_errors=True)', {
    head: 'import os, shutil',
  }),
  keeps(
    'the type that an enum swap renamed away',
    'op.execute("ALTER TYPE status RENAME TO status_old")\nop.execute("CREATE TYPE status AS ENUM (\'a\', \'b\')")\nop.execute("ALTER TABLE orders ALTER COLUMN status TYPE status USING status::text::status")\nop.execute("DROP TYPE status_old")',
  ),
  keeps(
    'an enum swap with SQLAlchemy',
    'old.create(op.get_bind())\nop.alter_column("orders", "status", type_=old, existing_type=new, postgresql_using="status::text::status_old")\nnew.drop(op.get_bind(), checkfirst=False)',
    {
      head: 'old = sa.Enum("a", name="status_old")\nnew = postgresql.ENUM("a", "b", name="status")',
    },
  ),
  keeps(
    'an index, a constraint, a default',
    'op.drop_index("ix_users_email", table_name="users")\nop.drop_constraint("uq_users", "users", type_="unique")\nop.execute("ALTER TABLE users ALTER a DROP NOT NULL, ALTER b DROP DEFAULT, DROP CONSTRAINT ck CASCADE")',
  ),
  keeps(
    'a trigger, a function, a rule, a policy',
    'op.execute("DROP TRIGGER t ON users; DROP FUNCTION f() CASCADE; DROP RULE r ON users; DROP POLICY p ON users; DROP INDEX CONCURRENTLY ix")',
  ),
  keeps(
    'a view',
    'op.execute("DROP VIEW IF EXISTS active_users")\nop.execute("CREATE VIEW active_users AS SELECT * FROM users")',
  ),
  keeps(
    'a materialized view that is made anew',
    'op.execute("DROP MATERIALIZED VIEW IF EXISTS monthly")\nop.execute("CREATE MATERIALIZED VIEW monthly AS SELECT 1 AS a")',
  ),
  keeps(
    'DELETE of some rows',
    'op.execute("DELETE FROM users WHERE email IS NULL")\nop.execute(f"DELETE FROM users WHERE id IN ({ids})")',
    { head: 'ids = "1, 2"' },
  ),
  keeps('DELETE of duplicates', 'op.execute("DELETE FROM users a USING users b WHERE a.id < b.id AND a.email = b.email")'),
  keeps(
    'DELETE of rows that another query finds',
    'op.execute("DELETE FROM orders WHERE user_id NOT IN (SELECT id FROM users)")',
  ),
  keeps(
    'sa.delete with where',
    'users = sa.table("users", sa.column("id"))\nop.execute(sa.delete(users).where(users.c.id == 1))\nop.execute(users.delete().returning(users.c.id).where(users.c.id.in_([1, 2])))',
  ),
  keeps(
    'a query with a filter',
    'session = Session(bind=op.get_bind())\nsession.query(User).filter(User.id == 1).delete()\nsession.query(User).filter_by(id=1).delete()',
    {
      head: 'from sqlalchemy.orm import Session\nfrom app.models import User',
    },
  ),
  keeps(
    'one object of a session',
    'session = Session(bind=op.get_bind())\nuser = session.query(User).filter_by(id=7).one()\nsession.delete(user)\nfor old in session.query(User).filter(User.id > 3):\n    session.delete(old)',
    {
      head: 'from sqlalchemy.orm import Session\nfrom app.models import User',
    },
  ),
  keeps('a statement that nobody executes', 'sa.delete(sa.table("users"))\nSQL = "DROP TABLE users"', {
    head: 'UNUSED = "DROP TABLE users"',
  }),
  keeps('functions that only the downgrade uses', 'pass', { head: 'def gone():\n    op.drop_table("users")' }),
  keeps('a branch for another database', 'if op.get_bind().dialect.name == "sqlite":\n    op.drop_table("users")'),
  keeps(
    'GRANT TRUNCATE, a trigger on TRUNCATE',
    'op.execute("GRANT SELECT, TRUNCATE, DELETE ON users TO app")\nop.execute("CREATE TRIGGER t BEFORE TRUNCATE ON users EXECUTE FUNCTION f()")',
  ),
  keeps(
    'a trigger that deletes',
    'op.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM cache; RETURN NEW; END $$")\nop.execute("CREATE TRIGGER t AFTER INSERT ON users EXECUTE FUNCTION f()")',
  ),
  keeps(
    'date_trunc and names that look like it',
    'op.execute("SELECT date_trunc(\'day\', now())")\nop.execute("CREATE TABLE truncated (deleted_from text, drop_table_at date)")',
  ),
  keeps('a foreign key that deletes', 'op.create_foreign_key("fk", "orders", "users", ["user_id"], ["id"], ondelete="CASCADE")'),
  keeps('UPDATE of some rows to NULL', 'op.execute("UPDATE users SET email = NULL WHERE email = \'\'")'),
  keeps(
    'UPDATE from another column',
    'op.execute("UPDATE users SET email = lower(email)")\nop.execute("UPDATE users SET active = true WHERE active IS NULL")',
  ),
  keeps(
    'a type that holds more',
    'op.alter_column("users", "id", existing_type=sa.Integer(), type_=sa.BigInteger())\nop.alter_column("users", "name", existing_type=sa.String(50), type_=sa.Text())',
  ),
  keeps(
    'USING a cast',
    'op.execute("ALTER TABLE users ALTER COLUMN data TYPE jsonb USING data::jsonb, ALTER n TYPE integer USING n::integer")',
  ),
  keeps(
    'USING a time zone',
    'op.execute("ALTER TABLE users ALTER created_at TYPE timestamptz USING created_at AT TIME ZONE \'UTC\'")',
  ),
  keeps(
    'a DO block that makes a type',
    'op.execute("DO $$ BEGIN CREATE TYPE mood AS ENUM (\'a\'); EXCEPTION WHEN duplicate_object THEN NULL; END $$")',
  ),
  keeps('a DO block that says such words', 'op.execute("DO $$ BEGIN RAISE NOTICE \'DROP TABLE users\'; PERFORM 1; END $$")'),
  keeps(
    'a partition that is attached',
    'op.execute("ALTER TABLE events ATTACH PARTITION events_2025 FOR VALUES FROM (1) TO (2)")',
  ),
  keeps(
    'a list of names that are dropped elsewhere',
    'names = ["drop_table", "truncate"]\nfor name in names:\n    op.execute(sa.text("INSERT INTO actions (name) VALUES (:name)").bindparams(name=name))',
  ),
  keeps('a pandas frame', 'frame = pandas.read_sql("SELECT 1", op.get_bind())\nframe.drop(columns=["a"])', {
    head: 'import pandas',
  }),
  keeps(
    'a parameter',
    'op.get_bind().execute(sa.text("DELETE FROM users WHERE id = :id AND name = ANY(:names)"), {"id": 1})\nop.get_bind().exec_driver_sql("DELETE FROM users WHERE id = %s", (1,))',
  ),
];
