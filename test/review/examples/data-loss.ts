import { type Example, GIVEN, one, PARTITIONED } from './example';

const ALLOWED = (rule: string) => `# cdk-alembic: allow ${rule}: nothing has used it since the last release`;
const MOODS = `
op.execute("CREATE TYPE mood AS ENUM ('ok', 'bad')")
op.execute("CREATE TABLE users (id bigint PRIMARY KEY, feels mood)")
`;
/** Takes a swap of its enum for one with more labels back. */
const SWAP_BACK = `
op.execute("ALTER TYPE mood RENAME TO mood_new")
op.execute("CREATE TYPE mood AS ENUM ('ok', 'bad')")
op.execute("ALTER TABLE users ALTER feels TYPE mood USING feels::text::mood")
op.execute("DROP TYPE mood_new")
`;

const TEXT_BACK = 'op.execute("ALTER TABLE users ALTER mood TYPE mood USING mood::mood")';

const ATTACH = 'op.execute("ALTER TABLE orders ATTACH PARTITION orders_1 FOR VALUES FROM (0) TO (10)")';

const ORDERS = GIVEN.slice(GIVEN.indexOf('op.create_table(\n    "orders"'));

/** Replaces the type of users.mood by one with these labels. */
const enumSwap = (labels: string) =>
  `op.execute("ALTER TYPE mood RENAME TO mood_old")
op.execute("CREATE TYPE mood AS ENUM (${labels})")
op.execute("ALTER TABLE users ALTER mood TYPE mood USING mood::text::mood")
op.execute("DROP TYPE mood_old")`;

