import { MigrateClient, type MigrateError } from '../../lib/client';
import { containerRunName } from '../../lib/client/container/run-name';
import type { MigrateAnswer } from '../../lib/contract';
import { applied } from '../support/aws/answers';
import { FakeContainer, MACHINE, type Moment, RUN_ID } from '../support/aws/container';
import { awsEnvironment } from '../support/aws/environment';
import { StageAws, type StageOptions } from '../support/aws/stage';

const environment = process.env;
let aws: StageAws;
let container: FakeContainer;
let client: MigrateClient;

afterEach(async () => {
  client?.destroy();
  process.env = environment;
  await aws?.stop();
});

async function against(moments: readonly Moment[], options: StageOptions = {}): Promise<MigrateClient> {
  container = new FakeContainer(moments);
  aws = await StageAws.start(container.reply, { stepFunctions: container.stepFunctions, ...options });
  process.env = { ...environment, ...awsEnvironment(aws.url) };
  client = new MigrateClient({ stage: 'dev', requestedBy: 'person mira' });
  return client;
}

async function failureOf(run: Promise<unknown>): Promise<MigrateError> {
  return run.then(
    () => {
      throw new Error('it did not fail');
    },
    (error) => error,
  );
}

const EXECUTION = `${MACHINE.replace(':stateMachine:', ':execution:')}:${RUN_ID}-b2`;
const BOTH = [applied('b2'), applied('c3')];
const DONE: Moment = { status: 'SUCCEEDED', applied: BOTH, outcome: 'partial' };

