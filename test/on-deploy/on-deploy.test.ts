import { isComplete, onEvent } from '../../lambda/on-deploy';
import type { MigrateRequest } from '../../lib/contract';
import { answer, applied, failure } from '../support/aws/answers';
import { awsEnvironment } from '../support/aws/environment';
import type { Reply } from '../support/aws/lambda';
import { StageAws, type StageOptions } from '../support/aws/stage';
import { useCapturedLog } from './captured-log';
import { customResourceEvent, FUNCTION } from './event';
import { context, deliver } from './provider-framework';

const environment = process.env;
let aws: StageAws;
const logged = useCapturedLog();
/** How long each call of the function takes, on a clock that stands still otherwise; 0: the real clock. */
let callSeconds = 0;

afterEach(async () => {
  jest.useRealTimers();
  callSeconds = 0;
  process.env = environment;
  await aws?.stop();
});

async function against(reply: (request: MigrateRequest, call: number) => Reply, options?: StageOptions): Promise<StageAws> {
  const timed: typeof reply = (request, call) => {
    if (callSeconds > 0) jest.advanceTimersByTime(callSeconds * 1000);
    return reply(request, call);
  };
  aws = await StageAws.start(timed, options);
  process.env = { ...environment, ...awsEnvironment(aws.url) };
  return aws;
}

/** Only `performance.now()` stands still: sockets and pauses go on. */
function eachCallTakes(seconds: number): void {
  callSeconds = seconds;
  const doNotFake = [
    'Date',
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'clearImmediate',
  ] as const;
  jest.useFakeTimers({ doNotFake: [...doNotFake, 'hrtime', 'nextTick', 'queueMicrotask'] });
}

const event = (type: 'Create' | 'Update' | 'Delete', fields: object = {}) => customResourceEvent(type, {}, fields);

const pending = [applied('b2'), applied('c3')].map(({ revision, message }) => ({ revision, message }));
const plan = answer({ command: 'plan', status: 'pending', from: ['a1'], to: ['a1'], pending });
const firstSlice = answer({ status: 'partial', from: ['a1'], to: ['b2'], applied: [applied('b2')], pending: pending.slice(1) });
const lastSlice = answer({ from: ['b2'], to: ['c3'], applied: [applied('c3')] });

