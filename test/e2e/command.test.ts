import { createHash } from 'node:crypto';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { GetFunctionConfigurationCommand, LambdaClient, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { Client } from 'pg';
import {
  clientOptions,
  copySampleBackend,
  createSampleStage,
  type NewMigration,
  projectDirectory,
  type RunResult,
} from '../../examples/local-aws';
import { functionName, type RunnerSettings, SETTINGS_VARIABLE } from '../../lib/contract';
import { STOPPED, stopped } from '../../scripts/pictures/stopped';
import { shownAndPrinted } from '../docs/picture';
import { mustSucceed, useLocalAws } from './use-local-aws';

const BROKEN: NewMigration = {
  revision: 'e2e000000002',
  message: 'Add items once more',
  upgrade: ['op.create_table("items", sa.Column("id", sa.Integer(), primary_key=True))'],
};

/** The runner's key of Alembic's usual version table: `key_of` of its mutex. */
const MUTEX = createHash('sha256').update('cdk-alembic::alembic_version').digest().readBigUInt64BE() >> 1n;

describe('migrate-invoke against a deployed function', () => {
  const shared = useLocalAws(async (aws) => {
    const backend = await copySampleBackend(aws, 'back');
    const dev = await createSampleStage(aws, 'dev', backend);
    mustSucceed(await dev.deploy());
    return { backend, dev, head: backend.revisions().at(-1) as string };
  });

  const script = path.join(projectDirectory, 'dist/bin/migrate-invoke.js');

  const command = (...args: string[]): Promise<RunResult> => shared.aws.run(process.execPath, [script, ...args]);

  const onTerminal = (columns: number, typed: string, ...args: string[]): Promise<RunResult> =>
    shared.aws.run('python3', [
      path.join(projectDirectory, 'test/cli/on-terminal.py'),
      String(columns),
      typed,
      process.execPath,
      script,
      ...args,
    ]);

  const lambda = (): LambdaClient => new LambdaClient(clientOptions(shared.aws.ministack.url));

  /** Changes what the construct has told the runner, without a deploy. */
  const configure = async (change: Partial<RunnerSettings>): Promise<void> => {
    const FunctionName = functionName('template-saas', 'dev');
    const { Environment } = await lambda().send(new GetFunctionConfigurationCommand({ FunctionName }));
    const settings = { ...JSON.parse(Environment?.Variables?.[SETTINGS_VARIABLE] ?? ''), ...change };
    const Variables = { ...Environment?.Variables, [SETTINGS_VARIABLE]: JSON.stringify(settings) };
    await lambda().send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
  };

  /** Ships the backend's code with one more migration, in place of the one that was shipped before, and does not run it. */
  let shipped: NewMigration | undefined;
  const ship = async (migration: NewMigration): Promise<void> => {
    const { backend, dev } = shared.prepared;
    if (shipped === migration) return;
    if (shipped) backend.removeMigration(shipped.revision);
    backend.writeMigration(migration);
    mustSucceed(await dev.deploy({ hotswap: true }));
    shipped = migration;
  };

  const whileLocked = async <T>(use: () => Promise<T>): Promise<T> => {
    const { host, port, user, password } = shared.aws.postgres;
    const client = new Client({ host, port, user, password, database: shared.prepared.dev.database, application_name: 'ada' });
    await client.connect();
    try {
      await client.query('SELECT pg_advisory_lock($1)', [MUTEX.toString()]);
      return await use();
    } finally {
      await client.end();
    }
  };

  const emptyDatabase = async (): Promise<void> => {
    await shared.prepared.dev.rows('DROP SCHEMA public CASCADE');
    await shared.prepared.dev.rows('CREATE SCHEMA public');
  };

  describe('a good run', () => {
    beforeEach(emptyDatabase);

    it.each([40, 120])(
      'on a terminal of %i columns shows the caller, the plan, a moving bar, and the result',
      async (columns) => {
        const { dev, backend, head } = shared.prepared;

        const { code, stdout } = await onTerminal(columns, '', '--stage', 'dev');

        expect(code).toBe(0);
        const text = stripVTControlCharacters(stdout);
        expect(text).toMatch(/stage +dev.*region +eu-central-1.*account +0{12}.*you +arn:aws:iam::0{12}:root/s);
        expect(text).toContain(`the database is at base: 15 revisions pending to head (${head})`);
        for (const [index, revision] of backend.revisions().entries()) {
          expect(text).toContain(`• ${revision}`);
          expect(text).toContain(`✓ ${revision}`);
          // Each revision is seen while it runs.
          if (index > 0) expect(text).toContain(`${index}/15 ${revision}`);
        }
        expect(text).toMatch(new RegExp(`15 revisions applied in .* s: base → ${head} \\(head\\)`));
        const rows = text.split(/[\r\n]+/).filter((line) => /[•✓█░]/.test(line));
        expect(Math.max(...rows.map((row) => row.length))).toBeLessThanOrEqual(columns);
        expect(await dev.version()).toEqual([head]);
      },
    );

    it('in a pipe writes data to stdout, everything else to stderr, and no escape sequences', async () => {
      const { backend, head } = shared.prepared;

      const result = await command('--stage', 'dev');

      mustSucceed(result);
      const applied = result.stdout.split('\n').map((line) => /✓ (\w+)/.exec(line)?.[1]);
      expect(applied.slice(0, -1)).toEqual(backend.revisions());
      expect(result.stdout).toContain(`15 revisions applied`);
      expect(result.stderr).toMatch(/stage.*pending to head.*logs/s);
      expect(result.output).not.toContain('\u001b');
      expect(await shared.prepared.dev.version()).toEqual([head]);
    });

    it('can be planned with its SQL first, by a dry run that changes nothing', async () => {
      const result = await command('--stage', 'dev', '--dry-run', '--json');

      mustSucceed(result);
      const { command: asked, sql, pending } = JSON.parse(result.stdout);
      expect([asked, pending.length, sql.length]).toEqual(['plan', 15, 15]);
      expect(sql[0].sql).toContain('CREATE TABLE users');
      expect(await shared.prepared.dev.tables()).toEqual([]);
    });

    it('can be followed in the log', async () => {
      const result = await command('--stage', 'dev', '--follow');
      mustSucceed(result);
      expect(result.stderr).toMatch(/^ {2}\| INFO .*a53e3975eb1d/m);
    });
  });

  it('a protected stage is changed only if its name is typed or --yes is passed', async () => {
    const { dev, head } = shared.prepared;
    await configure({ protected: true });
    await emptyDatabase();

    expect(await command('--stage', 'dev')).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('declined') });
    expect((await onTerminal(80, 'prod\n', '--stage', 'dev')).code).toBe(3);
    expect(await dev.version()).toEqual([]);
    expect((await onTerminal(80, 'dev\n', '--stage', 'dev', '--revision', '+1')).code).toBe(0);
    expect(await dev.version()).toHaveLength(1);
    mustSucceed(await command('--stage', 'dev', '--yes'));
    expect(await dev.version()).toEqual([head]);

    await configure({ protected: false });
  });

  describe('exit codes', () => {
    type Story = (run: () => Promise<RunResult>) => Promise<RunResult>;

    const shipping =
      (migration: NewMigration): Story =>
      async (run) => {
        await ship(migration);
        return run();
      };

    const locked: Story = async (run) => {
      await configure({ limits: { mutexWaitSeconds: 1 } });
      await emptyDatabase();
      const result = await whileLocked(run);
      mustSucceed(await command('--stage', 'dev'));
      return result;
    };

    const ahead: Story = async (run) => {
      const { dev, head } = shared.prepared;
      await dev.rows("UPDATE alembic_version SET version_num = 'ffffffffffff'");
      const result = await run();
      await dev.rows('UPDATE alembic_version SET version_num = $1', [head]);
      return result;
    };

    const asItIs: Story = (run) => run();

    it('0: another run has ended within --wait-lock', async () => {
      await configure({ limits: { mutexWaitSeconds: 1 } });
      await emptyDatabase();
      let waiting: Promise<RunResult> | undefined;
      await whileLocked(
        () =>
          new Promise<void>((hasToWait) => {
            const onLine = (line: string): void => (line.includes('waiting: another migration run') ? hasToWait() : undefined);
            waiting = shared.aws.run(process.execPath, [script, '--stage', 'dev', '--wait-lock', '300'], { onLine });
          }),
      );
      expect(await waiting).toMatchObject({ code: 0 });
      expect(await shared.prepared.dev.version()).toEqual([shared.prepared.head]);
    });

    it.each<[number, string, string[], string, Story]>([
      [0, 'nothing to do', [], 'nothing to do', asItIs],
      [0, 'at head', ['--command', 'check'], 'the database is at', asItIs],
      [2, 'an unknown revision', ['--revision', 'ffffffffffff'], 'unknown_revision', asItIs],
      [3, 'a locked database', [], 'another migration run holds the mutex: ada', locked],
      [3, 'a database that is ahead', [], 'database_ahead', ahead],
      [3, 'a database that is ahead, at a gate', ['--command', 'check'], 'ffffffffffff', ahead],
      [3, 'a downgrade that is not allowed', ['--command', 'downgrade', '--to', '-1'], 'not_allowed', asItIs],
      [4, 'a missing function', ['--app-name', 'nobody'], 'function_not_found', asItIs],
      [1, 'a failing migration', [], BROKEN.revision, shipping(BROKEN)],
      [3, 'pending at a gate', ['--command', 'check'], '1 revision pending', shipping(BROKEN)],
      [3, 'a revision that destroys data', [], 'cdk-alembic: allow drop-table: <reason>', shipping(STOPPED.revision)],
    ])('%i: %s', async (code, _, args, words, story) => {
      const before = await shared.prepared.dev.tables();

      const result = await story(() => command('--stage', 'dev', ...args));

      expect(result).toMatchObject({ code, output: expect.stringContaining(words) });
      if (code !== 0) expect(result.stderr).toMatch(/^ {2}next +\S/m);
      expect(result.output).not.toMatch(/^\s+at /m);
      expect(await shared.prepared.dev.tables()).toEqual(before);
    });

    it('shows what docs/stopped.svg shows when a revision destroys data (npm run pictures draws it)', async () => {
      await ship(STOPPED.revision);

      const [shown, today] = shownAndPrinted(STOPPED.picture, STOPPED.command, await stopped(shared.aws));

      expect(shown).toBe(today);
      expect(await shared.prepared.dev.tables()).toContain('notifications');
    });
  });
});
