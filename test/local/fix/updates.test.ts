import { Database } from '../../production/database';
import { fixed, query, reasons, useFixing } from './fixing';

const { bed, alembic, text, joined, fix } = useFixing();

test('an UPDATE of a table that the revision has locked runs in batches after it', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Tell adult users',
    `op.add_column("users", sa.Column("adult", sa.Boolean(), server_default="false", nullable=False))
    op.execute("UPDATE users SET adult = true WHERE age > 17")`,
    'op.drop_column("users", "adult")',
  );
  bed.project.revision(
    'd4',
    'c3',
    'Give users a rank',
    `op.add_column("users", sa.Column("rank", sa.Integer()))
    op.execute("UPDATE users SET rank = 1")`,
    'op.drop_column("users", "rank")',
  );
  bed.project.revision(
    'e5',
    'd4',
    'Give users the code of their team',
    `op.add_column("users", sa.Column("code", sa.String(9)))
    op.execute("UPDATE users u SET code = teams.code FROM teams WHERE teams.id = u.age")`,
    'op.drop_column("users", "code")',
  );
  expect(fixed(await fix())).toEqual(['update-all', 'work-under-lock', 'work-under-lock']);
  expect(joined('e5.py')).toContain('AND u.code IS DISTINCT FROM CAST((teams.code) AS character varying(9))');
  expect(text('c3_1.py')).toContain('op.add_column("users"');
  expect(joined('c3.py')).toContain('WHERE (age > 17) AND users.adult IS DISTINCT FROM CAST((true) AS boolean)');
});

/** An env.py that connects with asyncpg, which takes no text for a parameter of another type. */
const ASYNC_ENV = `import asyncio

from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

import models


def run(connection):
    context.configure(connection=connection, target_metadata=models.metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def main():
    async with create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:1/nothing").connect() as connection:
        await connection.run_sync(run)


asyncio.run(main())
`;

test('batches continue after the key of the last row with asyncpg, too', async () => {
  bed.project.write('migrations/env.py', ASYNC_ENV);
  bed.project.commit();
  bed.project.revision('c3', 'b2', 'Give users an age', 'op.execute("UPDATE users SET age = 1")');
  expect(fixed(await fix())).toEqual(['update-all']);
});

test('an UPDATE whose values may differ each time runs in batches in the order of the key, none of which searches the whole table', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add orders',
    `op.execute('''CREATE TABLE orders (day date, "number" int, age int, email text, PRIMARY KEY (day, "number"));
    CREATE FUNCTION slug(value text) RETURNS text LANGUAGE sql AS $$ SELECT lower(value) $$''')`,
    'op.drop_table("orders"); op.execute("DROP FUNCTION slug")',
  );
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Add slug to orders',
    `op.add_column("orders", sa.Column("slug", sa.Text()))
    op.execute("UPDATE orders SET slug = slug(email) || '\\\\:b' -- each")`,
    'op.drop_column("orders", "slug")',
  );
  // Several users may have an age.
  bed.project.revision(
    'e5',
    'd4',
    'Add user to orders',
    `op.add_column("orders", sa.Column("user_id", sa.BigInteger()))
    op.execute("WITH old AS (SELECT * FROM users) UPDATE orders o SET user_id = old.id FROM old WHERE old.age = o.age")`,
    'op.drop_column("orders", "user_id")',
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['update-all', 'work-under-lock']);
  expect(joined('e5.py')).toContain('WITH old AS (SELECT * FROM users), batch AS (');
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'c3');
    await query(url, 'INSERT INTO users (id, age) VALUES (1, 7), (2, 7), (3, 8)');
    await query(
      url,
      "INSERT INTO orders SELECT date '2026-01-01' + one % 3, one, one % 10, 'A' || one FROM generate_series(1, 25000) AS one",
    );
    await query(url, 'ANALYZE orders');
    await alembic(url, 'upgrade', 'head');
    const searches = "SELECT seq_scan > 4 AS searched FROM pg_stat_user_tables WHERE relname = 'orders'";
    expect(await query(url, searches)).toEqual([{ searched: false }]);
    const wrong = "slug IS DISTINCT FROM 'a' || number || ':b' OR (user_id IS NOT NULL) <> (age IN (7, 8))";
    expect(await query(url, `SELECT * FROM orders WHERE ${wrong}`)).toEqual([]);
    expect(await query(url, 'SELECT count(DISTINCT xmin::text) > 1 AS batched FROM orders')).toEqual([{ batched: true }]);
  });
});

test('what a revision reads stays between the statements around it, and a step that would read it again is not written', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Count users in codes',
    `op.execute("INSERT INTO teams VALUES (1000, 'new')")
    found = op.get_bind().execute(sa.text("SELECT max(id) FROM teams"))
    last = found.scalar()
    op.execute(f"INSERT INTO teams VALUES ({(last := last + 1)}, 'next')")
    step = 1
    op.execute(f"INSERT INTO teams VALUES ({last + step}, 'third')")
    step = 2
    op.execute(f"INSERT INTO teams VALUES ({last + step}, 'fourth')")
    op.create_index("ix_teams_code", "teams", ["code"])`,
    `op.drop_index("ix_teams_code")
    op.execute("DELETE FROM teams WHERE id >= 1000")`,
  );
  bed.project.revision(
    'd4',
    'c3',
    'Mark users of an age',
    `grown = op.get_bind().execute(sa.text("SELECT id FROM users WHERE age > 17")).scalars().all()
    op.execute("UPDATE users SET age = 1")
    for id in grown:
        op.execute(f"UPDATE users SET email = 'grown' WHERE id = {id}")`,
    'pass',
  );
  const before = text('d4.py');
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'c3');
    const rows = 'SELECT id, code FROM teams ORDER BY id';
    const meant = await query(url, rows);
    const review = await fix();
    expect(fixed(review)).toEqual(['index-not-concurrent']);
    expect(reasons(review)['update-all']).toMatch(/needs what line \d+ assigns at that time/);
    expect(text('d4.py')).toBe(before);
    await Database.with(async ({ plainUrl: own }) => {
      await alembic(own, 'upgrade', 'c3');
      expect(await query(own, rows)).toEqual(meant);
    });
  });
});

test('UPDATEs in batches stay in their order, also below a comment', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Give users a rank and a level',
    `op.add_column("users", sa.Column("rank", sa.Integer()))
    op.add_column("users", sa.Column("level", sa.Integer()))
    # those without an age come last
    op.execute("UPDATE users SET rank = 1000 - age")
    op.execute("UPDATE users SET level = rank / 10")`,
    'op.drop_column("users", "level")\n    op.drop_column("users", "rank")',
  );
  expect(fixed(await fix())).toEqual(['update-all', 'update-all']);
  const file = text('c3.py');
  expect(file).toContain('# those without an age come last');
  expect(file.indexOf('SET rank')).toBeLessThan(file.indexOf('SET level'));
});