describe('a deploy', () => {
  test('migrates to head and reports from, to and the number of revisions', async () => {
    const whole = answer({ from: ['a1'], applied: [applied('b2'), applied('c3')] });
    await against(({ command }) => ({ answer: command === 'plan' ? plan : whole }));
    const { response } = await deliver(event('Create'));
    expect(response).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: `${FUNCTION}/migrations`,
      Data: { fromRevision: 'a1', toRevision: 'c3', appliedCount: '2' },
    });
    expect(aws.invokes.map(({ command }) => command)).toEqual(['plan', 'upgrade']);
  });

  test('that takes many calls counts all applied revisions', async () => {
    // The first slice uses up this call's time, so that the framework has to ask again.
    eachCallTakes(61);
    await against(({ command }, call) => ({ answer: command === 'plan' ? plan : call === 2 ? firstSlice : lastSlice }));
    const { response, polls } = await deliver(event('Update'));
    expect(polls).toBe(2);
    expect(response.Data).toEqual({ fromRevision: 'a1', toRevision: 'c3', appliedCount: '2' });
  });

  test('with nothing to do succeeds with a count of 0', async () => {
    await against(({ command }) => ({ answer: answer({ command }) }));
    const { response } = await deliver(event('Update'));
    expect(response.Data).toEqual({ fromRevision: 'c3', toRevision: 'c3', appliedCount: '0' });
  });

  test('from an empty database to several heads has all attributes', async () => {
    const heads = ['c3', 'x9'];
    await against(({ command }) => ({
      answer: answer({ command, from: [], to: command === 'plan' ? [] : heads, heads, target: heads }),
    }));
    expect((await deliver(event('Create'))).response.Data).toMatchObject({ fromRevision: '', toRevision: 'c3,x9' });
  });

  test('keeps its id on an update, so nothing is replaced', async () => {
    await against(({ command }) => ({ answer: answer({ command }) }));
    expect((await deliver(event('Update'))).response.PhysicalResourceId).toBe('issued-before');
  });

  test('leaves most of its time to a revision that outlasts the slice', async () => {
    await against(({ command }) => ({ answer: answer({ command }) }));
    const planned = await onEvent(event('Update'));
    await isComplete({ ...event('Update'), ...planned } as never, context);
    await isComplete({ ...event('Update'), ...planned } as never, { getRemainingTimeInMillis: () => 10_000 } as never);
    expect(aws.invokes.map(({ sliceSeconds }) => sliceSeconds)).toEqual([undefined, 60, 5]);
  });

  test('that is delivered twice answers the same twice, and the second call finds nothing to do', async () => {
    let at = 'a1';
    await against(({ command }) => {
      const from = [at];
      if (command !== 'plan') at = 'c3';
      return {
        answer: { ...(at === 'a1' ? plan : answer({ command, from, applied: from[0] === 'a1' ? lastSlice.applied : [] })) },
      };
    });
    const planned = await onEvent(event('Update'));
    const asked = { ...event('Update'), ...planned } as never;
    expect(await isComplete(asked, context)).toEqual(await isComplete(asked, context));
    expect(await isComplete(asked, context)).toMatchObject({ Data: { fromRevision: 'a1', toRevision: 'c3', appliedCount: '2' } });
  });

  test.each([
    ['someone else holds the mutex', { failure: failure({ code: 'locked' }) }],
    ['the connection to Lambda is lost', 'drop'],
  ] as [string, Reply][])('asks again when %s', async (_, hindrance) => {
    await against(({ command }, call) =>
      command === 'plan' ? { answer: plan } : call === 2 ? hindrance : { answer: lastSlice },
    );
    const { response, polls } = await deliver(event('Update'));
    expect(polls).toBe(2);
    expect(response.Status).toBe('SUCCESS');
  });

  test('waits for concurrency in Lambda, and then starts one run', async () => {
    await against(({ command }, call) =>
      command === 'plan'
        ? { answer: plan }
        : call < 4
          ? { status: 429, error: 'TooManyRequestsException' }
          : { answer: lastSlice },
    );
    const { response, polls } = await deliver(event('Update'));
    expect([response.Status, polls, aws.invokes.length]).toEqual(['SUCCESS', 1, 4]);
    expect(logged()).toContain('waiting for the function');
  });

  test('keeps waiting for concurrency in its next call', async () => {
    eachCallTakes(16);
    await against(({ command }, call) =>
      command === 'plan'
        ? { answer: plan }
        : call < 4
          ? { status: 429, error: 'TooManyRequestsException' }
          : { answer: lastSlice },
    );
    const { response, polls } = await deliver(event('Update'));
    expect([response.Status, polls]).toEqual(['SUCCESS', 3]);
  });

  test('sends who asks, and one run id for all slices', async () => {
    eachCallTakes(61);
    await against(({ command }, call) => ({ answer: command === 'plan' ? plan : call === 2 ? firstSlice : lastSlice }));
    await deliver(event('Update'));
    await deliver(event('Update', { RequestId: 'r2' }));
    const [, one, two, , other] = aws.invokes;
    expect(one).toMatchObject({ requestedBy: 'deploy app-dev', runId: expect.stringMatching(/^[0-9a-f]{8}-/) });
    expect(two?.runId).toBe(one?.runId);
    expect(other?.runId).not.toBe(one?.runId);
  });

  test('logs the warnings of the runner', async () => {
    await against(({ command }) => ({
      answer: command === 'plan' ? plan : { ...lastSlice, warnings: ['the run history could not be written: permission denied'] },
    }));
    await deliver(event('Update'));
    expect(logged()).toMatch(/"level":"warning","message":"the run history could not be written: permission denied"/);
  });

  test('fails with a reason when it takes longer than a deploy can, before CloudFormation fails it without one', async () => {
    eachCallTakes(61);
    await against(({ command }) => ({ answer: command === 'plan' ? plan : firstSlice }));
    const planned = { ...(await onEvent(event('Update'))), StartedAt: Date.now() - 41 * 60_000 };
    await expect(isComplete({ ...event('Update'), ...planned } as never, context)).rejects.toThrow(
      /^the migrations take longer than a deploy can wait: after 40 minutes, 1 are still pending; .*next: apply the rest/,
    );
  });

  test('waits for the mutex no longer than a rival can hold it', async () => {
    await against(({ command }) => (command === 'plan' ? { answer: plan } : { failure: failure({ code: 'locked' }) }));
    const planned = { ...(await onEvent(event('Update'))), StartedAt: Date.now() - 16 * 60_000 };
    await expect(isComplete({ ...event('Update'), ...planned } as never, context)).rejects.toThrow('[locked]');
  });

  test('waits as long as possible for the mutex that its own container holds', async () => {
    await against(({ command }) => (command === 'plan' ? { answer: plan } : { failure: failure({ code: 'locked' }) }));
    const update = event('Update');
    const waits = { ...update, ResourceProperties: { ...update.ResourceProperties, Container: 'wait' } };
    const planned = await onEvent(waits as never);
    const at = (minutes: number) =>
      isComplete({ ...waits, ...planned, StartedAt: Date.now() - minutes * 60_000 } as never, context);
    expect(await at(50)).toEqual({ IsComplete: false });
    await expect(at(56)).rejects.toThrow('[locked]');
  });

  test('logs JSON lines, never with the answer URL of CloudFormation', async () => {
    await against(({ command }) => ({ answer: command === 'plan' ? plan : lastSlice }), { stackStatus: 'UPDATE_IN_PROGRESS' });
    await deliver(event('Update'));
    const lines = logged()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ message }) => message)).toEqual(['planned', 'slice']);
    expect(logged()).not.toContain('Signature');
  });
});

