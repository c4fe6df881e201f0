import { Database } from '../../production/database';
import { CATALOG, fixed, query, reasons, useFixing } from './fixing';

const { bed, alembic, text, fix } = useFixing();

test('an identity is added in steps, with a key on it, and numbers new rows after the existing ones', async () => {
  bed.project.revision(
    'b3',
    'b2',
    'Add logs table',
    'op.create_table("logs", sa.Column("text", sa.Text())); op.execute("CREATE TABLE \\"Notes\\" (text text)")',
    'op.execute("DROP TABLE \\"Notes\\""); op.drop_table("logs")',
  );
  bed.project.commit();
  bed.project.revision(
    'c3',
    'b3',
    'Add ids of logs and notes',
    `op.add_column("logs", sa.Column("id", sa.BigInteger(), sa.Identity(always=True, start=5), nullable=False))
    op.create_primary_key("logs_pkey", "logs", ["id"])
    op.execute('ALTER TABLE "Notes" ADD COLUMN "Id" serial')`,
    `op.drop_column("Notes", "Id")
    op.drop_column("logs", "id")`,
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['constraint-builds-index', 'table-rewrite', 'table-rewrite']);
  expect(text('c3.py')).toContain('ADD GENERATED ALWAYS AS IDENTITY (START WITH ');
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'b3');
    await query(url, `INSERT INTO logs VALUES ('a'), ('b'); INSERT INTO "Notes" VALUES ('a'), ('b')`);
    await alembic(url, 'upgrade', 'head');
    await query(url, `INSERT INTO logs VALUES ('c'); INSERT INTO "Notes" VALUES ('c')`);
    const ids = (column: string) => `array_agg(${column}::int ORDER BY ${column})`;
    const all = `SELECT (SELECT ${ids('id')} FROM logs) AS logs, (SELECT ${ids('"Id"')} FROM "Notes") AS notes`;
    expect(await query(url, all)).toEqual([{ logs: [5, 6, 7], notes: [1, 2, 3] }]);
    expect(await query(url, `SELECT id, "Id" FROM logs JOIN "Notes" USING (text) WHERE text = 'c'`)).toEqual([
      { id: '7', Id: 3 },
    ]);
    await alembic(url, 'downgrade', 'b3');
    await alembic(url, 'upgrade', 'head');
    const left = `SELECT sequencename AS name FROM pg_sequences WHERE sequencename ~ '^(logs|Notes)' ORDER BY 1`;
    expect(await query(url, left)).toEqual([{ name: 'Notes_Id_seq' }, { name: 'logs_id_seq' }]);
  });
});

test('a timestamp becomes one with a time zone in the zone that the revision names, for running code too', async () => {
  const add = 'op.create_table("orders", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("made", sa.DateTime()))';
  bed.project.revision('c3', 'b2', 'Add orders', add, 'op.drop_table("orders")');
  bed.project.commit();
  const change = (zoned: string) => `op.alter_column("orders", "made", type_=sa.DateTime(${zoned}))`;
  const [up, down] = [change('timezone=True'), change('')];
  const zone = `op.execute("SET LOCAL TimeZone = 'Asia/Tokyo'")\n    `;
  bed.project.revision('d4', 'c3', 'Change made', zone + up, zone + down);
  bed.project.revision('e5', 'd4', 'Change made again', down, up);
  const review = await fix();
  expect(reasons(review)['table-rewrite']).toMatch(/^each value is taken as of the session's TimeZone/);
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'c3');
    await query(url, "INSERT INTO orders (id, made) VALUES (1, '2026-05-01 09:00')");
    await alembic(url, 'upgrade', 'd4_1');
    await query(url, "INSERT INTO orders (id, made) VALUES (2, '2026-05-01 09:00')");
    await alembic(url, 'upgrade', 'd4');
    const rows = await query(url, "SELECT id, made AT TIME ZONE 'UTC' = '2026-05-01 00:00' AS same FROM orders ORDER BY id");
    expect(rows).toEqual([
      { id: 1, same: true },
      { id: 2, same: true },
    ]);
  });
});

test('an index that only the new type can have is built after the column has it', async () => {
  const add = 'op.create_table("orders", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("data", sa.JSON()))';
  bed.project.revision('c3', 'b2', 'Add orders', add, 'op.drop_table("orders")');
  bed.project.commit();
  bed.project.revision(
    'd4',
    'c3',
    'Make data of orders jsonb with an index',
    `op.execute("ALTER TABLE orders ALTER data TYPE jsonb")
    op.create_index("ix_orders_data", "orders", ["data"], postgresql_using="gin")`,
    `op.drop_index("ix_orders_data")
    op.execute("ALTER TABLE orders ALTER data TYPE json")`,
  );
  const review = await fix();
  expect(fixed(review)).toEqual(['index-not-concurrent', 'table-rewrite']);
  expect(text('d4.py')).toContain('postgresql_using="gin"');
});

