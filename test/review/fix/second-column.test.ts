import type { ColumnFacts, TableFacts } from '../../../lib/contract/facts';
import { whyNoSecond } from '../../../lib/review/fix/second-column';

const column = { name: 'name', type: 'text', notNull: false } as ColumnFacts;
const table = (index: string, columns: readonly (string | null)[]) =>
  ({
    constraints: [],
    indexes: [{ name: 'ix', definition: `CREATE INDEX ix ON users USING btree (${index})`, columns }],
  }) as unknown as TableFacts;

test.each([
  ['name', ['name']],
  ['lower(name)', [null]],
  ['email) WHERE (name IS NOT NULL', ['email']],
])('an index on %s would have to be built for the second column', (index, columns) => {
  expect(whyNoSecond(column, table(index, columns), 'users')).toBe('the index ix would have to be built for the new column too');
});

test('an index on a column whose name contains the name stands in the way of nothing', () => {
  expect(whyNoSecond(column, table('lower(full_name)', [null]), 'users')).toBeUndefined();
});
