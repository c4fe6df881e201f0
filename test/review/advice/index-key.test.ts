import { keyOf } from '../../../lib/review/advice/indexes';
import { loadParser, parseSql } from '../../../lib/review/sql/parse';

beforeAll(loadParser);

const keyOfSql = (sql: string) => {
  const [action] = parseSql(sql)[0]?.actions ?? [];
  return action?.does === 'create index' ? keyOf(action, undefined) : undefined;
};

test.each([
  ['CREATE UNIQUE INDEX u ON users (email)', 'email', ''],
  ['CREATE UNIQUE INDEX u ON users (lower(name) text_pattern_ops DESC, "Email")', 'lower(name), "Email"', ''],
  [
    "CREATE UNIQUE INDEX u ON users USING btree ((data ->> 'key'), tenant) WHERE active",
    "(data ->> 'key'), tenant",
    ' WHERE active',
  ],
])('the query that finds duplicates for %s has its key and its condition', (sql, columns, where) => {
  expect(keyOfSql(sql)).toEqual({ columns, where });
});

test('an expression that was only read from the source is named if it is a literal', () => {
  const call = (code: string) => ({
    name: 'op.create_index',
    args: ['u', 'users', [{ code }, 'email']],
    keywords: {},
    line: 1,
    inAutocommitBlock: false,
    inLoop: false,
    inBranch: false,
  });
  const action = {
    does: 'create index',
    table: 'users',
    columns: [null, 'email'],
    concurrently: false,
    ifNotExists: false,
    unique: true,
    onlyParent: false,
    literals: [],
  } as const;
  expect(keyOf(action, call('sa.text("lower(name)")')).columns).toBe('lower(name), email');
  expect(keyOf(action, call('sa.func.lower(...)')).columns).toBe('..., email');
});
