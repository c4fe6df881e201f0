import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TableStatistics } from '../../lib/contract';
import type { Review } from '../../lib/review';
import { STATISTICS } from '../support/aws/answers';
import { useTestBed } from './installed-command';

/* `review --measure` as a project has it, on a few thousand rows. */

const bed = useTestBed();

const [TABLE] = STATISTICS.tables as readonly [TableStatistics];
const ROWS = 3_000;

function write(file: string, value: unknown): void {
  writeFileSync(path.join(bed.project.directory, file), JSON.stringify(value));
}

test('runs each revision on tables as large as in production, and reports locks, waits, bytes and exceeded budgets', async () => {
  const users = {
    ...TABLE,
    name: 'users',
    rows: ROWS,
    columns: [{ name: 'code', nulls: 0.5, distinct: -1, width: 40, collated: true }],
  };
  write('statistics.json', { ...STATISTICS, tables: [users] });
  write('cdk-alembic.json', {
    budgets: { writesBlocked: '0ms', readsBlocked: '0ms', rewrites: false },
    measure: { rows: 2_000 },
  });
  bed.project.revision(
    'b2',
    'a1',
    'Add code to users',
    'op.add_column("users", sa.Column("code", sa.Text()))',
    'op.drop_column("users", "code")',
  );
  bed.project.revision(
    'c3',
    'b2',
    'Widen the code of users',
    'op.execute("ALTER TABLE users ALTER code TYPE varchar(200) COLLATE \\"C\\" USING code || \'\'")',
    'op.execute("ALTER TABLE users ALTER code TYPE text")',
  );
  bed.project.revision(
    'd4',
    'c3',
    'Index the code of users',
    'with op.get_context().autocommit_block():\n        op.create_index("ix_users_code", "users", ["code"], postgresql_concurrently=True)',
    'with op.get_context().autocommit_block():\n        op.drop_index("ix_users_code", postgresql_concurrently=True)',
  );
  const report = path.join(bed.project.directory, 'review.html');
  const asked = ['review', 'c3', 'd4', '--statistics', 'statistics.json', '--measure', '--json', '--report', `html=${report}`];
  const { code, stdout, stderr } = await bed.start(asked).ended;
  expect([code, stderr]).toEqual([1, expect.stringContaining('as named')]);
  const { revisions, findings } = JSON.parse(stdout) as Review;

  const [widened, indexed] = revisions.map(({ measured }) => measured);
  const table = widened?.tables?.find((one) => one.table === 'users');
  expect(table).toMatchObject({ rows: 2_000, productionRows: ROWS, limit: 'rows' });
  const lock = table?.locks.find(({ mode }) => mode === 'AccessExclusiveLock');
  expect(lock?.milliseconds).toBeGreaterThan(0);
  // In production it may take less: how long a sort takes there and here scales it.
  expect(table?.readsBlocked?.milliseconds).toBeGreaterThanOrEqual(lock?.milliseconds ?? Infinity);
  expect(table?.readsBlocked?.inProduction).toBeGreaterThan(0);
  // The new file alone has a thousand codes.
  expect(widened?.walBytes).toBeGreaterThan(40_000);
  expect(indexed).toMatchObject({ tables: [{ table: 'users', rows: 2_000 }] });
  expect(indexed?.milliseconds).toBeGreaterThan(0);

  const over = findings.filter(({ rule, revision }) => rule === 'budget' && revision === 'c3').map(({ budget }) => budget);
  expect(over.map((one) => [one?.name, one?.table, one?.basis])).toEqual([
    ['readsBlocked', 'users', 'measured'],
    ['writesBlocked', 'users', 'measured'],
    ['rewrites', 'users', undefined],
  ]);
});

test.each([
  ['--measure', ['--measure'], {}],
  ['the setting "budgets"', [], { budgets: { writesBlocked: '2s' } }],
])('%s without table sizes of production is an error that says how to get them', async (what, options, settings) => {
  write('cdk-alembic.json', settings);
  const { code, stdout } = await bed.start(['review', '--all', '--json', ...options]).ended;
  expect([code, JSON.parse(stdout).error]).toEqual([
    2,
    {
      code: 'invalid_usage',
      message: `${what} needs the sizes of production`,
      next: expect.stringMatching(/^name their file with --statistics .* --command statistics --json` writes it$/),
    },
  ]);
});
