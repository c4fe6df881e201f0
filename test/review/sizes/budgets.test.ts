import type { TableStatistics } from '../../../lib/contract';
import type { MeasuredFacts, MeasuredTable, RevisionFacts, Statement } from '../../../lib/contract/facts';
import { type Review, type ReviewOptions, review } from '../../../lib/review';
import { htmlReport } from '../../../lib/review/reports/html';
import { markdownReport } from '../../../lib/review/reports/markdown';
import { SMALL_TABLE } from '../../../lib/review/sizes/size';
import { shown } from '../../cli/safe-alembic/shown';
import { STATISTICS } from '../../support/aws/answers';

const [ORDERS] = STATISTICS.tables as readonly [TableStatistics];
const SIZES = { statistics: STATISTICS, smallTable: SMALL_TABLE };
const LINE = 9;

const statement = (sql: string, mode: string, more: Partial<Statement> = {}): Statement => ({
  sql,
  line: LINE,
  transaction: 0,
  milliseconds: 4,
  rowCount: -1,
  locks: [{ relation: 'orders', table: 'orders', mode }],
  rewrites: [],
  ...more,
});

const INDEX = statement('CREATE INDEX ix ON orders (note)', 'ShareLock');
const TYPE = statement('ALTER TABLE orders ALTER n TYPE bigint', 'AccessExclusiveLock', { rewrites: ['orders'] });
const NOT_NULL = statement('ALTER TABLE orders ALTER note SET NOT NULL', 'AccessExclusiveLock', { line: LINE + 1 });

const column = (name: string, type: string) => ({ name, type, notNull: false, identity: false, generated: false });
const TABLES = { orders: { columns: [column('note', 'text'), column('n', 'integer')], constraints: [], indexes: [] } };
const said = { line: 8, empty: false, raises: false, calls: [], importedCalls: [], earlyReturns: [], sql: [], steps: [] };

function revision(statements: readonly Statement[], acknowledged: readonly string[] = []): RevisionFacts {
  const done = { outcome: 'done', leftTransaction: false, statementsLeftOut: 0 } as const;
  return {
    revision: 'b2',
    message: 'Change orders',
    file: 'b2.py',
    downRevisions: ['a1'],
    dependsOn: [],
    branchLabels: [],
    source: {
      description: 'Change orders',
      acknowledgements: acknowledged.map((rule) => ({ rule, reason: 'at night', line: 2 })),
      upgrade: said,
      downgrade: said,
      imports: [],
      steps: [],
      history: { names: [], steps: [], isWhole: false, filledTables: [], materializedViews: [], partitionedTables: [] },
    },
    upgrade: { ...done, statements },
    downgrade: { ...done, statements: [] },
    before: TABLES,
    after: TABLES,
  };
}

const table = (more: Partial<MeasuredTable>): MeasuredTable => ({
  table: 'orders',
  rows: 1_000_000,
  productionRows: 10_000_000,
  limit: 'rows',
  locks: [],
  ...more,
});

const measured = (more: Partial<MeasuredTable>): MeasuredFacts => ({
  revision: 'b2',
  milliseconds: 1_030,
  sortMilliseconds: STATISTICS.sortMilliseconds,
  walBytes: 51_000_000,
  tables: [table(more)],
});

function judged(facts: RevisionFacts, options: Partial<ReviewOptions>, ...all: readonly MeasuredFacts[]): Promise<Review> {
  const { source: _, upgrade: __, downgrade: ___, before: ____, after: _____, ...node } = facts;
  const graph = { revisions: [node], heads: ['b2'] };
  const input = { graph, revisions: [facts], unreleased: [], edited: [], postgres: '18.4', started: Date.now(), measured: all };
  return review(input, { version: '0.0.0', rules: {}, failOn: 'error', ...options });
}

const over = ({ findings }: Review) => findings.filter(({ rule }) => rule === 'budget');

