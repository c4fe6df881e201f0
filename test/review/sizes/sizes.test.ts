import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSizes } from '../../../lib/cli/safe-alembic/replay/sizes';
import type { TableStatistics } from '../../../lib/contract';
import { MigrateError } from '../../../lib/contract';
import type { Finding } from '../../../lib/review/finding';
import type { Cost } from '../../../lib/review/sizes/cost';
import { estimate } from '../../../lib/review/sizes/estimate';
import { SMALL_TABLE, timeText, withSize } from '../../../lib/review/sizes/size';
import { ANSWERS } from '../../contract/samples';
import { STATISTICS } from '../../support/aws/answers';

const [ORDERS] = STATISTICS.tables as readonly [TableStatistics];

const FOUND: Finding = {
  rule: 'index-not-concurrent',
  severity: 'error',
  revision: 'b2',
  file: 'b2.py',
  line: 7,
  message: 'CREATE INDEX takes a SHARE lock on orders until the revision commits',
  seen: 'replay',
};
const INDEX: Cost = { work: 'index', tables: ['orders'], columns: ['note'] };
const typeOf = (_: string, column: string) => (column === 'user_id' ? 'bigint' : undefined);
const sizes = (table: Partial<TableStatistics> = {}) => ({
  statistics: { ...STATISTICS, tables: [{ ...ORDERS, ...table }] },
  smallTable: SMALL_TABLE,
});

test('a finding on a large table has rows, bytes, time under the lock, space, and their basis', () => {
  const { severity, message, size } = withSize(FOUND, INDEX, sizes(), typeOf);
  expect(severity).toBe('error');
  expect(message).toBe(
    'CREATE INDEX takes a SHARE lock on orders until the revision commits. In production orders has 10 million rows (1.2 GB): about ' +
      '22 s under that lock (7 s to 81 s), and up to 800 MB more disk space; rows from its last ANALYZE or VACUUM and its size ' +
      '(analyzed 2025-12-31), statistics of 2026-01-01',
  );
  expect(size).toMatchObject({ tables: ['orders'], rows: 10_000_000, seconds: { likely: 22 } });
});

test('a finding on a small table is a note that says why', () => {
  const { severity, message, size } = withSize(FOUND, INDEX, sizes({ rows: 300, bytes: 48_000, toastBytes: 0 }), typeOf);
  expect([severity, size?.small]).toEqual(['note', true]);
  expect(message).toContain('orders has 300 rows (48 kB): less than 0.1 s under that lock, and');
  expect(message).toContain('A note, because it is below "smallTable" (10 thousand rows and 10 MB)');
});

test.each([
  ['few rows that are large', { rows: 300, bytes: 900_000_000 }, INDEX],
  ['many rows that are small', { rows: 60_000, bytes: 5_000_000 }, INDEX],
  [
    'a large table that is referenced',
    { rows: 300, bytes: 48_000 },
    { work: 'look up', tables: ['orders'], references: 'users' },
  ],
] as const)('%s is not downgraded to a note', (_, table, cost) => {
  const users = { ...ORDERS, name: 'users' };
  const { statistics, smallTable } = sizes(table);
  const given = { statistics: { ...statistics, tables: [...statistics.tables, users] }, smallTable };
  expect(withSize(FOUND, cost, given, typeOf).severity).toBe('error');
});

test('a finding stays unchanged if the statistics lack its table or its harm does not depend on size', () => {
  expect(withSize(FOUND, { ...INDEX, tables: ['users'] }, sizes(), typeOf)).toBe(FOUND);
  expect(withSize(FOUND, undefined, sizes(), typeOf)).toBe(FOUND);
});

test('work of unknown duration has rows and bytes but no time', () => {
  const { size, message } = withSize(FOUND, { work: 'change', tables: ['orders'] }, sizes(), typeOf);
  expect(size?.seconds).toBeUndefined();
  expect(message).toContain('orders has 10 million rows (1.2 GB); rows from');
});

/** Of a server that sorts texts as fast as the collation `C` does. */
const speed = (sortMilliseconds: number, slower = 1) => ({
  sortMilliseconds,
  sortTextMilliseconds: 1.8 * sortMilliseconds * slower,
});

test('on a server that sorts twice as fast, the estimate is half', () => {
  const likely = (sortMilliseconds: number) => estimate(INDEX, ORDERS, speed(sortMilliseconds)).seconds?.likely;
  expect(likely(10)).toBeCloseTo((likely(20) as number) / 2);
});

test('a slow collation slows down only indexes on texts', () => {
  const likely = (columns: readonly string[], slower: number) =>
    estimate({ ...INDEX, columns }, table(1e6), speed(9, slower)).seconds?.likely as number;
  expect(likely(['note'], 4) / likely(['note'], 1)).toBeGreaterThan(2.5);
  expect(likely(['n'], 4)).toBe(likely(['n'], 1));
  expect(likely(['n', 'note'], 4)).toBe(likely(['note'], 4));
  // Nothing is known about an expression or a column without statistics.
  expect(likely(['missing'], 4)).toBeGreaterThan(likely(['missing'], 1));
  const rewrite = (slower: number) => estimate({ work: 'rewrite', tables: ['t'] }, table(1e6), speed(9, slower)).seconds?.likely;
  expect(rewrite(4)).toBeGreaterThan(rewrite(1) as number);
});

