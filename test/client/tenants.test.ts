import { randomUUID } from 'node:crypto';
import { MigrateError, TenantsClient, type TenantsClientOptions, type TenantsProgress } from '../../lib/client';
import { awsEnvironment } from '../support/aws/environment';
import { failed, succeeded, summary, TenantsAws, type TenantsAwsOptions } from '../support/aws/tenants';

const environment = process.env;
let aws: TenantsAws;
let client: TenantsClient;

beforeEach(() => {
  process.env = { ...environment, ...awsEnvironment() };
});

afterEach(async () => {
  process.env = environment;
  client?.destroy();
  await aws?.stop();
});

async function against(options: TenantsAwsOptions = {}, own: Partial<TenantsClientOptions> = {}): Promise<TenantsClient> {
  aws = await TenantsAws.start(options);
  client = new TenantsClient({ stage: 'dev', endpoint: aws.url, ...own });
  return client;
}

const thrown = (run: Promise<unknown>): Promise<MigrateError> =>
  run.then(() => Promise.reject(new Error('it did not fail'))).catch((error) => error);
const operations = () => aws.calls.map(({ operation }) => operation);

describe('a start', () => {
  test('sends the request to the state machine of the stage, named by the id of the run', async () => {
    const runId = await (await against({}, { requestedBy: 'ci 42' })).start({ tenants: ['acme', 'globex', 'acme'] });
    expect(aws.inputs).toEqual([{ tenants: ['acme', 'globex'], requestedBy: 'ci 42' }]);
    expect(aws.calls.at(-1)?.body).toMatchObject({
      name: runId,
      stateMachineArn: 'arn:aws:states:eu-central-1:123456789012:stateMachine:template-saas-api-migrate-tenants-dev',
    });
  });

  test('whose answer is lost does not start a second run', async () => {
    const it = await against({ fault: (operation, call) => (operation === 'StartExecution' && call === 1 ? 'lose' : undefined) });
    const runId = await it.start();
    expect(operations().filter((operation) => operation === 'StartExecution')).toHaveLength(2);
    expect(aws.runs.map(({ name }) => name)).toEqual([runId]);
  });

  test('of a run that has ended in the meantime returns that run', async () => {
    const it = await against();
    const runId = await it.start();
    await it.watch(runId);
    expect(await it.start({ runId })).toBe(runId);
    expect(aws.runs).toHaveLength(1);
  });

  test('without an answer fails, says that the run may have started, and how to check', async () => {
    const it = await against({ fault: (operation) => (operation === 'StartExecution' ? 'drop' : undefined) });
    const runId = randomUUID();
    expect(await thrown(it.start({ runId }))).toMatchObject({
      code: 'network',
      next: expect.stringContaining(`it may have started: follow it with --run ${runId}`),
    });
  });

  test('with the id of another request is rejected', async () => {
    const it = await against();
    const runId = await it.start();
    expect(await thrown(it.start({ runId, command: 'plan' }))).toMatchObject({
      code: 'invalid_usage',
      message: `run ${runId} was started with a different request`,
    });
  });

  test('with an invalid request is rejected with all problems, and nothing is sent', async () => {
    const it = await against({}, { requestedBy: 'Zoë' });
    const error = await thrown(it.start({ tenants: ['a b', 'ok'], retryFailed: true }));
    expect(error).toMatchObject({ code: 'invalid_usage' });
    expect(error.message).toMatch(/"a b" is not a usable name.*; requestedBy must be.*; retryFailed excludes/);
    expect(await thrown(it.start({ tenants: [] }))).toMatchObject({
      message: expect.stringContaining('tenants must be a list of names, at least one'),
    });
    expect(await thrown(it.start({ runId: 'mine' }))).toMatchObject({
      message: 'the id "mine" must be a UUID in lower case',
    });
    expect(aws.calls).toEqual([]);
  });

  test('with more names than Step Functions accepts is rejected, and the error names another way', async () => {
    const tenants = Array.from({ length: 30_000 }, (_, index) => `tenant_${index}`);
    expect(await thrown((await against()).start({ tenants }))).toMatchObject({
      code: 'invalid_usage',
      message: expect.stringMatching(/30000 names are \d+ KB, but Step Functions accepts only 256 KB: run all tenants/),
    });
  });
});

