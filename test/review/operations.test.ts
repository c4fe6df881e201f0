import type { Call, DirectionFacts } from '../../lib/contract/facts';
import { operationsOf } from '../../lib/review/revision/operations';
import { isSameAction, stepsOf } from '../../lib/review/revision/steps';
import { loadParser, parseSql } from '../../lib/review/sql/parse';

const call = (name: string, args: Call['args'], keywords: Call['keywords']): Call => ({
  name,
  args,
  keywords,
  line: 1,
  inAutocommitBlock: false,
  inLoop: false,
  inBranch: false,
});

test('a foreign key names the schema of the table that it refers to', () => {
  const schemas = { source_schema: 'sales', referent_schema: 'shop' };
  expect(operationsOf(call('op.create_foreign_key', ['fk', 'orders', 'plans', ['plan_id'], ['id']], schemas))).toMatchObject([
    { action: { table: 'sales.orders', constraint: { references: { table: 'shop.plans', columns: ['id'] } } } },
  ]);
});

test.each([
  ['FOREIGN KEY(user_id) REFERENCES users (id)', true],
  ['FOREIGN KEY(owner_id) REFERENCES users (id)', false],
])('an operation whose name Alembic shortens is found by its columns: %s', async (key, isSame) => {
  await loadParser();
  const name = `fk_${'survey_'.repeat(9)}id`;
  const [written] = operationsOf(call('op.create_foreign_key', [name, 'orders', 'users', ['user_id'], ['id']], {}));
  const [rendered] = parseSql(`ALTER TABLE orders ADD CONSTRAINT ${name.slice(0, 55)}_d5f0 ${key}`).flatMap(
    ({ actions }) => actions,
  );
  expect(written && rendered && isSameAction(written.action, rendered)).toBe(isSame);
});

test.each([
  'UPDATE users SET karma=%(karma)s WHERE users.karma IS NULL',
  'UPDATE users SET karma=$1::INTEGER WHERE users.karma IS NULL',
])('a statement that failed with parameters keeps its place among the rendered ones: %s', async (statement) => {
  await loadParser();
  const rendered = ['UPDATE users SET karma=3 WHERE users.karma IS NULL', 'ALTER TABLE users ALTER COLUMN karma SET NOT NULL'];
  const facts: DirectionFacts = {
    outcome: 'failed',
    statements: rendered.map((sql) => ({ sql, line: 0, transaction: 0, milliseconds: 0, rowCount: -1, locks: [], rewrites: [] })),
    failure: { message: 'relation "users" does not exist', sqlState: '42P01', statement, line: 7 },
    leftTransaction: false,
    statementsLeftOut: 0,
  };
  expect(stepsOf(facts, null).map(({ action }) => action.does)).toEqual(['update', 'set not null']);
});
