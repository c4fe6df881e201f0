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
const sizes = (table: Partial<TableStatistics> = {}) => ({
  statistics: { ...STATISTICS, tables: [{ ...ORDERS, ...table }] },
  smallTable: SMALL_TABLE,
});

test('a finding on a large table tells rows, bytes, the time under the lock, the space, and what they rest on', () => {
  const { severity, message, size } = withSize(FOUND, INDEX, sizes());
  expect(severity).toBe('error');
  expect(message).toBe(
    'CREATE INDEX takes a SHARE lock on orders until the revision commits. In production orders has 10 million rows (1.2 GB): about ' +
      '23 s under that lock (5 s to 84 s), and up to 800 MB more disk space; rows from its last ANALYZE or VACUUM and its size ' +
      '(analyzed 2025-12-31), statistics of 2026-01-01',
  );
  expect(size).toMatchObject({ tables: ['orders'], rows: 10_000_000, seconds: { likely: 23 } });
});

test('a finding on a small table is a note that says why', () => {
  const { severity, message, size } = withSize(FOUND, INDEX, sizes({ rows: 300, bytes: 48_000, toastBytes: 0 }));
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
] as const)('%s is no note', (_, table, cost) => {
  const users = { ...ORDERS, name: 'users' };
  const { statistics, smallTable } = sizes(table);
  const given = { statistics: { ...statistics, tables: [...statistics.tables, users] }, smallTable };
  expect(withSize(FOUND, cost, given).severity).toBe('error');
});

test('a finding stays as it is if the statistics lack its table, or its harm does not depend on size', () => {
  expect(withSize(FOUND, { ...INDEX, tables: ['users'] }, sizes())).toBe(FOUND);
  expect(withSize(FOUND, undefined, sizes())).toBe(FOUND);
});

test('work of unknown length has rows and bytes, and no time', () => {
  const { size, message } = withSize(FOUND, { work: 'change', tables: ['orders'] }, sizes());
  expect(size?.seconds).toBeUndefined();
  expect(message).toContain('orders has 10 million rows (1.2 GB); rows from');
});

/* The table of docs/production.md: seconds of each statement on tables of 93 or 303 bytes a row, on each machine. */
const column = (name: string, width: number) => ({ name, nulls: 0, distinct: -1, width });
const table = (rows: number, rowBytes: number, entries: readonly number[]): TableStatistics => ({
  ...ORDERS,
  rows,
  bytes: rows * rowBytes,
  toastBytes: 0,
  indexBytes: entries.reduce((sum, bytes) => sum + bytes * rows, 0),
  columns: [column('n', 4), column('note', 38)],
  indexes: entries.map((bytes, at) => ({ name: `i${at}`, rows, bytes: bytes * rows, method: 'btree', valid: true, scans: 0 })),
});

test.each<[string, Cost['work'], number, number, readonly number[], Partial<Cost>, readonly number[]]>([
  ['SET NOT NULL', 'scan', 1e4, 93, [0.002, 0.003], {}, []],
  ['SET NOT NULL', 'scan', 1e6, 93, [0.347, 0.26, 0.066], {}, []],
  ['SET NOT NULL', 'scan', 1e7, 93, [2.1, 2.8, 0.66], {}, []],
  ['SET NOT NULL, wide rows', 'scan', 1e6, 303, [0.7], {}, []],
  ['CREATE INDEX on an integer', 'index', 1e4, 93, [0.019, 0.0097], { columns: ['n'] }, []],
  ['CREATE INDEX on an integer', 'index', 1e6, 93, [2.488, 0.973, 0.347], { columns: ['n'] }, []],
  ['CREATE INDEX on an integer', 'index', 1e7, 93, [22, 8, 3.24], { columns: ['n'] }, []],
  ['CREATE INDEX on a text', 'index', 1e4, 303, [0.034], { columns: ['note'] }, []],
  ['CREATE INDEX on a text', 'index', 1e6, 93, [6.614, 1.59, 0.484], { columns: ['note'] }, []],
  ['CREATE INDEX on a text', 'index', 1e7, 93, [11.6, 7.77], { columns: ['note'] }, []],
  ['a type that rewrites, 1 index', 'rewrite', 1e4, 93, [0.031], {}, [22]],
  ['a type that rewrites, 1 index', 'rewrite', 1e6, 93, [5.63], {}, [22]],
  ['a type that rewrites, 1 index', 'rewrite', 1e7, 93, [35], {}, [22]],
  ['a type that rewrites, 3 indexes', 'rewrite', 1e6, 93, [4.6, 2.07], {}, [22, 22, 58]],
  ['a type that rewrites, 3 indexes', 'rewrite', 1e7, 93, [37, 22.3], {}, [22, 22, 58]],
  ['a type that rewrites, 3 indexes', 'rewrite', 1e6, 303, [21.466], {}, [22, 22, 58]],
])(
  '%s, %s of %d rows of %d bytes: what each machine took is within the range',
  (_, work, rows, rowBytes, measured, cost, entries) => {
    const { seconds } = estimate({ work, tables: ['t'], ...cost }, table(rows, rowBytes, entries), 40);
    for (const one of measured) {
      expect(one).toBeGreaterThan(seconds?.low ?? Number.POSITIVE_INFINITY);
      expect(one).toBeLessThan(seconds?.high ?? 0);
    }
  },
);

test.each([
  [0.02, 'less than 0.1 s'],
  [0.34, '0.3 s'],
  [68, '68 s'],
  [180, '3 min'],
  [7_500, '2 h'],
])('%s seconds read %s', (seconds, text) => expect(timeText(seconds)).toBe(text));

describe('the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'statistics-'));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  test('is the answer of migrate-invoke, or its part', () => {
    const whole = file('whole.json', JSON.stringify(ANSWERS.statistics));
    const part = file('part.json', JSON.stringify(STATISTICS));
    expect(readSizes({}, whole)).toEqual({ statistics: STATISTICS, smallTable: SMALL_TABLE });
    expect(readSizes({ statistics: part, smallTable: { rows: 5 } })).toEqual({
      statistics: STATISTICS,
      smallTable: { rows: 5, bytes: 10_000_000 },
    });
  });

  test('is not needed', () => expect(readSizes({})).toBeUndefined());

  test.each([
    ['missing', () => join(folder, 'nowhere.json'), 'could not be read'],
    ['not JSON', () => file('text.json', 'x'), 'could not be read'],
    ['null', () => file('null.json', 'null'), 'has no statistics'],
    ['another answer', () => file('plan.json', JSON.stringify(ANSWERS['a plan'])), 'has no statistics'],
  ])('that is %s is an error that says how to write it', (_, path, message) => {
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
