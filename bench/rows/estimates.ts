import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { toolPython } from '../../examples/local-aws';
import { packagePath } from '../../lib/package-root';
import type { Review } from '../../lib/review';
import type { Row } from '../row';
import { idOf, type Step, writeProject } from '../test-bed/histories';
import { reviewers } from '../test-bed/reviewers';
import { announce, type TestBed } from '../test-bed/test-bed';

const TABLES = [
  'CREATE TABLE users (id bigint PRIMARY KEY)',
  'CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, n integer, note text)',
  'CREATE INDEX orders_n ON orders (n)',
  'CREATE INDEX orders_note ON orders (note)',
];

/** The statements whose time under their lock is predicted and measured, and what takes them back. */
const STATEMENTS: Readonly<Record<string, readonly [up: string, down: string]>> = {
  'SET NOT NULL': ['ALTER TABLE orders ALTER note SET NOT NULL', 'ALTER TABLE orders ALTER note DROP NOT NULL'],
  'CREATE INDEX, integer': ['CREATE INDEX ix_orders_n ON orders (n)', 'DROP INDEX ix_orders_n'],
  'CREATE INDEX, text': ['CREATE INDEX ix_orders_note ON orders (note)', 'DROP INDEX ix_orders_note'],
  'foreign key to 1,000 rows': [
    'ALTER TABLE orders ADD CONSTRAINT fk_orders_user FOREIGN KEY (user_id) REFERENCES users (id)',
    'ALTER TABLE orders DROP CONSTRAINT fk_orders_user',
  ],
  'new type, 3 indexes': ['ALTER TABLE orders ALTER n TYPE bigint', 'ALTER TABLE orders ALTER n TYPE integer'],
};

/** Milliseconds of a statement in the server. */
const TIMED = `
CREATE FUNCTION timed(statement text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE started timestamptz := clock_timestamp();
BEGIN EXECUTE statement; RETURN extract(epoch FROM clock_timestamp() - started) * 1000; END $$`;

/** The function's own code, which prints the answer's `statistics`. */
const STATISTICS = `
import json, sys, sqlalchemy
from cdk_alembic.statistics.read import read_statistics
connection = sqlalchemy.create_engine(sys.argv[1]).connect().execution_options(isolation_level="AUTOCOMMIT")
print(json.dumps(read_statistics(connection)[0]))
`;

/** Compares the estimates of `review --statistics` with what PostgreSQL takes. */
export function estimates(name: string, rows: number): Row {
  return {
    name,
    title: `time under a lock on ${rows.toLocaleString('en')} rows, predicted divided by measured: furthest from 1`,
    unit: 'times',
    runs: 3,
    warmUp: false,
    goals: [{ atMost: 2 }],
    async prepare(testBed) {
      const project = testBed.newPath('estimates');
      const steps = Object.values(STATEMENTS).map(([up, down]) => stepOf([up], down));
      const models = 'import sqlalchemy as sa\n\nmetadata = sa.MetaData()\n';
      writeProject(project, [stepOf(TABLES, 'DROP TABLE orders, users'), ...steps], models);
      writeFileSync(path.join(project, 'cdk-alembic.json'), JSON.stringify({ smallTable: { rows: 0, bytes: 0 } }));
      const file = path.join(project, 'statistics.json');
      const { review } = await reviewers(testBed);
      const database = await filledDatabase(testBed, rows);
      const ratios = new Map<string, number>();
      const run = async () => {
        writeFileSync(file, await statisticsOf(testBed, database));
        const command = review(project, '--all', '--statistics', file, '--fail-on', 'never');
        const result = JSON.parse((await testBed.run(command)).stdout) as Review;
        for (const [at, [statement, [up, down]]] of Object.entries(STATEMENTS).entries()) {
          const [taken] = await testBed.postgres.query<{ timed: number }>(database, 'SELECT timed($1)', [up]);
          await testBed.postgres.query(database, down);
          ratios.set(statement, estimateIn(result, idOf(at + 2)) / (taken?.timed as number));
        }
        return Math.max(...[...ratios.values()].map((ratio) => Math.max(ratio, 1 / ratio)));
      };
      const ratioOf = (statement: string) => ({ name: statement, run: async () => ratios.get(statement) as number });
      return [{ name: 'cdk-alembic', run }, ...Object.keys(STATEMENTS).map(ratioOf)];
    },
  };
}

/** Milliseconds, of the revision's finding that has an estimate. */
function estimateIn({ findings }: Review, id: string): number {
  const seconds = findings.find(({ revision, size }) => revision === id && size?.seconds)?.size?.seconds;
  if (!seconds) throw new Error(`no estimate for ${id}`);
  return 1_000 * seconds.likely;
}

async function filledDatabase({ postgres }: TestBed, rows: number): Promise<string> {
  const database = `estimates_${rows}`;
  await postgres.createDatabase(database);
  const values = "i, 1 + i % 1000, (random() * 2e9)::int, md5(i::text) || 'abcde'";
  const fill = [
    'INSERT INTO users SELECT generate_series(1, 1000)',
    `INSERT INTO orders SELECT ${values} FROM generate_series(1, ${rows}) AS i`,
    'ANALYZE',
  ];
  for (const sql of [...TABLES, TIMED, ...fill]) await postgres.query(database, sql);
  return database;
}

async function statisticsOf(testBed: TestBed, database: string): Promise<string> {
  const url = testBed.postgres.url(database).replace(/^\w+:/, 'postgresql+psycopg2:');
  const command = await toolPython('reviewers', announce);
  const env = { PYTHONPATH: packagePath('lambda/migrate') };
  return (await testBed.run({ command, args: ['-c', STATISTICS, url], env })).stdout;
}

function stepOf(up: readonly string[], down: string): Step {
  const execute = (sql: string) => `op.execute("${sql}")`;
  return { upgrade: up.map(execute), downgrade: [execute(down)] };
}
