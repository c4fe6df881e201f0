import type { TableFacts } from '../../../lib/contract/facts';
import { columnMembers, replaceColumn } from '../../../lib/review/fix/column-members';
import { loadParser } from '../../../lib/review/sql/parse';

beforeAll(loadParser);

test.each([
  ['CREATE INDEX name ON name USING btree (name)', 'CREATE INDEX name ON name USING btree (full_name)'],
  [
    "CREATE UNIQUE INDEX ix ON users USING btree (lower(name), full_name, name(id)) INCLUDE (name) WHERE (name <> 'name'::text)",
    "CREATE UNIQUE INDEX ix ON users USING btree (lower(full_name), full_name, name(id)) INCLUDE (full_name) WHERE (full_name <> 'name'::text)",
  ],
  ['CHECK (((name)::name <> (other)::name))', 'CHECK (((full_name)::name <> (other)::name))'],
  ['CHECK ((length("é") > length(name)))', 'CHECK ((length("é") > length(full_name)))'],
])('%s gets the new column, and other things with the same name stay', (definition, expected) => {
  expect(replaceColumn(definition, 'name', 'full_name')).toBe(expected);
});

test('a quoted column is found, and the new one is quoted if necessary', () => {
  expect(replaceColumn('CREATE INDEX ix ON t USING btree ("Name")', 'Name', 'Full name')).toBe(
    'CREATE INDEX ix ON t USING btree ("Full name")',
  );
});

test('a column whose name merely contains the name is left alone', () => {
  const indexes = [{ name: 'ix', definition: 'CREATE INDEX ix ON users USING btree (lower(full_name))' }];
  const before = { facts: { indexes, constraints: [] } as unknown as TableFacts, column: 'name' };
  expect(columnMembers('users', before, before, 'title', [])).toEqual({
    parts: [],
    dropReferences: [],
    takeNames: [],
    giveNamesBack: [],
    rebuild: [],
  });
});

test('a constraint that existing rows may violate is not built for the new column', () => {
  const constraints = [{ name: 'ck', kind: 'check', columns: ['name'], definition: 'CHECK (true) NOT VALID', validated: false }];
  const before = { facts: { indexes: [], constraints } as unknown as TableFacts, column: 'name' };
  expect(columnMembers('users', before, before, 'title', [])).toEqual({ reason: expect.stringContaining('ck is not valid') });
});