test('a column changes its type through a second column, unless the new type is narrower', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add orders',
    `op.execute("""CREATE TABLE orders (id serial PRIMARY KEY, "from" int NOT NULL DEFAULT 1, number int, day date NOT NULL, total bigint, code int, owner int, CONSTRAINT owners FOREIGN KEY (owner) REFERENCES users ON DELETE SET NULL,
      CONSTRAINT codes UNIQUE (owner, code) DEFERRABLE, CONSTRAINT positive CHECK (number > 0 OR total > 0));
    CREATE UNIQUE INDEX numbers ON orders (number) WHERE number > 0; CREATE INDEX "From" ON orders (number, "from" DESC)""")`,
    'op.drop_table("orders")',
  );
  bed.project.commit();
  const types = [
    ['from', '"from"', 'text', '"from"::text', 'int', '"from"::int'],
    ['number', 'number', 'bigint', 'number', 'int', 'number'],
    ['day', 'day', 'text', "to_char(orders.day, 'YYYY-MM-DD')", 'date', 'day::date'],
    ['total', 'total', 'int', 'total', 'bigint', 'total'],
    ['id', 'id', 'bigint', 'id', 'int', 'id'],
    ['code', 'code', 'bigint', 'code', 'int', 'code'],
    ['owner', 'owner', 'bigint', 'owner', 'int', 'owner'],
  ] as const;
  let head = 'c3';
  for (const [name, own, to, using, from, back] of types) {
    const defaults = (value: string) => (name === 'from' ? [`op.execute("""ALTER TABLE orders ALTER "from" ${value}""")`] : []);
    const change = (type: string, value: string) =>
      `op.execute("""ALTER TABLE orders ALTER ${own} TYPE ${type} USING ${value}""")`;
    bed.project.revision(
      `to_${name}`,
      head,
      `Change ${name}`,
      [...defaults('DROP DEFAULT'), change(to, using), ...defaults("SET DEFAULT '1'")].join('\n    '),
      [...defaults('DROP DEFAULT'), change(from, back), ...defaults('SET DEFAULT 1')].join('\n    '),
    );
    head = `to_${name}`;
  }
  await Database.with(async ({ plainUrl: url }) => {
    const rows = () => query(url, 'SELECT id, "from", number, extract(year FROM day::date)::int AS year FROM orders ORDER BY id');
    await alembic(url, 'upgrade', 'head');
    const meant = await query(url, CATALOG);
    await alembic(url, 'downgrade', 'base');
    const review = await fix();
    const left = review.fixes?.notFixed.filter(({ finding }) => finding.rule === 'table-rewrite');
    expect(left?.map(({ finding, reason }) => `${finding.revision}: ${reason}`)).toEqual([
      'to_total: the new type holds less: a value that does not fit would make writes of the running code fail',
    ]);
    await alembic(url, 'upgrade', 'c3');
    await query(url, `INSERT INTO orders (id, number, day) VALUES (1, 7, '2026-05-01')`);
    // Until the new column has its values, the running code writes the old one.
    await alembic(url, 'upgrade', 'to_day_4');
    await query(url, `INSERT INTO orders (id, number, day) VALUES (2, 8, '2027-05-01')`);
    await query(url, `UPDATE orders SET day = '2028-05-01' WHERE id = 1`);
    await alembic(url, 'upgrade', 'head');
    const kept = [
      { id: '1', from: '1', number: '7', year: 2028 },
      { id: '2', from: '1', number: '8', year: 2027 },
    ];
    expect(await rows()).toEqual(kept);
    expect(await query(url, CATALOG)).toEqual(meant);
    await alembic(url, 'downgrade', 'c3');
    expect(await rows()).toEqual(
      kept.map(({ id, from, number, year }) => ({ id: Number(id), from: Number(from), number: Number(number), year })),
    );
    await alembic(url, 'upgrade', 'head');
    expect(await rows()).toEqual(kept);
    expect(await query(url, CATALOG)).toEqual(meant);
  });
});

