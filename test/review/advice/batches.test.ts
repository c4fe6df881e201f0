import type { TableFacts } from '../../../lib/contract/facts';
import { readBackfill } from '../../../lib/review/advice/backfill';
import { updateInBatches } from '../../../lib/review/advice/batches';
import { literal, sqlLiteral } from '../../../lib/review/advice/python';
import { loadParser, parseSql } from '../../../lib/review/sql/parse';

beforeAll(loadParser);

const column = (name: string, type: string) => ({ name, type, notNull: false, identity: false, generated: false });
const FACTS: TableFacts = {
  columns: [column('price', 'numeric(10,2)'), column('name', 'text'), column('data', 'json')],
  constraints: [],
  indexes: [],
};

function batched(sql: string, facts = FACTS, after: Readonly<Record<string, TableFacts>> = {}) {
  const [action] = parseSql(sql).flatMap(({ actions }) => actions);
  return action?.does === 'update' ? updateInBatches('items', action.written, facts, after) : undefined;
}

const key = (kind: 'primary key' | 'unique', ...columns: string[]) => ({
  name: 'k',
  kind,
  columns,
  definition: '',
  validated: true,
});
const WITH_KEY: TableFacts = {
  ...FACTS,
  columns: [...FACTS.columns, column('id', 'bigint'), column('maker', 'varchar(20)')],
  constraints: [key('primary key', 'id')],
};

test.each(['now()', 'CURRENT_TIMESTAMP', "'now'", 'random()', 'own_function(name)', 'price + 1'])(
  'without a key, no batches for SET price = %s, because the loop might never end',
  (value) => {
    expect(batched(`UPDATE items SET price = ${value}`)).toEqual({ reason: expect.stringContaining('no primary key') });
  },
);

test('no batches in the order of a key that the UPDATE changes, because a row could come up again', () => {
  expect(batched("UPDATE items SET id = nextval('ids')", WITH_KEY)).toEqual({
    reason: expect.stringContaining('changes the key'),
  });
  expect(batched('UPDATE items SET price = random()', WITH_KEY)).toContain('ORDER BY items.id LIMIT :rows');
});

test('no batches for a value that is computed from itself, because a batch may run again', () => {
  expect(batched('UPDATE items SET price = price + 1', WITH_KEY)).toEqual({
    reason: expect.stringContaining('change a value again'),
  });
});

test('each batch begins after the last row of the one before, so that it does not search the table again', () => {
  const loop = batched("UPDATE items i SET name = 'a :b' WHERE i.price > 3 OR i.price IS NULL", WITH_KEY);
  expect(loop).toContain(
    "WHERE (i.price > 3 OR i.price IS NULL) AND i.name IS DISTINCT FROM CAST(('a \\\\:b') AS text)\n        /* after the last batch */\n" +
      '    ORDER BY i.id LIMIT :rows FOR NO KEY UPDATE OF i\n',
  );
  expect(loop).toContain('"AND i.id > CAST(:key_1 AS text)::bigint"');
  expect(loop).toContain('the next run continues with the rows that are left');
});

test('the lines of a loop are as short as Black and Ruff format a function', () => {
  const lines = String(batched("UPDATE items SET name = 'a' WHERE price > 3", WITH_KEY)).split('\n');
  expect(lines.filter((line) => line.length > 88 - 4)).toEqual([]);
});

test('a value is compared as the column stores it', () => {
  expect(batched('UPDATE items SET price = round(cost * 1.005, 3)')).toContain(
    'WHERE items.price IS DISTINCT FROM CAST((round(cost * 1.005, 3)) AS numeric(10,2)) LIMIT',
  );
});

test('a value whose type has no = is compared as text', () => {
  expect(batched("UPDATE items SET data = '{}'")).toContain(
    "WHERE items.data::text IS DISTINCT FROM CAST(('{}') AS json)::text LIMIT",
  );
});

