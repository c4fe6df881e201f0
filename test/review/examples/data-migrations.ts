import { type Example, GIVEN, one } from './example';

const MODEL = `
from sqlalchemy import orm

class User(orm.declarative_base()):
    __tablename__ = "users"
    id = sa.Column(sa.BigInteger, primary_key=True)
    note = sa.Column(sa.Text)
`;

const OFFSET = (which: string) => `
bind, offset = op.get_bind(), 0
while rows := bind.execute(sa.text("SELECT id FROM users ${which}"), {"offset": offset}).fetchall():
    for row in rows:
        bind.execute(sa.text("UPDATE users SET name = email WHERE id = :id"), {"id": row.id})
    offset += 100
`;

export const DATA_MIGRATIONS: readonly Example[] = [
  {
    rule: 'autovacuum-left-off',
    bad: one(
      'op.execute("ALTER TABLE users SET (autovacuum_enabled = off)")',
      'op.execute("ALTER TABLE users RESET (autovacuum_enabled)")',
    ),
    good: one(
      'op.execute("ALTER TABLE users SET (autovacuum_enabled = false)")\nop.execute("ALTER TABLE users RESET (autovacuum_enabled)")',
    ),
  },
  {
    rule: 'autovacuum-left-off',
    about: 'for a new table',
    bad: one(
      'op.execute("CREATE TABLE users_log (id bigint PRIMARY KEY) WITH (autovacuum_enabled = 0)")',
      'op.execute("DROP TABLE users_log")',
    ),
    good: one(
      'op.execute("CREATE TABLE users_log (id bigint PRIMARY KEY) WITH (fillfactor = 70, autovacuum_enabled = on)")',
      'op.execute("DROP TABLE users_log")',
    ),
  },
  {
    rule: 'imports-application',
    bad: one('op.execute(sa.text("DELETE FROM users WHERE id = :id").bindparams(id=shop.NOBODY))', 'pass', {
      head: 'import shop',
    }),
    good: one('op.execute(sa.text("DELETE FROM users WHERE id = :id").bindparams(id=NOBODY))', 'pass', { head: 'NOBODY = 12' }),
  },
  {
    rule: 'reads-outside',
    bad: one(
      'op.execute(sa.text("UPDATE users SET active = false WHERE name = :name").bindparams(name=os.environ.get("ADMIN", "")))',
      'pass',
      {
        head: 'import os',
      },
    ),
    good: one('op.execute(sa.text("UPDATE users SET active = false WHERE name = :name").bindparams(name="admin"))'),
  },
  {
    rule: 'reads-outside',
    about: "the backend's settings",
    bad: {
      ...one(
        'op.execute(sa.text("UPDATE users SET active = false WHERE name = :name").bindparams(name=settings.admin))',
        'pass',
        { head: 'from shop_config import settings' },
      ),
      also: ['imports-application'],
    },
    good: one('op.execute(sa.text("UPDATE users SET active = false WHERE name = :name").bindparams(name="admin"))'),
  },
  {
    rule: 'reads-outside',
    about: 'in a function of the backend',
    bad: {
      ...one('op.execute(sa.text("UPDATE users SET active = false WHERE name = :name").bindparams(name=admin()))', 'pass', {
        head: 'from shop import admin',
      }),
      also: ['imports-application'],
    },
    good: one('op.execute(sa.text("UPDATE users SET active = false WHERE name = :name").bindparams(name="admin"))'),
  },
  {
    rule: 'offset-batches',
    bad: {
      ...one(OFFSET('WHERE name IS NULL ORDER BY id LIMIT 100 OFFSET :offset')),
      also: ['batches-in-transaction'],
    },
    good: one(`
with op.get_context().autocommit_block():
    bind, last = op.get_bind(), 0
    while rows := bind.execute(sa.text("SELECT id FROM users WHERE id > :last ORDER BY id LIMIT 100"), {"last": last}).fetchall():
        for row in rows:
            bind.execute(sa.text("UPDATE users SET name = email WHERE id = :id"), {"id": row.id})
        last = rows[-1].id
`),
  },
  {
    rule: 'unbatched-loop',
    about: 'of objects of the ORM',
    bad: one(
      `
op.add_column("users", sa.Column("note", sa.Text()))
with orm.Session(op.get_bind()) as session:
    for user in session.scalars(sa.select(User)):
        user.note = f"user {user.id}"
    session.flush()
`,
      'op.drop_column("users", "note")',
      { head: MODEL },
    ),
    good: one('op.execute("UPDATE users SET name = \'nobody\' WHERE id = 12")'),
  },
  {
    rule: 'unbatched-loop',
    about: 'by the session',
    bad: one(
      `
op.add_column("users", sa.Column("note", sa.Text()))
session = orm.Session(op.get_bind())
for user in session.scalars(sa.select(User)):
    session.add(user)
`,
      'op.drop_column("users", "note")',
      { head: MODEL },
    ),
    good: one(
      `
seen = set()
for row in op.get_bind().execute(sa.text("SELECT id, name FROM users")).fetchall():
    seen.add(row.id)
`,
    ),
  },
  {
    rule: 'unbatched-loop',
    bad: one(`
bind = op.get_bind()
for row in bind.execute(sa.text("SELECT id, name FROM users")).fetchall():
    bind.execute(sa.text("UPDATE users SET name = :name WHERE id = :id"), {"name": (row.name or "").strip(), "id": row.id})
`),
    good: one(
      `
for table in ("users", "orders"):
    if op.get_bind().execute(sa.text(f"SELECT count(*) FROM {table}")).scalar() >= 0:
        op.execute(f"COMMENT ON TABLE {table} IS 'of the shop'")
number = op.get_bind().execute(sa.text("SELECT count(*) FROM users")).scalar()
for greeting in [{"id": 12, "name": f"guest {number}"}]:
    op.execute(f"UPDATE users SET name = '{greeting['name']}' WHERE id = {greeting['id']}")
`,
      `
for table in ("users", "orders"):
    op.execute(f"COMMENT ON TABLE {table} IS NULL")
`,
    ),
  },
  {
    rule: 'early-return',
    bad: one(`
if op.get_bind().execute(sa.text("SELECT count(*) FROM users")).scalar() == 0:
    return
op.execute("DELETE FROM users WHERE id = 1")
`),
    good: one('op.execute("DELETE FROM users WHERE id = 1")'),
  },
  {
    rule: 'write-not-repeatable',
    bad: one(`
with op.get_context().autocommit_block():
    op.execute("UPDATE orders SET total = total * 100 WHERE id BETWEEN 1 AND 1000")
`),
    good: one(`
with op.get_context().autocommit_block():
    op.execute("UPDATE orders SET total = total * 100 WHERE total < 1 AND id BETWEEN 1 AND 1000")
`),
  },
  {
    rule: 'referenced-key-updated',
    given: `${GIVEN}\nop.execute("ALTER TABLE orders ADD CONSTRAINT fk_orders_user FOREIGN KEY (user_id) REFERENCES users")`,
    bad: one('op.execute("UPDATE users SET id = 12 WHERE id = 11")'),
    good: one('op.execute("UPDATE users SET name = \'nobody\' WHERE id = 11")'),
  },
];
