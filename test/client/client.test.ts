import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { MigrateClient, MigrateError } from '../../lib/client';
import { lambdaClient } from '../../lib/client/lambda-client';
import { answer, applied, failure } from '../support/aws/answers';
import { awsEnvironment } from '../support/aws/environment';
import type { Reply } from '../support/aws/lambda';
import { StageAws, type StageOptions } from '../support/aws/stage';

const environment = process.env;
let aws: StageAws;
let client: MigrateClient;

beforeEach(() => {
  process.env = { ...environment, ...awsEnvironment() };
});

afterEach(async () => {
  process.env = environment;
  client?.destroy();
  await aws?.stop();
});

async function against(reply: Reply | Reply[], options?: StageOptions): Promise<MigrateClient> {
  const replies = Array.isArray(reply) ? reply : [reply];
  aws = await StageAws.start((_, call) => replies[Math.min(call, replies.length) - 1] as Reply, options);
  client = new MigrateClient({ stage: 'dev', endpoint: aws.url });
  return client;
}

const thrown = (run: Promise<unknown>) => run.then(() => undefined).catch((error) => error);

describe('a request', () => {
  test("an upgrade calls the stage's function in short slices", async () => {
    await (await against({ answer: answer() })).upgrade();
    expect(aws.functions).toEqual(['template-saas-api-migrate-lambda-dev']);
    expect(aws.invokes).toEqual([{ command: 'upgrade', sliceSeconds: 5 }]);
  });

  test('every command has its own method', async () => {
    const it = await against({ answer: answer() });
    await it.plan({ revision: '+1', sql: true });
    await it.current();
    await it.stamp({ revision: 'c3' });
    await it.downgrade({ revision: '-1', sliceSeconds: 0 });
    expect(aws.invokes).toEqual([
      { command: 'plan', revision: '+1', sql: true },
      { command: 'current' },
      { command: 'stamp', revision: 'c3' },
      { command: 'downgrade', revision: '-1', sliceSeconds: 0 },
    ]);
  });

  test('an upgrade sends the caller, what is allowed and the id of the run', async () => {
    aws = await StageAws.start(() => ({ answer: answer() }));
    client = new MigrateClient({ stage: 'dev', endpoint: aws.url, requestedBy: 'ci 42' });
    const runId = '0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11';
    await client.upgrade({ allow: ['drop_invalid_indexes'], runId });
    await client.stamp({ revision: 'c3' });
    await client.current();
    expect(aws.invokes).toEqual([
      { command: 'upgrade', allow: ['drop_invalid_indexes'], runId, sliceSeconds: 5, requestedBy: 'ci 42' },
      { command: 'stamp', revision: 'c3', requestedBy: 'ci 42' },
      { command: 'current' },
    ]);
  });

  test('a name that the history cannot store is rejected before anything is sent', async () => {
    client = new MigrateClient({ stage: 'dev', endpoint: 'http://127.0.0.1:1', requestedBy: 'Zoë' });
    expect(await thrown(client.upgrade())).toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/^requestedBy/),
    });
  });

  test('a history is returned as the runner sends it', async () => {
    const history = [{ revision: 'c3', message: 'Add c3', downRevisions: [], applied: true }];
    const told = await (await against({ answer: answer({ command: 'history', history }) })).history();
    expect(told.history).toEqual(history);
  });

  test.each([
    ['complete', true],
    ['pending', false],
    ['ahead', false],
  ] as const)('a check of a database that is %s answers %s and only reads the revision', async (status, atHead) => {
    const told = answer({ command: 'current', status });
    expect(await (await against({ answer: told })).check()).toEqual({ ...told, atHead });
    expect(aws.invokes).toEqual([{ command: 'current' }]);
  });

  test('each app has its own functions', () => {
    client = new MigrateClient({ stage: 'prod', appName: 'shop' });
    expect(client.functionName).toBe('shop-api-migrate-lambda-prod');
  });

  test('an invalid request is rejected with all its problems before anything is sent', async () => {
    const error = await thrown((await against({ answer: answer() })).upgrade({ revision: 'a b', sliceSeconds: 901 }));
    expect(error).toMatchObject({ code: 'invalid_request' });
    expect(error.message).toMatch(/"a b" is not a revision.*; sliceSeconds must be/);
    expect(aws.invokes).toEqual([]);
  });

  test('unusable names are rejected when the client is created', () => {
    expect(() => new MigrateClient({})).toThrow('the stage is missing');
    expect(() => new MigrateClient({ stage: 'a b', appName: 'c d' })).toThrow(/the stage "a b".*; the app name "c d"/);
    expect(() => new MigrateClient({ functionName: '' })).toThrow('the function name is empty');
  });
});