describe('a measured wait', () => {
  const SHARE = measured({ locks: [{ mode: 'ShareLock', milliseconds: 1_000 }], longestWriteMilliseconds: 1_024 });

  test('over its budget is an error with the measured, scaled and allowed time', async () => {
    const result = await judged(revision([INDEX]), { sizes: SIZES, budgets: { writesBlocked: '2s', readsBlocked: '1s' } }, SHARE);
    // 24 ms do not grow with the table: 4 on empty tables, 20 of polling.
    const milliseconds = 1_024 + 9 * 1_000;
    expect(over(result)).toEqual([
      {
        rule: 'budget',
        severity: 'error',
        revision: 'b2',
        file: 'b2.py',
        line: LINE,
        direction: 'upgrade',
        seen: 'replay',
        message:
          'writes to orders wait for up to 10 s in production (measured on this machine: 1.0 s on 1 million of 10 million rows, ' +
          'scaled to production); the budget "writesBlocked" allows 2s',
        budget: { name: 'writesBlocked', table: 'orders', allowedMilliseconds: 2_000, milliseconds, basis: 'measured' },
      },
    ]);
    expect(result.failed).toBe(true);
  });

  test('within its budget is no error, even if the estimate is above', async () => {
    const options = { sizes: SIZES, budgets: { writesBlocked: '11s' } };
    expect(over(await judged(revision([INDEX]), options, SHARE))).toEqual([]);
    expect(over(await judged(revision([INDEX]), options))).toHaveLength(1);
  });

  test('for a row counts even if no lock on the table blocks', async () => {
    const rows = measured({ locks: [{ mode: 'RowExclusiveLock', milliseconds: 900 }], longestWriteMilliseconds: 900 });
    const [found] = over(await judged(revision([]), { sizes: SIZES, budgets: { writesBlocked: '2s' } }, rows));
    expect(found?.budget?.name).toBe('writesBlocked');
  });

  test('of reads is compared with both budgets', async () => {
    const locks = [{ mode: 'AccessExclusiveLock', milliseconds: 3_000 }];
    const budgets = { writesBlocked: '2s', readsBlocked: '1s' };
    const names = over(await judged(revision([TYPE]), { sizes: SIZES, budgets }, measured({ locks }))).map(
      ({ budget }) => budget?.name,
    );
    expect(names).toEqual(['readsBlocked', 'writesBlocked']);
  });

  test('of a read counts if the revision blocked reads, even of another table', async () => {
    const options = { sizes: SIZES, budgets: { readsBlocked: '1s' } };
    const waited = { longestReadMilliseconds: 2_400 };
    const [found] = over(
      await judged(
        revision([TYPE]),
        options,
        measured({ locks: [{ mode: 'AccessExclusiveLock', milliseconds: 10 }], ...waited }),
      ),
    );
    expect(found?.budget).toMatchObject({ name: 'readsBlocked', basis: 'measured' });
    expect(found?.budget?.milliseconds).toBeGreaterThanOrEqual(2_400);
    const locks = [{ mode: 'ShareLock', milliseconds: 10 }];
    expect(over(await judged(revision([INDEX]), options, measured({ locks, ...waited })))).toEqual([]);
  });

  test('that does not grow with the table is not scaled', async () => {
    const locks = [{ mode: 'AccessExclusiveLock', milliseconds: 15 }];
    const { revisions } = await judged(revision([TYPE]), { sizes: SIZES }, measured({ locks }));
    expect(revisions[0]?.measured?.tables?.[0]?.readsBlocked).toEqual({ milliseconds: 15, inProduction: 15 });
  });

  test('is scaled to the speed of the server of production', async () => {
    const sortMilliseconds = STATISTICS.sortMilliseconds / 3;
    const rows = { productionRows: 1_000_000, locks: [{ mode: 'ShareLock', milliseconds: 1_024 }] };
    const { revisions } = await judged(revision([INDEX]), { sizes: SIZES }, { ...measured(rows), sortMilliseconds });
    expect(revisions[0]?.measured?.tables?.[0]?.writesBlocked).toEqual({ milliseconds: 1_024, inProduction: 24 + 3 * 1_000 });
  });

  test('stands beside the estimate in the finding of the lock', async () => {
    const { findings } = await judged(revision([INDEX]), { sizes: SIZES }, SHARE);
    const found = findings.find(({ rule }) => rule === 'index-not-concurrent');
    expect(found?.size?.measured).toEqual({ rows: 1_000_000, milliseconds: 1_024, inProduction: 10_024 });
    expect(found?.message).toContain(
      'about 22 s under that lock (7 s to 81 s), and up to 800 MB more disk space; measured on this machine, writes waited 1.0 s on ' +
        '1 million rows: 10.0 s in production; rows from',
    );
  });

  test('is in each report, with its basis', async () => {
    const result = await judged(revision([INDEX]), { sizes: SIZES }, SHARE);
    const line =
      'SHARE for 1.0 s, a write waited for 1.0 s at most; on 1 million of 10 million rows (limit of rows); scaled to production, ' +
      'writes blocked for 10.0 s';
    for (const text of [shown(result, 400), htmlReport(result), markdownReport(result)]) {
      expect(text.replace(/\s+/g, ' ')).toContain(line);
      expect(text).toContain('1.0 s, 51 MB of write-ahead log');
      expect(text).toContain(
        'measured on this machine (PostgreSQL 18.4) with generated rows, a reader and a writer for each table',
      );
    }
  });
});