test('a batch takes only the rows that the UPDATE takes', () => {
  expect(batched("UPDATE items SET name = 'none' WHERE cost > 3 OR name IS NULL RETURNING id;")).toContain(
    "WHERE (cost > 3 OR name IS NULL) AND items.name IS DISTINCT FROM CAST(('none') AS text) LIMIT",
  );
});

test.each(['UPDATE items SET name = :name', "UPDATE items SET name = 'a' WHERE cost > %(cost)s"])(
  'no batches for the value of a parameter: %s',
  (sql) => {
    expect(batched(sql)).toEqual({ reason: expect.stringContaining('parameters') });
  },
);

const MAKERS: TableFacts = { columns: [], indexes: [], constraints: [key('unique', 'code', 'country')] };
const joined = (sql: string, facts: TableFacts) => batched(sql, facts, { items: WITH_KEY, 'shop.makers': MAKERS });

test('values from another table are batched, and those of finished rows skipped if each row has at most one there', () => {
  const where = "m.code = i.code AND m.country = 'DE' AND i.price > 0";
  const loop = joined(`UPDATE items AS i SET maker = m.maker FROM shop.makers m WHERE ${where}`, WITH_KEY);
  expect(loop).toContain(
    `SELECT i.id AS key_1 FROM items AS i, shop.makers m\n    WHERE (${where}) AND i.maker IS DISTINCT FROM CAST((m.maker) AS varchar(20))\n        /*`,
  );
  expect(loop).toContain(
    `UPDATE items AS i SET maker = m.maker FROM shop.makers m, batch\n    WHERE (${where}) AND i.id = batch.key_1\n        AND i.id <= (SELECT key_1 FROM last_row)`,
  );
});

test.each([
  'UPDATE items i SET maker = m.maker FROM shop.makers m WHERE m.code = i.code',
  'UPDATE items i SET maker = m.maker FROM shop.makers m WHERE m.code = i.code AND m.country > i.country',
  'UPDATE items i SET maker = m.maker FROM shop.makers m WHERE m.code = i.code OR m.country = i.country',
  'UPDATE items i SET maker = m.maker FROM shop.makers m WHERE m.code = m.name AND m.country = i.country',
  'UPDATE items i SET maker = i.maker || m.maker FROM shop.makers m WHERE m.code = i.code AND m.country = i.country',
  'UPDATE items i SET maker = m.maker FROM shop.makers m, other o WHERE m.code = i.code AND m.country = i.country',
  'UPDATE items i SET maker = m.maker FROM items m WHERE m.code = i.code AND m.country = i.country',
  'WITH m AS (SELECT 1) UPDATE items i SET maker = m.maker FROM shop.makers m WHERE m.code = i.code AND m.country = i.country',
])('no row counts as finished if another run might choose another value: %s', (sql) => {
  expect(joined(sql, FACTS)).toEqual({ reason: expect.stringContaining('no primary key') });
});

test('a comment in the UPDATE does not hide any part of the batch', () => {
  const text = batched('UPDATE items\nSET name = title -- as shown\n, price = cost /* net */');
  expect(text).toContain('WHERE items.ctid IN');
  expect(text).not.toMatch(/as shown|net/);
});

test('SQL on one line keeps its strings', () => {
  expect(sqlLiteral("INSERT INTO t -- two lines\n  VALUES ('a\n  -- b', $$c\nd$$, :e)")).toBe(
    JSON.stringify("INSERT INTO t VALUES ('a\n  -- b', $$c\nd$$, \\:e)"),
  );
});

test.each(['users.a = 1), b = (2', 'users.a = 1) FROM other WHERE (true', 'users.a = b WHERE true'])(
  '%s is more than one assignment',
  (text) => {
    expect(readBackfill(text)).toBeUndefined();
  },
);

test('a text with double quotes is written in single ones, as Ruff does, unless it has both', () => {
  expect(literal('"limit" IS NOT NULL')).toBe(`'"limit" IS NOT NULL'`);
  expect(literal('a\\"b')).toBe(`'a\\\\"b'`);
  expect(literal(`"kind" = 'a'`)).toBe(`"\\"kind\\" = 'a'"`);
  expect(literal("it's")).toBe(`"it's"`);
});
