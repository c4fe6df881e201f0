import { inFolder } from '../folder';
import { findings, reviewed, rules, write } from './project';

test('the type of a new column that nothing creates is an error with the line that creates it', async () => {
  const type = 'sa.Enum("good", "bad", name="t_mood")';
  const revisions = {
    a1: { upgrade: 'op.execute("CREATE TABLE t (id bigint)")', downgrade: 'op.drop_table("t")' },
    b2: { down: 'a1', upgrade: `op.add_column("t", sa.Column("mood", ${type}))`, downgrade: 'op.drop_column("t", "mood")' },
  };
  const [found] = await findings(revisions, 'all');
  expect(found).toMatchObject({ rule: 'upgrade-fails', severity: 'error', line: 11 });
  expect(found?.instead?.split('\n')[0]).toBe(`${type}.create(op.get_bind())`);
});

describe('a revision that can’t be replayed', () => {
  const missing = {
    a1: {
      upgrade:
        'op.create_index("ix_customers_email", "customers", ["email"])\n    op.execute("UPDATE customers SET a = a + 1")\n    op.execute("REFRESH MATERIALIZED VIEW totals")',
      downgrade: 'op.drop_index("ix_customers_email", "customers")',
    },
  };

  it('is reported as a rewrite, unless some old type would be stored like the new one', async () => {
    const change = (column: string, type: string) => `op.alter_column("customers", "${column}", type_=${type})`;
    const upgrade = [
      change('total', 'sa.BigInteger()'),
      change('name', 'sa.String(200)'),
      'op.execute("ALTER TABLE customers ALTER rate TYPE float8")',
    ];
    const found = await findings({ a1: { upgrade: upgrade.join('\n    '), downgrade: 'pass' } }, 'all');
    const rewrites = found.filter(({ rule }) => rule === 'table-rewrite');
    expect(rewrites.map(({ severity, line }) => [severity, line])).toEqual([
      ['error', 11],
      ['error', 13],
      ['warning', 12],
    ]);
  });

  it('is reported if it writes a system catalog', async () => {
    const upgrade = 'op.execute("UPDATE pg_attribute SET atttypmod = 104 WHERE attname = \'name\'")';
    const downgrade = 'op.execute("UPDATE pg_catalog.pg_attribute SET atttypmod = 54 WHERE attname = \'name\'")';
    const found = await findings({ a1: { upgrade: `op.drop_index("gone")\n    ${upgrade}`, downgrade } }, 'all');
    const written = found.filter(({ rule }) => rule === 'system-catalog-written');
    expect(written.map(({ direction, line, seen }) => [direction, line, seen])).toEqual([
      ['upgrade', 12, 'source'],
      ['downgrade', 16, 'source'],
    ]);
  });

  it('may validate the CHECK that lets a later one skip a scan', async () => {
    const series = (validate: string) => ({
      a1: { upgrade: 'op.execute("ALTER TABLE orders ADD CONSTRAINT whole CHECK (n IS NOT NULL) NOT VALID")' },
      b1: { down: 'a1', upgrade: `op.execute("${validate}")` },
      c1: { down: 'b1', upgrade: 'op.alter_column("orders", "n", nullable=False)' },
    });
    const scans = async (validate: string) =>
      (await findings(series(validate), 'all')).filter(({ rule }) => rule === 'set-not-null-scan').length;
    expect(await scans('ALTER TABLE orders VALIDATE CONSTRAINT whole')).toBe(0);
    expect(await scans('ANALYZE orders')).toBe(1);
  });

  it('explains failures of later ones that need its objects', async () => {
    const reflect = 'sa.Table("orders", sa.MetaData(), autoload_with=op.get_bind())';
    const later = {
      b1: {
        down: 'a1',
        upgrade: 'op.execute("DROP TABLE IF EXISTS orders")',
        downgrade: 'op.execute("ALTER TABLE orders ADD n int")',
      },
      c1: { down: 'b1', upgrade: reflect },
      d1: { down: 'c1', upgrade: 'op.execute("CREATE INDEX ON orders (n)"); op.execute("CREATE TABLE orders (n int)")' },
      e1: { down: 'd1', upgrade: 'op.execute("SELECT 1 / 0")' },
    };
    const failures = async (a1: string) =>
      (await findings({ a1: { upgrade: a1, downgrade: 'pass' }, ...later }, 'all'))
        .filter(({ revision, rule }) => revision !== 'a1' && rule.endsWith('-fails'))
        .map(({ revision, rule, severity }) => [revision, rule, severity])
        .sort();
    expect(await failures('op.execute("COMMENT ON TABLE customers IS NULL")')).toEqual([['e1', 'upgrade-fails', 'error']]);
    expect(await failures('pass')).toEqual([
      ['b1', 'downgrade-fails', 'error'],
      // It takes with it what d1 says.
      ['c1', 'upgrade-fails', 'warning'],
      ['e1', 'upgrade-fails', 'error'],
    ]);
  });

  it.each([
    [
      'op.execute("SELECT nothing")',
      /^the upgrade fails .*: column "nothing" does not exist; the code caught this error, but it had aborted the transaction/,
    ],
    [
      'op.get_bind().connection.cursor().execute("SELECT nothing")',
      /block: a statement before it failed, and the revision caught the error$/,
    ],
  ])('because it hides an earlier error says so: %s', async (statement, message) => {
    const swallow = `try:\n        ${statement}\n    except Exception:\n        pass\n    op.execute("SELECT 1")`;
    const found = (await findings({ a1: { upgrade: swallow } }, 'all')).filter(({ rule }) => rule === 'upgrade-fails');
    expect(found).toMatchObject([{ severity: 'warning', message: expect.stringMatching(message) }]);
  });

  it('because it waits for itself says so', async () => {
    const alter = 'op.execute("CREATE TABLE own (id int)")';
    const second = 'with op.get_bind().engine.connect() as other:\n        other.execute(sa.text("CREATE TABLE own (id int)"))';
    expect(
      (await findings({ a1: { upgrade: `${alter}\n    ${second}` } }, 'all')).filter(({ rule }) => rule === 'upgrade-fails'),
    ).toMatchObject([
      {
        severity: 'error',
        statement: 'CREATE TABLE own (id int)',
        message: expect.stringContaining('the revision waits for itself'),
      },
    ]);
  });

  it('is judged from its source and SQL, and says so', async () => {
    await inFolder(async (folder) => {
      write(folder, missing);
      const result = await reviewed(folder, 'all');
      expect(result.revisions).toMatchObject([{ notReplayed: expect.stringContaining('customers') }]);
      expect(result.summary).toMatchObject({ revisions: 1, replayed: 0 });
      const upgrade = result.findings.filter(({ direction, rule }) => direction === 'upgrade' && rule !== 'upgrade-fails');
      expect(upgrade).toMatchObject([
        { rule: 'index-not-concurrent', severity: 'error', line: 11, seen: 'source' },
        { rule: 'update-all', severity: 'error', line: 12, seen: 'source' },
        { rule: 'work-under-lock', severity: 'error', line: 13, seen: 'source' },
      ]);
    });
  });

  it('locks what IF EXISTS finds in production', async () => {
    const create = 'op.execute("CREATE INDEX ix_customers ON customers (id)")';
    const replace = `op.execute("DROP INDEX IF EXISTS ix_customers")\n    ${create}`;
    const found = await findings({ a1: { upgrade: create }, b1: { down: 'a1', upgrade: replace } }, 'all');
    expect(found.filter(({ revision, severity }) => revision === 'b1' && severity === 'error')).toMatchObject([
      { rule: 'index-not-concurrent', message: expect.stringContaining('reads of customers wait too') },
    ]);
  });

  it('because something exists only in production is a warning', async () => {
    const found = await findings(missing, 'all');
    expect(found.filter(({ rule }) => rule === 'upgrade-fails')).toMatchObject([{ severity: 'warning' }]);
  });

  it('has each finding on the line of its operation, even with a schema that is known only at run time', async () => {
    const upgrade = [
      'schema = op.get_context().opts.get("schema") or "shop"',
      'op.add_column("customers", sa.Column("code", sa.Text(), index=True))',
      'op.drop_column("orders", "note", schema=schema)',
      'op.create_foreign_key("fk_o_c", "orders", "customers", ["customer"], ["id"], source_schema=schema)',
    ].join('\n    ');
    const found = await findings({ a1: { upgrade, downgrade: 'raise NotImplementedError' } }, 'all');
    expect(found.filter(({ severity }) => severity === 'error').map(({ rule, line }) => [rule, line])).toEqual([
      ['index-not-concurrent', 12],
      ['drop-column', 13],
      ['foreign-key-not-valid', 14],
    ]);
  });

  it('gets advice that names a foreign key, which its VALIDATE needs', async () => {
    const upgrade = 'op.create_foreign_key(None, "orders", "customers", ["customer"], ["id"])';
    const missing = 'op.get_bind().execute(sa.text("SELECT 1 FROM customers")).scalar()';
    const found = await findings(
      { a1: { upgrade: `${missing}\n    ${upgrade}`, downgrade: 'raise NotImplementedError' } },
      'all',
    );
    const { instead } = found.find(({ rule }) => rule === 'foreign-key-not-valid') ?? {};
    expect(instead).toContain('op.create_foreign_key("fk_orders_customer_customers", "orders"');
    expect(instead).toContain('VALIDATE CONSTRAINT fk_orders_customer_customers');
  });

  it('gets queries for production in which reserved words are quoted', async () => {
    const upgrade = [
      'op.create_unique_constraint("uq_user_order", "user", ["order"])',
      'op.alter_column("user", "order", type_=sa.String(5), existing_type=sa.Text())',
      'op.execute("DELETE FROM \\"user\\" WHERE id IN (SELECT user_id FROM customers)")',
    ].join('\n    ');
    const found = await findings({ a1: { upgrade, downgrade: 'raise NotImplementedError' } }, 'all');
    const queries = found.flatMap(({ instead = '' }) => instead.match(/in production[^:]*: SELECT .*? FROM \S+/g) ?? []);
    expect(queries.map((query) => query.replace(/^.*: /, '')).sort()).toEqual([
      'SELECT "order", count(*) FROM "user"',
      'SELECT count(*) FROM "user"',
      'SELECT count(*) FROM "user"',
    ]);
  });

  it('has no rewrite and no scan if a column keeps its type, or its NOT NULL under a new name', async () => {
    const change = (from: string, to: string) =>
      `op.alter_column("customers", "${from}", new_column_name="${to}", existing_type=sa.BigInteger(), type_=sa.BigInteger(), nullable=False)`;
    const found = await findings({ a1: { upgrade: change('code', 'number'), downgrade: change('number', 'code') } }, 'all');
    expect(found.filter(({ severity }) => severity === 'error').map(({ rule }) => rule)).toEqual(['rename']);
  });

  it('does not lose data by filling new columns of a table that the source does not name', async () => {
    const upgrade = [
      'Customer = type("Model", (), {"t": sa.table("customers", sa.column("a"), sa.column("b"))}).t',
      'op.add_column("customers", sa.Column("a", sa.Text()))',
      'op.add_column("customers", sa.Column("b", sa.Boolean()))',
      'op.execute(sa.update(Customer).values(a=sa.column("email"), b=False))',
    ].join('\n    ');
    const found = await findings({ a1: { upgrade, downgrade: 'raise NotImplementedError' } }, 'all');
    expect(found.filter(({ rule }) => rule === 'clear-column').map(({ severity }) => severity)).not.toContain('error');
  });

  it('because it stops itself for lack of rows is a warning', async () => {
    const upgrade = (ask: string) => `if ${ask}:\n        raise RuntimeError("no shop is open")`;
    const a1 = {
      upgrade: 'op.execute("CREATE TABLE shops (id bigint PRIMARY KEY)")',
      downgrade: 'op.execute("DROP TABLE shops")',
    };
    const severities = async (ask: string) =>
      (await findings({ a1, b1: { down: 'a1', upgrade: upgrade(ask) } }, 'all'))
        .filter(({ rule }) => rule === 'upgrade-fails')
        .map(({ severity }) => severity);
    expect(await severities('not op.get_bind().execute(sa.text("SELECT id FROM shops")).all()')).toEqual(['warning']);
    expect(await severities('True')).toEqual(['error']);
  });

  it('knows the table that a long statement would have created', async () => {
    const columns = Array.from({ length: 30 }, (_, at) => `sa.Column("a_column_with_a_long_name_${at}", sa.Text())`).join(', ');
    const upgrade = [
      `op.create_table("big", sa.Column("id", sa.BigInteger(), sa.ForeignKey("customers.id", name="fk_big_customers")), ${columns})`,
      'op.get_bind().execute(sa.text("SELECT 1 FROM customers")).scalar()',
      'op.create_index("ix_big_id", "big", ["id"])',
    ].join('\n    ');
    const found = await findings({ a1: { upgrade, downgrade: 'op.drop_table("big")' } }, 'all');
    expect(rules(found)).not.toContain('index-not-concurrent');
  });

  it('has one error per statement, on its line, even if a convention names the index', async () => {
    const upgrade = [
      'op.execute("""',
      '        ALTER TABLE customers ADD CONSTRAINT uq_customers_email UNIQUE (email);',
      '    """)',
      'op.create_index(None, "customers", ["plan"])',
      'op.drop_index("ix_customers_name", "customers", schema="public")',
    ].join('\n    ');
    const found = await findings({ a1: { upgrade, downgrade: 'raise NotImplementedError' } }, 'all');
    expect(found.filter(({ rule }) => /index/.test(rule)).map(({ rule, line, severity }) => [rule, line, severity])).toEqual([
      ['constraint-builds-index', 12, 'error'],
      ['index-not-concurrent', 14, 'error'],
      ['index-not-concurrent', 15, 'warning'],
    ]);
  });

  it('has one error for each statement in one string', async () => {
    const upgrade = 'op.execute("CREATE INDEX ix_plan ON customers (plan); CREATE INDEX ix_code ON customers (code);")';
    const found = await findings({ a1: { upgrade, downgrade: 'raise NotImplementedError' } }, 'all');
    expect(found.filter(({ severity }) => severity === 'error')).toMatchObject([
      { rule: 'index-not-concurrent', line: 11, instead: expect.stringContaining('ix_plan') },
      { rule: 'index-not-concurrent', line: 11, instead: expect.stringContaining('ix_code') },
    ]);
  });

  it('has the findings of a text with several statements on the lines of the statements', async () => {
    const upgrade = `op.execute("""
        UPDATE customers SET id = 3 WHERE id = 4;
        ALTER TABLE customers DROP COLUMN name;
        -- and an index
        CREATE INDEX ix_code ON customers (code);
    """)`;
    const found = await findings({ a1: { upgrade, downgrade: 'raise NotImplementedError' } }, 'all');
    expect(found.filter(({ severity }) => severity === 'error').map(({ rule, line }) => [rule, line])).toEqual([
      ['drop-column', 13],
      ['index-not-concurrent', 15],
    ]);
  });

  it('may rename a table that it creates, and index a view that it recreates', async () => {
    const upgrade = [
      'op.execute("CREATE TABLE temp AS SELECT *, md5(name) AS hash FROM customers")',
      'op.execute("ALTER TABLE temp RENAME TO hashed_customers")',
      'op.execute("DROP MATERIALIZED VIEW totals")',
      'op.execute("CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM hashed_customers")',
      'op.create_index("ix_totals_n", "totals", ["n"])',
    ].join('\n    ');
    const found = rules(await findings({ a1: { upgrade, downgrade: 'raise NotImplementedError' } }, 'all'));
    expect(found).not.toContain('rename');
    expect(found).not.toContain('index-not-concurrent');
  });

  it('has a finding for a table that is dropped after it was copied', async () => {
    const upgrade = 'op.execute("CREATE TABLE copied AS SELECT * FROM customers")\n    op.drop_table("customers")';
    const found = await findings({ a1: { upgrade, downgrade: 'raise NotImplementedError' } }, 'all');
    expect(found.find(({ rule }) => rule === 'drop-table')?.message).toMatch(/those that its copy copied does not have are lost/);
  });

  it('has no scan for NOT NULL if the column is NOT NULL after the downgrade', async () => {
    const change = (length: number, nullable: string) =>
      `op.alter_column("customers", "code", type_=sa.String(${length}), nullable=${nullable})`;
    const scans = async (before: string) => {
      const found = await findings({ a1: { upgrade: change(12, 'False'), downgrade: change(3, before) } }, 'all');
      return rules(found).includes('set-not-null-scan');
    };
    expect(await scans('False')).toBe(false);
    expect(await scans('True')).toBe(true);
  });

  it('has findings for what its downgrade would do to rows', async () => {
    const downgrade = [
      `op.execute("UPDATE customers SET plan = 'free' WHERE created_at > now()")`,
      'op.alter_column("customers", "code", nullable=False)',
      'op.add_column("customers", sa.Column("team_id", sa.BigInteger(), nullable=False))',
    ].join('\n    ');
    const upgrade = 'op.alter_column("customers", "code", nullable=True)\n    op.drop_column("customers", "team_id")';
    const change = { upgrade, downgrade };
    const found = (await findings({ a1: change }, 'all')).filter(({ direction }) => direction === 'downgrade');
    expect(found).toMatchObject([
      { rule: 'downgrade-loses-data', severity: 'warning' },
      { rule: 'downgrade-changes-more', severity: 'warning', line: 16, message: expect.stringContaining('customers') },
      { rule: 'downgrade-fails', severity: 'warning', line: 17, message: expect.stringContaining('NULL in customers.code') },
      { rule: 'downgrade-fails', severity: 'warning', line: 18, message: expect.stringContaining('if customers has rows') },
    ]);
  });

  it('has its findings at the lines that Alembic runs, even if the review can’t follow the code', async () => {
    const hidden = {
      a1: {
        upgrade: [
          'import inspect',
          'for name, run in inspect.getmembers(op):',
          '    if name == "drop_table":',
          '        run("customers")',
        ].join('\n    '),
      },
    };
    const found = await findings(hidden, 'all');
    expect(found.filter(({ rule }) => rule === 'drop-table')).toMatchObject([{ line: 14 }]);
  });

  it('that can’t be rendered is judged by its calls', async () => {
    const reading = {
      a1: {
        upgrade: [
          'op.get_bind().execute(sa.text("SELECT 1 FROM customers")).scalar()',
          'op.add_column("customers", sa.Column("plan", sa.Text(), nullable=False))',
          'with op.batch_alter_table("customers") as batch_op:',
          '    batch_op.create_foreign_key("fk_customers_team", "teams", ["team_id"], ["id"])',
        ].join('\n    '),
      },
    };
    const found = await findings(reading, 'all');
    expect(found.filter(({ severity }) => severity === 'error')).toMatchObject([
      { rule: 'not-null-without-default', line: 12, message: expect.stringContaining('customers.plan') },
      { rule: 'foreign-key-not-valid', line: 14, message: expect.stringContaining('teams') },
    ]);
  });
});
