import type { Call } from '../../lib/contract/facts';
import { operationsOf } from '../../lib/review/revision/operations';

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