describe('a long call', () => {
  test('a connection that drops during a call does not start a second run', async () => {
    const error = await thrown((await against('drop')).upgrade());
    expect(error).toMatchObject({ code: 'network' });
    expect(error.next).toContain('npx migrate-invoke --stage dev --command current');
    expect(error.cause).toBeInstanceOf(Error);
    expect(aws.invokes).toHaveLength(1);
  });

  test.each([500, 502, 503])(
    'a server error of Lambda (%i) does not start a second run, because the first may have started',
    async (status) => {
      const error = await thrown((await against({ status, error: 'ServiceException' })).upgrade());
      expect(error).toMatchObject({ code: 'network' });
      expect(aws.invokes).toHaveLength(1);
    },
  );

  test('a client that would retry a dropped call is rejected', async () => {
    aws = await StageAws.start(() => ({ answer: answer() }));
    client = new MigrateClient({ stage: 'dev', client: new LambdaClient({ endpoint: aws.url }) });
    expect(await thrown(client.upgrade())).toMatchObject({ code: 'invalid_usage', next: 'create it with maxAttempts: 1' });
    expect(aws.invokes).toEqual([]);
  });

  test('the client that the caller passes is used unchanged', async () => {
    aws = await StageAws.start(() => ({ answer: answer() }));
    client = new MigrateClient({ stage: 'dev', client: new LambdaClient({ endpoint: aws.url, maxAttempts: 1 }) });
    expect(await client.upgrade()).toEqual(answer());
  });

  test("no socket gives up before Lambda's 900 s, and keep-alive probes start before a NAT gateway's 350 s", async () => {
    const lambda = lambdaClient({ endpoint: 'http://127.0.0.1:1' });
    await thrown(lambda.send(new GetAccountSettingsCommand({})));
    const { socketTimeout, connectionTimeout, httpsAgent } = (
      lambda.config.requestHandler as NodeHttpHandler
    ).httpHandlerConfigs();
    expect(socketTimeout).toBeGreaterThan(900_000);
    expect(connectionTimeout).toBe(5_000);
    expect(httpsAgent).toMatchObject({ keepAlive: true });
    expect((httpsAgent as { keepAliveMsecs?: number }).keepAliveMsecs).toBeLessThan(350_000);
    lambda.destroy();
  });

  test('a caller that aborts gets its own reason back', async () => {
    const controller = new AbortController();
    const it = await against('hang');
    const run = thrown(it.upgrade({ signal: controller.signal }));
    await aws.nextInvoke();
    controller.abort(new Error('enough'));
    expect((await run).message).toBe('enough');
  });
});

