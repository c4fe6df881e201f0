import { type Example, GIVEN, one } from './example';

const TOTAL = `op.execute("CREATE FUNCTION orders_total(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")`;
const NUMBERED = 'op.execute("CREATE TABLE orders (id bigint PRIMARY KEY, number bigint NOT NULL)")';
const ADD_PLAN = 'op.add_column("users", sa.Column("plan", sa.Text(), nullable=True))';
const DROP_PLAN = 'op.drop_column("users", "plan")';

/** Two tables whose names are exchanged. */
const TRADED = {
  ...one(
    `
op.rename_table("orders", "old_orders")
op.rename_table("new_orders", "orders")
`,
    `
op.rename_table("orders", "new_orders")
op.rename_table("old_orders", "orders")
`,
  ),
  also: ['locks-several-tables'],
};

/** A new column is filled, and another one dropped. @param value SQL */
const filled = (value: string) => [
  {
    up: 'op.add_column("users", sa.Column("full_name", sa.Text(), nullable=True))',
    down: 'op.drop_column("users", "full_name")',
  },
  { up: `op.execute("UPDATE users SET full_name = ${value} WHERE full_name IS NULL")` },
  {
    up: 'op.drop_column("users", "name")  # cdk-alembic: allow drop-column: nobody needs it',
    down: `
op.add_column("users", sa.Column("name", sa.String(100), nullable=True))
op.execute("UPDATE users SET name = full_name WHERE id > 0")
`,
  },
];

/** Two counters get a wider type in new columns. @param taken the counters whose name the new column gets */
const wider = (...taken: readonly ('logins' | 'visits')[]) => [
  {
    up: 'op.execute("ALTER TABLE users ADD COLUMN logins_new bigint, ADD COLUMN visits_new bigint")',
    down: 'op.execute("ALTER TABLE users DROP COLUMN logins_new, DROP COLUMN visits_new")',
  },
  { up: 'op.execute("UPDATE users SET logins_new = logins, visits_new = visits WHERE logins_new IS NULL")' },
  {
    up: `
# cdk-alembic: allow drop-column: the new columns have their values
op.execute("ALTER TABLE users DROP COLUMN logins, DROP COLUMN visits")
${taken.map((name) => `op.execute("ALTER TABLE users RENAME COLUMN ${name}_new TO ${name}")`).join('\n')}
`,
    down: `
${taken.map((name) => `op.execute("ALTER TABLE users RENAME COLUMN ${name} TO ${name}_new")`).join('\n')}
op.execute("ALTER TABLE users ADD COLUMN logins integer, ADD COLUMN visits integer")
op.execute("UPDATE users SET logins = logins_new, visits = visits_new WHERE id > 0")
`,
  },
];

