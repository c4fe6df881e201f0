import { type Example, GIVEN, one } from './example';

const ADD = 'op.add_column("users", sa.Column("plan", sa.Text(), nullable=True))';
const DROP = 'op.drop_column("users", "plan")';
const DROP_INDEX = `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_users_email")
`;

export const TRANSACTIONS: readonly Example[] = [
  {
    rule: 'runs-at-load',
    bad: one(
      'op.add_column("users", sa.Column("state", state, nullable=True))',
      'op.drop_column("users", "state")\nstate.drop(op.get_bind())',
      { head: 'state = postgresql.ENUM("on", "off", name="users_state")\nstate.create(op.get_bind(), checkfirst=True)' },
    ),
    good: one(
      'state.create(op.get_bind())\nop.add_column("users", sa.Column("state", state, nullable=True))',
      'op.drop_column("users", "state")\nstate.drop(op.get_bind())',
      { head: 'state = postgresql.ENUM("on", "off", name="users_state")' },
    ),
  },
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
    about: 'of VACUUM',
    bad: one('op.execute("VACUUM users")'),
    good: one('with op.get_context().autocommit_block():\n    op.execute("VACUUM users")'),
  },
  {
    rule: 'session-state-left',
    about: 'by SET',
    bad: one('op.execute("SET statement_timeout = 0")\nop.execute("SET TIME ZONE \'UTC\'")'),
    good: one('op.execute("SET LOCAL statement_timeout = 0")\nop.execute("SET TIME ZONE \'UTC\'")\nop.execute("RESET ALL")'),
  },
  {
    rule: 'session-state-left',
    about: 'by set_config()',
    bad: one("op.execute(\"SELECT set_config('lock_timeout', '0', false)\")"),
    good: one('op.execute("SELECT set_config(\'lock_timeout\', \'9s\', true)")\nop.execute("SET client_min_messages = warning")'),
  },
  {
    rule: 'session-state-left',
    about: 'by an advisory lock',
    bad: one('op.execute("SELECT pg_advisory_lock(730211)")', 'op.execute("SELECT pg_advisory_unlock(730211)")'),
    good: one(
      'op.execute("SELECT pg_advisory_xact_lock(730212)")\nop.execute("SELECT pg_try_advisory_lock(4), pg_advisory_unlock(4)")',
    ),
  },
  {
    rule: 'version-table-written',
    bad: one(
      'if op.get_bind().scalar(sa.text("SELECT 1 FROM users")):\n    op.execute("UPDATE alembic_version SET version_num = \'a1\'")',
    ),
    good: one('op.execute("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(255)")', 'op.execute("SELECT 1")'),
  },
  {
    rule: 'superuser-only',
    about: 'by COPY',
    bad: one(
      'op.execute("COPY users (name) FROM PROGRAM \'echo a\'")',
      'op.execute("DELETE FROM users WHERE name = \'a\' AND id = 1")',
    ),
    good: one('op.execute("INSERT INTO users (name) VALUES (\'a\')")', 'op.execute("DELETE FROM users WHERE id = 1")'),
  },
  {
    rule: 'superuser-only',
    about: 'by a function',
    bad: one('op.execute("SELECT pg_ls_dir(\'.\')")'),
    good: one('op.execute("SELECT pg_size_pretty(pg_relation_size(\'users\'))")'),
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
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_users_plan")
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
    rule: 'bind-commit',
    about: "on the driver's connection",
    bad: one('op.execute("UPDATE users SET active = false WHERE id = 9")\nop.get_bind().connection.commit()'),
    good: one('op.get_bind().connection.cursor().execute("UPDATE users SET active = false WHERE id = 9")'),
  },
  {
    rule: 'bind-commit',
    about: "on the driver's connection, by a name",
    bad: one(`conn = op.get_bind()
raw = conn.connection
raw.cursor().execute("UPDATE users SET active = false WHERE id = 9")
raw.commit()`),
    good: one('raw = op.get_bind().connection\nraw.cursor().execute("UPDATE users SET active = false WHERE id = 9")'),
  },
  {
    rule: 'bind-commit',
    about: "on the driver's connection of another database",
    good: {
      ...one(`
with sa.create_engine("sqlite://").connect() as other:
    other.connection.commit()
`),
      also: ['other-connection'],
    },
  },
  {
    rule: 'bind-commit',
    about: 'of a savepoint',
    good: one(
      `
with op.get_bind().begin_nested() as savepoint:
    try:
        op.execute("UPDATE users SET active = false WHERE id = 9")
        savepoint.commit()
    except sa.exc.OperationalError:
        savepoint.rollback()
`,
    ),
  },
  {
    rule: 'other-connection',
    about: 'of the engine, under another name',
    bad: one(`
pool = op.get_bind().engine
with pool.connect() as other:
    other.execute(sa.text("INSERT INTO users (name) VALUES ('Ann')"))
    other.commit()
`),
    good: one('op.execute("INSERT INTO users (name) VALUES (\'Ann\')")'),
  },
  {
    rule: 'other-connection',
    bad: one('engine = sa.create_engine("postgresql://db.example/shop")'),
    good: one(
      'from sqlalchemy.orm import Session\nsession = Session(bind=op.get_bind())\nsession.execute(sa.text("UPDATE users SET active = false WHERE id = 9"))\nsession.commit()',
    ),
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
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_users_email")
    op.create_index("ix_users_email", "users", ["email"], if_not_exists=True, postgresql_concurrently=True)
`,
      DROP_INDEX,
    ),
  },
  {
    rule: 'invalid-index-accepted',
    about: 'on another connection of the engine',
    bad: {
      ...one(
        `
with op.get_bind().engine.connect() as other:
    other = other.execution_options(isolation_level="AUTOCOMMIT")
    other.execute(sa.text("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_users_email ON users (email)"))
`,
        DROP_INDEX,
      ),
      also: ['other-connection'],
    },
    good: {
      ...one(
        `
with op.get_bind().engine.connect() as other:
    other = other.execution_options(isolation_level="AUTOCOMMIT")
    other.execute(sa.text("DROP INDEX CONCURRENTLY IF EXISTS ix_users_email"))
    other.execute(sa.text("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_users_email ON users (email)"))
`,
        DROP_INDEX,
      ),
      also: ['other-connection'],
    },
  },
  {
    rule: 'invalid-index-accepted',
    about: 'dropped before, in a loop',
    good: one(
      `
names = ["email", "name"]
with op.get_context().autocommit_block():
    for name in names:
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS ix_users_own_{name}")
        op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_users_own_{name} ON users ({name})")
`,
      `
with op.get_context().autocommit_block():
    for name in ("email", "name"):
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS ix_users_own_{name}")
`,
    ),
  },
  {
    rule: 'invalid-index-accepted',
    about: 'dropped before, if it is there',
    good: one(
      `
with op.get_context().autocommit_block():
    if op.get_bind().scalar(sa.text("SELECT 1 FROM pg_index WHERE NOT indisvalid AND indexrelid = to_regclass('ix_users_email')")):
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_users_email")
    op.create_index("ix_users_email", "users", ["email"], if_not_exists=True, postgresql_concurrently=True)
`,
      DROP_INDEX,
    ),
  },
  {
    rule: 'upgrade-fails',
    about: 'if the tables have rows',
    bad: {
      ...one(
        'if op.get_bind().scalar(sa.text("SELECT name FROM users WHERE name IS NOT NULL")):\n    op.execute("ANALYZE not_there")',
        'op.execute("SELECT 1")',
      ),
    },
    severity: 'warning',
    good: one(
      `
for name in op.get_bind().scalars(sa.text("SELECT name FROM users WHERE name IS NOT NULL")).all():
    op.execute(f'CREATE TABLE "{name}".log (id bigint)')
`,
      `
for name in op.get_bind().scalars(sa.text("SELECT name FROM users WHERE name IS NOT NULL")).all():
    op.execute(f'DROP TABLE "{name}".log')
`,
    ),
  },
  {
    rule: 'upgrade-fails',
    about: 'because the texts of sample rows are no numbers',
    good: one(
      'for name in op.get_bind().scalars(sa.text("SELECT name FROM users WHERE name IS NOT NULL")).all():\n    float(name)',
      'op.execute("SELECT 1")',
    ),
  },
  {
    rule: 'upgrade-fails',
    about: 'because a block of the revision refuses the rows',
    good: one(
      `
op.execute("""
DO $$ BEGIN
  IF EXISTS (SELECT FROM users WHERE email IS NOT NULL) THEN RAISE EXCEPTION 'first move the addresses'; END IF;
END $$
""")
`,
      'op.execute("SELECT 1")',
    ),
  },
  {
    rule: 'upgrade-fails',
    about: 'because it was written for another kind of database',
    bad: one('op.execute("UPDATE users SET name = IFNULL(name, \'\') WHERE id = 7")', 'op.execute("SELECT 1")'),
    severity: 'error',
    good: one('op.execute("UPDATE users SET name = coalesce(name, \'\') WHERE id = 7")', 'op.execute("SELECT 1")'),
  },
  {
    rule: 'upgrade-fails',
    about: 'because a default has another type',
    bad: one(
      'op.add_column("users", sa.Column("is_admin", sa.Boolean(), server_default=sa.text("0")))',
      'op.drop_column("users", "is_admin")',
    ),
    good: one(
      'op.add_column("users", sa.Column("is_admin", sa.Boolean(), server_default=sa.false()))',
      'op.drop_column("users", "is_admin")',
    ),
  },
  {
    rule: 'upgrade-fails',
    about: 'because a view uses the column',
    given: `${GIVEN}\nop.execute("CREATE VIEW orders_seen AS SELECT user_id FROM orders")`,
    bad: {
      ...one(
        'op.alter_column("orders", "user_id", type_=sa.Integer())',
        'op.alter_column("orders", "user_id", type_=sa.BigInteger())',
      ),
      also: ['table-rewrite', 'narrowing-type'],
    },
    good: one('op.alter_column("orders", "note", type_=sa.String())', 'op.alter_column("orders", "note", type_=sa.Text())'),
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
      also: ['update-all'],
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
      also: ['downgrade-loses-data', 'update-all'],
    },
  },
  {
    rule: 'batches-in-transaction',
    bad: one(`
bind = op.get_bind()
while bind.execute(sa.text("UPDATE users SET name = 'x' WHERE id IN (SELECT id FROM users WHERE name IS NULL LIMIT 1000)")).rowcount:
    pass
`),
    good: one(`
with op.get_context().autocommit_block():
    bind = op.get_bind()
    while bind.execute(sa.text("UPDATE users SET name = 'x' WHERE id IN (SELECT id FROM users WHERE name IS NULL LIMIT 1000)")).rowcount:
        pass
`),
  },
  {
    rule: 'batches-in-transaction',
    about: 'of ranges that an empty table does not have',
    bad: one(`
bind = op.get_bind()
last = bind.execute(sa.text("SELECT max(id) FROM users WHERE id > 0")).scalar() or 0
for start in range(1, last + 1, 5000):
    bind.execute(sa.text("UPDATE users SET active = true WHERE id BETWEEN :a AND :b"), {"a": start, "b": start + 4999})
`),
    good: one(`
for table in ("users", "orders"):
    op.execute(f"UPDATE {table} SET id = id WHERE id = 7")
`),
  },
  {
    rule: 'batches-in-transaction',
    about: 'in a DO block',
    bad: one(`
op.execute("DO $$ BEGIN LOOP UPDATE users SET active = true WHERE id IN (SELECT id FROM users WHERE active IS NULL LIMIT 10); EXIT WHEN NOT FOUND; END LOOP; END $$")
`),
    good: one(`
with op.get_context().autocommit_block():
    op.execute("DO $$ BEGIN LOOP UPDATE users SET active = true WHERE id IN (SELECT id FROM users WHERE active IS NULL LIMIT 10); EXIT WHEN NOT FOUND; COMMIT; END LOOP; END $$")
`),
  },
  {
    rule: 'sleep-in-transaction',
    bad: one(
      `
${ADD}
op.execute("SELECT pg_sleep(0.01)")
`,
      DROP,
    ),
    good: one(
      `
with op.get_context().autocommit_block():
    op.execute("SELECT pg_sleep(0.01)")
`,
    ),
  },
  {
    rule: 'sleep-in-transaction',
    about: 'after a savepoint has undone its work',
    severity: 'warning',
    bad: one(
      `
for attempt in range(3):
    try:
        with op.get_bind().begin_nested():
            op.execute("SET LOCAL lock_timeout = '2s'")
            op.execute("ALTER TABLE users ADD COLUMN note text")
        break
    except sa.exc.OperationalError:
        time.sleep(0.01)
`,
      'op.drop_column("users", "note")',
      { head: 'import time' },
    ),
    good: one(
      'op.execute("SET LOCAL lock_timeout = \'2s\'")\nop.execute("ALTER TABLE users ADD COLUMN note text")',
      'op.drop_column("users", "note")',
    ),
  },
  {
    rule: 'sleep-in-transaction',
    about: 'of Python, before anything is locked',
    bad: one(`time.sleep(0.01)\n${ADD}`, DROP, { head: 'import time' }),
    severity: 'warning',
    good: one('with op.get_context().autocommit_block():\n    time.sleep(0.01)', undefined, { head: 'import time' }),
  },
  {
    rule: 'copies-table',
    bad: one('op.execute("CREATE TABLE old_orders AS SELECT * FROM orders")', 'op.execute("DROP TABLE old_orders")'),
    good: one(
      'op.execute("CREATE TABLE old_orders AS SELECT * FROM orders WITH NO DATA")',
      'op.execute("DROP TABLE old_orders")',
    ),
  },
  {
    rule: 'copies-table',
    about: 'into another one',
    given: `${GIVEN}\nop.execute("CREATE TABLE old_orders (id bigint PRIMARY KEY, total numeric)")`,
    bad: one('op.execute("INSERT INTO old_orders SELECT id, total FROM orders")'),
    good: one('op.execute("INSERT INTO old_orders SELECT count(*), sum(total) FROM orders")'),
  },
  {
    rule: 'copies-table',
    about: 'in part: the rows that a list names',
    given: `${GIVEN}\nop.execute("CREATE TABLE old_orders (id bigint PRIMARY KEY, total numeric)")`,
    good: one(
      'op.execute("INSERT INTO old_orders SELECT o.id, o.total FROM (VALUES (1), (2)) AS old (id) JOIN orders o ON o.id = old.id")',
    ),
  },
  {
    rule: 'concurrently-in-transaction',
    about: 'together with another statement',
    bad: one(
      `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_orders_note; CREATE INDEX CONCURRENTLY ix_orders_note ON orders (note)")
`,
      `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_orders_note")
`,
    ),
    good: one(
      `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_orders_note")
    op.execute("CREATE INDEX CONCURRENTLY ix_orders_note ON orders (note)")
`,
      `
with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_orders_note")
`,
    ),
  },
];