describe('the state machine', () => {
  test('is looked up once', async () => {
    const it = await against();
    await it.watch(await it.start());
    expect(operations().filter((operation) => operation === 'ListStateMachines')).toHaveLength(1);
  });

  test('is not looked up when its ARN is given', async () => {
    const stateMachineArn = 'arn:aws:states:eu-central-1:123456789012:stateMachine:mine';
    await (await against({}, { stateMachineArn })).start();
    expect(aws.calls).toMatchObject([{ operation: 'StartExecution', body: { stateMachineArn } }]);
  });

  test('that does not exist is an error that lists the existing stages', async () => {
    const it = await against({ machines: ['other', 'template-saas-api-migrate-tenants-prod'] });
    expect(await thrown(it.start())).toMatchObject({
      code: 'state_machine_not_found',
      message: expect.stringContaining('for stage "dev" in eu-central-1 in this account; other stages: "prod"'),
    });
  });

  test('is rejected if its name is invalid', () => {
    expect(() => new TenantsClient({ stage: 'a b' })).toThrow('the stage "a b" is not a usable name');
    expect(() => new TenantsClient({ stage: 'dev', stateMachineArn: 'mine' })).toThrow(
      '"mine" is not the ARN of a state machine',
    );
  });
});

describe('a watch', () => {
  test('reports each phase with its batches, and ends with the summary', async () => {
    const canary = { total: 1, succeeded: 1 };
    const it = await against({
      run: () => [
        { state: 'Canary', canary: { total: 1, running: 1 } },
        { state: 'Judge', canary },
        { state: 'Choose', canary },
        { state: 'Pause', canary },
        { state: 'Rest', canary, rest: { total: 9, succeeded: 3, running: 2, failed: 1, aborted: 1 } },
        { state: 'Summarize', canary, rest: { total: 9, succeeded: 8, failed: 1 } },
        { end: succeeded({ migrated: 4 }) },
      ],
    });
    const seen: TenantsProgress[] = [];
    const runId = await it.start();
    expect(await it.watch(runId, { onProgress: (progress) => seen.push(progress) })).toEqual(summary({ migrated: 4 }));
    const canaries = { total: 1, done: 1, running: 0, failed: 0 };
    expect(seen.slice(0, 4)).toEqual([
      { runId, phase: 'canaries', canaries: { total: 1, done: 0, running: 1, failed: 0 } },
      { runId, phase: 'canaries', canaries },
      { runId, phase: 'pause', canaries },
      { runId, phase: 'rest', canaries, rest: { total: 9, done: 3, running: 2, failed: 2 } },
    ]);
  });

  test('reads a finished map run once', async () => {
    const canary = { total: 1, succeeded: 1 };
    const it = await against({
      run: () => [{ state: 'Pause', canary }, { state: 'Pause', canary }, { state: 'Rest', canary }, { end: succeeded() }],
    });
    await it.watch(await it.start(), { onProgress: () => {} });
    expect(operations().filter((operation) => operation === 'DescribeMapRun')).toHaveLength(1);
  });

  test('survives a network outage', async () => {
    const it = await against({
      run: () => [{ state: 'Rest' }, { end: succeeded() }],
      fault: (operation, call) => (operation === 'DescribeExecution' && call <= 4 ? 'drop' : undefined),
    });
    expect(await it.watch(await it.start())).toEqual(summary());
  });

  test('waits for the end even if the credentials may not read the progress', async () => {
    const denied = { status: 400, error: 'AccessDeniedException' };
    const it = await against({
      run: () => [{ state: 'Rest' }, { end: succeeded() }],
      fault: (operation) => (operation === 'GetExecutionHistory' ? denied : undefined),
    });
    const seen: unknown[] = [];
    expect(await it.watch(await it.start(), { onProgress: (progress) => seen.push(progress) })).toEqual(summary());
    expect(seen).toEqual([]);
  });

  test('ends with an error that the code of its caller throws', async () => {
    const it = await against({ run: () => [{ state: 'Rest' }, { end: succeeded() }] });
    const onProgress = () => {
      throw new TypeError('a fault of the caller');
    };
    expect(await thrown(it.watch(await it.start(), { onProgress }))).toEqual(new TypeError('a fault of the caller'));
  });

  test('ends with the reason of its abort signal, and the run continues', async () => {
    const it = await against({ run: () => [{ state: 'Rest', until: 'never' }] });
    const gaveUp = new AbortController();
    const watching = it.watch(await it.start(), { signal: gaveUp.signal });
    await aws.standstill();
    gaveUp.abort(new Error('enough'));
    expect(await thrown(watching)).toMatchObject({ message: 'enough' });
    expect(operations()).not.toContain('StopExecution');
  });

  test('of a run that does not exist is an error', async () => {
    const runId = randomUUID();
    expect(await thrown((await against()).watch(runId))).toMatchObject({
      code: 'run_not_found',
      message: `template-saas-api-migrate-tenants-dev has no run ${runId}`,
    });
  });
});