export const DATA_LOSS: readonly Example[] = [
  {
    rule: 'unlogged-table',
    bad: {
      ...one('op.execute("ALTER TABLE users SET UNLOGGED")', 'op.execute("ALTER TABLE users SET LOGGED")'),
      also: ['table-rewrite'],
    },
    good: one(
      `
op.execute("CREATE UNLOGGED TABLE users_import (id bigint PRIMARY KEY)")
op.execute("ALTER TABLE users_import SET LOGGED")
op.execute("CREATE UNLOGGED TABLE meanwhile (id bigint)")
op.execute("DROP TABLE meanwhile")
`,
      'op.execute("DROP TABLE users_import")',
    ),
  },
  {
    rule: 'unlogged-table',
    about: 'that is new',
    severity: 'warning',
    bad: one(
      'op.create_table("orders_seen", sa.Column("id", sa.Uuid(), primary_key=True), prefixes=["UNLOGGED"])',
      'op.drop_table("orders_seen")',
    ),
    good: one('op.create_table("orders_seen", sa.Column("id", sa.Uuid(), primary_key=True))', 'op.drop_table("orders_seen")'),
  },
  {
    rule: 'drop-table',
    bad: { ...one('op.drop_table("orders")', ORDERS), also: ['downgrade-loses-data'] },
    good: one(`${ALLOWED('drop-table')}\n${ALLOWED('downgrade-loses-data')}\nop.drop_table("orders")`, ORDERS),
  },
  {
    rule: 'drop-table',
    about: 'and made again',
    bad: one(`op.drop_table("orders")\n${ORDERS}`, 'op.execute("SELECT 1")'),
    good: one('op.execute("SELECT 1")'),
  },
  {
    rule: 'drop-table',
    about: 'in a downgrade, which takes back what the upgrade made',
    good: one(
      'op.create_table("notes_users", sa.Column("id", sa.BigInteger(), nullable=False), sa.PrimaryKeyConstraint("id", name="pk_notes_users"))',
      'op.drop_table("notes_users")',
    ),
  },
  {
    rule: 'drop-column',
    bad: {
      ...one('op.drop_column("users", "name")', 'op.add_column("users", sa.Column("name", sa.String(100), nullable=True))'),
      also: ['downgrade-loses-data'],
    },
    good: one('op.add_column("users", sa.Column("plan", sa.Text(), nullable=True))', 'op.drop_column("users", "plan")'),
  },
  {
    rule: 'drop-column',
    about: 'and added again with another type',
    bad: {
      ...one(
        'op.drop_column("users", "name")\nop.add_column("users", sa.Column("name", sa.Integer(), nullable=True))',
        'op.drop_column("users", "name")\nop.add_column("users", sa.Column("name", sa.String(100), nullable=True))',
      ),
      also: ['downgrade-loses-data'],
    },
    good: one('op.execute("SELECT 1")'),
  },
  {
    rule: 'drop-schema',
    given: 'op.execute("CREATE SCHEMA old_users")',
    bad: one('op.execute("DROP SCHEMA old_users")', 'op.execute("CREATE SCHEMA old_users")'),
    good: one(`${ALLOWED('drop-schema')}\nop.execute("DROP SCHEMA old_users")`, 'op.execute("CREATE SCHEMA old_users")'),
  },
  {
    rule: 'drop-type',
    given: "op.execute(\"CREATE TYPE mood AS ENUM ('good', 'bad')\")",
    bad: one('op.execute("DROP TYPE mood")', "op.execute(\"CREATE TYPE mood AS ENUM ('good', 'bad')\")"),
    severity: 'warning',
    good: one(
      'op.execute("ALTER TYPE mood ADD VALUE IF NOT EXISTS \'fair\'")',
      '# a label cannot be taken away, and nothing minds that it is there',
    ),
  },
  {
    rule: 'truncate',
    bad: one('op.execute("TRUNCATE orders")'),
    good: one(`${ALLOWED('truncate')}\nop.execute("TRUNCATE orders")`),
  },
  {
    rule: 'delete-all',
    bad: one('op.execute("DELETE FROM orders")'),
    good: one('op.execute("DELETE FROM orders WHERE id = 7")'),
  },
  {
    rule: 'drop-materialized-view',
    given: 'op.execute("CREATE MATERIALIZED VIEW old_users AS SELECT 1 AS id")',
    bad: one(
      'op.execute("DROP MATERIALIZED VIEW old_users")',
      'op.execute("CREATE MATERIALIZED VIEW old_users AS SELECT 1 AS id")',
    ),
    good: one(
      `${ALLOWED('drop-materialized-view')}\nop.execute("DROP MATERIALIZED VIEW old_users")`,
      'op.execute("CREATE MATERIALIZED VIEW old_users AS SELECT 1 AS id")',
    ),
  },
  {
    rule: 'drop-cascade',
    given: 'op.execute("CREATE VIEW old_users AS SELECT 1 AS id")',
    bad: {
      ...one('op.execute("DROP VIEW old_users CASCADE")', 'op.execute("CREATE VIEW old_users AS SELECT 1 AS id")'),
      also: ['drop-in-use'],
    },
    good: {
      ...one('op.execute("DROP VIEW old_users")', 'op.execute("CREATE VIEW old_users AS SELECT 1 AS id")'),
      also: ['drop-in-use'],
    },
  },
  {
    rule: 'drop-sequence',
    given: 'op.execute("CREATE SEQUENCE invoice_numbers")',
    bad: {
      ...one('op.execute("DROP SEQUENCE invoice_numbers")', 'op.execute("CREATE SEQUENCE invoice_numbers")'),
      also: ['drop-in-use'],
    },
    good: {
      ...one(
        'op.execute("CREATE SEQUENCE invoices")\nop.execute("SELECT setval(\'invoices\', (SELECT last_value FROM invoice_numbers))")\nop.execute("DROP SEQUENCE invoice_numbers")',
        'op.execute("ALTER SEQUENCE invoices RENAME TO invoice_numbers")',
      ),
      also: ['drop-in-use'],
    },
  },
  {
    rule: 'drop-owned',
    bad: one('if op.get_bind().scalar(sa.text("SELECT false")):\n    op.execute("DROP OWNED BY reporting")'),
    good: one(
      `${ALLOWED('drop-owned')}\nif op.get_bind().scalar(sa.text("SELECT false")):\n    op.execute("DROP OWNED BY reporting")`,
    ),
  },
  {
    rule: 'delete-by-query',
    bad: one('op.execute("DELETE FROM orders WHERE user_id NOT IN (SELECT id FROM users)")'),
    good: one('op.execute("DELETE FROM orders WHERE user_id = 7")'),
  },
  {
    rule: 'delete-by-query',
    about: 'by age',
    given: 'op.execute("CREATE TABLE orders (id bigint PRIMARY KEY, placed_at timestamptz NOT NULL)")',
    bad: one(`op.execute("DELETE FROM orders WHERE placed_at < now() - interval '90 days'")`),
    good: one('op.execute("DELETE FROM orders WHERE id IN (7, 8)")'),
  },
  {
    rule: 'detach-partition',
    given: PARTITIONED,
    bad: one('op.execute("ALTER TABLE orders DETACH PARTITION orders_1")', ATTACH),
    good: one(
      `
${ALLOWED('detach-partition')}
with op.get_context().autocommit_block():
    op.execute("ALTER TABLE orders DETACH PARTITION orders_1 CONCURRENTLY")
`,
      `op.execute("ALTER TABLE orders_1 DROP CONSTRAINT IF EXISTS orders_1_id_check")\n${ATTACH}`,
    ),
  },
  {
    rule: 'detach-partition',
    about: 'where the replay does not reach it',
    bad: one(
      'if op.get_bind().scalar(sa.text("SELECT false")):\n    op.execute("ALTER TABLE orders DETACH PARTITION orders_2024")',
    ),
    good: one(
      `${ALLOWED('detach-partition')}\nif op.get_bind().scalar(sa.text("SELECT false")):\n    op.execute("ALTER TABLE orders DETACH PARTITION orders_2024")`,
    ),
  },
  {
    rule: 'clear-column',
    bad: {
      ...one('op.execute("UPDATE users SET email = NULL WHERE email IS NOT NULL")'),
      also: ['downgrade-loses-data', 'update-all'],
    },
    good: one('op.execute("UPDATE users SET email = NULL WHERE id = 7")'),
  },
  {
    rule: 'clear-column',
    about: 'by another value',
    bad: { ...one('op.execute("UPDATE users SET email = \'-\'")'), also: ['update-all', 'downgrade-loses-data'] },
    good: one('op.execute("UPDATE users SET email = \'-\' WHERE email IS NULL")'),
  },
  {
    rule: 'clear-column',
    about: 'by the values of another column',
    bad: { ...one('op.execute("UPDATE users SET email = lower(name)")'), also: ['update-all'] },
    good: one('op.execute("UPDATE users SET email = lower(name) WHERE email IS NULL")'),
  },
  {
    rule: 'clear-column',
    about: 'that another revision of the change adds',
    severity: 'warning',
    bad: {
      revisions: [
        { up: 'op.add_column("users", sa.Column("rank", sa.Integer()))', down: 'op.drop_column("users", "rank")' },
        {
          up: 'op.execute("COMMENT ON COLUMN users.rank IS \'1 is best\'")',
          down: 'op.execute("COMMENT ON COLUMN users.rank IS NULL")',
        },
        { up: 'op.execute("UPDATE users SET rank = 1")' },
      ],
      also: ['update-all', 'downgrade-loses-data'],
    },
    good: one('op.execute("UPDATE users SET name = \'-\' WHERE name IS NULL")'),
  },
  {
    rule: 'downgrade-changes-more',
    bad: one(
      'op.execute("UPDATE users SET name = \'-\' WHERE id = 7")',
      'op.execute("UPDATE users SET name = NULL WHERE length(name) < 2")',
    ),
    good: one(
      'op.execute("UPDATE users SET name = \'-\' WHERE id = 7")',
      'op.execute("UPDATE users SET name = NULL WHERE id = 7")',
    ),
  },
  {
    rule: 'downgrade-changes-more',
    about: 'by a DELETE',
    bad: one('op.execute("INSERT INTO orders (note) VALUES (\'gift\')")', 'op.execute("DELETE FROM orders WHERE total IS NULL")'),
    good: one(
      'op.execute("INSERT INTO orders (note) VALUES (\'gift\')")',
      'op.execute("DELETE FROM orders WHERE note = \'gift\'")',
    ),
  },
  {
    rule: 'downgrade-changes-more',
    about: 'of what the upgrade has made, or where there is nothing',
    good: one(
      'op.add_column("users", sa.Column("plan", sa.Text()))',
      `
op.execute("UPDATE users SET plan = NULL")
op.execute("UPDATE users SET name = '' WHERE name IS NULL")
op.drop_column("users", "plan")
`,
    ),
  },
  {
    rule: 'convert-column',
    bad: {
      ...one(
        'if op.get_bind().scalar(sa.text("SELECT false")):\n    op.execute("ALTER TABLE users ALTER email TYPE text USING left(email, 10)")',
      ),
      also: ['table-rewrite'],
    },
    good: {
      ...one(
        `${ALLOWED('convert-column')}\nif op.get_bind().scalar(sa.text("SELECT false")):\n    op.execute("ALTER TABLE users ALTER email TYPE text USING left(email, 10)")`,
      ),
      also: ['table-rewrite'],
    },
  },
  {
    rule: 'unread-sql',
    bad: one('op.execute(op.get_bind().scalar(sa.text("SELECT \'SELECT 1\'")))'),
    good: one('op.execute("SELECT 1")'),
  },
  {
    rule: 'update-all',
    about: 'that runs only if a query finds rows',
    bad: {
      ...one(
        `if not op.get_bind().execute(sa.text("SELECT 1 FROM users")).first():
    return
op.execute("UPDATE users SET name = name || '!'")`,
        'op.execute("SELECT 1")',
      ),
      also: ['downgrade-loses-data', 'early-return'],
    },
    good: one(
      `if "name" not in [column["name"] for column in sa.inspect(op.get_bind()).get_columns("users")]:
    op.execute("UPDATE users SET email = email || '!'")`,
      'op.execute("SELECT 1")',
    ),
  },
  {
    rule: 'update-all',
    bad: one('op.execute("UPDATE users SET email = trim(email)")'),
    good: one('op.execute("UPDATE users SET email = trim(email) WHERE id = 7")'),
  },
  {
    rule: 'update-all',
    about: 'by a join',
    severity: 'warning',
    bad: one('op.execute("UPDATE orders SET note = u.name || u.email FROM users u WHERE u.id = orders.user_id")'),
    good: one(
      'op.execute("UPDATE orders SET note = u.name || u.email FROM users u WHERE u.id = orders.user_id AND u.id IN (7, 8)")\n' +
        'op.execute("UPDATE orders SET note = n.name FROM (VALUES (7, \'seven\')) n (id, name) WHERE n.id = orders.id")',
    ),
  },
  {
    rule: 'update-all',
    about: 'by a value that many rows may share',
    severity: 'warning',
    bad: { ...one(`op.execute("UPDATE users SET active = false WHERE active = true")`), also: ['downgrade-loses-data'] },
    good: one(`op.execute("UPDATE users SET active = false WHERE email = 'a@example.com'")`),
  },
  {
    rule: 'update-all',
    about: 'by the code of a kind that many rows share',
    severity: 'warning',
    given: `${GIVEN}\nop.execute("ALTER TABLE users ADD code text, ADD status_code text")`,
    bad: one(`op.execute("UPDATE users SET status_code = 'on' WHERE status_code = 'active'")`),
    good: one(`op.execute("UPDATE users SET name = 'root' WHERE code = 'r'")`),
  },
  {
    rule: 'update-all',
    about: 'in batches, each committed',
    good: one(`
with op.get_context().autocommit_block():
    op.execute(
        """
        DO $$
        BEGIN
            LOOP
                UPDATE users SET name = 'nobody'
                WHERE id IN (SELECT id FROM users WHERE name IS NULL LIMIT 1000);
                EXIT WHEN NOT FOUND;
                COMMIT;
            END LOOP;
        END
        $$
        """
    )
`),
  },
  {
    rule: 'update-all',
    about: 'of a column that is new and empty',
    given: `${GIVEN}\nop.execute("ALTER TABLE users ADD plan text")`,
    bad: {
      revisions: [
        { up: 'op.add_column("users", sa.Column("rank", sa.Integer()))', down: 'op.drop_column("users", "rank")' },
        { up: 'op.execute("UPDATE users SET rank = 1 WHERE users.rank IS NULL")' },
      ],
    },
    good: {
      revisions: [
        { up: 'op.execute("UPDATE users SET plan = \'free\' WHERE plan IS NULL")' },
        {
          up: `
op.add_column("users", sa.Column("state", sa.Text(), server_default="new", nullable=False))
op.execute("UPDATE users SET state = 'new' WHERE state IS NULL")
`,
          down: 'op.drop_column("users", "state")',
        },
      ],
      also: ['work-under-lock'],
    },
  },
  {
    rule: 'update-all',
    about: 'outside of a transaction',
    bad: one('with op.get_context().autocommit_block():\n    op.execute("UPDATE users SET email = trim(email)")'),
    good: one('with op.get_context().autocommit_block():\n    op.execute("UPDATE users SET email = trim(email) WHERE id = 7")'),
  },
  {
    rule: 'narrowing-type',
    bad: {
      ...one(
        'op.alter_column("users", "name", type_=sa.String(20), postgresql_using="name::varchar(20)")',
        'op.alter_column("users", "name", type_=sa.String(100))',
      ),
      also: ['convert-column', 'table-rewrite'],
    },
    severity: 'warning',
    good: one('op.alter_column("users", "name", type_=sa.Text())', 'op.alter_column("users", "name", type_=sa.String(100))'),
  },
  {
    rule: 'narrowing-type',
    about: 'that rounds each value',
    bad: {
      ...one(
        'op.alter_column("orders", "total", type_=sa.Numeric(10, 1))',
        'op.alter_column("orders", "total", type_=sa.Numeric(12, 2))',
      ),
      also: ['table-rewrite'],
    },
    good: one(
      'op.alter_column("orders", "total", type_=sa.Numeric(14, 2))',
      'op.alter_column("orders", "total", type_=sa.Numeric(12, 2))',
    ),
  },
  {
    rule: 'narrowing-type',
    about: 'of an enum to a text that all its labels fit into',
    given: `${GIVEN}\nop.execute("CREATE TYPE mood AS ENUM ('good', 'b''d')")\nop.execute("ALTER TABLE users ADD mood mood")`,
    bad: {
      ...one(
        'op.execute("ALTER TABLE users ALTER mood TYPE varchar(3) USING mood::text")\nop.execute("DROP TYPE mood")',
        "op.execute(\"CREATE TYPE mood AS ENUM ('good', 'b''d')\")\nop.execute(\"ALTER TABLE users ALTER mood TYPE mood USING mood::mood\")",
      ),
      also: ['table-rewrite', 'upgrade-fails'],
    },
    good: one(
      `${ALLOWED('table-rewrite')}\nop.execute("ALTER TABLE users ALTER mood TYPE varchar(4) USING mood::text")\nop.execute("DROP TYPE mood")`,
      "op.execute(\"CREATE TYPE mood AS ENUM ('good', 'b''d')\")\nop.execute(\"ALTER TABLE users ALTER mood TYPE mood USING mood::mood\")",
    ),
  },
  {
    rule: 'narrowing-type',
    about: 'of an enum that loses a label',
    given: `${GIVEN}\nop.execute("CREATE TYPE mood AS ENUM ('ok', 'bad', 'worse')")\nop.execute("ALTER TABLE users ADD mood mood")`,
    bad: { ...one(enumSwap("'ok', 'bad'"), enumSwap("'ok', 'bad', 'worse'")), also: ['table-rewrite'] },
    severity: 'warning',
    good: {
      ...one(
        `op.execute("UPDATE users SET mood = 'bad' WHERE mood = 'worse'")\n${enumSwap("'ok', 'bad'")}`,
        enumSwap("'ok', 'bad', 'worse'"),
      ),
      also: ['table-rewrite', 'update-all'],
    },
  },
  {
    rule: 'narrowing-type',
    about: 'of an enum that stays',
    given: `${GIVEN}\nop.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")\nop.execute("ALTER TABLE users ADD mood mood")`,
    bad: {
      ...one('op.execute("ALTER TABLE users ALTER mood TYPE varchar(3) USING mood::text")', TEXT_BACK),
      also: ['table-rewrite', 'upgrade-fails'],
    },
    good: {
      ...one('op.execute("ALTER TABLE users ALTER mood TYPE varchar(4) USING mood::text")', TEXT_BACK),
      also: ['table-rewrite'],
    },
  },
  {
    rule: 'narrowing-type',
    about: 'of a number to a text that each of its values fits into',
    given: `${GIVEN}\nop.execute("ALTER TABLE users ADD rank smallint")`,
    bad: {
      ...one(
        'op.alter_column("users", "rank", type_=sa.String(5))',
        'op.alter_column("users", "rank", type_=sa.SmallInteger(), postgresql_using="rank::smallint")',
      ),
      also: ['table-rewrite'],
    },
    good: one(
      `${ALLOWED('table-rewrite')}\nop.alter_column("users", "rank", type_=sa.String(6))`,
      'op.alter_column("users", "rank", type_=sa.SmallInteger(), postgresql_using="rank::smallint")',
    ),
  },
  {
    rule: 'narrowing-type',
    about: 'to a document',
    bad: {
      ...one('op.alter_column("users", "name", type_=sa.String(20))', 'op.alter_column("users", "name", type_=sa.String(100))'),
      also: ['table-rewrite'],
    },
    good: one(
      `${ALLOWED('table-rewrite')}\nop.alter_column("users", "name", type_=postgresql.JSONB(), postgresql_using="to_jsonb(name)")`,
      'op.alter_column("users", "name", type_=sa.String(100), postgresql_using="name #>> \'{}\'")',
    ),
  },
  {
    rule: 'narrowing-type',
    about: 'of a sequence',
    given: 'op.execute("CREATE SEQUENCE orders")',
    bad: one(
      'op.execute("ALTER SEQUENCE orders AS smallint")',
      'op.execute("ALTER SEQUENCE orders AS bigint MAXVALUE 9223372036854775807")',
    ),
    good: one(
      'op.execute("CREATE SEQUENCE orders_more")\nop.execute("ALTER SEQUENCE orders_more AS smallint")',
      'op.execute("DROP SEQUENCE orders_more")',
    ),
  },
  {
    rule: 'not-null-on-existing-rows',
    bad: {
      ...one('op.alter_column("users", "name", nullable=False)', 'op.alter_column("users", "name", nullable=True)'),
      also: ['set-not-null-scan'],
    },
    good: one(
      'op.create_check_constraint("ck_users_name", "users", "name IS NOT NULL", postgresql_not_valid=True)',
      'op.drop_constraint("ck_users_name", "users", type_="check")',
    ),
  },
  {
    rule: 'trigger-disabled',
    bad: one('op.execute("ALTER TABLE users DISABLE TRIGGER ALL")', 'op.execute("ALTER TABLE users ENABLE TRIGGER ALL")'),
    good: one('op.execute("SET LOCAL session_replication_role = DEFAULT")'),
  },
  {
    rule: 'trigger-disabled',
    about: 'of all tables, in a session',
    bad: one(`op.execute("SET LOCAL session_replication_role = 'replica'")`),
    good: one(`op.execute("SET LOCAL session_replication_role TO 'origin'")`),
  },
  {
    rule: 'trigger-disabled',
    about: 'those of users, but not those of foreign keys',
    bad: one('op.execute("ALTER TABLE users DISABLE TRIGGER USER")', 'op.execute("ALTER TABLE users ENABLE TRIGGER USER")'),
    severity: 'warning',
    good: one('op.execute("ALTER TABLE users ENABLE TRIGGER USER")'),
  },
  {
    rule: 'system-catalog-written',
    given: "op.execute(\"CREATE TYPE mood AS ENUM ('good', 'bad')\")",
    bad: one(
      "op.execute(\"DELETE FROM pg_enum WHERE enumtypid = 'mood'::regtype AND enumlabel = 'bad'\")",
      'op.execute("ALTER TYPE mood ADD VALUE \'bad\'")',
    ),
    good: one('op.execute("COMMENT ON TYPE mood IS \'bad is no longer used\'")', 'op.execute("COMMENT ON TYPE mood IS NULL")'),
  },
  {
    rule: 'downgrade-loses-data',
    bad: {
      ...one(
        `${ALLOWED('drop-column')}\nop.drop_column("users", "name")`,
        'op.add_column("users", sa.Column("name", sa.String(100), nullable=True))',
      ),
    },
    good: one('op.add_column("users", sa.Column("plan", sa.Text(), nullable=True))', 'op.drop_column("users", "plan")'),
  },
  {
    rule: 'cascade',
    about: 'of TRUNCATE, where only its own sequence restarts',
    good: {
      ...one(`${ALLOWED('truncate')}\nop.execute("TRUNCATE orders RESTART IDENTITY CASCADE")`),
      also: ['squawk-ban-truncate-cascade'],
    },
  },
  {
    rule: 'cascade',
    about: 'beside a renamed column',
    good: {
      ...one(
        `${ALLOWED('drop-table')}\nop.execute("DROP TABLE orders CASCADE")\nop.alter_column("users", "name", new_column_name="label")`,
        'raise NotImplementedError("orders is gone")',
      ),
      also: ['downgrade-missing', 'locks-several-tables', 'rename'],
    },
  },
  {
    rule: 'cascade',
    given: `${GIVEN}
op.execute("CREATE VIEW names_users AS SELECT name FROM users")
`,
    bad: {
      ...one(
        'op.execute("ALTER TABLE users DROP COLUMN name CASCADE")',
        `
op.add_column("users", sa.Column("name", sa.String(100), nullable=True))
op.execute("CREATE VIEW names_users AS SELECT name FROM users")
`,
      ),
      also: ['drop-column', 'downgrade-loses-data'],
    },
    severity: 'warning',
    good: {
      ...one(
        `
op.execute("DROP VIEW names_users")
op.execute("ALTER TABLE users DROP COLUMN name")
`,
        `
op.add_column("users", sa.Column("name", sa.String(100), nullable=True))
op.execute("CREATE VIEW names_users AS SELECT name FROM users")
`,
      ),
      also: ['drop-column', 'downgrade-loses-data', 'drop-in-use'],
    },
  },
  {
    rule: 'drop-type',
    about: 'by an enum swap, which loses nothing',
    given: MOODS,
    good: {
      ...one(
        `
op.execute("ALTER TYPE mood RENAME TO mood_old")
op.execute("CREATE TYPE mood AS ENUM ('ok', 'bad', 'fine')")
op.execute("ALTER TABLE users ALTER feels TYPE mood USING feels::text::mood")
op.execute("DROP TYPE mood_old")
`,
        SWAP_BACK,
      ),
      also: ['table-rewrite'],
    },
  },
  {
    rule: 'drop-type',
    about: 'with CASCADE, after an enum swap',
    given: MOODS,
    good: {
      ...one(
        `
op.execute("ALTER TYPE mood RENAME TO mood_old")
op.execute("CREATE TYPE mood AS ENUM ('ok', 'bad', 'fine')")
op.execute("ALTER TABLE users ALTER feels SET DATA TYPE mood USING feels::text::mood")
op.execute("DROP TYPE mood_old CASCADE")
`,
        SWAP_BACK,
      ),
      also: ['table-rewrite'],
    },
  },
];