describe('a stack that is deleted', () => {
  test.each(['issued-before', 'an id that nobody issued'])(
    'succeeds at once and calls nothing (%s)',
    async (PhysicalResourceId) => {
      await against(() => 'drop', { stackStatus: 'DELETE_IN_PROGRESS' });
      const { response } = await deliver(event('Delete', { PhysicalResourceId }));
      expect(response).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId });
      expect([aws.invokes.length, aws.describeCalls]).toEqual([0, 0]);
    },
  );
});

describe('a migration that fails', () => {
  test('fails the deploy with code, revision, error of the database, log group and next step', async () => {
    const failed = failure({
      message: 'relation "items" already exists',
      revision: 'b2',
      sqlState: '42P07',
      statement: 'CREATE\n TABLE items',
    });
    await against(({ command }) => (command === 'plan' ? { answer: plan } : { failure: failed }));
    const { response } = await deliver(event('Update'));
    expect(response.Status).toBe('FAILED');
    expect(response.Reason.split('\n')[0]).toBe(
      '[migration_failed] relation "items" already exists; revision b2; SQLSTATE 42P07; statement: CREATE TABLE items; ' +
        `log group /aws/lambda/${FUNCTION}; next: fix it`,
    );
    expect(response.Reason).not.toMatch(/^ +at /m);
  });

  test.each(['ß', '漢', '👩‍👩‍👧', '"\\', '\u0001'])(
    'has a reason short enough for CloudFormation, however long its parts (%j)',
    async (text) => {
      const long = text.repeat(5_000);
      const failed = failure({ message: long, revision: `r${long}`, sqlState: '42P07', statement: long, next: long });
      await against(({ command }) => (command === 'plan' ? { answer: plan } : { failure: failed }));
      const { response, bytes } = await deliver(
        event('Update', {
          StackId: `arn:aws:cloudformation:us-gov-west-1:111122223333:stack/${'s'.repeat(128)}/5ac8a3a0-0000-0000-0000-000000000000`,
          LogicalResourceId: 'L'.repeat(255),
        }),
      );
      expect(bytes).toBeLessThan(4_096 - 700);
      expect(response.Reason).toMatch(
        /^\[migration_failed\] .*…; revision .*…; SQLSTATE 42P07; statement: .*…; log group .*; next: .*…/,
      );
      expect(response.Reason).not.toMatch(/\p{Surrogate}/u);
    },
  );

  test('ends its log with the reason, which cdk deploy shows last', async () => {
    await against(({ command }) => (command === 'plan' ? { answer: plan } : { failure: failure({ revision: 'b2' }) }));
    const { response } = await deliver(event('Update'));
    const last = JSON.parse(logged().trim().split('\n').at(-1) as string);
    expect(last).toMatchObject({ level: 'error', message: response.Reason.split('\n')[0], revision: 'b2', function: FUNCTION });
  });

  test('fails the deploy even if only the plan failed', async () => {
    await against(() => ({ failure: failure({ code: 'multiple_heads', message: 'the scripts have several heads: b2, x9' }) }));
    const { response } = await deliver(event('Create'));
    expect(response).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('[multiple_heads] the scripts have') });
  });
});

