import { type Example, GIVEN, one } from './example';

const TOTAL = `op.execute("CREATE FUNCTION orders_total(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")`;
const ADD_PLAN = 'op.add_column("users", sa.Column("plan", sa.Text(), nullable=True))';
const DROP_PLAN = 'op.drop_column("users", "plan")';

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
    good: {
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
    good: one(
      `
op.execute("CREATE OR REPLACE FUNCTION orders_total(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1'")
`,
      `op.execute("CREATE OR REPLACE FUNCTION orders_total(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")`,
    ),
  },
  {
    rule: 'unique-on-existing-rows',
    bad: one(
      `
with op.get_context().autocommit_block():
    op.drop_index("uq_users_email", "users", if_exists=True, postgresql_concurrently=True)
    op.create_index("uq_users_email", "users", ["email"], unique=True, postgresql_concurrently=True)
`,
      `
with op.get_context().autocommit_block():
    op.drop_index("uq_users_email", "users", if_exists=True, postgresql_concurrently=True)
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
    op.drop_index("uq_users_handle", "users", if_exists=True, postgresql_concurrently=True)
    op.create_index("uq_users_handle", "users", ["handle"], unique=True, postgresql_concurrently=True)
`,
          down: `
with op.get_context().autocommit_block():
    op.drop_index("uq_users_handle", "users", if_exists=True, postgresql_concurrently=True)
`,
        },
      ],
    },
  },
  {
    rule: 'expand-and-contract-in-one',
    bad: {
      revisions: [
        {
          up: 'op.add_column("users", sa.Column("full_name", sa.Text(), nullable=True))',
          down: 'op.drop_column("users", "full_name")',
        },
        { up: 'op.execute("UPDATE users SET full_name = name WHERE full_name IS NULL")' },
        {
          up: 'op.drop_column("users", "name")  # cdk-alembic: allow drop-column: full_name holds it',
          down: `
op.add_column("users", sa.Column("name", sa.String(100), nullable=True))
op.execute("UPDATE users SET name = full_name WHERE id > 0")
`,
        },
      ],
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
];
