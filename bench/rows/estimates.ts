import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { toolPython } from '../../examples/local-aws';
import type { DatabaseStatistics, TableStatistics } from '../../lib/contract';
import { packagePath } from '../../lib/package-root';
import type { Review } from '../../lib/review';
import type { Row } from '../row';
import { idOf, type Step, writeProject } from '../test-bed/histories';
import { reviewers } from '../test-bed/reviewers';
import { announce, type TestBed } from '../test-bed/test-bed';

/** The statements whose time under their lock is predicted and measured; the first revision makes the tables. */
const STATEMENTS: Readonly<Record<string, Step>> = {
  'SET NOT NULL': sql('ALTER TABLE orders ALTER note SET NOT NULL', 'ALTER TABLE orders ALTER note DROP NOT NULL'),
  'CREATE INDEX, integer': sql('CREATE INDEX ix_orders_n ON orders (n)', 'DROP INDEX ix_orders_n'),
  'CREATE INDEX, text': sql('CREATE INDEX ix_orders_note ON orders (note)', 'DROP INDEX ix_orders_note'),
  'foreign key to 1,000 rows': sql(
    'ALTER TABLE orders ADD CONSTRAINT fk_orders_user FOREIGN KEY (user_id) REFERENCES users (id)',
    'ALTER TABLE orders DROP CONSTRAINT fk_orders_user',
  ),
  'new type, 3 indexes': sql('ALTER TABLE orders ALTER n TYPE bigint', 'ALTER TABLE orders ALTER n TYPE integer'),
};

const TABLES: Step = {
  upgrade: [
    'op.execute("CREATE TABLE users (id bigint PRIMARY KEY)")',
    'op.execute("CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, n integer, note text)")',
  ],
  downgrade: ['op.execute("DROP TABLE orders, users")'],
};

/** Compares the estimate of `review --statistics` with what `review --measure` measures on this machine, in one run of it. */
export function estimates(name: string, rows: number): Row {
  return {
    name,
    title: `time under a lock on ${rows.toLocaleString('en')} rows, predicted divided by measured: furthest from 1`,
    unit: 'times',
    runs: 1,
    warmUp: false,
    goals: [{ atMost: 2 }],
    async prepare(testBed) {
      const project = testBed.newPath('estimates');
      writeProject(project, [TABLES, ...Object.values(STATEMENTS)], 'import sqlalchemy as sa\n\nmetadata = sa.MetaData()\n');
      const file = path.join(project, 'statistics.json');
      const measure = { rows, bytes: 100_000_000_000, time: '4h' };
      writeFileSync(path.join(project, 'cdk-alembic.json'), JSON.stringify({ measure, smallTable: { rows: 0, bytes: 0 } }));
      const { review } = await reviewers(testBed);
      const ratios = new Map<string, number>();
      return [
        {
          name: 'cdk-alembic',
          run: async () => {
            writeFileSync(file, JSON.stringify(statisticsOf(rows, await sortMilliseconds(testBed))));
            const command = review(project, '--all', '--statistics', file, '--measure', '--fail-on', 'never');
            const result = JSON.parse((await testBed.run(command)).stdout) as Review;
            for (const [at, statement] of Object.keys(STATEMENTS).entries())
              ratios.set(statement, ratioIn(result, idOf(at + 2), rows));
            return Math.max(...[...ratios.values()].map((ratio) => Math.max(ratio, 1 / ratio)));
          },
        },
        ...Object.keys(STATEMENTS).map((statement) => ({ name: statement, run: async () => ratios.get(statement) as number })),
      ];
    },
  };
}

/** Of a revision with one finding that has both. */
function ratioIn({ findings, revisions }: Review, id: string, rows: number): number {
  const { seconds, measured } = findings.find(({ revision, size }) => revision === id && size?.measured)?.size ?? {};
  if (!seconds || measured?.rows !== rows) {
    throw new Error(`${id} was not measured: ${JSON.stringify(revisions.find(({ revision }) => revision === id)?.measured)}`);
  }
  return (1_000 * seconds.likely) / measured.milliseconds;
}

function sql(upgrade: string, downgrade: string): Step {
  return { upgrade: [`op.execute("${upgrade}")`], downgrade: [`op.execute("${downgrade}")`] };
}

/** How fast the server is, by the function's own code. */
async function sortMilliseconds(testBed: TestBed): Promise<number> {
  const program = [
    'import sys, sqlalchemy',
    'from cdk_alembic.statistics.read import sort_milliseconds',
    'print(sort_milliseconds(sqlalchemy.create_engine(sys.argv[1]).connect()))',
  ].join('\n');
  const url = testBed.postgres.url('postgres').replace(/^\w+:/, 'postgresql+psycopg2:');
  const command = await toolPython('reviewers', announce);
  const { stdout } = await testBed.run({
    command,
    args: ['-c', program, url],
    env: { PYTHONPATH: packagePath('lambda/migrate') },
  });
  return Number(stdout);
}

/** What `migrate-invoke --command statistics` prints of these tables: 88 bytes a row with their header, and an index of 22 or 58. */
function statisticsOf(rows: number, sortMilliseconds: number): DatabaseStatistics {
  const column = (name: string, distinct: number, width: number) => ({ name, nulls: 0, distinct, width });
  const index = (name: string, bytes: number) => ({ name, rows, bytes: bytes * rows, method: 'btree', valid: true, scans: 0 });
  const table: Pick<TableStatistics, 'kind' | 'rowsFrom' | 'toastBytes' | 'deadRows' | 'analyzedAt'> = {
    kind: 'table',
    rowsFrom: 'analyze',
    toastBytes: 0,
    deadRows: 0,
    analyzedAt: null,
  };
  return {
    readAt: new Date().toISOString(),
    postgres: '18.4',
    bytes: rows * 200,
    countedSince: null,
    settings: [],
    sortMilliseconds,
    publications: [],
    tables: [
      {
        ...table,
        name: 'orders',
        rows,
        bytes: rows * 88,
        indexBytes: rows * 102,
        columns: [column('id', -1, 8), column('user_id', 1_000, 8), column('n', -1, 4), column('note', -1, 38)],
        indexes: [index('orders_pkey', 22), index('ix_orders_n', 22), index('ix_orders_note', 58)],
      },
      { ...table, name: 'users', rows: 1_000, bytes: 40_960, indexBytes: 40_960, columns: [column('id', -1, 8)], indexes: [] },
    ],
    tablesLeftOut: 0,
  };
}