describe('a database that is ahead of the code', () => {
  const planOfOldCode = answer({ command: 'plan', status: 'ahead', from: ['zz'], to: ['zz'], unknown: ['zz'] });
  const currentOfOldCode = { ...planOfOldCode, command: 'current' as const };
  const ahead = failure({
    code: 'database_ahead',
    message: 'the database has revision zz, unknown to this code',
    next: 'deploy the code that has it',
  });
  const oldCode = ({ command }: MigrateRequest): Reply => {
    if (command === 'plan') return { answer: planOfOldCode };
    return command === 'current' ? { answer: currentOfOldCode } : { failure: ahead };
  };

  test.each(['UPDATE_ROLLBACK_IN_PROGRESS', 'ROLLBACK_IN_PROGRESS'])(
    'is left alone while the stack is in %s',
    async (stackStatus) => {
      await against(oldCode, { stackStatus });
      const { response } = await deliver(event('Update'));
      expect(response).toMatchObject({ Status: 'SUCCESS', Data: { fromRevision: 'zz', toRevision: 'zz', appliedCount: '0' } });
      expect(aws.invokes).toEqual([{ command: 'current' }]);
      expect(logged()).toContain('"level":"warning"');
      expect(logged()).toContain('unchanged');
    },
  );

  test('fails an ordinary deploy with the unknown revision and what to do', async () => {
    await against(oldCode, { stackStatus: 'UPDATE_IN_PROGRESS' });
    const { response } = await deliver(event('Update'));
    expect(response.Status).toBe('FAILED');
    expect(response.Reason).toContain('[database_ahead] the database has revision zz');
    expect(response.Reason).toContain('next: deploy the code that has it');
  });

  test('fails the deploy if the status of the stack cannot be read', async () => {
    await against(oldCode);
    expect((await deliver(event('Update'))).response.Reason).toContain('[database_ahead]');
    expect(logged()).toContain('the status of the stack could not be read');
  });

  test('a function that does not answer delays a rollback for only a few seconds', async () => {
    jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      expect(ms).toBe(10_000);
      return AbortSignal.abort(new Error('too slow'));
    });
    await against(() => 'hang', { stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    const { response } = await deliver(event('Update'));
    expect(response).toMatchObject({ Status: 'SUCCESS', Data: { fromRevision: '', toRevision: '', appliedCount: '0' } });
  });
});
