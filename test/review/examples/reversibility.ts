import { type Example, GIVEN, one } from './example';

const ADD = 'op.add_column("users", sa.Column("plan", sa.Text(), nullable=True))';
const DROP = 'op.drop_column("users", "plan")';

export const REVERSIBILITY: readonly Example[] = [
  { rule: 'downgrade-missing', bad: one(ADD, 'pass'), good: one(ADD, DROP) },
  {
    rule: 'downgrade-missing',
    about: 'raising',
    bad: one(ADD, 'raise NotImplementedError("there is no way back")'),
    good: one(`# cdk-alembic: allow downgrade-missing: plans are never taken back\n${ADD}`, 'raise NotImplementedError'),
  },
  {
    rule: 'downgrade-missing',
    about: 'of rows alone, or of what is valid now',
    good: {
      revisions: [
        {
          up: 'op.create_check_constraint("ck_orders_total", "orders", "total >= 0", postgresql_not_valid=True)',
          down: 'op.drop_constraint("ck_orders_total", "orders", type_="check")',
        },
        { up: 'op.execute("ALTER TABLE orders VALIDATE CONSTRAINT ck_orders_total")' },
        { up: 'op.execute("UPDATE users SET active = false WHERE id = 12")' },
      ],
    },
  },
  {
    rule: 'drop-constraint-none',
    bad: {
      ...one(
        'op.create_foreign_key(None, "orders", "users", ["user_id"], ["id"], postgresql_not_valid=True)',
        'op.drop_constraint(None, "orders", type_="foreignkey")',
      ),
      also: ['unnamed-constraint'],
    },
    good: one(
      'op.create_foreign_key("fk_orders_user", "orders", "users", ["user_id"], ["id"], postgresql_not_valid=True)',
      'op.drop_constraint("fk_orders_user", "orders", type_="foreignkey")',
    ),
  },
  { rule: 'downgrade-fails', bad: one(ADD, 'op.drop_column("users", "plam")'), good: one(ADD, DROP) },
  {
    rule: 'downgrade-fails',
    about: 'on NULL, which the upgrade allows',
    severity: 'warning',
    bad: one('op.alter_column("users", "active", nullable=True)', 'op.alter_column("users", "active", nullable=False)'),
    good: one(
      'op.alter_column("users", "active", nullable=True)',
      'op.execute("UPDATE users SET active = false WHERE active IS NULL")\nop.alter_column("users", "active", nullable=False)',
    ),
  },
  {
    rule: 'downgrade-fails',
    about: 'on NULL, which was allowed before',
    given: `${GIVEN}\nop.execute("INSERT INTO users (email) VALUES ('ada@example.org')")`,
    bad: one('op.alter_column("users", "name", nullable=True)', 'op.alter_column("users", "name", nullable=False)'),
    good: one('op.alter_column("users", "name", nullable=True)', 'op.alter_column("users", "name", nullable=True)'),
  },
  {
    rule: 'downgrade-fails',
    about: 'on rows, not for the value of an enum that the upgrade has committed',
    given: `
op.execute("CREATE TYPE mood AS ENUM ('ok', 'bad')")
op.execute("CREATE TABLE users (id bigint PRIMARY KEY, feels mood)")
`,
    good: one(
      'op.execute("ALTER TYPE mood ADD VALUE \'fine\'")',
      `
op.execute("DELETE FROM users WHERE feels = 'fine'")
op.execute("ALTER TYPE mood RENAME TO mood_new")
op.execute("CREATE TYPE mood AS ENUM ('ok', 'bad')")
op.execute("ALTER TABLE users ALTER feels TYPE mood USING feels::text::mood")
op.execute("DROP TYPE mood_new")
`,
    ),
  },
  {
    rule: 'reupgrade-fails',
    bad: {
      ...one(
        `
op.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
op.execute("ALTER TABLE users ADD COLUMN feels mood")
`,
        'op.drop_column("users", "feels")',
      ),
      also: ['downgrade-not-restoring'],
    },
    good: one(
      `
op.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
op.execute("ALTER TABLE users ADD COLUMN feels mood")
`,
      `
op.drop_column("users", "feels")
op.execute("DROP TYPE mood")
`,
    ),
  },
  {
    rule: 'downgrade-not-restoring',
    bad: one(
      'op.alter_column("users", "active", server_default=sa.false())',
      'op.alter_column("users", "active", server_default=None)',
    ),
    good: one(
      'op.alter_column("users", "active", server_default=sa.false())',
      'op.alter_column("users", "active", server_default=sa.true())',
    ),
  },
];