describe('a function that is not ready', () => {
  const conflict: Reply = { status: 409, error: 'ResourceConflictException', message: 'the function is currently Pending' };

  test('a Pending function is waited for, then invoked once', async () => {
    const configuration = (call: number) => ({ State: call < 2 ? 'Pending' : 'Active', LastUpdateStatus: 'Successful' });
    const it = await against([conflict, { answer: answer() }], { configuration });
    expect(await it.upgrade()).toEqual(answer());
    expect(aws.configurationCalls).toBe(2);
    expect(aws.invokes).toHaveLength(2);
  });

  test('an update in progress is waited for', async () => {
    const configuration = (call: number) => ({ State: 'Active', LastUpdateStatus: call < 2 ? 'InProgress' : 'Successful' });
    await (await against([conflict, { answer: answer() }], { configuration })).upgrade();
    expect(aws.configurationCalls).toBe(2);
  });

  test('an Inactive function is invoked again, because that activates it', async () => {
    const configuration = (call: number) => ({ State: call < 2 ? 'Inactive' : 'Active', LastUpdateStatus: 'Successful' });
    await (await against([conflict, conflict, { answer: answer() }], { configuration })).upgrade();
    expect([aws.invokes.length, aws.configurationCalls]).toEqual([3, 2]);
  });

  test.each([
    ['throttled', { status: 429, error: 'TooManyRequestsException', message: 'Rate Exceeded.' }],
    [
      'out of concurrency',
      { status: 429, error: 'TooManyRequestsException', message: 'ReservedFunctionConcurrentInvocationLimit' },
    ],
    ['throttled by EC2', { status: 502, error: 'EC2ThrottledException' }],
  ] as [string, Reply][])('if the function is %s, the client waits and then invokes it once', async (_, refusal) => {
    const waits: string[] = [];
    const it = await against([refusal, refusal, { answer: answer() }]);
    expect(await it.upgrade({ onWait: (reason) => waits.push(reason) })).toEqual(answer());
    expect(aws.invokes).toHaveLength(3);
    expect(waits).toEqual([expect.stringContaining('Lambda throttled the call of template-saas-api-migrate-lambda-dev')]);
  });

  test.each([
    [{ status: 429, error: 'TooManyRequestsException' }, 'throttled'],
    [conflict, 'function_not_ready'],
  ] as [Reply, string][])('the client stops waiting for a function after the stated time (%j)', async (refusal, code) => {
    const from = performance.now();
    const error = await thrown((await against(refusal)).upgrade({ readySeconds: 0.6 }));
    expect(error).toMatchObject({ code, message: expect.stringContaining('(waited 0.6 s)') });
    expect(error.next).toMatch(/nothing was started$/);
    expect(performance.now() - from).toBeGreaterThan(550);
  });

  test('a caller that aborts does not wait for it', async () => {
    const it = await against({ status: 429, error: 'TooManyRequestsException' });
    const controller = new AbortController();
    const run = thrown(it.upgrade({ signal: controller.signal, onWait: () => controller.abort(new Error('enough')) }));
    expect(await run).toMatchObject({ message: 'enough' });
    expect(aws.invokes).toHaveLength(1);
  });

  test('a function that failed to start is an error with the reason, at once', async () => {
    const configuration = () => ({ State: 'Failed', StateReason: 'the image is gone' });
    const error = await thrown((await against(conflict, { configuration })).upgrade());
    expect(error).toMatchObject({ code: 'function_not_ready', message: expect.stringContaining('the image is gone') });
  });

  test('the error says if the permission to read the state is missing', async () => {
    const configuration = () => ({ status: 403, error: 'AccessDeniedException' });
    const error = await thrown((await against(conflict, { configuration })).upgrade());
    expect(error).toMatchObject({ code: 'function_not_ready', next: expect.stringContaining('lambda:GetFunctionConfiguration') });
  });

  test('a ready function takes one call and no further permission', async () => {
    await (await against({ answer: answer() })).upgrade();
    expect(aws.configurationCalls).toBe(0);
  });
});

