import type { Review } from '../../../lib/review';
import { Database } from '../../production/database';
import { CATALOG, fixed, query, useFixing } from './fixing';

const { bed, alembic, text, fix, nextRelease } = useFixing();

/** A key that a column of its own table and one of another table refer to. */
function addShops(shop = 'int'): void {
  bed.project.revision(
    'c3',
    'b2',
    'Add shops and sales',
    `op.execute("""CREATE TABLE shops (id serial PRIMARY KEY, parent int CONSTRAINT parents REFERENCES shops);
    CREATE TABLE sales (total int, "Shop" ${shop} NOT NULL CONSTRAINT "Of shop" REFERENCES shops (id) ON DELETE CASCADE)""")`,
    'op.drop_table("sales"); op.drop_table("shops")',
  );
  bed.project.commit();
}

const open = ({ findings }: Review) => findings.filter(({ acknowledged }) => acknowledged === undefined).map(({ rule }) => rule);

const SALES = 'SELECT total FROM sales ORDER BY total';

test('a key that other columns refer to gets another type, and every foreign key moves along', async () => {
  addShops('bigint');
  const change = (type: string) => `op.alter_column("shops", "id", type_=sa.${type}())`;
  bed.project.revision('d4', 'c3', 'Widen shops.id', change('BigInteger'), change('Integer'));
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'head');
    const meant = await query(url, CATALOG);
    await alembic(url, 'downgrade', 'c3');
    const before = await query(url, CATALOG);
    const review = await fix();
    expect(fixed(review)).toEqual(['table-rewrite']);
    // Those of the sample's own: the series adds none.
    expect(open(review)).toEqual(['foreign-key-without-index', 'foreign-key-without-index', 'drift']);
    // Each batch begins where the last one ended: on a large table, a search from the start would take longer each time.
    expect(text('d4_2.py')).toContain('AND shops.id > CAST(:key_1 AS text)::integer');
    await query(url, 'INSERT INTO shops (parent) VALUES (NULL), (1)');
    await query(url, 'INSERT INTO sales VALUES (10, 1), (20, 2)');
    // All but the last: the running code still has its column.
    await alembic(url, 'upgrade', 'd4_5');
    await query(url, 'INSERT INTO shops (parent) VALUES (2)');
    await query(url, 'INSERT INTO sales VALUES (30, 3)');
    await alembic(url, 'upgrade', 'head');
    expect(await query(url, CATALOG)).toEqual(meant);
    await expect(query(url, 'INSERT INTO sales VALUES (40, 4)')).rejects.toThrow('"Of shop"');
    await query(url, 'DELETE FROM shops WHERE id = 3');
    expect(await query(url, SALES)).toEqual([{ total: 10 }, { total: 20 }]);
    await alembic(url, 'downgrade', 'c3');
    expect(await query(url, CATALOG)).toEqual(before);
    await alembic(url, 'upgrade', 'head');
    expect(await query(url, CATALOG)).toEqual(meant);
    expect(await query(url, SALES)).toEqual([{ total: 10 }, { total: 20 }]);
  });
});

test('a key that other columns refer to is renamed, and they refer to the old name until the next release drops it', async () => {
  addShops();
  const rename = (from: string, to: string) => `op.alter_column("shops", "${from}", new_column_name="${to}")`;
  bed.project.revision('d4', 'c3', 'Rename shops.id', rename('id', 'number'), rename('number', 'id'));
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'head');
    const meant = await query(url, CATALOG);
    await alembic(url, 'downgrade', 'c3');
    const before = await query(url, CATALOG);
    const review = await fix();
    expect(fixed(review)).toEqual(['rename']);
    nextRelease(review, 'd4');
    await query(url, 'INSERT INTO shops (parent) VALUES (NULL), (1)');
    await query(url, 'INSERT INTO sales VALUES (10, 1), (20, 2)');
    await alembic(url, 'upgrade', 'd4');
    await query(url, 'INSERT INTO shops (parent) VALUES (2)');
    await query(url, 'INSERT INTO sales VALUES (30, 3)');
    await alembic(url, 'upgrade', 'head');
    expect(await query(url, CATALOG)).toEqual(meant);
    await query(url, 'DELETE FROM shops WHERE number = 3');
    await alembic(url, 'downgrade', 'c3');
    expect(await query(url, CATALOG)).toEqual(before);
    await alembic(url, 'upgrade', 'head');
    expect(await query(url, CATALOG)).toEqual(meant);
    expect(await query(url, SALES)).toEqual([{ total: 10 }, { total: 20 }]);
  });
});

test.each([
  ['the key first', ['"shops", "id"', '"sales", "Shop"', '"shops", "parent"']],
  ['what refers to it first', ['"shops", "parent"', '"sales", "Shop"', '"shops", "id"']],
])('both sides of foreign keys get another type, %s', async (_, columns) => {
  addShops();
  const change = (type: string) => columns.map((column) => `op.alter_column(${column}, type_=sa.${type}())`).join('; ');
  bed.project.revision('d4', 'c3', 'Widen keys of shops', change('BigInteger'), change('Integer'));
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'head');
    const meant = await query(url, CATALOG);
    await alembic(url, 'downgrade', 'c3');
    const before = await query(url, CATALOG);
    expect(fixed(await fix())).toEqual(['table-rewrite', 'table-rewrite', 'table-rewrite']);
    await query(url, 'INSERT INTO shops (parent) VALUES (NULL), (1), (2)');
    await query(url, 'INSERT INTO sales VALUES (10, 1), (20, 2), (30, 3)');
    await alembic(url, 'upgrade', 'head');
    expect(await query(url, CATALOG)).toEqual(meant);
    await query(url, 'DELETE FROM shops WHERE id = 3');
    await alembic(url, 'downgrade', 'c3');
    expect(await query(url, CATALOG)).toEqual(before);
    await alembic(url, 'upgrade', 'head');
    expect(await query(url, CATALOG)).toEqual(meant);
    expect(await query(url, SALES)).toEqual([{ total: 10 }, { total: 20 }]);
  });
});