test('a column that production does not have yet is estimated by its type', () => {
  const likely = (column: string) => withSize(FOUND, { ...INDEX, columns: [column] }, sizes(), typeOf).size?.seconds?.likely;
  expect(likely('user_id')).toBeLessThan(likely('another_text') as number);
});

/* The table of docs/production.md: the time of a sort, and the seconds of a statement on so many rows of 93 bytes. */
const column = (name: string, width: number) => ({ name, nulls: 0, distinct: -1, width, collated: name === 'note' });
const table = (rows: number): TableStatistics => ({
  ...ORDERS,
  rows,
  bytes: rows * 93,
  toastBytes: 0,
  indexBytes: 102 * rows,
  columns: [column('n', 4), column('note', 38)],
  indexes: [22, 22, 58].map((bytes, at) => ({
    name: `i${at}`,
    rows,
    bytes: bytes * rows,
    method: 'btree',
    valid: true,
    collated: at === 2,
    scans: 0,
  })),
});

test.each<[string, Cost['work'], Partial<Cost>, number, number, number]>([
  ['SET NOT NULL', 'scan', {}, 1e4, 9, 0.0011],
  ['SET NOT NULL', 'scan', {}, 1e6, 9, 0.057],
  ['SET NOT NULL', 'scan', {}, 1e7, 9, 0.84],
  ['SET NOT NULL', 'scan', {}, 1e6, 36, 0.325],
  ['CREATE INDEX on an integer', 'index', { columns: ['n'] }, 1e4, 9, 0.0029],
  ['CREATE INDEX on an integer', 'index', { columns: ['n'] }, 1e6, 9, 0.245],
  ['CREATE INDEX on an integer', 'index', { columns: ['n'] }, 1e7, 9, 2.74],
  ['CREATE INDEX on an integer', 'index', { columns: ['n'] }, 1e6, 36, 1.149],
  ['CREATE INDEX on a text', 'index', { columns: ['note'] }, 1e4, 9, 0.0034],
  ['CREATE INDEX on a text', 'index', { columns: ['note'] }, 1e6, 9, 0.383],
  ['CREATE INDEX on a text', 'index', { columns: ['note'] }, 1e7, 9, 3.6],
  ['CREATE INDEX on a text', 'index', { columns: ['note'] }, 1e6, 36, 1.585],
  ['a type that rewrites', 'rewrite', {}, 1e4, 9, 0.0115],
  ['a type that rewrites', 'rewrite', {}, 1e6, 9, 1.19],
  ['a type that rewrites', 'rewrite', {}, 1e7, 9, 14.4],
  ['a type that rewrites', 'rewrite', {}, 1e6, 36, 6.29],
])(
  '%s, %s: the estimate for a server with this sorting time is within a factor of two',
  (_, work, cost, rows, sortMilliseconds, taken) => {
    const { seconds } = estimate({ work, tables: ['t'], ...cost }, table(rows), speed(sortMilliseconds));
    const ratio = (seconds?.likely ?? 0) / taken;
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  },
);

test.each([
  [0.02, 'less than 0.1 s'],
  [0.34, '0.3 s'],
  [68, '68 s'],
  [180, '3 min'],
  [7_500, '2 h'],
])('%s seconds are shown as %s', (seconds, text) => expect(timeText(seconds)).toBe(text));

describe('the file with sizes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'statistics-'));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  test('is the answer of migrate-invoke, or a part of it', () => {
    const whole = file('whole.json', JSON.stringify(ANSWERS.statistics));
    const part = file('part.json', JSON.stringify(STATISTICS));
    expect(readSizes({}, whole)).toEqual({ statistics: STATISTICS, smallTable: SMALL_TABLE });
    expect(readSizes({ statistics: part, smallTable: { rows: 5 } })).toEqual({
      statistics: STATISTICS,
      smallTable: { rows: 5, bytes: 10_000_000 },
    });
  });

  test('is optional', () => expect(readSizes({})).toBeUndefined());

  test.each([
    ['missing', () => join(folder, 'nowhere.json'), 'could not be read'],
    ['not JSON', () => file('text.json', 'x'), 'could not be read'],
    ['null', () => file('null.json', 'null'), 'has no statistics'],
    ['another answer', () => file('plan.json', JSON.stringify(ANSWERS['a plan'])), 'has no statistics'],
  ])('that is %s is an error that says how to create it', (_, path, message) => {
    let error: unknown;
    try {
      readSizes({}, path());
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(MigrateError);
    expect(error).toMatchObject({ code: 'invalid_usage', message: expect.stringContaining(message) });
    expect((error as MigrateError).next).toContain('--command statistics --json');
  });
});
