import { exitCodeOfReview } from '../../../lib/cli/safe-alembic/replay/exit-code';
import type { ReviewOptions } from '../../../lib/review';
import { CONNECT, ENV_EXAMPLES, env, RUN } from '../examples/env';
import { inFolder } from '../folder';
import { findings, type More, OPTIONS, type Revision, reviewed, rules, write } from './project';

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
      "begin the address that env.py reads with postgresql+psycopg://, or install psycopg2 in the backend's environment",
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

  it('if an earlier revision creates already what this one adds: production may not have it yet', async () => {
    const added = { down: 'a1', upgrade: 'op.add_column("t", sa.Column("id", sa.BigInteger()))' };
    const result = await review({ ...table, b1: added });
    expect(result.notChecked?.next).toMatch(/^pass a schema dump as the starting point \(--baseline\), or pass /);
    expect(result.findings.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('already exists; if production does not have it yet, pass a schema dump as the starting point'),
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
