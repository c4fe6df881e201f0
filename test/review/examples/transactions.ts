import { type Example, one } from './example';

const ADD = 'op.add_column("users", sa.Column("plan", sa.Text(), nullable=True))';
const DROP = 'op.drop_column("users", "plan")';
const DROP_INDEX = `
with op.get_context().autocommit_block():
    op.drop_index("ix_users_email", "users", if_exists=True, postgresql_concurrently=True)
`;

export const TRANSACTIONS: readonly Example[] = [
  {
    rule: 'concurrently-in-transaction',
    bad: one('op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)', DROP_INDEX),
    good: one(
      `
with op.get_context().autocommit_block():
    op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
`,
      DROP_INDEX,
    ),
  },
  {
    rule: 'concurrently-in-transaction',
    about: 'in the downgrade',
    bad: one(
      `
with op.get_context().autocommit_block():
    op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
`,
      'op.drop_index("ix_users_email", "users", postgresql_concurrently=True)',
    ),
    good: one(
      `
with op.get_context().autocommit_block():
    op.execute("CREATE INDEX CONCURRENTLY ix_users_email ON users (email)")
`,
      DROP_INDEX,
    ),
  },
  {
    rule: 'ddl-before-autocommit',
    bad: one(
      `
${ADD}
with op.get_context().autocommit_block():
    op.create_index("ix_users_plan", "users", ["plan"], postgresql_concurrently=True)
`,
      DROP,
    ),
    good: {
      revisions: [
        { up: ADD, down: DROP },
        {
          up: `
op.execute("SET LOCAL statement_timeout = 0")
with op.get_context().autocommit_block():
    op.create_index("ix_users_plan", "users", ["plan"], postgresql_concurrently=True)
`,
          down: `
with op.get_context().autocommit_block():
    op.drop_index("ix_users_plan", "users", if_exists=True, postgresql_concurrently=True)
`,
        },
      ],
    },
  },
  {
    rule: 'raw-commit',
    bad: one('op.execute("COMMIT")\nop.execute("ALTER TYPE mood ADD VALUE IF NOT EXISTS \'fair\'")', '# a label stays'),
    given: "op.execute(\"CREATE TYPE mood AS ENUM ('good', 'bad')\")",
    good: one(
      `
with op.get_context().autocommit_block():
    op.execute("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'fair'")
`,
      '# a label stays',
    ),
  },
  {
    rule: 'bind-commit',
    bad: one('bind = op.get_bind()\nbind.execute(sa.text("UPDATE users SET active = false WHERE id = 9"))\nbind.commit()'),
    good: one('bind = op.get_bind()\nbind.execute(sa.text("UPDATE users SET active = false WHERE id = 9"))'),
  },
  {
    rule: 'raw-commit',
    about: 'of a transaction that the revision began itself',
    good: one(
      `
with op.get_context().autocommit_block():
    op.execute("BEGIN")
    op.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE NOWAIT")
    op.execute("ALTER TABLE users ADD COLUMN plan text")
    op.execute("COMMIT")
`,
      'op.drop_column("users", "plan")',
    ),
  },
  {
    rule: 'invalid-index-accepted',
    about: 'by a downgrade',
    bad: one(
      'with op.get_context().autocommit_block():\n    op.drop_index("ix_orders_user_id", "orders", postgresql_concurrently=True)',
      `
with op.get_context().autocommit_block():
    op.create_index("ix_orders_user_id", "orders", ["user_id"], if_not_exists=True, postgresql_concurrently=True)
`,
    ),
    severity: 'warning',
    good: one('op.execute("SELECT 1")'),
  },
  {
    rule: 'invalid-index-accepted',
    bad: one(
      `
with op.get_context().autocommit_block():
    op.create_index("ix_users_email", "users", ["email"], if_not_exists=True, postgresql_concurrently=True)
`,
      DROP_INDEX,
    ),
    good: one(
      `
with op.get_context().autocommit_block():
    op.drop_index("ix_users_email", "users", if_exists=True, postgresql_concurrently=True)
    op.create_index("ix_users_email", "users", ["email"], if_not_exists=True, postgresql_concurrently=True)
`,
      DROP_INDEX,
    ),
  },
  {
    rule: 'upgrade-fails',
    given: 'op.execute("CREATE TYPE mood AS ENUM (\'good\', \'bad\')")\nop.execute("CREATE TABLE users (id bigint, feels mood)")',
    bad: one(
      'op.execute("ALTER TABLE users ALTER COLUMN feels SET DEFAULT \'fair\'")',
      'op.execute("ALTER TABLE users ALTER COLUMN feels DROP DEFAULT")',
    ),
    good: {
      revisions: [
        { up: 'op.execute("ALTER TYPE mood ADD VALUE IF NOT EXISTS \'fair\'")', down: '# a label stays' },
        {
          up: 'op.execute("ALTER TABLE users ALTER COLUMN feels SET DEFAULT \'fair\'")',
          down: 'op.execute("ALTER TABLE users ALTER COLUMN feels DROP DEFAULT")',
        },
      ],
    },
  },
  {
    rule: 'enum-value-in-transaction',
    given: `
op.execute("CREATE TYPE mood AS ENUM ('ok', 'bad')")
op.execute("CREATE TABLE users (id bigint PRIMARY KEY, feels mood)")
`,
    bad: {
      ...one(`
op.execute("ALTER TYPE mood ADD VALUE 'fine'")
op.execute("UPDATE users SET feels = 'fine' WHERE feels = 'ok'")
`),
    },
    good: {
      revisions: [
        {
          up: `
with op.get_context().autocommit_block():
    op.execute("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'fine'")
`,
        },
        { up: `op.execute("UPDATE users SET feels = 'fine' WHERE feels = 'ok'")` },
      ],
      // A downgrade can't know which of them were 'ok'.
      also: ['downgrade-loses-data'],
    },
  },
];