describe('a revision that was not measured', () => {
  test('is judged by the estimate, and the message says so', async () => {
    const budgets = { writesBlocked: '2s', readsBlocked: '1s' };
    const [found, ...more] = over(await judged(revision([INDEX]), { sizes: SIZES, budgets }));
    expect(more).toEqual([]);
    expect(found?.message).toBe(
      'writes to orders wait for up to 22 s in production (estimated from the statistics, not measured: 7 s to 81 s); the budget ' +
        '"writesBlocked" allows 2s',
    );
    expect(found?.budget?.basis).toBe('estimated');
  });

  test('has times added up within a transaction, with reads waiting from the first lock that blocks them', async () => {
    const options = { sizes: SIZES, budgets: { readsBlocked: '1ms', writesBlocked: '1ms' } };
    const waits = async (...statements: Statement[]) => {
      const found = over(await judged(revision(statements), options)).map(({ budget }) => [budget?.name, budget?.milliseconds]);
      return Object.fromEntries(found) as Record<string, number>;
    };
    const [index, notNull] = [await waits(INDEX), await waits(NOT_NULL)];
    expect(Object.keys(index)).toEqual(['writesBlocked']);
    const both = await waits(INDEX, NOT_NULL);
    expect(both.writesBlocked).toBeCloseTo((index.writesBlocked ?? 0) + (notNull.writesBlocked ?? 0), -4);
    expect(both.readsBlocked).toBe(notNull.readsBlocked);
    const apart = await waits(INDEX, { ...NOT_NULL, transaction: 1 });
    expect(apart.writesBlocked).toBe(index.writesBlocked);
  });

  test('is shown with its reason', async () => {
    const failed = { revision: 'b2', reason: 'it failed with generated rows: x' };
    const result = await judged(revision([INDEX]), { sizes: SIZES, budgets: { writesBlocked: '2s' } }, failed);
    expect(over(result)[0]?.budget?.basis).toBe('estimated');
    for (const text of [shown(result, 400), htmlReport(result), markdownReport(result)]) {
      expect(text).toContain('not measured: it failed with generated rows: x');
    }
  });

  test('because its table accepted no generated rows is judged by the estimate', async () => {
    const none = measured({
      rows: 0,
      limit: 'values',
      rejected: 'no partition',
      locks: [{ mode: 'ShareLock', milliseconds: 1 }],
    });
    const result = await judged(revision([INDEX]), { sizes: SIZES, budgets: { writesBlocked: '2s' } }, none);
    expect(over(result)[0]?.budget?.basis).toBe('estimated');
    expect(shown(result, 400)).toContain('on 0 of 10 million rows (no further generated rows were accepted: no partition)');
  });
});

describe('a rewrite', () => {
  const budgets = { rewrites: false };

  test('is an error without statistics, measured or not', async () => {
    const [found] = over(await judged(revision([TYPE]), { budgets }));
    expect(found?.budget).toEqual({ name: 'rewrites', table: 'orders' });
    expect(found?.message).toContain('orders is rewritten');
  });

  test('of a small table is no error', async () => {
    const small = { ...ORDERS, rows: 300, bytes: 48_000, toastBytes: 0 };
    const sizes = { ...SIZES, statistics: { ...STATISTICS, tables: [small] } };
    expect(over(await judged(revision([TYPE]), { budgets, sizes }))).toEqual([]);
  });

  test('may be allowed, and TRUNCATE does not count as one', async () => {
    expect(over(await judged(revision([TYPE]), { budgets: { rewrites: true } }))).toEqual([]);
    const truncate = statement('TRUNCATE orders', 'AccessExclusiveLock', { rewrites: ['orders'] });
    expect(over(await judged(revision([truncate]), { budgets }))).toEqual([]);
  });
});

test('an exceeded budget can be acknowledged or made a warning, and the acknowledgement does not count as unused without a measurement', async () => {
  const [found] = over(await judged(revision([TYPE], ['budget']), { budgets: { rewrites: false } }));
  expect(found?.acknowledged).toBe('at night');
  const warned = await judged(revision([TYPE]), { budgets: { rewrites: false }, rules: { budget: 'warn' } });
  expect(over(warned)[0]?.severity).toBe('warning');
  const { findings } = await judged(revision([TYPE], ['budget']), {});
  expect(findings.map(({ rule }) => rule)).not.toContain('unused-acknowledgement');
});
