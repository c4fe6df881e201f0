import { type Example, GIVEN, one } from './example';

const made = (columns: string): [string, string] => [
  `op.create_table("notes_users", ${columns}, sa.PrimaryKeyConstraint("id", name="pk_notes_users"))`,
  'op.drop_table("notes_users")',
];
const ID = 'sa.Column("id", sa.BigInteger(), nullable=False)';

/** The second upgrade gives another default. */
const differing = (up: string, down: string) => ({ ...one(up, down), also: ['reupgrade-fails'] });

export const CONVENTIONS: readonly Example[] = [
  {
    rule: 'unnamed-constraint',
    bad: one(...made(`${ID}, sa.Column("code", sa.Text(), nullable=True), sa.UniqueConstraint("code")`)),
    good: one(
      ...made(`${ID}, sa.Column("code", sa.Text(), nullable=True), sa.UniqueConstraint("code", name="uq_notes_users_code")`),
    ),
  },
  {
    rule: 'long-name',
    bad: one(
      `op.execute("CREATE TABLE notes_users (id bigint, ${'a_very_long_name_'.repeat(4)} text)")`,
      'op.drop_table("notes_users")',
    ),
    good: one('op.execute("CREATE TABLE notes_users (id bigint, a_name text)")', 'op.drop_table("notes_users")'),
  },
  {
    rule: 'integer-primary-key',
    bad: one(...made('sa.Column("id", sa.Integer(), nullable=False)')),
    good: one(...made(ID)),
  },
  {
    rule: 'timestamp-without-time-zone',
    bad: one(...made(`${ID}, sa.Column("made_at", sa.DateTime(), nullable=True)`)),
    good: one(...made(`${ID}, sa.Column("made_at", sa.DateTime(timezone=True), nullable=True)`)),
  },
  {
    rule: 'json-column',
    bad: one(...made(`${ID}, sa.Column("data", sa.JSON(), nullable=True)`)),
    good: one(...made(`${ID}, sa.Column("data", postgresql.JSONB(), nullable=True)`)),
  },
  {
    rule: 'literal-index',
    about: 'that allows one row',
    good: one(
      `
op.create_table("license_users", sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False), sa.PrimaryKeyConstraint("id", name="pk_license_users"))
op.create_index("uq_license_users", "license_users", [sa.text("(true)")], unique=True)
`,
      'op.drop_table("license_users")',
    ),
  },
  {
    rule: 'literal-index',
    bad: one(
      `
with op.get_context().autocommit_block():
    op.create_index("ix_users_email", "users", [sa.text("('email'::text)")], postgresql_concurrently=True)
`,
      `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_users_email")
`,
    ),
    good: one(
      `
with op.get_context().autocommit_block():
    op.create_index("ix_users_email", "users", [sa.text("lower(email)")], postgresql_concurrently=True)
`,
      `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_users_email")
`,
    ),
  },
  {
    rule: 'vague-description',
    bad: one('pass', 'pass', { message: 'update tables' }),
    good: one('pass', 'pass', { message: 'Add index on users.email' }),
  },
  {
    rule: 'unused-acknowledgement',
    bad: one('# cdk-alembic: allow drop-tables: it is empty\npass'),
    good: one('# cdk-alembic: allow delete-all: carts are short-lived\nop.execute("DELETE FROM orders")'),
  },
  {
    rule: 'frozen-default',
    bad: differing(
      'op.add_column("users", sa.Column("joined_at", sa.DateTime(timezone=True), server_default="now()", nullable=False))',
      'op.drop_column("users", "joined_at")',
    ),
    good: one(
      'op.add_column("users", sa.Column("joined_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False))',
      'op.drop_column("users", "joined_at")',
    ),
  },
  {
    rule: 'frozen-default',
    about: 'of an existing column',
    given: `${GIVEN}\nop.add_column("users", sa.Column("seen_at", sa.DateTime(timezone=True)))`,
    bad: differing(
      'op.alter_column("users", "seen_at", server_default="now()")',
      'op.alter_column("users", "seen_at", server_default=None)',
    ),
    good: one(
      'op.alter_column("users", "seen_at", server_default=sa.text("now()"))',
      'op.alter_column("users", "seen_at", server_default=None)',
    ),
  },
];
