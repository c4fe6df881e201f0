import { type Example, GIVEN, one, PARTITIONED } from './example';

const INVITES = `
op.create_table(
    "invites_users",
    sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
    sa.Column("user_id", sa.BigInteger(), nullable=False),
    sa.Column("code", sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint("id", name="pk_invites_users"),
)
`;
const NO_INVITES = 'op.drop_table("invites_users")';

const DETACH = `
with op.get_context().autocommit_block():
    op.execute("ALTER TABLE orders DETACH PARTITION orders_2 CONCURRENTLY")
op.execute("ALTER TABLE orders_2 DROP CONSTRAINT IF EXISTS orders_2_id_check")
`;

const KEY_AGAIN = `op.execute("DO $$ DECLARE key text; BEGIN SELECT conname INTO key FROM pg_constraint WHERE conname = 'pk_orders'; EXECUTE 'ALTER TABLE orders DROP CONSTRAINT ' || key; END $$")
op.execute("ALTER TABLE orders ADD CONSTRAINT pk_orders PRIMARY KEY (id)")`;

export const LOCKING: readonly Example[] = [
  {
    rule: 'check-not-valid',
    about: 'of a table that the revision has found empty',
    good: one(
      `
count = op.get_bind().execute(sa.text("SELECT count(*) FROM orders")).scalar_one()
if count != 0:
    raise RuntimeError("orders must be empty")
op.create_check_constraint("ck_orders_total", "orders", "total >= 0")
op.create_index("ix_orders_note", "orders", ["note"])
`,
      'op.drop_index("ix_orders_note", "orders")\nop.drop_constraint("ck_orders_total", "orders")',
    ),
  },
  {
    rule: 'index-not-concurrent',
    bad: one('op.create_index("ix_users_email", "users", ["email"])', 'op.drop_index("ix_users_email", "users")'),
    good: one(
      `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_users_email")
    op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
`,
      `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_users_email")
`,
    ),
  },
  {
    rule: 'index-not-concurrent',
    about: 'in an autocommit block',
    bad: one(
      'with op.get_context().autocommit_block():\n    op.create_index("ix_users_email", "users", ["email"])',
      'op.drop_index("ix_users_email", "users")',
    ),
    good: one(
      'with op.get_context().autocommit_block():\n    op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)',
      'op.drop_index("ix_users_email", "users")',
    ),
  },
  {
    rule: 'index-not-concurrent',
    about: 'of a table made in the same revision',
    good: one(
      `
${INVITES}
op.create_index("ix_invites_users_user_id", "invites_users", ["user_id"])
`,
      `
op.drop_index("ix_invites_users_user_id", "invites_users")
op.drop_table("invites_users")
`,
    ),
  },
  {
    rule: 'index-not-concurrent',
    about: 'of a table made in the same change',
    good: {
      revisions: [
        { up: INVITES, down: NO_INVITES },
        {
          up: 'op.create_index("ix_invites_users_user_id", "invites_users", ["user_id"])',
          down: 'op.drop_index("ix_invites_users_user_id", "invites_users")',
        },
      ],
    },
  },
  {
    rule: 'index-not-concurrent',
    about: 'dropped or rebuilt',
    bad: one(
      `
op.drop_index("ix_orders_user_id", "orders")
op.execute("REINDEX TABLE users")
`,
      'op.create_index("ix_orders_user_id", "orders", ["user_id"])',
    ),
    good: one(
      `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_orders_user_id")
    op.execute("REINDEX TABLE CONCURRENTLY users")
`,
      `
with op.get_context().autocommit_block():
    op.create_index("ix_orders_user_id", "orders", ["user_id"], postgresql_concurrently=True)
`,
    ),
  },
  {
    rule: 'index-not-concurrent',
    about: 'of a table that goes in the same revision',
    good: one(
      `
# cdk-alembic: allow drop-table: nobody has used it since the shop was closed
# cdk-alembic: allow downgrade-loses-data: nobody wants them back
op.drop_index("ix_orders_user_id", "orders")
op.drop_table("orders")
`,
      `
op.create_table(
    "orders",
    sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
    sa.Column("user_id", sa.BigInteger(), nullable=True),
    sa.Column("total", sa.Numeric(12, 2), nullable=True),
    sa.Column("note", sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint("id", name="pk_orders"),
)
op.create_index("ix_orders_user_id", "orders", ["user_id"])
`,
    ),
  },
  {
    rule: 'index-not-concurrent',
    about: 'which only some stages get',
    bad: {
      ...one('if os.getenv("STAGE") == "prod":\n    op.create_index("ix_users_email", "users", ["email"])', undefined, {
        head: 'import os',
      }),
      also: ['reads-outside'],
    },
    good: {
      ...one(
        `
if os.getenv("STAGE") == "prod":
    with op.get_context().autocommit_block():
        op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
`,
        undefined,
        { head: 'import os' },
      ),
      also: ['reads-outside'],
    },
  },
  {
    rule: 'foreign-key-not-valid',
    bad: one(
      'op.create_foreign_key("fk_orders_user_id_users", "orders", "users", ["user_id"], ["id"])',
      'op.drop_constraint("fk_orders_user_id_users", "orders", type_="foreignkey")',
    ),
    good: {
      revisions: [
        {
          up: 'op.create_foreign_key("fk_orders_user_id_users", "orders", "users", ["user_id"], ["id"], postgresql_not_valid=True)',
          down: 'op.drop_constraint("fk_orders_user_id_users", "orders", type_="foreignkey")',
        },
        { up: 'op.execute("ALTER TABLE orders VALIDATE CONSTRAINT fk_orders_user_id_users")' },
      ],
    },
  },
  {
    rule: 'foreign-key-not-valid',
    about: 'of a table made in the same revision',
    good: one(
      `
op.create_table(
    "invites_users",
    sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
    sa.Column("user_id", sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_invites_users_user_id"),
    sa.PrimaryKeyConstraint("id", name="pk_invites_users"),
)
op.create_index("ix_invites_users_user_id", "invites_users", ["user_id"])
`,
      NO_INVITES,
    ),
  },
  {
    rule: 'check-not-valid',
    bad: one(
      'op.create_check_constraint("ck_orders_total", "orders", "total >= 0")',
      'op.drop_constraint("ck_orders_total", "orders", type_="check")',
    ),
    good: one(
      'op.create_check_constraint("ck_orders_total", "orders", "total >= 0", postgresql_not_valid=True)',
      'op.drop_constraint("ck_orders_total", "orders", type_="check")',
    ),
  },
  {
    rule: 'validate-in-same-transaction',
    bad: one(
      `
op.create_foreign_key("fk_orders_user_id_users", "orders", "users", ["user_id"], ["id"], postgresql_not_valid=True)
op.execute("ALTER TABLE orders VALIDATE CONSTRAINT fk_orders_user_id_users")
`,
      'op.drop_constraint("fk_orders_user_id_users", "orders", type_="foreignkey")',
    ),
    good: {
      revisions: [
        {
          up: 'op.create_check_constraint("ck_orders_total", "orders", "total >= 0", postgresql_not_valid=True)',
          down: 'op.drop_constraint("ck_orders_total", "orders", type_="check")',
        },
        { up: 'op.execute("ALTER TABLE orders VALIDATE CONSTRAINT ck_orders_total")' },
      ],
    },
  },
  {
    rule: 'constraint-builds-index',
    bad: {
      ...one(
        'op.create_unique_constraint("uq_users_email", "users", ["email"])',
        'op.drop_constraint("uq_users_email", "users", type_="unique")',
      ),
      also: ['unique-on-existing-rows'],
    },
    good: {
      revisions: [
        {
          up: `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_users_email")
    op.create_index("uq_users_email", "users", ["email"], unique=True, postgresql_concurrently=True)
`,
          down: `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_users_email")
`,
        },
        {
          up: 'op.execute("ALTER TABLE users ADD CONSTRAINT uq_users_email UNIQUE USING INDEX uq_users_email")',
          down: `
op.drop_constraint("uq_users_email", "users", type_="unique")
op.create_index("uq_users_email", "users", ["email"], unique=True)
`,
        },
      ],
      // Uniqueness is asked of rows that are there, however it is built; the way back builds an index under its lock.
      also: ['unique-on-existing-rows'],
    },
  },
  {
    rule: 'set-not-null-scan',
    about: 'of a column that the revision has added as NOT NULL',
    good: one(
      `
op.add_column("users", sa.Column("size", sa.Integer(), server_default="0", nullable=False))
op.alter_column("users", "size", nullable=False, server_default="1")
`,
      'op.drop_column("users", "size")',
    ),
  },
  {
    rule: 'set-not-null-scan',
    bad: {
      ...one('op.alter_column("users", "email", nullable=False)', 'op.alter_column("users", "email", nullable=True)'),
      also: ['not-null-on-existing-rows'],
    },
    severity: 'warning',
    good: {
      revisions: [
        {
          up: 'op.create_check_constraint("ck_users_email", "users", "email IS NOT NULL", postgresql_not_valid=True)',
          down: 'op.drop_constraint("ck_users_email", "users", type_="check")',
        },
        {
          up: `
op.execute("ALTER TABLE users VALIDATE CONSTRAINT ck_users_email")
op.alter_column("users", "email", nullable=False)
op.drop_constraint("ck_users_email", "users", type_="check")
`,
          down: `
op.create_check_constraint("ck_users_email", "users", "email IS NOT NULL", postgresql_not_valid=True)
op.alter_column("users", "email", nullable=True)
`,
        },
      ],
    },
  },
  {
    rule: 'set-not-null-scan',
    about: 'built by a block for tables that it finds in the catalog',
    severity: 'warning',
    bad: {
      ...one(
        `op.execute("""DO $$ DECLARE t text; BEGIN
FOR t IN SELECT tablename FROM pg_tables WHERE tablename = 'users' LOOP
EXECUTE 'ALTER TABLE ' || quote_ident(t) || ' ALTER COLUMN email SET NOT NULL';
END LOOP; END $$""")`,
        'op.alter_column("users", "email", nullable=True)',
      ),
      also: ['not-null-on-existing-rows'],
    },
    good: one(
      `op.execute("""DO $$ DECLARE t text; BEGIN
FOR t IN SELECT tablename FROM pg_tables WHERE tablename = 'nothing' LOOP
EXECUTE 'ALTER TABLE ' || quote_ident(t) || ' ALTER COLUMN email SET NOT NULL';
END LOOP; END $$""")`,
    ),
  },
  {
    rule: 'index-not-concurrent',
    about: 'for each row that a query finds',
    given: `${GIVEN}op.execute("CREATE TABLE mood (id bigint)")`,
    bad: one(
      `for row in op.get_bind().execute(sa.text("SELECT DISTINCT id FROM mood")).fetchall():
    op.create_index(f"ix_users_{row.id}", "users", ["name"])`,
    ),
    good: one(
      `for row in op.get_bind().execute(sa.text("SELECT DISTINCT id FROM mood")).fetchall():
    print(row.id)`,
    ),
  },
  {
    rule: 'set-not-null-scan',
    about: 'with a CHECK that blocks add and validate',
    good: {
      revisions: [
        {
          up: `
op.execute("""DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'ck_users_named') THEN
ALTER TABLE users ADD CONSTRAINT ck_users_named CHECK (name IS NOT NULL) NOT VALID; END IF; END $$""")
with op.get_context().autocommit_block():
    op.execute("""DO $$ BEGIN IF EXISTS (SELECT FROM pg_constraint WHERE conname = 'ck_users_named' AND NOT convalidated) THEN
ALTER TABLE users VALIDATE CONSTRAINT ck_users_named; END IF; END $$""")
op.alter_column("users", "name", nullable=False)
op.execute("ALTER TABLE users DROP CONSTRAINT ck_users_named")
`,
          down: 'op.alter_column("users", "name", nullable=True)',
        },
      ],
      also: ['ddl-before-autocommit'],
    },
  },
  {
    rule: 'set-not-null-scan',
    about: 'of a column that cannot be NULL anyway',
    good: one(
      'op.alter_column("users", "active", server_default=sa.false(), nullable=False)',
      'op.alter_column("users", "active", server_default=sa.true())',
    ),
  },
  {
    rule: 'table-rewrite',
    about: 'unless the time zone is UTC',
    severity: 'warning',
    given: 'op.execute("CREATE TABLE orders (id bigint PRIMARY KEY, placed_at timestamp)")',
    bad: one(
      'op.alter_column("orders", "placed_at", type_=sa.DateTime(timezone=True))',
      'op.alter_column("orders", "placed_at", type_=sa.DateTime())',
    ),
    good: one(
      `op.execute("SET LOCAL TimeZone = 'UTC'")\nop.alter_column("orders", "placed_at", type_=sa.DateTime(timezone=True))`,
      `op.execute("SET LOCAL TimeZone = 'UTC'")\nop.alter_column("orders", "placed_at", type_=sa.DateTime())`,
    ),
  },
  {
    rule: 'table-rewrite',
    bad: one(
      'op.alter_column("orders", "total", type_=sa.Double())',
      'op.alter_column("orders", "total", type_=sa.Numeric(12, 2))',
    ),
    good: one('op.alter_column("users", "name", type_=sa.String(200))', 'op.alter_column("users", "name", type_=sa.String(100))'),
  },
  {
    rule: 'table-rewrite',
    about: 'of indexes that another collation makes anew',
    given: `${GIVEN}\nop.execute("CREATE INDEX ix_users_name ON users (name)")`,
    bad: one(
      'op.alter_column("users", "name", type_=sa.String(100, collation="C"))',
      'op.alter_column("users", "name", type_=sa.String(100, collation="default"))',
    ),
    good: one(
      'op.alter_column("users", "email", type_=sa.Text(collation="C"))',
      'op.alter_column("users", "email", type_=sa.Text(collation="default"))',
    ),
  },
  {
    rule: 'table-rewrite',
    about: 'by a default that is computed for each row',
    bad: one(
      'op.add_column("users", sa.Column("token", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False))',
      'op.drop_column("users", "token")',
    ),
    good: one(
      `
op.add_column("users", sa.Column("plan", sa.Text(), server_default="free", nullable=False))
op.add_column("users", sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False))
`,
      `
op.drop_column("users", "seen_at")
op.drop_column("users", "plan")
`,
    ),
  },
  {
    rule: 'table-rewrite',
    about: 'of the partitions of a table',
    given: PARTITIONED,
    bad: one(
      'op.execute("ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid()")',
      'op.drop_column("orders", "token")',
    ),
    good: one('op.execute("ALTER TABLE orders ADD COLUMN token uuid")', 'op.drop_column("orders", "token")'),
  },
  {
    rule: 'table-rewrite',
    about: 'of a table that is logged already',
    good: one('op.execute("ALTER TABLE users SET LOGGED")', 'op.execute("ALTER TABLE users SET LOGGED")'),
  },
  {
    rule: 'table-rewrite',
    about: 'between text and varchar',
    good: one('op.alter_column("users", "email", type_=sa.String())', 'op.alter_column("users", "email", type_=sa.Text())'),
  },
  {
    rule: 'budget',
    bad: {
      ...one(
        'op.execute("ALTER TABLE orders ALTER COLUMN note TYPE varchar(50)")',
        'op.execute("ALTER TABLE orders ALTER COLUMN note TYPE text")',
      ),
      also: ['narrowing-type', 'table-rewrite'],
    },
    good: one('op.add_column("orders", sa.Column("remark", sa.Text()))', 'op.drop_column("orders", "remark")'),
  },
  {
    rule: 'work-under-lock',
    about: 'for each row that a query finds',
    bad: {
      ...one(
        `op.add_column("users", sa.Column("plan", sa.Text(), nullable=True))
for row in op.get_bind().execute(sa.text("SELECT id FROM orders WHERE note IS NOT NULL")).fetchall():
    op.execute("UPDATE users SET name = 'a' WHERE email LIKE 'a%'")`,
        'op.drop_column("users", "plan")',
      ),
      also: ['unbatched-loop'],
    },
    good: {
      ...one(
        `for row in op.get_bind().execute(sa.text("SELECT id FROM orders WHERE note IS NOT NULL")).fetchall():
    op.execute("UPDATE users SET name = 'a' WHERE email LIKE 'a%'")
op.add_column("users", sa.Column("plan", sa.Text(), nullable=True))`,
        'op.drop_column("users", "plan")',
      ),
      also: ['unbatched-loop'],
    },
  },
  {
    rule: 'work-under-lock',
    bad: {
      ...one(
        `
op.add_column("users", sa.Column("plan", sa.Text(), nullable=True))
op.execute("UPDATE users SET plan = 'free' WHERE email IS NOT NULL")
`,
        'op.drop_column("users", "plan")',
      ),
      also: ['update-all'],
    },
    good: one(
      `
op.add_column("users", sa.Column("plan", sa.Text(), nullable=True))
op.execute("UPDATE users SET plan = 'gold' WHERE id = 1")
`,
      'op.drop_column("users", "plan")',
    ),
  },
  {
    rule: 'locks-several-tables',
    bad: one(
      `
op.add_column("users", sa.Column("plan", sa.Text(), nullable=True))
op.add_column("orders", sa.Column("plan", sa.Text(), nullable=True))
`,
      `
op.drop_column("orders", "plan")
op.drop_column("users", "plan")
`,
    ),
    good: {
      revisions: [
        { up: 'op.add_column("users", sa.Column("plan", sa.Text(), nullable=True))', down: 'op.drop_column("users", "plan")' },
        { up: 'op.add_column("orders", sa.Column("plan", sa.Text(), nullable=True))', down: 'op.drop_column("orders", "plan")' },
      ],
    },
  },
  {
    rule: 'foreign-key-without-index',
    bad: one(
      `
op.create_table(
    "invites_users",
    sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
    sa.Column("user_id", sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_invites_users_user_id"),
    sa.PrimaryKeyConstraint("id", name="pk_invites_users"),
)
`,
      NO_INVITES,
    ),
    good: {
      revisions: [
        {
          up: `
op.create_table(
    "invites_users",
    sa.Column("user_id", sa.BigInteger(), nullable=False),
    sa.Column("code", sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_invites_users_user_id"),
    sa.PrimaryKeyConstraint("user_id", "code", name="pk_invites_users"),
)
`,
          down: NO_INVITES,
        },
      ],
    },
  },
  {
    rule: 'foreign-key-type-mismatch',
    bad: one(
      `
op.create_table(
    "invites_users",
    sa.Column("user_id", sa.Integer(), nullable=False),
    sa.Column("code", sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_invites_users_user_id"),
    sa.PrimaryKeyConstraint("user_id", "code", name="pk_invites_users"),
)
`,
      NO_INVITES,
    ),
    good: one(
      `
op.create_table(
    "invites_users",
    sa.Column("user_id", sa.BigInteger(), nullable=False),
    sa.Column("code", sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_invites_users_user_id"),
    sa.PrimaryKeyConstraint("user_id", "code", name="pk_invites_users"),
)
`,
      NO_INVITES,
    ),
  },
  {
    rule: 'drop-primary-key',
    bad: one(
      'op.drop_constraint("pk_orders", "orders", type_="primary")',
      'op.execute("ALTER TABLE orders ADD CONSTRAINT pk_orders PRIMARY KEY (id)")',
    ),
    good: {
      ...one(
        `
op.drop_constraint("pk_orders", "orders", type_="primary")
op.execute("ALTER TABLE orders ADD CONSTRAINT pk_orders PRIMARY KEY (id, total)")
`,
        `
op.drop_constraint("pk_orders", "orders", type_="primary")
op.execute("ALTER TABLE orders ALTER total DROP NOT NULL")
op.execute("ALTER TABLE orders ADD CONSTRAINT pk_orders PRIMARY KEY (id)")
`,
      ),
      also: ['constraint-builds-index'],
    },
  },
  {
    rule: 'constraint-builds-index',
    about: 'of a key that takes the name of one that a block has dropped',
    bad: one(KEY_AGAIN, KEY_AGAIN),
    good: one(
      `op.execute("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'pk_orders') THEN ALTER TABLE orders ADD CONSTRAINT pk_orders PRIMARY KEY (id); END IF; END $$")`,
      'op.execute("SELECT 1")',
    ),
  },
  {
    rule: 'drop-primary-key',
    about: 'REPLICA IDENTITY NOTHING',
    bad: one(
      'op.execute("ALTER TABLE orders REPLICA IDENTITY NOTHING")',
      'op.execute("ALTER TABLE orders REPLICA IDENTITY DEFAULT")',
    ),
    good: one(
      'op.execute("ALTER TABLE orders REPLICA IDENTITY FULL")',
      'op.execute("ALTER TABLE orders REPLICA IDENTITY DEFAULT")',
    ),
  },
  {
    rule: 'check-not-valid',
    about: 'of a domain',
    given: `
op.execute("CREATE DOMAIN mood AS text")
op.execute("CREATE TABLE users (id bigint PRIMARY KEY, mail mood)")
`,
    bad: one(
      `op.execute("ALTER DOMAIN mood ADD CONSTRAINT ck_mood CHECK (VALUE <> '')")`,
      'op.execute("ALTER DOMAIN mood DROP CONSTRAINT ck_mood")',
    ),
    good: {
      revisions: [
        {
          up: `op.execute("ALTER DOMAIN mood ADD CONSTRAINT ck_mood CHECK (VALUE <> '') NOT VALID")`,
          down: 'op.execute("ALTER DOMAIN mood DROP CONSTRAINT ck_mood")',
        },
        { up: 'op.execute("ALTER DOMAIN mood VALIDATE CONSTRAINT ck_mood")' },
      ],
    },
  },
  {
    rule: 'check-not-valid',
    about: 'of a domain that no table uses yet',
    given: 'op.execute("CREATE DOMAIN mood AS text")',
    good: one(
      `op.execute("ALTER DOMAIN mood ADD CONSTRAINT ck_mood CHECK (VALUE <> '')")`,
      'op.execute("ALTER DOMAIN mood DROP CONSTRAINT ck_mood")',
    ),
  },
  {
    rule: 'attach-partition-scan',
    about: 'of a default partition',
    given: `${PARTITIONED}op.execute("CREATE TABLE orders_9 PARTITION OF orders DEFAULT")`,
    bad: one(
      'op.execute("CREATE TABLE orders_3 PARTITION OF orders FOR VALUES FROM (20) TO (30)")',
      'op.execute("DROP TABLE orders_3")',
    ),
    good: {
      revisions: [
        {
          up: 'op.execute("ALTER TABLE orders_9 ADD CONSTRAINT orders_9_ck CHECK (id < 20 OR id >= 30) NOT VALID")',
          down: 'op.execute("ALTER TABLE orders_9 DROP CONSTRAINT orders_9_ck")',
        },
        { up: 'op.execute("ALTER TABLE orders_9 VALIDATE CONSTRAINT orders_9_ck")', down: 'pass' },
        {
          up: 'op.execute("CREATE TABLE orders_3 PARTITION OF orders FOR VALUES FROM (20) TO (30)")',
          down: 'op.execute("DROP TABLE orders_3")',
        },
      ],
    },
  },
  {
    rule: 'attach-partition-scan',
    given: PARTITIONED,
    bad: one('op.execute("ALTER TABLE orders ATTACH PARTITION orders_2 FOR VALUES FROM (10) TO (20)")', DETACH),
    good: {
      revisions: [
        {
          up: 'op.execute("ALTER TABLE orders_2 ADD CONSTRAINT ck_orders_2 CHECK (id IS NOT NULL AND id >= 10 AND id < 20) NOT VALID")',
          down: 'op.drop_constraint("ck_orders_2", "orders_2", type_="check")',
        },
        {
          up: 'op.execute("ALTER TABLE orders_2 VALIDATE CONSTRAINT ck_orders_2")',
        },
        {
          up: 'op.execute("ALTER TABLE orders ATTACH PARTITION orders_2 FOR VALUES FROM (10) TO (20)")',
          down: DETACH,
        },
      ],
    },
  },
  {
    rule: 'index-not-concurrent',
    about: 'of a partitioned table',
    given: PARTITIONED,
    bad: one('op.create_index("ix_orders_note", "orders", ["note"])', 'op.drop_index("ix_orders_note", "orders")'),
    good: {
      revisions: [
        {
          up: 'op.execute("CREATE INDEX ix_orders_note ON ONLY orders (note)")',
          down: 'op.drop_index("ix_orders_note", "orders")',
        },
        {
          up: `
with op.get_context().autocommit_block():
    op.execute("CREATE INDEX CONCURRENTLY ix_orders_1_note ON orders_1 (note)")
op.execute("ALTER INDEX ix_orders_note ATTACH PARTITION ix_orders_1_note")
`,
          down: `
op.execute("DROP INDEX ix_orders_note")
op.execute("CREATE INDEX ix_orders_note ON ONLY orders (note)")
`,
        },
      ],
    },
  },
  {
    rule: 'downgrade-index-not-concurrent',
    bad: one(
      `
with op.get_context().autocommit_block():
    op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
`,
      'op.drop_index("ix_users_email", "users")',
    ),
    good: one(
      `
with op.get_context().autocommit_block():
    op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
`,
      `
with op.get_context().autocommit_block():
    op.drop_index("ix_users_email", "users", postgresql_concurrently=True)
`,
    ),
  },
  {
    rule: 'work-under-lock',
    about: 'when update-all is acknowledged',
    bad: one(
      `
# cdk-alembic: allow update-all: the table is small
op.add_column("orders", sa.Column("region", sa.Text(), nullable=True))
op.execute("UPDATE orders SET region = note")
`,
      'op.drop_column("orders", "region")',
    ),
    good: {
      revisions: [
        {
          up: 'op.add_column("orders", sa.Column("region", sa.Text(), nullable=True))',
          down: 'op.drop_column("orders", "region")',
        },
        {
          up: `
with op.get_context().autocommit_block():
    while op.get_bind().execute(sa.text(
        "UPDATE orders SET region = note WHERE id IN"
        " (SELECT id FROM orders WHERE region IS NULL AND note IS NOT NULL LIMIT 1000)"
    )).rowcount:
        pass
`,
        },
      ],
    },
  },
  {
    rule: 'lock-table',
    bad: one(`
op.execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
op.execute("UPDATE users SET name = trim(name) WHERE name <> trim(name)")
`),
    good: one('op.execute("LOCK TABLE users IN ROW EXCLUSIVE MODE")\nop.execute("UPDATE users SET name = \'a\' WHERE id = 7")'),
  },
  {
    rule: 'lock-table',
    about: 'for a moment',
    bad: one(
      'op.execute("LOCK TABLE users")\nop.add_column("users", sa.Column("plan", sa.Text()))',
      'op.drop_column("users", "plan")',
    ),
    severity: 'warning',
    good: one(
      `
op.execute("CREATE TABLE new_users (id bigint PRIMARY KEY)")
op.execute("LOCK TABLE new_users")
op.execute("INSERT INTO new_users SELECT id FROM users WHERE id = 7")
`,
      'op.drop_table("new_users")',
    ),
  },
  {
    rule: 'lock-table',
    about: 'in a transaction of its own',
    bad: {
      ...one(`
with op.get_context().autocommit_block():
    op.execute("BEGIN")
    op.execute("LOCK TABLE users IN EXCLUSIVE MODE")
    # cdk-alembic: allow delete-by-query: rows of a test
    op.execute("DELETE FROM users WHERE id < 0")
    op.execute("COMMIT")
`),
    },
    good: one(`
with op.get_context().autocommit_block():
    op.execute("BEGIN")
    op.execute("LOCK TABLE users IN EXCLUSIVE MODE")
    op.execute("COMMIT")
`),
  },
  {
    rule: 'lock-table',
    about: 'by its rows',
    bad: one('op.get_bind().execute(sa.text("SELECT id FROM users FOR UPDATE")).all()'),
    good: one('op.get_bind().execute(sa.text("SELECT id FROM users WHERE id = 7 FOR UPDATE")).all()'),
  },
  {
    rule: 'work-under-lock',
    about: 'that blocks writes only',
    bad: one(
      `
op.execute("CREATE FUNCTION fill_users() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$")
op.execute("CREATE TRIGGER fill BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fill_users()")
# cdk-alembic: allow delete-by-query: rows of a test
op.execute("DELETE FROM users WHERE id < 0")
`,
      'op.execute("DROP TRIGGER fill ON users")\nop.execute("DROP FUNCTION fill_users()")',
    ),
    severity: 'warning',
    good: {
      revisions: [
        {
          up: `
op.execute("CREATE FUNCTION fill_users() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$")
op.execute("CREATE TRIGGER fill BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fill_users()")
`,
          down: 'op.execute("DROP TRIGGER fill ON users")\nop.execute("DROP FUNCTION fill_users()")',
        },
        { up: '# cdk-alembic: allow delete-by-query: rows of a test\nop.execute("DELETE FROM users WHERE id < 0")' },
      ],
    },
  },
  {
    rule: 'index-not-concurrent',
    about: 'moved to another tablespace',
    bad: one('op.execute("ALTER INDEX ix_orders_user_id SET TABLESPACE pg_default")'),
    good: one(
      'op.execute("ALTER INDEX ix_orders_user_id SET (fillfactor = 90)")',
      'op.execute("ALTER INDEX ix_orders_user_id RESET (fillfactor)")',
    ),
  },
  {
    rule: 'lock-timeout-missing',
    about: 'of minutes',
    bad: one(
      'op.execute("SET LOCAL lock_timeout = \'10min\'")\nop.add_column("users", sa.Column("plan", sa.Text()))',
      'op.drop_column("users", "plan")',
    ),
    good: one(
      'op.execute("SET LOCAL lock_timeout = \'2s\'")\nop.add_column("users", sa.Column("plan", sa.Text()))',
      'op.drop_column("users", "plan")',
    ),
  },
];
