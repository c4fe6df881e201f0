import { type Example, GIVEN, one } from './example';

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
    },
    good: {
      revisions: [
        {
          up: 'op.add_column("users", sa.Column("full_name", sa.Text(), nullable=True))',
          down: 'op.drop_column("users", "full_name")',
        },
        { up: 'op.execute("UPDATE users SET full_name = name WHERE full_name IS NULL")' },
      ],
    },
  },
];