test('a column that is replaced by another one keeps its comment, or gets the new one', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add comments on columns of users',
    `op.execute("COMMENT ON COLUMN users.age IS 'in years'")
    op.add_column("users", sa.Column("Size", sa.Integer(), comment="what it's \\"for\\""))`,
    'op.drop_column("users", "Size"); op.execute("COMMENT ON COLUMN users.age IS NULL")',
  );
  bed.project.commit();
  const size = (type: string) => `op.alter_column("users", "Size", type_=sa.${type}())`;
  const age = (type: string, comment: string) => `op.alter_column("users", "age", type_=sa.${type}(), comment="${comment}")`;
  bed.project.revision('d4', 'c3', 'Widen Size of users', size('BigInteger'), size('Integer'));
  bed.project.revision('e5', 'd4', 'Widen age of users', age('BigInteger', 'in days'), age('Integer', 'in years'));
  const rename = (from: string, to: string) => `op.alter_column("users", "${from}", new_column_name="${to}")`;
  bed.project.revision('f6', 'e5', 'Rename Size of users', rename('Size', 'height'), rename('height', 'Size'));
  expect(fixed(await fix())).toEqual(['rename', 'table-rewrite', 'table-rewrite']);
  const comments = `SELECT attname AS column, col_description(attrelid, attnum) AS is FROM pg_attribute
    WHERE attrelid = 'users'::regclass AND col_description(attrelid, attnum) IS NOT NULL ORDER BY 1`;
  await Database.with(async ({ plainUrl: url }) => {
    await alembic(url, 'upgrade', 'head');
    const use = 'what it\'s "for"';
    expect(await query(url, comments)).toEqual([
      { column: 'Size', is: use },
      { column: 'age', is: 'in days' },
      { column: 'height', is: use },
    ]);
    await alembic(url, 'downgrade', 'c3');
    expect(await query(url, comments)).toEqual([
      { column: 'Size', is: use },
      { column: 'age', is: 'in years' },
    ]);
  });
});

test('an identity keeps its type, and the reason says what to do by hand', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add logs table',
    'op.create_table("logs", sa.Column("id", sa.Integer(), sa.Identity(), primary_key=True))',
    'op.drop_table("logs")',
  );
  bed.project.commit();
  const id = (type: string) => `op.alter_column("logs", "id", type_=sa.${type}())`;
  bed.project.revision('d4', 'c3', 'Widen id of logs', id('BigInteger'), id('Integer'));
  expect(reasons(await fix())['table-rewrite']).toMatch(/^the sequence of an identity is dropped with its column: by hand, add/);
});

test('columns get another type and NOT NULL in one series, also with a deferred key, a type without =, and a name of two tables', async () => {
  bed.project.revision(
    'c3',
    'b2',
    'Add logs',
    `op.execute("""CREATE TABLE logs (id bigint PRIMARY KEY, data json, meta json,
      owner bigint REFERENCES users DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE notes (id bigint PRIMARY KEY, data json)""")`,
    'op.drop_table("notes"); op.drop_table("logs")',
  );
  bed.project.commit();
  const change = (column: string, to: string, nullable: string) =>
    `op.alter_column("logs", "${column}", type_=${to}, nullable=${nullable})`;
  const convert = (column: string) => `op.execute("UPDATE logs SET ${column} = '{}' WHERE ${column} IS NULL")
    ${change(column, 'sa.dialects.postgresql.JSONB()', 'False')}`;
  bed.project.revision(
    'd4',
    'c3',
    'Make logs binary',
    `for table in op.get_bind().execute(sa.text("SELECT 'notes'")).scalars():
        op.alter_column(table, "data", nullable=False)
    ${convert('data')}
    ${convert('meta')}`,
    `${change('meta', 'sa.JSON()', 'True')}
    ${change('data', 'sa.JSON()', 'True')}
    op.alter_column("notes", "data", nullable=True)`,
  );
  await Database.with(async ({ plainUrl: url }) => {
    const rows = () => query(url, 'SELECT id, data::text, meta::text, owner FROM logs ORDER BY id');
    await alembic(url, 'upgrade', 'head');
    const meant = await query(url, CATALOG);
    await alembic(url, 'downgrade', 'c3');
    const before = await query(url, CATALOG);
    const rules = ['set-not-null-scan', 'table-rewrite', 'work-under-lock'];
    expect(fixed(await fix())).toEqual(rules.flatMap((rule) => [rule, rule]));
    await query(url, `INSERT INTO users (id) VALUES (1)`);
    await query(url, `INSERT INTO logs (id, data, owner) VALUES (1, '{"a":1}', 1), (2, NULL, NULL)`);
    await alembic(url, 'upgrade', 'head');
    const kept = [
      { id: '1', data: '{"a": 1}', meta: '{}', owner: '1' },
      { id: '2', data: '{}', meta: '{}', owner: null },
    ];
    expect(await rows()).toEqual(kept);
    expect(await query(url, CATALOG)).toEqual(meant);
    await alembic(url, 'downgrade', 'c3');
    expect(await rows()).toEqual(kept);
    expect(await query(url, CATALOG)).toEqual(before);
    await alembic(url, 'upgrade', 'head');
    expect(await rows()).toEqual(kept);
    expect(await query(url, CATALOG)).toEqual(meant);
  });
});