describe('a run against fake Step Functions', () => {
  test('starts the container when the function stops before it, waits, and continues with the function', async () => {
    const run = await against([{}, DONE]);
    expect(await run.upgrade()).toMatchObject({
      status: 'complete',
      from: ['a1'],
      to: ['d4'],
      applied: [...BOTH, applied('d4')],
      runId: RUN_ID,
    });
    expect(container.started).toEqual([
      { name: `${RUN_ID}-b2`, input: { revision: 'd4', runId: RUN_ID, requestedBy: 'person mira' } },
    ]);
    expect(aws.invokes.map(({ command }) => command).filter((command) => command !== 'history')).toEqual(['upgrade', 'upgrade']);
  });

  test('reports each revision of the container once, as it is applied', async () => {
    const run = await against([{}, { applied: [applied('b2')] }, { applied: [applied('b2')] }, DONE]);
    const seen: string[][] = [];
    const pending: string[][] = [];
    await run.upgrade({
      onProgress: (slice: MigrateAnswer) => {
        seen.push(slice.applied.map(({ revision }) => revision));
        pending.push(slice.pending.map(({ revision }) => revision));
      },
    });
    expect(seen).toEqual([[], ['b2'], ['c3'], ['d4']]);
    expect(pending).toEqual([['b2', 'c3', 'd4'], ['c3', 'd4'], ['d4'], []]);
  });

  test('says what was started, so that a person can inspect or stop it', async () => {
    const run = await against([DONE]);
    const started: object[] = [];
    await run.upgrade({ onContainer: (one) => started.push(one) });
    expect(started).toEqual([{ revisions: ['b2', 'c3'], executionArn: EXECUTION }]);
  });

  test('passes on that everything runs there', async () => {
    const run = await against([{ ...DONE, applied: [...BOTH, applied('d4')] }]);
    const answer = run.upgrade({ in: 'container', allow: ['drop_invalid_indexes'] });
    await answer.catch(() => {});
    expect(container.started[0]?.input).toMatchObject({ in: 'container', allow: ['drop_invalid_indexes'] });
  });

  test('continues an earlier execution of the same name, even an ended one, and starts nothing twice', async () => {
    const first = await against([{}, {}, {}, DONE]);
    const part = await first.upgrade({ runId: RUN_ID, budgetSeconds: 0 });
    expect(part).toMatchObject({ status: 'partial', to: ['a1'], runId: RUN_ID });
    expect(await first.upgrade({ runId: RUN_ID })).toMatchObject({ status: 'complete', to: ['d4'] });
    expect(container.started).toHaveLength(1);
  });

  test('takes code, message and applied revisions of a failure from the run history', async () => {
    const failed: Moment = {
      status: 'FAILED',
      applied: [applied('b2')],
      outcome: 'migration_failed',
      error: 'revision c3 failed',
    };
    const run = await against([{}, failed]);
    const error = await failureOf(run.upgrade());
    expect(error).toMatchObject({ code: 'migration_failed', message: 'in the container: revision c3 failed' });
    expect(error.applied).toEqual([applied('b2')]);
    expect(error.next).toContain('/aws/lambda/template-saas-api-migrate-lambda-dev/container');
  });

  test('that someone stopped is cancelled, with the last record of its task', async () => {
    const later = { outcome: 'cancelled', error: 'revision b2 was cancelled' };
    const run = await against([{}, { status: 'ABORTED', later }]);
    expect(await failureOf(run.upgrade())).toMatchObject({
      code: 'cancelled',
      message: 'in the container: revision b2 was cancelled',
    });
  });

  test('that was stopped before its task started is cancelled', async () => {
    const run = await against([{}, { status: 'ABORTED', outcome: 'partial' }]);
    expect(await failureOf(run.upgrade())).toMatchObject({ code: 'cancelled', message: expect.stringContaining(EXECUTION) });
  });

  test('whose task left no record fails with the reason from ECS', async () => {
    const cause = JSON.stringify({
      StoppedReason: 'Essential container in task exited',
      Containers: [{ ExitCode: 137, Reason: 'OutOfMemoryError' }],
    });
    const run = await against([{ status: 'FAILED', cause, outcome: 'partial' }]);
    const error = await failureOf(run.upgrade());
    expect(error.code).toBe('container_failed');
    expect(error.message).toContain('exit code 137 (killed: out of memory, or it did not stop in time); OutOfMemoryError');
  });

  test('that reaches the same revision again after its container succeeded does not loop forever', async () => {
    const run = await against([{ status: 'SUCCEEDED', outcome: 'partial' }]);
    expect(await failureOf(run.upgrade())).toMatchObject({ code: 'version_not_moved' });
    expect(container.started).toHaveLength(1);
  });

  test('can hand all pending revisions over to the container', async () => {
    const run = await against([{}]);
    const answer = await run.upgrade({ handOver: true });
    expect(answer).toMatchObject({ status: 'partial', containerExecution: EXECUTION });
    expect(container.started[0]?.input.in).toBe('container');
  });

  test('survives a network outage', async () => {
    let looks = 0;
    const run = await against([{}, DONE], {
      stepFunctions: (operation, body) => {
        looks += operation === 'DescribeExecution' ? 1 : 0;
        if (looks > 1 && looks < 5) return { status: 503, error: 'ServiceUnavailable' };
        return container.stepFunctions(operation, body);
      },
    });
    expect(await run.upgrade()).toMatchObject({ status: 'complete' });
    expect(looks).toBeGreaterThan(4);
  });

  test('names the missing permission when it may not start the container', async () => {
    const run = await against([DONE], { stepFunctions: () => ({ status: 400, error: 'AccessDeniedException' }) });
    const error = await failureOf(run.upgrade());
    expect(error).toMatchObject({ code: 'access_denied' });
    expect(error.next).toContain('grantInvoke');
  });

  test('ends for a caller that aborts', async () => {
    const run = await against([{}]);
    const given = new AbortController();
    const left = run.upgrade({ signal: given.signal, onContainer: () => setTimeout(() => given.abort(), 100) });
    await expect(left).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('a resumed run shows what has been applied since, even if the first read of the history fails', async () => {
    const one: Moment = { applied: [applied('b2')] };
    const run = await against([one, one, DONE]);
    await run.upgrade({ runId: RUN_ID, budgetSeconds: 0 });
    container.unreadable = 1;
    expect((await run.upgrade({ runId: RUN_ID })).applied).toEqual([applied('c3'), applied('d4')]);
  });
});

test.each(['1975ea83b712', 'a.b', 'x'.repeat(128), 'é'])(
  'the execution for revision %s has a name that Step Functions takes',
  (revision) => {
    const name = containerRunName(RUN_ID, revision);
    expect(name).toMatch(/^[A-Za-z0-9_-]{1,80}$/);
    expect(containerRunName(RUN_ID, revision)).toBe(name);
    expect(containerRunName(RUN_ID, `${revision}2`)).not.toBe(name);
  },
);