describe('a database that another run has locked', () => {
  const locked: Reply = { failure: failure({ code: 'locked', message: 'ada holds the mutex' }) };

  test('is an error at once', async () => {
    const error = await thrown((await against(locked)).upgrade());
    expect(error).toBeInstanceOf(MigrateError);
    expect(error).toMatchObject({ code: 'locked', message: 'ada holds the mutex' });
    expect(aws.invokes).toHaveLength(1);
  });

  test('is waited for as long as requested, even between two slices', async () => {
    const waits: string[] = [];
    const slice = answer({ status: 'partial', from: ['a1'], to: ['b2'], applied: [applied('b2')] });
    const it = await against([locked, { answer: slice }, locked, { answer: answer({ applied: [applied('c3')] }) }]);
    const done = await it.upgrade({ lockSeconds: 300, onWait: (reason) => waits.push(reason) });
    expect(done.applied.map(({ revision }) => revision)).toEqual(['b2', 'c3']);
    expect(waits).toEqual(['ada holds the mutex', 'ada holds the mutex']);
  });

  test('is an error after that time', async () => {
    const from = performance.now();
    const error = await thrown((await against(locked)).stamp({ revision: 'head', lockSeconds: 0.5 }));
    expect(error).toMatchObject({ code: 'locked' });
    expect(performance.now() - from).toBeGreaterThan(450);
  });

  test('is not waited for after the caller aborts', async () => {
    const it = await against(locked);
    const controller = new AbortController();
    const run = it.upgrade({ lockSeconds: 60, signal: controller.signal, onWait: () => controller.abort(new Error('enough')) });
    expect(await thrown(run)).toMatchObject({ message: 'enough' });
    expect(aws.invokes).toHaveLength(1);
  });

  test('is the only failure after which a request is sent again', async () => {
    await thrown((await against({ failure: failure() })).upgrade({ lockSeconds: 10 }));
    expect(aws.invokes).toHaveLength(1);
  });
});

