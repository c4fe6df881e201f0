/* Random events and random answers of the worker: each ends in an answer or in an error with a code, and the counts add up. */
import { LambdaClient } from '@aws-sdk/client-lambda';
import { NoSuchKey, S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import fc from 'fast-check';
import { approve, batch, coordinate, isComplete, onEvent } from '../../lambda/tenants';
import { type BatchProgress, type Listed, type Summarized, TENANTS_VARIABLE } from '../../lib/contract/coordinator';
import {
  isTenantApprovalAnswer,
  isTenantRunSummary,
  type TenantRequest,
  type TenantRunSummary,
} from '../../lib/contract/tenants';
import { always, anyText, damaged, EVENTS, json } from '../support/random';
import { answered, FAILED } from './test-bed';

const RUN = '0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11';
/** Step Functions' limit of a cause. */
const MAX_CAUSE = 32_768;
const environment = process.env;
const files = new Map<string, string>();
let worker: (request: TenantRequest) => unknown;
let execution: unknown;

beforeEach(() => {
  process.env = { ...environment, AWS_REGION: 'eu-central-1' };
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  jest.spyOn(S3Client.prototype, 'send').mockImplementation(async (command: { input: object }) => s3(command) as never);
  jest.spyOn(LambdaClient.prototype, 'send').mockImplementation(async ({ input }: { input: object }) => {
    const given = worker(JSON.parse(Buffer.from((input as { Payload: Uint8Array }).Payload).toString()));
    if (given instanceof Error) throw given;
    return { Payload: { transformToString: () => (typeof given === 'string' ? given : (JSON.stringify(given) ?? '')) } } as never;
  });
  jest.spyOn(SFNClient.prototype, 'send').mockImplementation(async () => {
    if (execution instanceof Error) throw execution;
    return execution as never;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
  process.env = environment;
});

/** The bucket. */
function s3(command: { input: object }): unknown {
  const { Key = '', Prefix, Body, IfNoneMatch } = command.input as Record<string, string | undefined>;
  if (Prefix !== undefined)
    return { Contents: [...files.keys()].filter((key) => key.startsWith(Prefix)).map((Key) => ({ Key })) };
  if (Body === undefined) {
    const text = files.get(Key);
    if (text === undefined) throw new NoSuchKey({ message: 'none', $metadata: {} });
    return { Body: { transformToString: async () => text }, ETag: 'tag' };
  }
  if (IfNoneMatch && files.has(Key)) throw Object.assign(new Error('exists'), { name: 'PreconditionFailed' });
  files.set(Key, Body);
  return {};
}

function settle(tenants: unknown, fields: object = {}): void {
  files.clear();
  files.set('tenants.json', typeof tenants === 'string' ? tenants : JSON.stringify(tenants));
  const source = { kind: 'object', bucket: 'b', key: 'tenants.json' };
  const settings = {
    appName: 'shop',
    stage: 'dev',
    bucket: 'b',
    worker: 'worker',
    source,
    batchSize: 3,
    concurrency: 2,
    ...fields,
  };
  process.env[TENANTS_VARIABLE] = JSON.stringify(settings);
}

/** The result, or the message of an error that has a code. */
async function outcome<T>(handle: () => Promise<T>): Promise<T | string> {
  try {
    return await handle();
  } catch (error) {
    const { name, message } = error as Error;
    expect([name, message]).toEqual([
      expect.stringMatching(/^(invalid_request|DeployFailure)$/),
      expect.stringMatching(/^(\[[a-z_]+\] |the tenants' migrations take longer)/),
    ]);
    expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThan(3_000);
    return message;
  }
}

describe('random events', () => {
  const runId = fc.oneof(fc.constant(RUN), anyText, json);
  const request = fc.record({
    action: fc.oneof(fc.constantFrom('list', 'judge', 'requestApproval', 'summarize'), json),
    runId,
    input: json,
    token: fc.oneof(anyText, json),
    stopped: fc.oneof(fc.constant(null), fc.record({ Error: anyText, Cause: anyText }), json),
  });
  const state = fc.record({ runId, wave: fc.constantFrom('canary', 'rest'), index: fc.nat(2), part: fc.nat(2) });
  const approval = fc.record({
    runId: fc.oneof(fc.constant(RUN), json),
    approved: fc.oneof(fc.boolean(), json),
    requestedBy: anyText,
  });

  test(`${EVENTS} for the coordinator get an answer or an error with a code, and never write files of another run`, async () => {
    settle(['a', 'b']);
    worker = (asked) => answered(asked);
    await always(fc.oneof(damaged(request), request, json), async (event) => {
      files.delete(`runs/${RUN}/run.json`);
      const { action, runId: name } = (event ?? {}) as Record<string, unknown>;
      // Without its list, a run has nothing to judge: Step Functions ends it.
      if (action === 'judge') return;
      const before = new Set(files.keys());
      const answer = await outcome(() => coordinate(event as never));
      for (const key of files.keys()) {
        if (!before.has(key) && key !== 'last-failed.json') expect(key.startsWith(`runs/${name}/`)).toBe(true);
      }
      if (action === 'summarize' && typeof answer === 'object') expectSummary((answer as Summarized).summary);
    });
  });

  test(`${EVENTS} for a batch that the list never wrote get an error with a code, and write nothing`, async () => {
    settle(['a', 'b']);
    worker = () => {
      throw new Error('the worker was called');
    };
    const never = damaged(state).filter((value) => JSON.stringify(value) !== undefined && !isState(value));
    await always(fc.oneof(never, json), async (event) => {
      const before = [...files];
      expect(typeof (await outcome(() => batch(event as never)))).toBe('string');
      expect([...files]).toEqual(before);
    });
  });

  test(`${EVENTS} approvals get an answer or an error with a code`, async () => {
    settle([]);
    execution = Object.assign(new Error('over'), { name: 'TaskTimedOut' });
    await always(fc.oneof(damaged(approval), json), async (event) => {
      const answer = await outcome(() => approve(event));
      if (typeof answer !== 'string') expect(isTenantApprovalAnswer(answer)).toBe(true);
    });
  });

  test(`${EVENTS} for the deploy get an answer for CloudFormation or an error with a code`, async () => {
    const event = fc.record({
      RequestType: fc.constantFrom('Create', 'Delete'),
      StackId: fc.constant('arn:aws:cloudformation:eu-central-1:111122223333:stack/app-dev/5ac8a3a0'),
      RequestId: fc.uuid(),
      PhysicalResourceId: fc.constant('issued-before'),
      ResourceProperties: fc.record({
        StateMachineArn: fc.constant('arn:aws:states:eu-central-1:1:stateMachine:m'),
        Stage: fc.constant('dev'),
      }),
      StartedAt: fc.constant(0),
    });
    const ended = fc.record({
      status: fc.constantFrom('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'RUNNING'),
      error: fc.option(anyText, { nil: undefined }),
      cause: fc.option(
        fc.oneof(
          anyText,
          json.map((value) => JSON.stringify(value)),
        ),
        { nil: undefined },
      ),
    });
    settle([]);
    await always(fc.tuple(fc.oneof(event, damaged(event), json), ended), async ([given, execution_]) => {
      execution = execution_;
      const begun = await outcome(() => onEvent(given as never));
      if (typeof begun === 'string') return;
      expect(begun.PhysicalResourceId).toMatch(/./);
      const done = await outcome(() => isComplete({ ...(given as object), ...begun, StartedAt: 0 } as never));
      if (typeof done !== 'string') expect(typeof done.IsComplete).toBe('boolean');
    });
  });
});

test(`in ${EVENTS} runs with random tenants, inputs and answers of the worker, each tenant is counted once`, async () => {
  // Most of any text are refused as names.
  const name = fc.oneof(
    { weight: 20, arbitrary: fc.stringMatching(/^[a-z]{1,12}$/) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }) },
  );
  const names = fc.uniqueArray(name, { minLength: 1, maxLength: 10 });
  const tenants = fc.oneof({ weight: 5, arbitrary: names }, { weight: 1, arbitrary: json }, { weight: 1, arbitrary: anyText });
  const input = fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.record({ command: fc.constantFrom('plan', 'upgrade'), retryFailed: fc.boolean() }) },
    json,
  );
  const kind = fc.constantFrom('well', 'fails', 'left', 'notStarted', 'damaged', 'any', 'crash');
  const tolerated = fc.constantFrom(undefined, { count: 1 }, { percent: 50 });
  const given = fc.record({
    tenants,
    input,
    tolerated,
    kinds: fc.array(kind, { minLength: 1, maxLength: 5 }),
    changes: fc.array(fc.tuple(fc.nat(), json), { minLength: 1, maxLength: 3 }),
    noise: fc.oneof(json, anyText),
  });
  await always(given, async ({ tenants: list, input: asked, tolerated: tolerance, kinds, changes, noise }) => {
    settle(list, tolerance && { tolerated: tolerance });
    let call = 0;
    worker = (request) => {
      const answer = (
        answered(request, (name) => (name.length % 3 ? {} : kinds[0] === 'fails' ? FAILED : {})) as {
          answer: Record<string, unknown>;
        }
      ).answer;
      const all = request.tenants ?? [];
      switch (kinds[call++ % kinds.length]) {
        case 'fails':
          return (answered(request, () => FAILED) as { answer: unknown }).answer;
        case 'left':
          return { ...answer, outcomes: (answer.outcomes as unknown[]).slice(1), left: all.slice(0, 1), failed: 0 };
        case 'notStarted':
          return { ...answer, outcomes: [], notStarted: all.map(({ name }) => name), failed: 0 };
        case 'damaged':
          for (const [index, value] of changes) answer[Object.keys(answer)[index % 12] as string] = value;
          return answer;
        case 'any':
          return noise;
        case 'crash':
          return Object.assign(new Error('gone'), { name: 'TimeoutError' });
        default:
          return answer;
      }
    };
    const { next, total } = (await coordinate({ action: 'list', runId: RUN, input: asked })) as Listed;
    if (next === 'rest') for (const item of JSON.parse(files.get(`runs/${RUN}/rest/batches.json`) ?? '[]')) await child(item);
    const { summary } = (await coordinate({ action: 'summarize', runId: RUN, stopped: null })) as Summarized;
    expectSummary(summary);
    expect((summary as TenantRunSummary).total).toBe(total);
  });
});

/** What a child of the map does: a batch ends, whatever the worker answers. */
async function child(item: BatchProgress): Promise<void> {
  for (let state: BatchProgress = { ...item, more: true }, calls = 0; state.more; calls++) {
    expect(calls).toBeLessThan(20);
    const { runId, wave, index, part } = state;
    state = await batch({ runId, wave, index, part });
  }
}

function expectSummary(value: unknown): void {
  expect(isTenantRunSummary(value)).toBe(true);
  const { total, unchanged, migrated, pending, ahead, failed, notStarted } = value as TenantRunSummary;
  expect(unchanged + migrated + pending + ahead + failed + notStarted).toBe(total);
  expect(JSON.stringify(value).length).toBeLessThanOrEqual(MAX_CAUSE);
}

function isState(value: unknown): boolean {
  const { runId, wave, index, part } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof runId === 'string' &&
    /^[^\s/]+$/.test(runId) &&
    ['canary', 'rest'].includes(wave as string) &&
    [index, part].every(Number.isInteger)
  );
}
