import path from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { clientOptions, copySampleBackend, createSampleStage, projectDirectory, type RunResult } from '../../examples/local-aws';
import { MigrateClient } from '../../lib/client';
import { functionName, isAnswer } from '../../lib/contract';
import { ADD_PHONE } from './add-phone';
import { mustSucceed, useLocalAws } from './use-local-aws';

const TABLES = ['items', 'notifications', 'projects', 'users'];

describe('with the stages dev and prod deployed', () => {
  const shared = useLocalAws(async (aws) => {
    const backend = await copySampleBackend(aws, 'back');
    const dev = await createSampleStage(aws, 'dev', backend);
    const prod = await createSampleStage(aws, 'prod', backend);
    mustSucceed(await dev.deploy());
    mustSucceed(await prod.deploy());
    const head = backend.revisions().at(-1) as string;
    return { backend, dev, prod, head };
  });

  /** Takes away everything that the deploy has made in the database of `dev`. */
  const emptyDatabase = async (): Promise<void> => {
    const { dev } = shared.prepared;
    await dev.rows('DROP SCHEMA public CASCADE');
    await dev.rows('CREATE SCHEMA public');
    expect([await dev.version(), await dev.tables()]).toEqual([[], []]);
  };

  const command = (...args: string[]): Promise<RunResult> =>
    shared.aws.run(process.execPath, [path.join(projectDirectory, 'dist/bin/migrate-invoke.js'), ...args]);

  const client = (): MigrateClient =>
    new MigrateClient({ stage: 'dev', client: new LambdaClient({ ...clientOptions(shared.aws.ministack.url), maxAttempts: 1 }) });

  describe('two stages', () => {
    it('migrate their own databases', async () => {
      const { dev, prod, head } = shared.prepared;

      for (const stage of [dev, prod]) {
        expect(await stage.version()).toEqual([head]);
        expect(await stage.tables()).toEqual(TABLES);
      }
      await emptyDatabase();
      mustSucceed(await command('--stage', 'prod'));

      expect(await dev.version()).toEqual([]);
      expect(await prod.version()).toEqual([head]);
    });
  });

  describe('a raw invoke', () => {
    beforeEach(emptyDatabase);

    it.each([
      ['no payload', undefined],
      ['an empty object', '{}'],
    ])('with %s upgrades to head', async (_, payload) => {
      const { dev, head } = shared.prepared;
      const lambda = new LambdaClient(clientOptions(shared.aws.ministack.url));
      const Payload = payload === undefined ? undefined : Buffer.from(payload);

      const answer = await lambda.send(new InvokeCommand({ FunctionName: functionName('template-saas', 'dev'), Payload }));

      expect(answer.FunctionError).toBeUndefined();
      expect(isAnswer(JSON.parse(Buffer.from(answer.Payload as Uint8Array).toString()))).toBe(true);
      expect(await dev.version()).toEqual([head]);
      expect(await dev.tables()).toEqual(TABLES);
    });
  });

  describe('MigrateClient', () => {
    it('plans without changing anything, upgrades in slices, and returns the history', async () => {
      const { dev, backend, head } = shared.prepared;
      const revisions = backend.revisions();
      await emptyDatabase();
      const migrations = client();

      const plan = await migrations.plan();
      expect(plan.pending.map(({ revision }) => revision)).toEqual(revisions);
      expect([await dev.version(), await dev.tables()]).toEqual([[], []]);

      const third = revisions[2] as string;
      const part = await migrations.upgrade({ revision: third });
      expect(part.applied.map(({ revision }) => revision)).toEqual(revisions.slice(0, 3));
      expect(await dev.version()).toEqual([third]);
      expect(await dev.tables()).toEqual(['items', 'notifications', 'users']);

      const slices: number[] = [];
      const rest = await migrations.upgrade({ sliceSeconds: 0, onProgress: ({ applied }) => slices.push(applied.length) });
      expect(Math.max(...slices)).toBe(1);
      expect(rest.applied.map(({ revision }) => revision)).toEqual(revisions.slice(3));
      expect(await dev.version()).toEqual([head]);
      expect(await dev.tables()).toEqual(TABLES);

      expect(await migrations.current()).toMatchObject({ status: 'complete', to: [head], pending: [] });
      const { history = [] } = await migrations.history();
      expect(history.map(({ revision }) => revision)).toEqual([...revisions].reverse());
      expect(history.every(({ applied }) => applied)).toBe(true);
    });

    it('cannot downgrade a stage that does not allow it', async () => {
      const { dev, head } = shared.prepared;
      await client().upgrade();

      await expect(client().downgrade({ revision: 'base' })).rejects.toMatchObject({ code: 'not_allowed' });

      expect(await dev.version()).toEqual([head]);
      expect(await dev.tables()).toEqual(TABLES);
    });
  });

  describe('migrate-invoke', () => {
    it("shows the plan, the database's revision, and the history", async () => {
      const { dev, backend } = shared.prepared;
      const [first, second] = backend.revisions();
      await emptyDatabase();
      mustSucceed(await command('--stage', 'dev', '--revision', first as string));

      const [plan, current, history] = [
        await command('--stage', 'dev', '--command', 'plan'),
        await command('--stage', 'dev', '--command', 'current'),
        await command('--stage', 'dev', '--command', 'history', '--json'),
      ];

      for (const result of [plan, current, history]) mustSucceed(result);
      expect(plan.stdout).toContain(second);
      expect(current.stdout).toContain(first);
      const entries = JSON.parse(history.stdout).history.filter(({ applied }: { applied: boolean }) => applied);
      expect(entries.map(({ revision }: { revision: string }) => revision)).toEqual([first]);
      expect(await dev.version()).toEqual([first]);
      expect(await dev.tables()).toEqual(['users']);
    });
  });

  it('a release to one stage does not change the other', async () => {
    const { dev, prod, backend, head } = shared.prepared;
    backend.writeMigration(ADD_PHONE);

    mustSucceed(await dev.deploy());

    expect(await dev.version()).toEqual([ADD_PHONE.revision]);
    expect(await dev.columns('users')).toContain('phone');
    expect(await prod.version()).toEqual([head]);
    expect(await prod.columns('users')).not.toContain('phone');
    expect((await command('--stage', 'prod', '--command', 'current')).stdout).toContain(head);
  });
});