export const COMPATIBILITY: readonly Example[] = [
  {
    rule: 'rename',
    bad: one(
      'op.alter_column("users", "name", new_column_name="full_name")',
      'op.alter_column("users", "full_name", new_column_name="name")',
    ),
    good: one(
      'op.execute("ALTER INDEX ix_orders_user_id RENAME TO ix_orders_by_user")',
      'op.execute("ALTER INDEX ix_orders_by_user RENAME TO ix_orders_user_id")',
    ),
  },
  {
    rule: 'rename',
    about: 'of a column that is set aside',
    severity: 'warning',
    bad: one(
      'op.alter_column("users", "name", new_column_name="name_drop_after_20261226")',
      'op.alter_column("users", "name_drop_after_20261226", new_column_name="name")',
    ),
    good: one(
      'op.execute("ALTER INDEX ix_orders_user_id RENAME TO ix_orders_user_id_drop_after_20261226")',
      'op.execute("ALTER INDEX ix_orders_user_id_drop_after_20261226 RENAME TO ix_orders_user_id")',
    ),
  },
  {
    rule: 'rename',
    about: 'of a table',
    bad: one('op.rename_table("orders", "sales_orders")', 'op.rename_table("sales_orders", "orders")'),
    good: one(
      `
op.rename_table("orders", "sales_orders")
op.execute("CREATE VIEW orders AS SELECT * FROM sales_orders")
`,
      `
op.execute("DROP VIEW orders")
op.rename_table("sales_orders", "orders")
`,
    ),
  },
  {
    rule: 'rename',
    about: 'by which two tables trade places',
    given: `${GIVEN}\nop.execute("CREATE TABLE new_orders (id bigint PRIMARY KEY)")`,
    good: TRADED,
  },
  {
    rule: 'rename',
    about: 'by which a view and a foreign key are left with the old table',
    given: `${GIVEN}
op.execute("CREATE TABLE new_orders (id bigint PRIMARY KEY, total numeric)")
op.execute("CREATE VIEW totals_orders AS SELECT total FROM orders")
op.execute("CREATE TABLE lines_orders (id bigint REFERENCES orders)")`,
    bad: TRADED,
    good: {
      ...one(
        `
op.execute("ALTER TABLE lines_orders DROP CONSTRAINT lines_orders_id_fkey")
op.execute("DROP VIEW totals_orders")
op.rename_table("orders", "old_orders")
op.rename_table("new_orders", "orders")
op.execute("CREATE VIEW totals_orders AS SELECT total FROM orders")
`,
        `
op.execute("DROP VIEW totals_orders")
op.rename_table("orders", "new_orders")
op.rename_table("old_orders", "orders")
op.execute("CREATE VIEW totals_orders AS SELECT total FROM orders")
op.execute("ALTER TABLE lines_orders ADD CONSTRAINT lines_orders_id_fkey FOREIGN KEY (id) REFERENCES orders")
`,
      ),
      also: ['locks-several-tables'],
    },
  },
  {
    rule: 'rename',
    about: 'into another schema',
    given: `${GIVEN}\nop.execute("CREATE SCHEMA old_orders")`,
    bad: one(
      'op.execute("ALTER TABLE orders SET SCHEMA old_orders")',
      'op.execute("ALTER TABLE old_orders.orders SET SCHEMA public")',
    ),
    good: one(
      `
op.execute("ALTER TABLE orders SET SCHEMA old_orders")
op.execute("CREATE VIEW orders AS SELECT * FROM old_orders.orders")
`,
      `
op.execute("DROP VIEW orders")
op.execute("ALTER TABLE old_orders.orders SET SCHEMA public")
`,
    ),
  },
  {
    rule: 'rename',
    about: 'of a type',
    given: `${GIVEN}\nop.execute("CREATE SCHEMA old_orders")\nop.execute("CREATE TYPE old_orders.mood AS ENUM ('ok')")\nop.execute("ALTER TABLE users ADD moods old_orders.mood[]")`,
    bad: one(
      'op.execute("ALTER TYPE old_orders.mood RENAME TO feeling")',
      'op.execute("ALTER TYPE old_orders.feeling RENAME TO mood")',
    ),
    good: one(
      `
# cdk-alembic: allow table-rewrite: few users
op.execute("ALTER TYPE old_orders.mood RENAME TO old_mood")
op.execute("CREATE TYPE old_orders.new_mood AS ENUM ('ok', 'bad')")
op.execute("ALTER TYPE old_orders.new_mood RENAME TO mood")
op.execute("ALTER TABLE users ALTER moods TYPE old_orders.mood[] USING moods::text::old_orders.mood[]")
op.execute("DROP TYPE old_orders.old_mood")
`,
      `
op.execute("ALTER TYPE old_orders.mood RENAME TO new_mood")
op.execute("CREATE TYPE old_orders.mood AS ENUM ('ok')")
op.execute("ALTER TABLE users ALTER moods TYPE old_orders.mood[] USING moods::text::old_orders.mood[]")
op.execute("DROP TYPE old_orders.new_mood")
`,
    ),
  },
  {
    rule: 'rename',
    about: 'of an attribute of a type',
    given: `${GIVEN}\nop.execute("CREATE TYPE mood AS (level integer)")\nop.execute("ALTER TABLE users ADD mood mood")`,
    bad: one(
      'op.execute("ALTER TYPE mood RENAME ATTRIBUTE level TO degree")',
      'op.execute("ALTER TYPE mood RENAME ATTRIBUTE degree TO level")',
    ),
    good: one(
      'op.execute("ALTER TYPE mood ADD ATTRIBUTE degree integer")',
      'op.execute("ALTER TYPE mood DROP ATTRIBUTE degree")',
    ),
  },
  {
    rule: 'rename',
    about: 'of a function',
    given: TOTAL,
    bad: one(
      'op.execute("ALTER FUNCTION orders_total(int) RENAME TO orders_sum")',
      'op.execute("ALTER FUNCTION orders_sum(int) RENAME TO orders_total")',
    ),
    good: one(
      `
op.execute("CREATE FUNCTION new_orders_total(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")
op.execute("ALTER FUNCTION new_orders_total(int) RENAME TO orders_sum")
`,
      'op.execute("DROP FUNCTION orders_sum(int)")',
    ),
  },
  {
    rule: 'published-table-altered',
    given: `${GIVEN}\nop.execute("CREATE PUBLICATION reports_users FOR TABLE users")`,
    bad: one('op.add_column("users", sa.Column("plan", sa.Text(), nullable=True))', 'op.drop_column("users", "plan")'),
    good: one('op.add_column("orders", sa.Column("plan", sa.Text(), nullable=True))', 'op.drop_column("orders", "plan")'),
  },
  {
    rule: 'unique-dropped',
    given: `${GIVEN}\nop.create_unique_constraint("uq_users_email", "users", ["email"])`,
    bad: one(
      'op.drop_constraint("uq_users_email", "users", type_="unique")',
      'op.create_unique_constraint("uq_users_email", "users", ["email"])',
    ),
    good: one(
      `
# cdk-alembic: allow unique-on-existing-rows: uq_users_email keeps them unique
with op.get_context().autocommit_block():
    op.create_index("ux_users_email", "users", ["email"], unique=True, postgresql_concurrently=True)
op.drop_constraint("uq_users_email", "users", type_="unique")
`,
      `
with op.get_context().autocommit_block():
    op.create_index("uq_users_email", "users", ["email"], unique=True, postgresql_concurrently=True)
    op.drop_index("ux_users_email", "users", postgresql_concurrently=True)
op.execute("ALTER TABLE users ADD CONSTRAINT uq_users_email UNIQUE USING INDEX uq_users_email")
`,
    ),
  },
  {
    rule: 'unique-dropped',
    about: 'for one that is deferrable',
    given: `${GIVEN}\nop.create_unique_constraint("uq_users_email", "users", ["email"])`,
    bad: {
      ...one(
        'op.drop_constraint("uq_users_email", "users", type_="unique")\nop.create_unique_constraint("uq_users_email", "users", ["email"], deferrable=True)',
        'op.drop_constraint("uq_users_email", "users", type_="unique")\nop.create_unique_constraint("uq_users_email", "users", ["email"])',
      ),
      also: ['constraint-builds-index', 'unique-on-existing-rows'],
    },
    good: one('op.execute("COMMENT ON CONSTRAINT uq_users_email ON users IS NULL")', 'op.execute("SELECT 1")'),
  },
  {
    rule: 'unique-dropped',
    about: 'that is an index',
    given: `${GIVEN}\nop.create_index("ux_users_email", "users", ["email"], unique=True)`,
    bad: one(
      'with op.get_context().autocommit_block():\n    op.drop_index("ux_users_email", "users", postgresql_concurrently=True)',
      'with op.get_context().autocommit_block():\n    op.create_index("ux_users_email", "users", ["email"], unique=True, postgresql_concurrently=True)',
    ),
    good: one(
      'with op.get_context().autocommit_block():\n    op.drop_index("ix_orders_user_id", "orders", postgresql_concurrently=True)',
      'with op.get_context().autocommit_block():\n    op.create_index("ix_orders_user_id", "orders", ["user_id"], postgresql_concurrently=True)',
    ),
  },
  {
    rule: 'unique-dropped',
    about: 'that holds for some rows',
    given: `${GIVEN}\nop.create_index("ux_users_email", "users", ["email"], unique=True, postgresql_where=sa.text("id > 9"))`,
    bad: one(
      'with op.get_context().autocommit_block():\n    op.drop_index("ux_users_email", "users", postgresql_concurrently=True)',
      'with op.get_context().autocommit_block():\n    op.create_index("ux_users_email", "users", ["email"], unique=True, postgresql_where=sa.text("id > 9"), postgresql_concurrently=True)',
    ),
    good: one(
      `
# cdk-alembic: allow unique-on-existing-rows: ux_users_email keeps most of them unique
with op.get_context().autocommit_block():
    op.create_index("ux_users_email_new", "users", ["email"], unique=True, postgresql_where=sa.text("id > 7"), postgresql_concurrently=True)
    op.drop_index("ux_users_email", "users", postgresql_concurrently=True)
`,
      `
with op.get_context().autocommit_block():
    op.create_index("ux_users_email", "users", ["email"], unique=True, postgresql_where=sa.text("id > 9"), postgresql_concurrently=True)
    op.drop_index("ux_users_email_new", "users", postgresql_concurrently=True)
`,
    ),
  },
  {
    rule: 'access-changed',
    about: 'by REVOKE',
    given: `${GIVEN}\nop.execute("GRANT SELECT, INSERT ON users TO PUBLIC")`,
    bad: one('op.execute("REVOKE INSERT ON users FROM PUBLIC")', 'op.execute("GRANT INSERT ON users TO PUBLIC")'),
    good: one('op.execute("GRANT UPDATE ON users TO pg_monitor")', 'op.execute("REVOKE UPDATE ON users FROM pg_monitor")'),
  },
  {
    rule: 'access-changed',
    about: 'by a setting of a role',
    bad: one(
      `op.execute("ALTER ROLE CURRENT_USER SET work_mem = '8MB'")`,
      'op.execute("ALTER ROLE CURRENT_USER RESET work_mem")',
    ),
    good: one(`op.execute("SET LOCAL work_mem = '8MB'")`),
  },
  {
    rule: 'access-changed',
    about: 'by another owner',
    bad: one(
      'op.execute("ALTER TABLE users OWNER TO pg_database_owner")',
      'op.execute("ALTER TABLE users OWNER TO CURRENT_USER")',
    ),
    good: one(
      'op.execute("CREATE TABLE notes (id bigint PRIMARY KEY)")\nop.execute("ALTER TABLE notes OWNER TO pg_database_owner")',
      'op.execute("DROP TABLE notes")',
    ),
  },
  {
    rule: 'access-changed',
    about: 'because policies no longer apply',
    given: `${GIVEN}\nop.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")`,
    bad: one(
      'op.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")',
      'op.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")',
    ),
    good: one('op.execute("CREATE POLICY all_rows ON users USING (true)")', 'op.execute("DROP POLICY all_rows ON users")'),
  },
  {
    rule: 'access-changed',
    about: 'because a policy is gone',
    given: `${GIVEN}\nop.execute("CREATE POLICY own_rows ON users USING (name = current_user)")`,
    bad: one(
      'op.execute("DROP POLICY own_rows ON users")',
      'op.execute("CREATE POLICY own_rows ON users USING (name = current_user)")',
    ),
    good: one(
      'op.execute("DROP POLICY own_rows ON users")\nop.execute("CREATE POLICY own_rows ON users USING (email = current_user)")',
      'op.execute("DROP POLICY own_rows ON users")\nop.execute("CREATE POLICY own_rows ON users USING (name = current_user)")',
    ),
  },
  {
    rule: 'access-changed',
    about: 'because a table inherits',
    given: 'op.execute("CREATE TABLE orders (id bigint NOT NULL)")\nop.execute("CREATE TABLE old_orders (id bigint NOT NULL)")',
    bad: one('op.execute("ALTER TABLE old_orders INHERIT orders")', 'op.execute("ALTER TABLE old_orders NO INHERIT orders")'),
    good: one('op.execute("CREATE TABLE more_orders () INHERITS (orders)")', 'op.execute("DROP TABLE more_orders")'),
  },
  {
    rule: 'rename',
    about: 'after a return of the other stages',
    bad: {
      ...one('if stage() != "prod":\n    return\nop.execute("ALTER TABLE users RENAME COLUMN name TO full_name")', undefined, {
        head: 'import os\n\ndef stage():\n    return os.getenv("STAGE")\n',
      }),
      also: ['early-return', 'reads-outside'],
    },
    good: {
      ...one('if stage() != "prod":\n    return\nop.execute("ALTER TABLE users ADD COLUMN full_name text")', undefined, {
        head: 'import os\n\ndef stage():\n    return os.getenv("STAGE")\n',
      }),
      also: ['early-return', 'reads-outside'],
    },
  },
  {
    rule: 'constraint-dropped',
    given: `${GIVEN}
op.create_foreign_key("fk_orders_user_id", "orders", "users", ["user_id"], ["id"], ondelete="CASCADE")
op.create_check_constraint("ck_orders_total", "orders", "total >= 0")
`,
    bad: one(
      'op.drop_constraint("fk_orders_user_id", "orders", type_="foreignkey")',
      `
op.create_foreign_key("fk_orders_user_id", "orders", "users", ["user_id"], ["id"], ondelete="CASCADE", postgresql_not_valid=True)
op.execute("ALTER TABLE orders VALIDATE CONSTRAINT fk_orders_user_id")
`,
    ),
    good: one(
      `
op.create_check_constraint("ck_orders_total_positive", "orders", "total > 0", postgresql_not_valid=True)
op.drop_constraint("ck_orders_total", "orders", type_="check")
`,
      `
op.create_check_constraint("ck_orders_total", "orders", "total >= 0", postgresql_not_valid=True)
op.drop_constraint("ck_orders_total_positive", "orders", type_="check")
op.execute("ALTER TABLE orders VALIDATE CONSTRAINT ck_orders_total")
`,
    ),
  },
  {
    rule: 'other-object-accepted',
    bad: one(
      'op.create_table("users", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("plan", sa.Text()), if_not_exists=True)',
      'op.execute("SELECT 1")',
    ),
    good: one(
      `
op.create_table("users", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("plan", sa.Text()), if_not_exists=True)
op.execute("ALTER TABLE users ADD COLUMN IF NOT EXISTS plan text")
`,
      DROP_PLAN,
    ),
  },
  {
    rule: 'other-object-accepted',
    about: 'of a column',
    bad: one('op.execute("ALTER TABLE users ADD COLUMN IF NOT EXISTS email jsonb")', 'op.execute("SELECT 1")'),
    good: one('op.execute("ALTER TABLE users ADD COLUMN IF NOT EXISTS name varchar")', 'op.execute("SELECT 1")'),
  },
  {
    rule: 'other-object-accepted',
    about: 'of an index',
    bad: one('op.execute("CREATE INDEX IF NOT EXISTS ix_orders_user_id ON orders (total)")', 'op.execute("SELECT 1")'),
    good: one('op.execute("CREATE INDEX IF NOT EXISTS ix_orders_user_id ON orders (user_id)")', 'op.execute("SELECT 1")'),
  },
  {
    rule: 'sequence-limited',
    bad: one('op.execute("ALTER SEQUENCE users_id_seq CYCLE")', 'op.execute("ALTER SEQUENCE users_id_seq NO CYCLE")'),
    good: one(
      `
op.execute("CREATE SEQUENCE tickets CYCLE MAXVALUE 999")
op.execute("ALTER SEQUENCE tickets MAXVALUE 99")
`,
      'op.execute("DROP SEQUENCE tickets")',
    ),
  },
  {
    rule: 'sequence-limited',
    about: 'of an identity',
    bad: one(
      'op.execute("ALTER TABLE users ALTER id SET MAXVALUE 99999")',
      'op.execute("ALTER TABLE users ALTER id SET NO MAXVALUE")',
    ),
    good: one(
      'op.execute("ALTER TABLE users ALTER id SET MAXVALUE 9007199254740991")',
      'op.execute("ALTER TABLE users ALTER id SET NO MAXVALUE")',
    ),
  },
  {
    rule: 'sequence-out-of-sync',
    about: 'after rows with their own numbers',
    bad: one(
      'op.bulk_insert(sa.table("users", sa.column("id"), sa.column("name")), [{"id": 1, "name": "root"}, {"id": 2, "name": "guest"}])',
      'op.execute("DELETE FROM users WHERE id IN (1, 2)")',
    ),
    good: one(
      `op.execute("INSERT INTO users (id, name) VALUES (DEFAULT, 'root'), (-1, 'system'), (nextval('users_id_seq'), 'guest')")`,
      "op.execute(\"DELETE FROM users WHERE name IN ('root', 'system', 'guest')\")",
    ),
  },
  {
    rule: 'sequence-out-of-sync',
    about: 'unless the column is a text',
    given: `${NUMBERED}\nop.execute("CREATE SEQUENCE orders_numbers")\nop.execute("ALTER TABLE orders ADD code text DEFAULT nextval('orders_numbers')")`,
    good: one(
      `op.execute("INSERT INTO orders (id, number, code) VALUES (1, 1, 'd1')")`,
      'op.execute("DELETE FROM orders WHERE id = 1")',
    ),
  },
  {
    rule: 'sequence-out-of-sync',
    about: 'of a table that is copied',
    bad: one(
      `
op.execute("CREATE TABLE old_users (id bigserial PRIMARY KEY, email text)")
op.execute("INSERT INTO old_users SELECT id, email FROM users WHERE id < 100")
`,
      'op.drop_table("old_users")',
    ),
    good: one(
      `
op.execute("CREATE TABLE old_users (id bigserial PRIMARY KEY, email text)")
op.execute("INSERT INTO old_users SELECT id, email FROM users WHERE id < 100")
op.execute("SELECT setval('old_users_id_seq', (SELECT max(id) FROM old_users))")
`,
      'op.drop_table("old_users")',
    ),
  },
  {
    rule: 'column-refuses-values',
    bad: one(
      'op.execute("ALTER TABLE users ALTER COLUMN id SET GENERATED ALWAYS")',
      'op.execute("ALTER TABLE users ALTER COLUMN id SET GENERATED BY DEFAULT")',
    ),
    good: one(
      'op.execute("ALTER TABLE users ALTER COLUMN id SET GENERATED BY DEFAULT SET INCREMENT BY 2")',
      'op.execute("ALTER TABLE users ALTER COLUMN id SET INCREMENT BY 1")',
    ),
  },
  {
    rule: 'column-refuses-values',
    about: 'and gets its numbers',
    given: NUMBERED,
    bad: {
      ...one(
        'op.execute("ALTER TABLE orders ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (START WITH 1000)")',
        'op.execute("ALTER TABLE orders ALTER COLUMN number DROP IDENTITY")',
      ),
    },
    good: one(
      'op.execute("ALTER TABLE orders ALTER COLUMN number ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 1000)")',
      'op.execute("ALTER TABLE orders ALTER COLUMN number DROP IDENTITY")',
    ),
  },
  {
    rule: 'rule-rewrites-statements',
    bad: one(
      'op.execute("CREATE RULE keep_users AS ON DELETE TO users DO INSTEAD NOTHING")',
      'op.execute("DROP RULE keep_users ON users")',
    ),
    good: one(
      `
op.execute("CREATE VIEW names_users AS SELECT DISTINCT name FROM users")
op.execute("CREATE RULE keep_users AS ON DELETE TO names_users DO INSTEAD NOTHING")
`,
      'op.execute("DROP VIEW names_users")',
    ),
  },
  {
    rule: 'replaced-in-use',
    given: TOTAL,
    bad: one(
      `op.execute("CREATE OR REPLACE FUNCTION orders_total(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2'")`,
      `op.execute("CREATE OR REPLACE FUNCTION orders_total(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")`,
    ),
    good: one(
      `op.execute("CREATE OR REPLACE FUNCTION orders_total(text) RETURNS int LANGUAGE sql AS 'SELECT 1'")`,
      'op.execute("DROP FUNCTION orders_total(text)")',
    ),
  },
  {
    rule: 'replaced-in-use',
    about: 'with other rows',
    given: `${GIVEN}\nop.execute("CREATE VIEW active_users AS SELECT id, name FROM users WHERE active")`,
    bad: one(
      'op.execute("CREATE OR REPLACE VIEW active_users AS SELECT id, name FROM users WHERE active AND name IS NOT NULL")',
      'op.execute("CREATE OR REPLACE VIEW active_users AS SELECT id, name FROM users WHERE active")',
    ),
    good: one(
      'op.execute("CREATE OR REPLACE VIEW active_users AS SELECT id, name, email FROM users WHERE active")',
      'op.execute("DROP VIEW active_users")\nop.execute("CREATE VIEW active_users AS SELECT id, name FROM users WHERE active")',
    ),
  },
  {
    rule: 'replaced-in-use',
    about: 'by a trigger of its name',
    given: `${GIVEN}\nop.execute("CREATE TRIGGER once BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()")`,
    bad: one(
      'op.execute("CREATE OR REPLACE TRIGGER once BEFORE UPDATE OF name ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()")',
      'op.execute("CREATE OR REPLACE TRIGGER once BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()")',
    ),
    good: one(
      'op.execute("CREATE OR REPLACE TRIGGER twice BEFORE UPDATE OF name ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()")',
      'op.execute("DROP TRIGGER twice ON users")',
    ),
  },
  {
    rule: 'access-changed',
    about: 'because policies apply',
    bad: one(
      `
op.execute("CREATE POLICY own_rows ON users USING (name = current_user)")
op.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
`,
      `
op.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
op.execute("DROP POLICY own_rows ON users")
`,
    ),
    good: one(
      `
op.execute("CREATE TABLE memos (id bigint PRIMARY KEY, owner text)")
op.execute("CREATE POLICY own_rows ON memos USING (owner = current_user)")
op.execute("ALTER TABLE memos ENABLE ROW LEVEL SECURITY")
op.execute("ALTER TABLE memos FORCE ROW LEVEL SECURITY")
`,
      'op.execute("DROP TABLE memos")',
    ),
  },
  {
    rule: 'access-changed',
    about: 'because policies also apply to the owner',
    bad: one(
      'op.execute("ALTER TABLE users FORCE ROW LEVEL SECURITY")',
      'op.execute("ALTER TABLE users NO FORCE ROW LEVEL SECURITY")',
    ),
    good: one(
      'op.execute("ALTER TABLE users NO FORCE ROW LEVEL SECURITY")',
      'op.execute("ALTER TABLE users NO FORCE ROW LEVEL SECURITY")',
    ),
  },
  {
    rule: 'access-changed',
    about: 'because a policy is restrictive',
    bad: one(
      'op.execute("CREATE POLICY own_rows ON users AS RESTRICTIVE USING (name = current_user)")',
      'op.execute("DROP POLICY own_rows ON users")',
    ),
    good: one(
      'op.execute("CREATE POLICY own_rows ON users USING (name = current_user)")',
      'op.execute("DROP POLICY own_rows ON users")',
    ),
  },
  {
    rule: 'access-changed',
    about: 'because a policy admits other rows',
    given: `${GIVEN}\nop.execute("CREATE POLICY own_rows ON users USING (name = current_user)")`,
    bad: one(
      'op.execute("ALTER POLICY own_rows ON users USING (email = current_user)")',
      'op.execute("ALTER POLICY own_rows ON users USING (name = current_user)")',
    ),
    good: one(
      'op.execute("ALTER POLICY own_rows ON users RENAME TO rows_of_own")',
      'op.execute("ALTER POLICY rows_of_own ON users RENAME TO own_rows")',
    ),
  },
  {
    rule: 'access-changed',
    about: 'because every role may create in a schema',
    given: `${GIVEN}\nop.execute("CREATE SCHEMA old_orders")`,
    bad: one(
      'op.execute("GRANT CREATE ON SCHEMA old_orders TO PUBLIC")',
      'op.execute("REVOKE CREATE ON SCHEMA old_orders FROM PUBLIC")',
    ),
    good: one(
      'op.execute("GRANT USAGE ON SCHEMA old_orders TO PUBLIC")',
      'op.execute("REVOKE USAGE ON SCHEMA old_orders FROM PUBLIC")',
    ),
  },
  {
    rule: 'access-changed',
    about: 'by a role that gets those of another',
    bad: one('op.execute("GRANT pg_read_all_data TO pg_monitor")', 'op.execute("REVOKE pg_read_all_data FROM pg_monitor")'),
    good: one('op.execute("GRANT SELECT ON users TO pg_monitor")', 'op.execute("REVOKE SELECT ON users FROM pg_monitor")'),
  },
  {
    rule: 'required-column',
    about: 'that is no longer computed',
    severity: 'warning',
    given:
      'op.execute("CREATE TABLE orders (id bigint PRIMARY KEY, total numeric, twice numeric GENERATED ALWAYS AS (total * 2) STORED)")',
    bad: {
      ...one('op.execute("ALTER TABLE orders ALTER COLUMN twice DROP EXPRESSION")'),
      also: ['downgrade-missing'],
    },
    good: one(
      'op.execute("ALTER TABLE orders ALTER COLUMN total SET DEFAULT 0")',
      'op.execute("ALTER TABLE orders ALTER COLUMN total DROP DEFAULT")',
    ),
  },
  {
    rule: 'sequence-out-of-sync',
    about: 'that begins again',
    given: `${GIVEN}\nop.execute("CREATE SEQUENCE orders_numbers")`,
    bad: one('op.execute("ALTER SEQUENCE orders_numbers RESTART WITH 1")'),
    good: one('op.execute("SELECT setval(\'orders_numbers\', (SELECT max(id) FROM orders))")'),
  },
  {
    rule: 'sequence-out-of-sync',
    about: 'after setval() to a number',
    bad: one("op.execute(\"SELECT setval(pg_get_serial_sequence('users', 'id'), 1)\")"),
    good: one("op.execute(\"SELECT setval(pg_get_serial_sequence('users', 'id'), (SELECT max(id) FROM users))\")"),
  },
  {
    rule: 'sequence-out-of-sync',
    about: 'after the identity begins again',
    bad: one('op.execute("ALTER TABLE users ALTER COLUMN id RESTART WITH 1")'),
    good: one(
      'op.execute("CREATE TABLE invites_users (id bigint GENERATED ALWAYS AS IDENTITY)")\nop.execute("ALTER TABLE invites_users ALTER COLUMN id RESTART WITH 9")\nop.execute("SELECT setval(\'invites_users_id_seq\', 20)")',
      'op.drop_table("invites_users")',
    ),
  },
  {
    rule: 'ends-sessions',
    bad: one('op.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = 0")'),
    good: one('op.execute("SELECT pid FROM pg_stat_activity WHERE pid = 0")'),
  },
  {
    rule: 'access-changed',
    about: 'for every role',
    bad: one('op.execute("GRANT SELECT ON users TO PUBLIC")', 'op.execute("REVOKE SELECT ON users FROM PUBLIC")'),
    good: one('op.execute("GRANT SELECT ON users TO pg_monitor")', 'op.execute("REVOKE SELECT ON users FROM pg_monitor")'),
  },
  {
    rule: 'access-changed',
    about: 'by a new role',
    bad: one('op.execute("DO $$ BEGIN IF false THEN CREATE ROLE app LOGIN PASSWORD \'x\'; END IF; END $$")'),
    good: one('op.execute("GRANT SELECT ON users TO pg_monitor")', 'op.execute("REVOKE SELECT ON users FROM pg_monitor")'),
  },
  {
    rule: 'drop-in-use',
    about: 'of a trigger',
    severity: 'warning',
    given: `${GIVEN}\nop.execute("CREATE TRIGGER once BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()")`,
    bad: one(
      'op.execute("DROP TRIGGER once ON users")',
      'op.execute("CREATE TRIGGER once BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()")',
    ),
    good: {
      ...one(
        'op.execute("DROP TRIGGER once ON users")\nop.execute("CREATE TRIGGER once BEFORE UPDATE OF name ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()")',
        'op.execute("DROP TRIGGER once ON users")\nop.execute("CREATE TRIGGER once BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()")',
      ),
      also: ['replaced-in-use'],
    },
  },
  {
    rule: 'drop-in-use',
    about: 'of a column of a view',
    severity: 'warning',
    given: `${GIVEN}\nop.execute("CREATE VIEW active_users AS SELECT id, name FROM users WHERE active")`,
    bad: one(
      'op.execute("DROP VIEW active_users")\nop.execute("CREATE VIEW active_users AS SELECT id FROM users WHERE active")',
      'op.execute("DROP VIEW active_users")\nop.execute("CREATE VIEW active_users AS SELECT id, name FROM users WHERE active")',
    ),
    good: one(
      'op.execute("DROP VIEW active_users")\nop.execute("CREATE VIEW active_users AS SELECT id, email, name FROM users WHERE active")',
      'op.execute("DROP VIEW active_users")\nop.execute("CREATE VIEW active_users AS SELECT id, name FROM users WHERE active")',
    ),
  },
  {
    rule: 'drop-in-use',
    about: 'of what a function returns',
    severity: 'warning',
    given: `${GIVEN}\nop.execute("CREATE FUNCTION orders_one(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")`,
    bad: one(
      `op.execute("DROP FUNCTION orders_one(int)")\nop.execute("CREATE FUNCTION orders_one(int) RETURNS text LANGUAGE sql AS 'SELECT $1::text'")`,
      `op.execute("DROP FUNCTION orders_one(int)")\nop.execute("CREATE FUNCTION orders_one(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")`,
    ),
    good: {
      ...one(
        `op.execute("CREATE OR REPLACE FUNCTION orders_one(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1'")`,
        `op.execute("CREATE OR REPLACE FUNCTION orders_one(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")`,
      ),
      also: ['replaced-in-use'],
    },
  },
  {
    rule: 'required-column',
    about: 'that may be NULL',
    severity: 'warning',
    given: `${GIVEN}\nop.add_column("users", sa.Column("plan", sa.Text(), server_default="free"))`,
    bad: one('op.alter_column("users", "plan", server_default=None)', 'op.alter_column("users", "plan", server_default="free")'),
    good: one(
      'op.alter_column("users", "plan", server_default="basic")',
      'op.alter_column("users", "plan", server_default="free")',
    ),
  },
  {
    rule: 'sequence-out-of-sync',
    about: 'of an identity',
    given: NUMBERED,
    bad: one(
      'op.execute("ALTER TABLE orders ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY")',
      'op.execute("ALTER TABLE orders ALTER COLUMN id DROP IDENTITY")',
    ),
    good: one(
      `
op.execute("ALTER TABLE orders ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY")
op.execute("SELECT setval(pg_get_serial_sequence('orders', 'id'), (SELECT max(id) FROM orders))")
`,
      'op.execute("ALTER TABLE orders ALTER COLUMN id DROP IDENTITY")',
    ),
  },
  {
    rule: 'sequence-out-of-sync',
    about: 'of a default',
    given: NUMBERED,
    bad: one(
      `
op.execute("CREATE SEQUENCE orders_numbers")
op.alter_column("orders", "number", server_default=sa.text("nextval('orders_numbers')"))
`,
      `
op.alter_column("orders", "number", server_default=None)
op.execute("DROP SEQUENCE orders_numbers")
`,
    ),
    good: one(
      `
op.execute("CREATE SEQUENCE orders_numbers START WITH 1000")
op.alter_column("orders", "number", server_default=sa.text("nextval('orders_numbers')"))
`,
      `
op.alter_column("orders", "number", server_default=None)
op.execute("DROP SEQUENCE orders_numbers")
`,
    ),
  },
  {
    rule: 'row-security-without-policy',
    bad: one(
      'op.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")',
      'op.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")',
    ),
    good: {
      ...one(
        `
op.execute("CREATE POLICY own_rows ON users USING (name = current_user)")
op.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
`,
        `
op.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
op.execute("DROP POLICY own_rows ON users")
`,
      ),
      also: ['access-changed'],
    },
  },
  {
    rule: 'not-null-without-default',
    bad: one('op.add_column("users", sa.Column("plan", sa.Text(), nullable=False))', 'op.drop_column("users", "plan")'),
    good: one(
      'op.add_column("users", sa.Column("plan", sa.Text(), server_default="free", nullable=False))',
      'op.drop_column("users", "plan")',
    ),
  },
  {
    rule: 'required-column',
    about: 'that is new',
    bad: one(
      `
op.add_column("users", sa.Column("plan", sa.Text(), server_default="free", nullable=False))
op.alter_column("users", "plan", server_default=None)
`,
      'op.drop_column("users", "plan")',
    ),
    good: one(
      `
op.add_column("users", sa.Column("plan", sa.Text(), server_default="free", nullable=False))
op.alter_column("users", "plan", server_default="basic")
`,
      'op.drop_column("users", "plan")',
    ),
  },
  {
    rule: 'required-column',
    about: 'that the same change adds and fills',
    bad: {
      revisions: [
        { up: ADD_PLAN, down: DROP_PLAN },
        {
          up: 'op.create_check_constraint("ck_users_plan", "users", "plan IS NOT NULL", postgresql_not_valid=True)',
          down: 'op.drop_constraint("ck_users_plan", "users", type_="check")',
        },
        {
          up: `
op.execute("ALTER TABLE users VALIDATE CONSTRAINT ck_users_plan")
op.alter_column("users", "plan", nullable=False)
`,
          down: 'op.alter_column("users", "plan", nullable=True)',
        },
      ],
      also: ['downgrade-not-restoring'],
    },
    good: {
      revisions: [
        {
          up: `
${ADD_PLAN}
op.execute("CREATE FUNCTION fill_users() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.plan := 'free'; RETURN NEW; END $$")
op.execute("CREATE TRIGGER fill BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fill_users()")
op.alter_column("users", "plan", nullable=False)
`,
          down: `
op.execute("DROP TRIGGER fill ON users")
op.execute("DROP FUNCTION fill_users()")
${DROP_PLAN}
`,
        },
      ],
      also: ['not-null-on-existing-rows', 'set-not-null-scan'],
    },
  },
  {
    rule: 'required-column',
    about: 'that loses its default',
    bad: one(
      'op.alter_column("users", "active", server_default=None)',
      'op.alter_column("users", "active", server_default=sa.true())',
    ),
    severity: 'warning',
    good: one(
      `
op.execute("ALTER TABLE users ALTER COLUMN active DROP DEFAULT")
op.execute("ALTER TABLE users ALTER COLUMN active DROP NOT NULL")
`,
      `
op.execute("ALTER TABLE users ALTER COLUMN active SET DEFAULT true")
op.execute("UPDATE users SET active = true WHERE active IS NULL")
op.execute("ALTER TABLE users ALTER COLUMN active SET NOT NULL")
`,
    ),
  },
  {
    rule: 'drop-in-use',
    given: `${GIVEN}\nop.execute("CREATE VIEW open_orders AS SELECT id FROM orders")`,
    bad: one('op.execute("DROP VIEW open_orders")', 'op.execute("CREATE VIEW open_orders AS SELECT id FROM orders")'),
    good: one(
      `
op.execute("DROP VIEW open_orders")
op.execute("CREATE VIEW open_orders AS SELECT id, note FROM orders")
op.execute("CREATE VIEW more_orders AS SELECT id FROM orders")
op.execute("DROP VIEW more_orders")
op.execute("DROP VIEW IF EXISTS never_orders")
`,
      `
op.execute("DROP VIEW open_orders")
op.execute("CREATE VIEW open_orders AS SELECT id FROM orders")
`,
    ),
  },
  {
    rule: 'drop-in-use',
    about: 'by a loop over functions',
    given: TOTAL,
    bad: one(
      'for name in ["orders_total(int)"]:\n    op.execute(f"DROP FUNCTION {name}")',
      `op.execute("CREATE FUNCTION orders_total(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")`,
    ),
    good: {
      revisions: [
        {
          up: `op.execute("CREATE FUNCTION half_orders(int) RETURNS int LANGUAGE sql AS 'SELECT $1 / 2'")`,
          down: 'op.execute("DROP FUNCTION half_orders(int)")',
        },
        {
          up: 'op.execute("DROP FUNCTION half_orders(int)")',
          down: `op.execute("CREATE FUNCTION half_orders(int) RETURNS int LANGUAGE sql AS 'SELECT $1 / 2'")`,
        },
      ],
    },
  },
  {
    rule: 'drop-in-use',
    about: 'that gets other arguments',
    given: TOTAL,
    bad: one(
      `
op.execute("DROP FUNCTION orders_total(int)")
op.execute("CREATE FUNCTION orders_total(int, boolean) RETURNS int LANGUAGE sql AS 'SELECT $1'")
`,
      `
op.execute("DROP FUNCTION orders_total(int, boolean)")
op.execute("CREATE FUNCTION orders_total(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")
`,
    ),
    severity: 'warning',
    good: {
      ...one(
        `
op.execute("CREATE OR REPLACE FUNCTION orders_total(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1'")
`,
        `op.execute("CREATE OR REPLACE FUNCTION orders_total(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")`,
      ),
      also: ['replaced-in-use'],
    },
  },
  {
    rule: 'unique-on-existing-rows',
    about: 'by a column that is unique already, and another',
    good: one(
      `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_users_id")
    op.create_index("uq_users_id", "users", ["id", "email"], unique=True, postgresql_concurrently=True)
`,
      `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_users_id")
`,
    ),
  },
  {
    rule: 'unique-on-existing-rows',
    bad: one(
      `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_users_email")
    op.create_index("uq_users_email", "users", ["email"], unique=True, postgresql_concurrently=True)
`,
      `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_users_email")
`,
    ),
    good: {
      revisions: [
        {
          up: 'op.add_column("users", sa.Column("handle", sa.Text(), nullable=True))',
          down: 'op.drop_column("users", "handle")',
        },
        {
          up: `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_users_handle")
    op.create_index("uq_users_handle", "users", ["handle"], unique=True, postgresql_concurrently=True)
`,
          down: `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_users_handle")
`,
        },
      ],
    },
  },
  {
    rule: 'expand-and-contract-in-one',
    bad: {
      revisions: filled('name'),
      also: ['update-all'],
    },
    good: {
      revisions: [
        {
          up: 'op.add_column("users", sa.Column("full_name", sa.Text(), nullable=True))',
          down: 'op.drop_column("users", "full_name")',
        },
        { up: 'op.execute("UPDATE users SET full_name = name WHERE full_name IS NULL")' },
      ],
      also: ['update-all'],
    },
  },
  {
    rule: 'expand-and-contract-in-one',
    about: 'if the new column may hold what was in the dropped one',
    bad: { revisions: filled('upper(users.name)'), also: ['update-all'] },
    good: { revisions: filled("'new'"), also: ['update-all'] },
  },
  {
    rule: 'expand-and-contract-in-one',
    about: 'unless each new column takes the name of a dropped one',
    given: `${GIVEN}\nop.execute("ALTER TABLE users ADD COLUMN logins integer, ADD COLUMN visits integer")`,
    bad: { revisions: wider('visits'), also: ['update-all'] },
    good: { revisions: wider('logins', 'visits'), also: ['update-all'] },
  },
  {
    rule: 'on-delete-changed',
    given: `${GIVEN}\nop.execute("ALTER TABLE orders ADD CONSTRAINT fk_orders_user FOREIGN KEY (user_id) REFERENCES users")`,
    bad: one(
      'op.execute("ALTER TABLE orders DROP CONSTRAINT fk_orders_user, ADD CONSTRAINT fk_orders_user FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID")',
      'op.execute("ALTER TABLE orders DROP CONSTRAINT fk_orders_user, ADD CONSTRAINT fk_orders_user FOREIGN KEY (user_id) REFERENCES users")',
    ),
    good: one(
      'op.execute("ALTER TABLE orders DROP CONSTRAINT fk_orders_user, ADD CONSTRAINT fk_orders_owner FOREIGN KEY (user_id) REFERENCES users ON DELETE NO ACTION NOT VALID")',
      'op.execute("ALTER TABLE orders DROP CONSTRAINT fk_orders_owner, ADD CONSTRAINT fk_orders_user FOREIGN KEY (user_id) REFERENCES users")',
    ),
  },
  {
    rule: 'on-delete-changed',
    about: 'to SET NULL of a NOT NULL column',
    given: `${GIVEN}\nop.execute("ALTER TABLE orders ADD COLUMN owner_id bigint NOT NULL")\nop.create_index("ix_orders_owner", "orders", ["owner_id"])`,
    bad: one(
      'op.execute("ALTER TABLE orders ADD CONSTRAINT fk_orders_owner FOREIGN KEY (owner_id) REFERENCES users ON DELETE SET NULL NOT VALID")',
      'op.execute("ALTER TABLE orders DROP CONSTRAINT fk_orders_owner")',
    ),
    good: one(
      'op.execute("ALTER TABLE orders ADD CONSTRAINT fk_orders_owner FOREIGN KEY (owner_id) REFERENCES users ON DELETE CASCADE NOT VALID")',
      'op.execute("ALTER TABLE orders DROP CONSTRAINT fk_orders_owner")',
    ),
  },
  {
    rule: 'rule-rewrites-statements',
    about: 'which is dropped',
    given: `${GIVEN}\nop.execute("CREATE RULE kept_orders AS ON DELETE TO orders DO INSTEAD NOTHING")`,
    bad: one(
      'op.execute("DROP RULE kept_orders ON orders")',
      'op.execute("CREATE RULE kept_orders AS ON DELETE TO orders DO INSTEAD NOTHING")',
    ),
    good: one('op.execute("ALTER TABLE orders ENABLE RULE kept_orders")'),
  },
  {
    rule: 'rule-rewrites-statements',
    about: 'which is disabled',
    given: `${GIVEN}\nop.execute("CREATE RULE kept_orders AS ON DELETE TO orders DO INSTEAD NOTHING")`,
    bad: one(
      'op.execute("ALTER TABLE orders DISABLE RULE kept_orders")',
      'op.execute("ALTER TABLE orders ENABLE RULE kept_orders")',
    ),
    good: one('op.execute("ALTER TABLE orders ENABLE RULE kept_orders")'),
  },
  {
    rule: 'access-changed',
    about: 'by SECURITY DEFINER with the search_path of the caller',
    bad: one(
      'op.execute("CREATE FUNCTION closed_orders() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS \'SELECT count(*) FROM orders\'")',
      'op.execute("DROP FUNCTION closed_orders()")',
    ),
    good: one(
      'op.execute("CREATE FUNCTION closed_orders() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS \'SELECT count(*) FROM orders\'")',
      'op.execute("DROP FUNCTION closed_orders()")',
    ),
  },
  {
    rule: 'replaced-in-use',
    about: 'by an update of an extension',
    bad: one('op.execute("ALTER EXTENSION plpgsql UPDATE")'),
    good: one('op.execute("COMMENT ON EXTENSION plpgsql IS \'procedural language\'")'),
  },
  {
    rule: 'published-table-altered',
    about: 'by dropping its publication',
    given: `${GIVEN}\nop.execute("CREATE PUBLICATION feed_orders FOR TABLE orders, users")`,
    bad: one(
      'op.execute("ALTER PUBLICATION feed_orders DROP TABLE users")\nop.execute("DROP PUBLICATION feed_orders")',
      'op.execute("CREATE PUBLICATION feed_orders FOR TABLE orders, users")',
    ),
    good: one(
      'op.execute("ALTER PUBLICATION feed_orders SET (publish = \'insert\')")',
      'op.execute("ALTER PUBLICATION feed_orders SET (publish = \'insert, update, delete, truncate\')")',
    ),
  },
];