describe('the answer of the function', () => {
  test('a failed migration is a typed error with all details from the database', async () => {
    const error = await thrown(
      (
        await against({ failure: failure({ revision: 'b2', sqlState: '42P07', statement: 'CREATE TABLE b' }, [applied('a1')]) })
      ).upgrade(),
    );
    expect(error).toBeInstanceOf(MigrateError);
    expect(error).toMatchObject({
      code: 'migration_failed',
      message: 'revision b2 failed',
      next: 'fix it',
      revision: 'b2',
      sqlState: '42P07',
      statement: 'CREATE TABLE b',
      applied: [applied('a1')],
    });
  });

  test('a blocked run is an error with each place that destroys data', async () => {
    const dataLoss = [{ revision: 'b2', rule: 'drop-table', what: 'drop_table users', file: 'b2.py', line: 12 }] as const;
    const error = await thrown((await against({ failure: failure({ code: 'blocked', dataLoss }) })).upgrade());
    expect(error).toMatchObject({ code: 'blocked', dataLoss });
  });

  test.each([
    ['a timeout', 'Sandbox.Timedout', '2026-01-01T00:00:00Z 1 Task timed out after 3.00 seconds', /raise the function's timeout/],
    [
      'too little memory',
      'Runtime.ExitError',
      'RequestId: 1 Error: Runtime exited with error: signal: killed',
      /raise the function's memorySize/,
    ],
    [
      'too little memory, told by name',
      'Runtime.OutOfMemory',
      'RequestId: 1 Error: out of memory',
      /raise the function's memorySize/,
    ],
    ['a module that is missing', 'Runtime.ImportModuleError', "Unable to import module 'x'", /package is incomplete/],
    ['anything else', 'ValueError', 'oops', /log in \/aws\/lambda\/template-saas-api-migrate-lambda-dev/],
  ])('a crash because of %s says what to do', async (_, errorType, errorMessage, next) => {
    const log = 'START RequestId: 1\nabout to migrate\n\nEND RequestId: 1\nREPORT RequestId: 1 Max Memory Used: 128 MB\n';
    const error = await thrown((await against({ crash: { errorType, errorMessage }, log })).upgrade());
    expect(error).toMatchObject({ code: 'function_crashed', next: expect.stringMatching(next) });
    expect(error.message).toContain(errorMessage);
    expect(error.log).toEqual(['about to migrate', 'REPORT RequestId: 1 Max Memory Used: 128 MB']);
  });

  test.each([
    ['nothing', { text: '' }],
    ['no JSON', { text: '<html>' }],
    ['what another function answers', { answer: { ok: true } }],
    ['a failure with a code that this client does not know', { crash: { errorMessage: '{"contract":1,"status":"failed"}' } }],
  ])('%s is reported as an unexpected answer', async (_, reply) => {
    expect(await thrown((await against(reply as Reply)).upgrade())).toMatchObject({ code: 'unexpected_answer' });
  });

  test('a function of a newer contract is recognized by its version', async () => {
    const error = await thrown((await against({ answer: { ...answer(), contract: 2 } })).upgrade());
    expect(error).toMatchObject({ code: 'unexpected_answer', message: expect.stringContaining('version 2 of the contract') });
  });
});

describe('a function that cannot be reached', () => {
  test.each([
    [403, 'AccessDeniedException', 'access_denied'],
    [403, 'UnrecognizedClientException', 'access_denied'],
    [403, 'InvalidSignatureException', 'access_denied'],
    [400, 'ExpiredTokenException', 'access_denied'],
    [403, 'ANewNameForRefused', 'access_denied'],
    [429, 'TooManyRequestsException', 'throttled'],
    [502, 'KMSAccessDeniedException', 'function_not_ready'],
    [502, 'SubnetIPAddressLimitReachedException', 'function_not_ready'],
    [400, 'InvalidParameterValueException', 'unexpected_answer'],
  ])('%i %s is %s', async (status, error, code) => {
    const result = await thrown((await against({ status, error })).upgrade({ readySeconds: 0 }));
    expect(result).toMatchObject({ code, next: expect.stringMatching(/./), cause: expect.objectContaining({ name: error }) });
    expect(aws.invokes).toHaveLength(1);
  });

  test('a refused call is access_denied', async () => {
    const error = await thrown(
      (await against({ status: 403, error: 'AccessDeniedException', message: 'no lambda:InvokeFunction' })).upgrade(),
    );
    expect(error).toMatchObject({ code: 'access_denied', message: expect.stringContaining('no lambda:InvokeFunction') });
  });

  test('a stage that was never deployed is named with its function and the region', async () => {
    const error = await thrown((await against({ status: 404, error: 'ResourceNotFoundException' })).upgrade());
    expect(error.code).toBe('function_not_found');
    expect(error.message).toBe(
      'there is no function template-saas-api-migrate-lambda-dev for stage "dev" in eu-central-1 in this account',
    );
  });

  test('if nothing listens at the endpoint, the error says that nothing was started', async () => {
    aws = await StageAws.start(() => 'drop');
    const endpoint = aws.url;
    await aws.stop();
    client = new MigrateClient({ stage: 'dev', endpoint });
    const error = await thrown(client.upgrade());
    expect(error).toMatchObject({ code: 'network', message: expect.stringContaining('ECONNREFUSED') });
    expect(error.next).toMatch(/nothing was started$/);
  });

  test('if the host name does not exist, nothing was started', async () => {
    client = new MigrateClient({ stage: 'dev', endpoint: 'http://lambda.invalid' });
    expect(await thrown(client.upgrade())).toMatchObject({
      code: 'network',
      next: expect.stringMatching(/nothing was started$/),
    });
  });

  test('no credentials', async () => {
    const it = await against({ answer: answer() });
    delete process.env.AWS_ACCESS_KEY_ID;
    expect(await thrown(it.upgrade())).toMatchObject({ code: 'no_credentials', next: expect.stringContaining('AWS_PROFILE') });
  });

  test.each(['option', 'AWS_PROFILE'])(
    'a profile that does not exist, although there are other credentials (%s)',
    async (from) => {
      aws = await StageAws.start(() => ({ answer: answer() }));
      if (from === 'AWS_PROFILE') process.env.AWS_PROFILE = 'nope';
      client = new MigrateClient({ stage: 'dev', endpoint: aws.url, ...(from === 'option' && { profile: 'nope' }) });
      expect(await thrown(client.upgrade())).toMatchObject({
        code: 'invalid_usage',
        message: 'the profile "nope" is in neither /dev/null nor /dev/null',
      });
      expect(aws.functions).toEqual([]);
    },
  );

  test('no region', async () => {
    delete process.env.AWS_REGION;
    const it = await against({ answer: answer() });
    expect(await thrown(it.upgrade())).toMatchObject({ code: 'invalid_usage', message: 'the AWS region is not set' });
  });
});