describe('a result', () => {
  const result = async (options: TenantsAwsOptions) => {
    const it = await against(options);
    const runId = await it.start();
    await it.result(runId);
    return it.result(runId);
  };

  test('is undefined while the run continues', async () => {
    expect(await result({ run: () => [{ state: 'Rest', until: 'never' }] })).toBeUndefined();
  });

  test('is the summary of a run that succeeded', async () => {
    expect(await result({ run: () => [{ end: succeeded({ status: 'pending', pending: 2 }) }] })).toMatchObject({ pending: 2 });
  });

  test('of a run with failed tenants is an error with the summary', async () => {
    const told = { code: 'tenants_failed', message: '3 of 9 tenants failed', next: 'fix them' } as const;
    const error = await thrown(result({ run: () => [{ end: failed(told, { failed: 3, total: 9 }) }] }));
    expect(error).toBeInstanceOf(MigrateError);
    expect(error).toMatchObject({ ...told, summary: { failed: 3, total: 9 } });
  });

  test('is an error with a code even if the run has no summary', async () => {
    const end = { status: 'FAILED', error: 'unknown_tenant', cause: 'the list has no tenant "acme"' };
    expect(await thrown(result({ run: () => [{ end }] }))).toMatchObject({
      code: 'unknown_tenant',
      message: 'the list has no tenant "acme"',
      next: expect.stringContaining('correct the names'),
      summary: undefined,
    });
  });

  test.each([
    [{ status: 'ABORTED', cause: 'ada has stopped it' }, /was stopped: ada has stopped it$/],
    [{ status: 'TIMED_OUT' }, /ran out of time$/],
    [{ status: 'FAILED', error: 'States.Runtime', cause: 'no such path' }, /failed as a whole: States.Runtime: no such path$/],
  ])('of a run that ended as %j is the error run_aborted', async (end, message) => {
    expect(await thrown(result({ run: () => [{ end }] }))).toMatchObject({
      code: 'run_aborted',
      message: expect.stringMatching(message),
    });
  });

  test('that is not a summary is an error', async () => {
    const run = () => [{ end: { status: 'SUCCEEDED', output: '{"contract":2}' } }];
    expect(await thrown(result({ run }))).toMatchObject({ code: 'unexpected_answer' });
  });
});

