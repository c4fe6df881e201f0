import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exitCodeOfReview } from '../../lib/cli/safe-alembic/replay/exit-code';
import type { RevisionFacts } from '../../lib/contract/facts';
import { observe, readGraph } from '../../lib/local/python/observe';
import { withObserver } from '../../lib/local/python/with-observer';
import { type Finding, type Review, type ReviewInput, type ReviewOptions, review } from '../../lib/review';
import { Database } from '../production/database';
import { usePreloadedPython } from '../support/python/preloaded-python';
import { CONNECT, ENV_EXAMPLES, env, RUN } from './examples/env';
import { FILE_EXAMPLES, type FileExample, writeFiles } from './examples/files';
import { inFolder } from './folder';

const OPTIONS: ReviewOptions = { version: '0.0.0', rules: {}, failOn: 'error' };
const python = [usePreloadedPython()];

interface Revision {
  readonly down?: string | readonly string[];
  readonly label?: string;
  readonly message?: string;
  readonly upgrade?: string;
  readonly downgrade?: string;
}

function write(folder: string, revisions: Readonly<Record<string, Revision>>, script = env(CONNECT, ...RUN)): void {
  mkdirSync(path.join(folder, 'alembic', 'versions'), { recursive: true });
  writeFileSync(path.join(folder, 'alembic.ini'), '[alembic]\nscript_location = alembic\n');
  writeFileSync(path.join(folder, 'alembic', 'env.py'), script);
  for (const [id, { down, label, message, upgrade, downgrade }] of Object.entries(revisions)) {
    const text = `"""${message ?? `Example ${id}`}"""
import sqlalchemy as sa
from alembic import op

revision = "${id}"
down_revision = ${down === undefined ? 'None' : JSON.stringify(down)}
branch_labels = ${label === undefined ? 'None' : JSON.stringify([label])}


def upgrade():
    ${upgrade ?? 'pass'}


def downgrade():
    ${downgrade ?? 'pass'}
`;
    writeFileSync(path.join(folder, 'alembic', 'versions', `${id}.py`), text);
  }
}

let database: Database;

beforeAll(async () => {
  database = await Database.create();
});

afterAll(() => database.drop());