describe('an approval', () => {
  const waiting = () => [
    { state: 'Approval', canary: { total: 1, succeeded: 1 }, until: 'approval' as const },
    { state: 'Rest' },
    { end: succeeded() },
  ];

  test('lets the run continue, and says who approved', async () => {
    const it = await against({ run: waiting }, { requestedBy: 'person ada' });
    const runId = await it.start();
    const phases: string[] = [];
    const done = it.watch(runId, { onProgress: ({ phase }) => phases.push(phase) });
    await aws.standstill();
    await it.approve(runId);
    expect(await done).toEqual(summary());
    expect(phases).toContain('approval');
    expect(aws.approvals).toEqual([{ runId, approved: true, requestedBy: 'person ada' }]);
  });

  test('can be a refusal', async () => {
    const it = await against({ run: waiting });
    const runId = await it.start();
    await it.result(runId);
    await it.reject(runId);
    expect(aws.approvals).toEqual([{ runId, approved: false }]);
  });

  test('of a run that does not wait for one is an error', async () => {
    const it = await against({ run: () => [{ state: 'Rest', until: 'never' }] });
    expect(await thrown(it.approve(await it.start()))).toMatchObject({ code: 'not_waiting' });
  });

  test('of a run that has ended is an error', async () => {
    const it = await against();
    const runId = await it.start();
    await it.watch(runId);
    expect(await thrown(it.approve(runId))).toMatchObject({ code: 'not_waiting' });
  });

  test('needs no permission on Step Functions, so someone else may approve', async () => {
    const it = await against({ run: waiting });
    const runId = await it.start();
    await it.result(runId);
    const before = aws.calls.length;
    await new TenantsClient({ stage: 'dev', endpoint: aws.url }).approve(runId);
    expect([aws.approvals.length, aws.calls.length]).toEqual([1, before]);
  });

  test.each([
    [{ status: 404, error: 'ResourceNotFoundException' }, 'function_not_found', /only stages with an approval/],
    [{ status: 403, error: 'AccessDeniedException' }, 'access_denied', /grantApprove/],
    [{ status: 429, error: 'TooManyRequestsException' }, 'throttled', /try again/],
    [{ text: '"hello"' }, 'unexpected_answer', /log in/],
    ['drop', 'network', /counts once/],
  ] as const)('that gets %j is the error %s', async (approval, code, next) => {
    const it = await against({ run: waiting, approval });
    expect(await thrown(it.approve(await it.start()))).toMatchObject({ code, next: expect.stringMatching(next) });
  });
});

describe('errors', () => {
  const every = (status: number, error: string) => ({ fault: () => ({ status, error }) });

  test.each([
    ['access_denied', every(400, 'AccessDeniedException'), /grantRun/],
    ['access_denied', every(400, 'UnrecognizedClientException'), /sign in again/],
    ['throttled', every(400, 'ThrottlingException'), /in a minute/],
    ['unexpected_answer', every(400, 'ValidationException'), /check the stage/],
    ['network', every(500, 'InternalFailure'), /check the network/],
  ] as const)('%s has a next step', async (code, options, next) => {
    expect(await thrown((await against(options)).start())).toMatchObject({ code, next: expect.stringMatching(next) });
  });

  test('missing credentials are reported', async () => {
    const it = await against();
    process.env.AWS_ACCESS_KEY_ID = '';
    process.env.AWS_SECRET_ACCESS_KEY = '';
    expect(await thrown(it.start())).toMatchObject({ code: 'no_credentials' });
  });

  test('a missing region is reported', async () => {
    process.env.AWS_REGION = '';
    client = new TenantsClient({ stage: 'dev', endpoint: 'http://127.0.0.1:1' });
    expect(await thrown(client.start())).toMatchObject({ code: 'invalid_usage', message: 'the AWS region is not set' });
  });

  test('a state machine that does not exist is reported', async () => {
    const stateMachineArn = 'arn:aws:states:eu-central-1:123456789012:stateMachine:mine';
    const it = await against(every(400, 'StateMachineDoesNotExist'), { stateMachineArn });
    expect(await thrown(it.start())).toMatchObject({ code: 'state_machine_not_found' });
  });
});