interface More extends Partial<Omit<ReviewInput, 'environment' | 'drift'>> {
  readonly options?: ReviewOptions;
  /** Variables that env.py reads. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The review of a project by its graph alone, or with all its revisions replayed. */
async function reviewed(
  project: string,
  what: 'graph' | 'all',
  { options = OPTIONS, environment = {}, drift = false, ...more }: More & { drift?: boolean } = {},
): Promise<Review> {
  return withObserver(
    { project, python, environment, database: what === 'graph' ? 'own' : { url: database.plainUrl } },
    async ({ observer }) => {
      const graph = await readGraph(observer);
      const revisions = graph.revisions.map(({ revision }) => revision);
      const observed =
        what === 'all' ? await observe(observer, { revisions, drift, overwrite: true }) : { revisions: [] as RevisionFacts[] };
      const input = { graph, unreleased: [], edited: [], started: Date.now(), ...observed, ...more };
      return review(input, options);
    },
  );
}

async function findings(
  revisions: Readonly<Record<string, Revision>>,
  what: 'graph' | 'all' = 'graph',
  { env: script, ...more }: More & { env?: string } = {},
): Promise<readonly Finding[]> {
  return inFolder(async (folder) => {
    write(folder, revisions, script);
    return (await reviewed(folder, what, more)).findings;
  });
}

const rules = (found: readonly Finding[]) => found.map(({ rule }) => rule);

describe('the graph', () => {
  it('with two heads is an error that says how to join them', async () => {
    const [found, ...more] = await findings({ a1: {}, b1: { down: 'a1' }, c1: { down: 'a1' } });
    expect(found).toMatchObject({ rule: 'several-heads', severity: 'error', instead: expect.stringContaining('alembic merge') });
    expect(more).toEqual([]);
  });

  it('may have branches with different labels', async () => {
    expect(await findings({ a1: {}, b1: { down: 'a1', label: 'shop' }, c1: { down: 'a1', label: 'blog' } })).toEqual([]);
  });

  it('with a labeled head beside one without a label is an error, as in the deploy', async () => {
    const [found] = await findings({ a1: {}, b1: { down: 'a1', label: 'shop' }, c1: { down: 'a1' } });
    expect(found).toMatchObject({ rule: 'several-heads', instead: expect.stringContaining('alembic merge') });
  });

  it('with one revision id in two files is an error that names both files', async () => {
    await inFolder(async (folder) => {
      write(folder, { a1: {} });
      copyFileSync(`${folder}/alembic/versions/a1.py`, `${folder}/alembic/versions/copy.py`);
      const { findings: found } = await reviewed(folder, 'graph');
      expect(found).toMatchObject([
        { rule: 'orphan-revision', message: expect.stringContaining('two files have the revision id a1: a1.py and copy.py') },
      ]);
    });
  });

  it('with a cycle of revisions is an error that names them', async () => {
    const [found] = await findings({ a1: { down: 'b1' }, b1: { down: 'a1' } });
    expect(found).toMatchObject({
      rule: 'orphan-revision',
      message: expect.stringContaining('follow each other in a cycle: a1 (a1.py), b1 (b1.py)'),
    });
  });

  it('with a revision that follows a missing one is an error that names both', async () => {
    const [found] = await findings({ a1: {}, b1: { down: 'gone' } });
    expect(found).toMatchObject({
      rule: 'orphan-revision',
      severity: 'error',
      revision: 'b1',
      message: expect.stringContaining('gone'),
    });
  });

  it('may be a single line', async () => {
    expect(await findings({ a1: {}, b1: { down: 'a1' } })).toEqual([]);
  });

  it('reports an edited revision of the base branch', async () => {
    const edited = [{ file: 'alembic/versions/a1.py', how: 'changed' as const }];
    const [found] = await findings({ a1: {}, b1: { down: 'a1' } }, 'graph', { edited });
    expect(found).toMatchObject({ rule: 'edited-revision', severity: 'error', revision: 'a1' });
  });

  it('may have empty merges, but merges that change something are reported', async () => {
    const branches = { a1: {}, b1: { down: 'a1' }, c1: { down: 'a1' } };
    expect(await findings({ ...branches, d1: { down: ['b1', 'c1'], message: 'Merge heads' } }, 'all')).toEqual([]);
    const working = { down: ['b1', 'c1'], upgrade: 'op.execute("CREATE TABLE t (id bigint)")', downgrade: 'op.drop_table("t")' };
    expect(rules(await findings({ ...branches, d1: working }, 'all'))).toEqual(['merge-does-work']);
  });
});

/** Reads models.py, if there is one. */
const WITH_MODELS = (() => {
  const own =
    'import sys\nsys.path.insert(0, ".")\ntry:\n    from models import metadata\nexcept ModuleNotFoundError:\n    metadata = None\n';
  return env(own, CONNECT, ...RUN.map((line) => line.replace('=connection', '=connection, target_metadata=metadata')));
})();

describe('drift', () => {
  it('reports all defaults that only the migrations have in one finding', async () => {
    const table = 'CREATE TABLE t (id serial PRIMARY KEY, a int DEFAULT 1, b text DEFAULT 2, c int DEFAULT 3)';
    const columns = ['sa.Integer', 'sa.Text', 'sa.Integer, server_default="4"'].map(
      (of, at) => `sa.Column("${'abc'[at]}", ${of})`,
    );
    const models = `import sqlalchemy as sa\nmetadata = sa.MetaData()\nsa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), ${columns.join(', ')})\n`;
    const found = await inFolder(async (folder) => {
      write(folder, { a1: { upgrade: `op.execute("${table}")`, downgrade: 'op.drop_table("t")' } }, WITH_MODELS);
      writeFiles(folder, { 'models.py': models });
      return (await reviewed(folder, 'all', { drift: true })).findings.filter(({ rule }) => rule === 'drift');
    });
    expect(found.map(({ message }) => message)).toEqual([
      'column t.c is integer DEFAULT 3 in the migrations and integer DEFAULT 4 in the models',
      'only the migrations have defaults of t (a, b)',
    ]);
  });
});

describe('objects that only the models or only the migrations have', () => {
  it('are one finding for each side, however many there are', async () => {
    const tables = ['a', 'b', 'c'].map(
      (name) => `op.execute("CREATE TABLE ${name} (id serial PRIMARY KEY, x int, CHECK (x > 0))")`,
    );
    const models = `import sqlalchemy as sa\nmetadata = sa.MetaData()\nfor name in "abc":\n    sa.Table(name, metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("x", sa.Text), sa.Column("y", sa.Text))\n`;
    const found = await inFolder(async (folder) => {
      write(folder, { a1: { upgrade: tables.join('\n    '), downgrade: 'pass' } }, WITH_MODELS);
      writeFiles(folder, { 'models.py': models });
      return (await reviewed(folder, 'all', { drift: true })).findings.filter(({ rule }) => rule === 'drift');
    });
    expect(found.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^the models need 6 operations that no revision has: op\.add_column\('a', .*; op\.alter_column\('c', /,
      ),
      'the migrations create constraint a.a_x_check, constraint b.b_x_check, constraint c.c_x_check, the models do not',
    ]);
  });
});

describe('an example of the site', () => {
  it.each(Object.entries<FileExample>(FILE_EXAMPLES))(
    'for %s is found, and the safe version passes',
    async (rule, { bad, good }) => {
      const found = (files: FileExample['bad'], edited: More['edited'] = []) =>
        inFolder(async (folder) => {
          write(folder, {}, WITH_MODELS);
          writeFiles(folder, files);
          const { findings: all } = await reviewed(folder, 'all', { drift: true, edited });
          return rules(all);
        });
      const edited = rule === 'edited-revision' ? [{ file: 'alembic/versions/a1.py', how: 'changed' as const }] : [];
      expect(await found(bad, edited)).toContain(rule);
      expect(await found(good)).not.toContain(rule);
    },
  );
});

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

describe('env.py', () => {
  const revisions = { a1: { upgrade: 'op.execute("CREATE TABLE t (id bigint)")', downgrade: 'op.drop_table("t")' } };

  it('that keeps nothing is an error', async () => {
    const found = await findings(revisions, 'all', { env: ENV_EXAMPLES['env-keeps-nothing'].bad });
    expect(found).toMatchObject([{ rule: 'env-keeps-nothing', severity: 'error', file: 'alembic/env.py' }]);
  });

  it('that opens a transaction around everything is reported', async () => {
    const found = await findings(revisions, 'all', { env: ENV_EXAMPLES['env-outer-transaction'].bad });
    const instead = 'with create_engine("postgresql+psycopg://nobody@nowhere.invalid/none").connect() as connection:';
    expect(found).toMatchObject([{ rule: 'env-outer-transaction', severity: 'warning', line: 4, instead }]);
  });

  it('that calls run_migrations outside of begin_transaction() is reported', async () => {
    const [configure] = RUN;
    const run = [`${configure}`, '    context.run_migrations()', '    connection.commit()'];
    const found = await findings(revisions, 'all', { env: env(CONNECT, ...run) });
    expect(found).toMatchObject([{ rule: 'env-outer-transaction', severity: 'warning', line: 5 }]);
    expect(found[0]?.instead).toContain('with context.begin_transaction():');
  });

  it('that opens a transaction around everything is an error if a revision needs to leave it', async () => {
    const alone = {
      upgrade: `with op.get_context().autocommit_block():\n        op.execute("COMMENT ON TABLE t IS 'x'")`,
      downgrade: 'pass',
    };
    const found = await findings({ ...revisions, b1: { down: 'a1', ...alone } }, 'all', {
      env: ENV_EXAMPLES['env-outer-transaction'].bad,
    });
    const error = found.find(({ rule }) => rule === 'env-outer-transaction');
    expect([error?.severity, error?.message]).toEqual(['error', expect.stringContaining('b1 fails, because autocommit_block()')]);
  });

  it('that runs all revisions in one transaction is reported if env-one-transaction is on', async () => {
    const options: ReviewOptions = { ...OPTIONS, rules: { 'env-one-transaction': 'warn' } };
    const { bad, good } = ENV_EXAMPLES['env-one-transaction'];
    expect(rules(await findings(revisions, 'all', { options, env: bad }))).toEqual(['env-one-transaction']);
    expect(await findings(revisions, 'all', { options, env: good })).toEqual([]);
  });

  describe('without a lock_timeout', () => {
    const { bad, good } = ENV_EXAMPLES['lock-timeout-missing'];
    const locks = (up: string) => ({ down: 'a1', upgrade: up, downgrade: 'pass' });
    const add = locks('op.execute("ALTER TABLE t ADD COLUMN a text")');
    const found = async (more: Record<string, Revision>, given: More & { env: string }) =>
      (await findings({ ...revisions, ...more }, 'all', { plainAlembic: true, ...given })).filter(
        ({ rule }) => rule === 'lock-timeout-missing',
      );

    it('is reported once, by the first revision that locks a table', async () => {
      const next = { ...locks('op.execute("ALTER TABLE t ADD COLUMN b text")'), down: 'b1' };
      const message = expect.stringMatching(/^neither env\.py nor b1 sets a lock_timeout: .+ every running query of t,/);
      expect(await found({ b1: add, c1: next }, { env: bad })).toMatchObject([
        { severity: 'warning', file: 'alembic/env.py', message },
      ]);
    });

    it('is fine if it sets one, if the revision does, if nothing is locked, or if the runner runs the revisions', async () => {
      const set = locks('op.execute("SET LOCAL lock_timeout = \'2s\'; ALTER TABLE t ADD COLUMN a text")');
      expect(await found({ b1: add }, { env: good })).toEqual([]);
      expect(await found({ b1: set }, { env: bad })).toEqual([]);
      expect(await found({ b1: locks('op.execute("CREATE TABLE u (id bigint)")') }, { env: bad })).toEqual([]);
      expect(await found({ b1: add }, { env: bad, plainAlembic: false })).toEqual([]);
    });
  });

  it.each([
    [
      'calls run_migrations for each schema',
      ENV_EXAMPLES['env-refused'].bad,
      'env.py calls context.run_migrations() more than once',
    ],
    [
      'migrates with two engines, each in a transaction of its own',
      env(
        ...['one', 'two'].map(
          (name) => `${name} = create_engine("postgresql+psycopg://nobody@nowhere.invalid/${name}").connect()`,
        ),
        'transactions = [one.begin(), two.begin()]',
        'for connection in (one, two):',
        ...RUN,
        'for transaction in transactions:',
        '    transaction.commit()',
      ),
      'env.py calls context.run_migrations() more than once',
    ],
    [
      'sets AUTOCOMMIT',
      env(CONNECT.replace('/none"', '/none", isolation_level="AUTOCOMMIT"'), ...RUN),
      "env.py's engine is in AUTOCOMMIT",
    ],
  ])('that %s is refused by the deploy, and the review says so with its message', async (_, script, message) => {
    const found = await findings(revisions, 'all', { env: script });
    expect(found).toMatchObject([{ rule: 'env-refused', severity: 'error', file: 'alembic/env.py' }]);
    expect(found[0]?.message).toContain(`fail with invalid_project: ${message}`);
  });

  it('whose version table is in a schema that nothing creates is reported', async () => {
    const { bad, good } = ENV_EXAMPLES['version-table-schema-missing'];
    expect(await findings(revisions, 'all', { env: bad })).toMatchObject([
      {
        rule: 'version-table-schema-missing',
        severity: 'warning',
        message: expect.stringContaining('migration_failed: the schema of the version table does not exist: own'),
      },
    ]);
    expect(await findings(revisions, 'all', { env: good })).toEqual([]);
  });

  it('may name the version table, and a revision that writes it is an error', async () => {
    const named = env(CONNECT, ...RUN.map((line) => line.replace('=connection', '=connection, version_table="versions"')));
    const written = {
      a1: { upgrade: 'op.execute("UPDATE versions SET version_num = \'b1\'")', downgrade: 'op.execute("SELECT 1")' },
    };
    expect(rules(await findings(written, 'all', { env: named }))).toContain('version-table-written');
    const own = `op.execute("CREATE TABLE versions (id bigint)")\n    op.execute("UPDATE versions SET id = 1")`;
    const made = { a1: { upgrade: own, downgrade: 'op.drop_table("versions")' } };
    expect(rules(await findings(made, 'all'))).not.toContain('version-table-written');
  });

  it('as generated by Alembic has no findings', async () => {
    expect(await findings(revisions, 'all')).toEqual([]);
  });
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

  it('because it hides an earlier error says so', async () => {
    const swallow = 'try:\n        op.execute("SELECT nothing")\n    except Exception:\n        pass\n    op.execute("SELECT 1")';
    expect((await findings({ a1: { upgrade: swallow } }, 'all')).filter(({ rule }) => rule === 'upgrade-fails')).toMatchObject([
      {
        severity: 'warning',
        message: expect.stringMatching(/block: a statement before it failed, and the revision caught the error$/),
      },
    ]);
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

describe('a revision whose id is longer than version_num', () => {
  const id = 'add_the_table_of_all_customers_and_teams';

  it('is an error that names the limit', async () => {
    const found = await findings(
      { [id]: { upgrade: 'op.execute("CREATE TABLE t (id bigint)")', downgrade: 'op.drop_table("t")' } },
      'all',
    );
    expect(found).toMatchObject([
      { rule: 'upgrade-fails', severity: 'error', message: expect.stringContaining('its id of 40 characters is too long') },
    ]);
  });

  it('is accepted after an earlier one has widened the column', async () => {
    const widen = 'op.execute("ALTER TABLE alembic_version ALTER version_num TYPE varchar(64)")';
    expect(rules(await findings({ a1: { upgrade: widen }, [id]: { down: 'a1' } }, 'all'))).not.toContain('upgrade-fails');
  });
});

describe('a revision that can’t be loaded', () => {
  it('is reported if it updates every row through SQLAlchemy with a value of the backend', async () => {
    const upgrade = [
      'from not_here import mode',
      'groups = sa.table("groups", sa.column("id"), sa.column("mode"))',
      'def fill():',
      '    op.execute(groups.update().values(mode=mode()))',
      'op.add_column("groups", sa.Column("mode", sa.Text()))',
      'fill()',
      'op.execute(groups.update().where(groups.c.id == 7).values(mode=mode()))',
    ].join('\n    ');
    const found = await findings({ a1: { upgrade, downgrade: 'pass' } }, 'all');
    const updates = found.filter(({ rule }) => rule === 'update-all');
    expect(updates).toMatchObject([
      { severity: 'error', line: 14, message: expect.stringContaining('every row of groups at once: ') },
    ]);
    expect(JSON.stringify(updates)).not.toContain('cdk_alembic');
    expect(found.filter(({ severity, line }) => severity === 'error' && line === 14)).toHaveLength(1);
  });

  it('lists the functions that could not be read, if they are called for their effect', async () => {
    const upgrade = [
      'from not_here import fill, log, session',
      'import not_there.helpers',
      'fill("users")',
      'fill("orders")',
      'not_there.helpers.clean("users").check()',
      'log.info("a")',
      'session.commit()',
    ].join('\n    ');
    const found = await findings({ a1: { upgrade, downgrade: 'pass' } }, 'all');
    expect(found.filter(({ rule }) => rule === 'unread-sql')).toMatchObject([
      {
        line: 13,
        severity: 'warning',
        message: expect.stringContaining('not_here.fill comes from a module that is not installed'),
      },
      { line: 15, message: expect.stringContaining('not_there.helpers.clean') },
    ]);
  });

  const first = { upgrade: 'import not_installed' };

  it('has its findings on their own lines, even in a loop or a function', async () => {
    const upgrade = [
      'for column in ("a", "b"):',
      '    op.create_index(f"ix_users_{column}",',
      '                    "users", [column])',
      'def fill():',
      '    for column in ["a"]:',
      '        op.drop_column("users", column)',
      'fill()',
    ].join('\n    ');
    const env = 'import not_installed';
    const found = await findings({ a1: { upgrade, downgrade: 'raise NotImplementedError' } }, 'all', { env });
    const own = found.filter(({ rule }) => ['index-not-concurrent', 'drop-column'].includes(rule));
    expect(own.map(({ rule, line }) => `${rule} ${line}`)).toEqual([
      'index-not-concurrent 12',
      'index-not-concurrent 12',
      'drop-column 16',
    ]);
  });

  it('does not lose data by a CASCADE that finds nothing', async () => {
    const drop = 'op.execute("DROP VIEW IF EXISTS names_users CASCADE")';
    const again = ['op.execute("CREATE VIEW names_users AS SELECT 1")', 'op.execute("DROP VIEW names_users CASCADE")'];
    const upgrade = [drop, drop, ...again].join('\n    ');
    const env = 'import not_installed';
    const given = { upgrade: 'op.execute("CREATE VIEW names_users AS SELECT 1")', downgrade: 'pass' };
    const b1 = { down: 'a1', upgrade, downgrade: 'raise NotImplementedError' };
    const found = await findings({ a1: given, b1 }, 'all', { env });
    expect(found.filter(({ rule }) => rule === 'cascade').map(({ line }) => line)).toEqual([11, 14]);
  });

  it('may write the schema of its own table in different ways', async () => {
    const upgrade = [
      'from elsewhere import SCHEMA',
      'op.create_table("t", sa.Column("id", sa.BigInteger()), schema=SCHEMA)',
      'op.create_index("ix_t_id", "t", ["id"], schema="shop")',
    ].join('\n    ');
    const env = 'import not_installed';
    const found = await findings({ a1: { upgrade, downgrade: 'raise NotImplementedError' } }, 'all', { env });
    expect(rules(found)).not.toContain('index-not-concurrent');
  });

  it('may use a type of a library that is not installed, which the message does not name', async () => {
    const upgrade = 'from elsewhere import Payload\n    op.alter_column("users", "data", type_=Payload())';
    const found = await findings({ a1: { upgrade, downgrade: 'pass' } }, 'all', { env: 'import not_installed' });
    expect(found.map(({ message }) => message)).toContainEqual(expect.stringContaining('the new type of column data'));
  });

  it('is no error if the backend is not installed: the review says that it checked nothing', async () => {
    await inFolder(async (folder) => {
      write(folder, { a1: first }, 'import not_installed');
      writeFileSync(
        path.join(folder, 'alembic', 'versions', 'b1.py'),
        'import not_installed\nrevision = "b1"\ndown_revision = "a1"\ndef upgrade(): pass\ndef downgrade(): pass\n',
      );
      const result = await reviewed(folder, 'all');
      expect(rules(result.findings)).not.toContain('orphan-revision');
      expect(result.notChecked?.code).toBe('nothing_replayed');
    });
  });

  it('is no error if env.py lacks a variable: the next step says where to set it', async () => {
    await inFolder(async (folder) => {
      const code = 'import os\nos.environ["APP_NOT_SET"]\n';
      write(folder, { a1: {} }, code);
      for (const [id, down] of [
        ['b1', 'a1'],
        ['c1', 'b1'],
      ]) {
        const body = `revision = "${id}"\ndown_revision = "${down}"\ndef upgrade(): pass\ndef downgrade(): pass\n`;
        writeFileSync(path.join(folder, 'alembic', 'versions', `${id}.py`), `${code}${body}`);
      }
      const result = await reviewed(folder, 'all');
      expect(rules(result.findings)).not.toContain('orphan-revision');
      expect(result.graph.problem).toBe(
        'the environment variable APP_NOT_SET is not set (alembic/versions/b1.py:2); the environment variable APP_NOT_SET is not set (alembic/versions/c1.py:2)',
      );
      expect(result.notChecked).toMatchObject({
        message: 'no revision could be replayed: env.py failed: the environment variable APP_NOT_SET is not set (env.py:2)',
        next: expect.stringContaining('the setting "environment" in cdk-alembic.json'),
      });
    });
  });

  it('because of its syntax is an error, even if env.py fails', async () => {
    await inFolder(async (folder) => {
      write(folder, { a1: {} }, 'import not_installed');
      writeFileSync(path.join(folder, 'alembic', 'versions', 'b1.py'), 'revision = "b1"\ndown_revision = "a1"\ndef upgrade(:\n');
      expect(rules((await reviewed(folder, 'all')).findings)).toContain('orphan-revision');
    });
    await inFolder(async (folder) => {
      write(folder, {});
      writeFileSync(path.join(folder, 'alembic', 'versions', 'b1.py'), 'revision = "b1"\ndown_revision = None\ndef upgrade(:\n');
      expect((await reviewed(folder, 'all')).notChecked?.next).toMatch(/^fix the revision that it names/);
    });
  });
});

describe('one statement', () => {
  it('that blocks writes also blocks reads, if its transaction has locked the table against reads before', async () => {
    const teams = 'op.execute("CREATE TABLE teams (id bigint PRIMARY KEY)")';
    const users = 'op.execute("CREATE TABLE users (id bigint, team bigint, name text)")';
    const index = 'op.create_index("ix_users_name", "users", ["name"])';
    const key = 'op.create_foreign_key("fk_users_team", "users", "teams", ["team"], ["id"])';
    const b1 = { down: 'a1', upgrade: `${index}\n    ${key}`, downgrade: 'pass' };
    const c1 = {
      down: 'b1',
      upgrade: `op.drop_constraint("fk_users_team", "users")\n    op.drop_index("ix_users_name")\n    ${b1.upgrade}`,
    };
    const found = await findings({ a1: { upgrade: `${teams}\n    ${users}`, downgrade: 'pass' }, b1, c1 }, 'all');
    const said = found
      .filter(({ rule, severity }) => severity === 'error' && /^(?:index-not-concurrent|foreign-key-not-valid)$/.test(rule))
      .map(({ revision, rule, message }) => [revision, rule, message.split('; ').at(-1)]);
    const too = expect.stringMatching(
      /^reads of (?:users|teams) wait too, because line \d+ holds an ACCESS EXCLUSIVE lock on it$/,
    );
    expect(said).toEqual([
      ['b1', 'index-not-concurrent', 'reads continue'],
      ['b1', 'foreign-key-not-valid', 'reads continue'],
      ['c1', 'index-not-concurrent', too],
      ['c1', 'foreign-key-not-valid', too],
    ]);
  });

  it('that loses data and locks has one error for the loss, and a warning for the lock until the loss is acknowledged', async () => {
    const given = 'op.execute("CREATE TABLE t (id bigint PRIMARY KEY, name varchar(50))")';
    const narrow = 'op.alter_column("t", "name", type_=sa.String(20))';
    const of = async (comment: string) =>
      (await findings({ a1: { upgrade: given }, b1: { down: 'a1', upgrade: `${narrow}${comment}`, downgrade: narrow } }, 'all'))
        .filter(({ revision, acknowledged }) => revision === 'b1' && acknowledged === undefined)
        .map(({ rule, severity }) => `${severity} ${rule}`);
    expect(await of('')).toEqual(expect.arrayContaining(['error narrowing-type', 'warning table-rewrite']));
    expect(await of('  # cdk-alembic: allow narrowing-type: checked')).toContain('error table-rewrite');
  });

  it('that changes an enum into a text narrows nothing if each label fits', async () => {
    const type = "op.execute(\"CREATE TYPE mood AS ENUM ('good', 'bad')\")";
    const given = 'op.execute("CREATE TABLE t (id bigint PRIMARY KEY, mood mood)")';
    const narrow = (length: number) => `op.alter_column("t", "mood", type_=sa.String(${length}), postgresql_using="mood::text")`;
    const of = async (length: number) => {
      const b1 = { down: 'a1', upgrade: narrow(length), downgrade: 'raise NotImplementedError' };
      return rules(await findings({ a1: { upgrade: `${type}\n    ${given}` }, b1 }, 'all'));
    };
    expect(await of(4)).not.toContain('narrowing-type');
    expect(await of(3)).toContain('narrowing-type');
  });

  it('that overwrites a column in every row has one error, for the loss', async () => {
    const given = 'op.execute("CREATE TABLE t (id bigint PRIMARY KEY, name text)")';
    const found = await findings(
      { a1: { upgrade: given }, b1: { down: 'a1', upgrade: 'op.execute("UPDATE t SET name = \'x\'")', downgrade: 'pass' } },
      'all',
    );
    const own = found.filter(({ revision, rule }) => revision === 'b1' && ['clear-column', 'update-all'].includes(rule));
    expect(own.map(({ rule, severity }) => `${severity} ${rule}`)).toEqual(['error clear-column', 'warning update-all']);
  });

  it('that drops a table whose schema is in a variable has one finding', async () => {
    const upgrade = 'op.execute(f"DROP TABLE {op.get_bind().scalar(sa.text(\'SELECT lower($$SHOP$$)\'))}.t")';
    const given = 'op.execute("CREATE SCHEMA shop"); op.execute("CREATE TABLE shop.t (id bigint)")';
    const found = await findings(
      { a1: { upgrade: given }, b1: { down: 'a1', upgrade, downgrade: 'raise NotImplementedError' } },
      'all',
    );
    expect(rules(found).filter((rule) => rule === 'drop-table')).toHaveLength(1);
  });
});

describe('a review that checked nothing never passes', () => {
  const table = { a1: { upgrade: 'op.execute("CREATE TABLE t (id bigint)")', downgrade: 'op.drop_table("t")' } };
  const review = (revisions: Readonly<Record<string, Revision>>, script?: string, options = OPTIONS) =>
    inFolder(async (folder) => {
      write(folder, revisions, script);
      return reviewed(folder, 'all', { options });
    });

  it('if env.py fails: it says why, and which setting helps', async () => {
    const result = await review(table, env('import os', 'os.environ["SECRET_OF_THE_BACKEND"]', CONNECT, ...RUN));
    expect(result.notChecked).toMatchObject({
      code: 'nothing_replayed',
      message: expect.stringContaining('SECRET_OF_THE_BACKEND'),
      next: expect.stringContaining('setting "environment"'),
    });
    expect([result.failed, exitCodeOfReview(result)]).toEqual([true, 3]);
  });

  it('if the code imports a missing name: it is not mistaken for a missing installation', async () => {
    const circular = await review(table, env('from os import nowhere', CONNECT, ...RUN));
    expect(circular.notChecked?.next).toMatch(/^run `alembic current`/);
    const missing = await review(table, env('import not_installed', CONNECT, ...RUN));
    expect(missing.notChecked?.next).toMatch(/^install the backend/);
    const driver = await review(table, env('raise ModuleNotFoundError(name="psycopg2")', CONNECT, ...RUN));
    expect(driver.notChecked?.next).toBe(
      "begin the address with postgresql+psycopg://, or install psycopg2 in the backend's environment",
    );
  });

  it('if the server lacks a role that a revision names: the next step is not a dump', async () => {
    const result = await review({ a1: { upgrade: 'op.execute("CREATE SCHEMA of_the_service AUTHORIZATION service")' } });
    expect(result.notChecked?.next).toMatch(
      /^pass an empty database on a server that has the role with --database-url, or pass /,
    );
    expect(result.findings.map(({ message }) => message)).toContainEqual(
      'the upgrade fails on the scratch database: role "service" does not exist; if production has it, pass an empty database on ' +
        'a server that has the role with --database-url',
    );
  });

  it('if there is no revision', async () => {
    const result = await review({});
    expect([result.notChecked?.code, exitCodeOfReview(result)]).toEqual(['no_revisions', 3]);
  });

  it('if some revisions were not replayed, unless that is allowed', async () => {
    const both = { ...table, b1: { down: 'a1', upgrade: 'op.execute("COMMENT ON TABLE elsewhere IS NULL")' } };
    const result = await review(both);
    expect(result.notChecked).toMatchObject({
      code: 'not_replayed',
      next: expect.stringMatching(/^pass a schema dump as the starting point \(--baseline\), or pass --allow-not-replayed /),
    });
    expect([result.summary.replayed, result.summary.errors, exitCodeOfReview(result)]).toEqual([1, 0, 1]);
    const allowed = await review(both, undefined, { ...OPTIONS, allowNotReplayed: true });
    expect([allowed.notChecked, allowed.failed, exitCodeOfReview(allowed)]).toEqual([undefined, false, 0]);
  });
});

describe('the enum types that Alembic remembers', () => {
  it('do not hide that the second upgrade fails', async () => {
    const upgrade = 'op.create_table("t", sa.Column("mood", sa.Enum("good", "bad", name="mood"), nullable=True))';
    const [first] = (await findings({ a1: { upgrade, downgrade: 'op.drop_table("t")' } }, 'all')).filter(
      ({ rule }) => rule === 'reupgrade-fails',
    );
    expect(first).toMatchObject({ severity: 'error', message: expect.stringContaining('mood') });
  });

  it('do not break a correct downgrade', async () => {
    const upgrade = [
      'mood = sa.Enum("good", "bad", name="mood")',
      'mood.create(op.get_bind(), checkfirst=True)',
      'op.create_table("t", sa.Column("mood", sa.Enum("good", "bad", name="mood", create_type=False), nullable=True))',
    ].join('\n    ');
    const downgrade = ['op.drop_table("t")', 'sa.Enum(name="mood").drop(op.get_bind(), checkfirst=True)'].join('\n    ');
    const rules = (await findings({ a1: { upgrade, downgrade } }, 'all')).map(({ rule }) => rule);
    expect(rules).not.toContain('downgrade-fails');
    expect(rules).not.toContain('reupgrade-fails');
  });
});

describe('the settings', () => {
  const revisions = {
    a1: { upgrade: 'op.execute("CREATE TABLE t (id int PRIMARY KEY, j json)")', downgrade: 'op.drop_table("t")' },
  };

  it('make a rule an error or a warning, or turn it off', async () => {
    const options: ReviewOptions = { ...OPTIONS, rules: { 'json-column': 'error', 'integer-primary-key': 'off' } };
    expect(await findings(revisions, 'all', { options })).toMatchObject([{ rule: 'json-column', severity: 'error' }]);
  });

  it('set the severity at which a review fails', async () => {
    await inFolder(async (folder) => {
      write(folder, revisions);
      expect((await reviewed(folder, 'all')).failed).toBe(false);
      expect((await reviewed(folder, 'all', { options: { ...OPTIONS, failOn: 'warning' } })).failed).toBe(true);
      expect(
        (await reviewed(folder, 'all', { options: { ...OPTIONS, rules: { 'json-column': 'error' }, failOn: 'never' } })).failed,
      ).toBe(false);
    });
  });
});

it('a habit of the project is one finding, with the number of other revisions', async () => {
  await inFolder(async (folder) => {
    const ids = ['a1', 'b1', 'c1', 'd1', 'e1', 'f1'];
    const entries = ids.map((id, at) => [id, { down: ids[at - 1], upgrade: 'import shop' }] as const);
    write(folder, Object.fromEntries(entries));
    writeFileSync(path.join(folder, 'shop.py'), '');
    const { findings: all } = await reviewed(folder, 'all');
    const imports = all.filter(({ rule }) => rule === 'imports-application');
    expect(imports).toMatchObject([{ revision: 'a1', message: expect.stringContaining('(and in 5 more revisions)') }]);
  });
});

it('all errors in the sample are acknowledged, and all acknowledgements are needed', async () => {
  await inFolder(async (folder) => {
    const project = path.join(folder, 'back');
    cpSync(path.join(__dirname, '../../examples/template-saas/back'), project, { recursive: true });
    const names = ['HOST', 'PORT', 'USER', 'PASSWORD', 'DB'].map((name) => [`POSTGRES_${name}`, '1']);
    const result = await reviewed(project, 'all', { environment: Object.fromEntries(names) });
    expect(result.findings.filter(({ acknowledged }) => acknowledged === undefined)).toEqual([]);
    expect(result.summary).toMatchObject({ revisions: 15, replayed: 15, errors: 0, acknowledged: 2 });
  });
});
