import type { LastFailed } from '../../lambda/tenants/files/last-failed';
import { MAX_SUMMARY_FAILURES } from '../../lib/contract/tenants';
import { failure } from '../support/aws/answers';
import { AT_HEAD, answered, answerWith, FAILED, useTestBed } from './test-bed';

const shared = useTestBed();
const NAMES = ['a', 'b', 'c', 'd', 'e'];
const lastFailed = async () => Object.keys((await shared.testBed.get<LastFailed>('last-failed.json')).failed);
const failing =
  (...names: string[]) =>
  (name: string) =>
    names.includes(name) ? FAILED : {};

test('a run reports how many tenants were migrated, how many were at head before, and all their revisions', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', NAMES);
  await testBed.use({}, (request) => answered(request, (name) => (name === 'a' ? AT_HEAD : {})));
  expect(await testBed.run()).toEqual({
    contract: 1,
    command: 'upgrade',
    stage: 'dev',
    runId: testBed.runId,
    status: 'complete',
    total: 5,
    unchanged: 1,
    migrated: 4,
    pending: 0,
    ahead: 0,
    failed: 0,
    notStarted: 0,
    heads: ['b2'],
    positions: [{ revisions: ['b2'], tenants: 5 }],
    failures: [],
    dataLoss: [],
    warnings: [],
    protected: false,
    detailsUri: `s3://${testBed.bucket}/runs/${testBed.runId}/`,
  });
  expect(await testBed.get(`runs/${testBed.runId}/summary.json`)).toMatchObject({ total: 5 });
});

test('the worker is called batch by batch, with the name of whoever started the run', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', NAMES);
  await testBed.use({}, (request) => answered(request));
  await testBed.run({ requestedBy: 'ada', allow: ['drop_invalid_indexes'] });
  expect(testBed.asked.map(({ tenants }) => tenants?.map(({ name }) => name))).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  expect(testBed.asked[0]).toEqual({
    command: 'upgrade',
    tenants: [{ name: 'a' }, { name: 'b' }],
    sliceSeconds: 300,
    allow: ['drop_invalid_indexes'],
    requestedBy: 'ada',
    runId: testBed.runId,
  });
});

test('a batch continues with the tenants that the worker left over, and a tenant in two answers counts once', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', ['a', 'b']);
  await testBed.use({}, (request, call) => {
    if (call > 1) return answered(request, () => ({ from: ['a1'], applied: ['b2'] }));
    const partial = { tenant: 'a', status: 'partial', from: [], to: ['a1'], applied: ['a1'], pending: 1, durationMs: 1 } as const;
    return { answer: answerWith(request, [partial], { status: 'partial', left: request.tenants }) };
  });
  expect(await testBed.run()).toMatchObject({
    status: 'complete',
    total: 2,
    migrated: 2,
    positions: [{ revisions: ['b2'], tenants: 2 }],
  });
  expect(testBed.asked).toHaveLength(2);
});

test('a worker that makes no progress is not called forever', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', ['a', 'b']);
  await testBed.use({}, (request) => ({ answer: answerWith(request, [], { status: 'partial', left: request.tenants }) }));
  const { failed, failures } = await testBed.run();
  expect(failed).toBe(2);
  expect(failures[0]?.error).toMatchObject({
    code: 'unexpected_answer',
    message: expect.stringContaining('without applying anything'),
  });
  expect(testBed.asked).toHaveLength(1);
});

describe('when tenants fail', () => {
  test('the others are migrated, the run fails, and each failure has its reason', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', NAMES);
    await testBed.use({}, (request) => answered(request, failing('b')));
    const summary = await testBed.run();
    expect(summary).toMatchObject({ status: 'failed', migrated: 4, failed: 1, notStarted: 0 });
    expect(summary.failures).toEqual([{ tenant: 'b', error: FAILED.error }]);
    expect(summary.error).toEqual({
      code: 'tenants_failed',
      message: '1 of 5 tenants failed',
      next: expect.stringContaining('npx migrate-invoke --stage dev --app-name shop --retry-failed'),
    });
    expect(await lastFailed()).toEqual(['b']);
  });

  test('a retry takes only those, until there are none', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', NAMES);
    await testBed.use({}, (request) => answered(request, failing('b', 'd')));
    await testBed.run();
    await testBed.use({}, (request) => answered(request, failing('d')));
    expect(await testBed.run({ retryFailed: true })).toMatchObject({ total: 2, migrated: 1, failed: 1 });
    await testBed.use({}, (request) => answered(request));
    expect(await testBed.run({ retryFailed: true })).toMatchObject({ status: 'complete', total: 1 });
    expect(await testBed.run({ retryFailed: true })).toMatchObject({
      status: 'complete',
      total: 0,
      warnings: ['no tenant failed in its last upgrade: nothing was started'],
    });
  });

  test('a run over some tenants keeps the failures of the others', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', NAMES);
    await testBed.use({}, (request) => answered(request, failing('b', 'd')));
    await testBed.run();
    await testBed.use({}, (request) => answered(request));
    await testBed.run({ tenants: ['a', 'b'] });
    expect(await lastFailed()).toEqual(['d']);
  });

  test('a run over all of them forgets removed tenants', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', NAMES);
    await testBed.use({}, (request) => answered(request, failing('b', 'd')));
    await testBed.run();
    await testBed.put('tenants.json', ['a', 'd', 'e']);
    expect(await testBed.run({ retryFailed: true })).toMatchObject({
      total: 1,
      warnings: ['failed in their last upgrade but are no longer tenants: b'],
    });
    await testBed.run();
    expect(await lastFailed()).toEqual(['d']);
  });

  test('and few enough did, the run succeeds with a warning', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', NAMES);
    await testBed.use({ tolerated: { count: 1 } }, (request) => answered(request, failing('b')));
    expect(await testBed.run()).toMatchObject({
      status: 'complete',
      failed: 1,
      migrated: 4,
      warnings: ['1 of 5 tenants failed, which is tolerated (at most 1)'],
    });
  });

  test('and too many did, no more tenants start', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', NAMES);
    await testBed.use({ tolerated: { count: 3, percent: 20 } }, (request) => answered(request, failing('a', 'b')));
    expect(await testBed.run()).toMatchObject({
      status: 'failed',
      failed: 2,
      notStarted: 3,
      error: { message: '2 of 5 tenants failed, and 3 were not started' },
    });
    expect(testBed.asked.map(({ toleratedFailures }) => toleratedFailures)).toEqual([1]);
    expect(await lastFailed()).toEqual(NAMES);
  });
});

describe('when a call of the worker fails as a whole', () => {
  test('its tenants fail with that reason, and the other batches continue', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', NAMES);
    const broken = failure({ code: 'database_unreachable', message: 'nothing answers' });
    await testBed.use({}, (request, call) => (call === 2 ? { failure: broken } : answered(request)));
    const { migrated, failures } = await testBed.run();
    expect(migrated).toBe(3);
    expect(failures.map(({ tenant, error }) => [tenant, error.code])).toEqual([
      ['c', 'database_unreachable'],
      ['d', 'database_unreachable'],
    ]);
  });

  test('because it died, the reason says so', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', ['a']);
    await testBed.use({}, () => ({
      crash: { errorMessage: 'RequestId: 1 Error: Runtime exited', errorType: 'Runtime.ExitError' },
    }));
    const { failures } = await testBed.run();
    expect(failures).toEqual([{ tenant: 'a', error: expect.objectContaining({ code: 'function_crashed' }) }]);
  });
});

test('a call that is repeated after its answer was written does not call the worker', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', ['a']);
  await testBed.use({}, (request) => answered(request));
  await testBed.list();
  const first = await testBed.wave('rest');
  expect(await testBed.wave('rest')).toEqual(first);
  expect(testBed.asked).toHaveLength(1);
});

test('tenants of a batch without a record have failed, because their state is unknown', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', ['a']);
  await testBed.use({}, (request) => answered(request));
  await testBed.list();
  expect(await testBed.summarize()).toMatchObject({ failed: 1, failures: [{ tenant: 'a', error: { code: 'run_aborted' } }] });
});

test('a run that the state machine could not continue says why, and what was not started', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', NAMES);
  await testBed.use({}, (request) => answered(request));
  await testBed.list();
  expect(await testBed.summarize({ Error: 'States.ItemReaderFailed', Cause: 'no such key' })).toMatchObject({
    status: 'failed',
    notStarted: 5,
    error: { code: 'run_aborted', message: 'the state machine failed: States.ItemReaderFailed: no such key' },
  });
});

test('a plan reports what is pending and what it would destroy, records nothing for a retry, and has no canaries', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', ['a', 'b', 'c']);
  const dataLoss = [{ revision: 'b2', rule: 'drop-table', what: 'drop_table users', file: 'b2.py', line: 7 }] as const;
  await testBed.use({ canary: { percent: 50, after: 'pause' } }, (request) => {
    const outcomes = (request.tenants ?? []).map(({ name: tenant }) => {
      const status = tenant === 'c' ? ('ahead' as const) : ('pending' as const);
      return { tenant, status, from: ['a1'], to: ['a1'], applied: [], pending: 1, durationMs: 1 };
    });
    return { answer: answerWith(request, outcomes, { dataLoss, protected: true }) };
  });
  expect(await testBed.run({ command: 'plan' })).toMatchObject({
    command: 'plan',
    status: 'pending',
    pending: 2,
    ahead: 1,
    positions: [{ revisions: ['a1'], tenants: 3 }],
    dataLoss,
    protected: true,
  });
  expect(testBed.asked[0]).toEqual({ command: 'plan', tenants: [{ name: 'a' }, { name: 'b' }], runId: testBed.runId });
  await expect(testBed.get('last-failed.json')).rejects.toThrow(/key/);
});

test('the summary of thousands of long failures still fits into a cause of Step Functions; all of them are in the bucket', async () => {
  const { testBed } = shared;
  const names = Array.from({ length: 2000 }, (_, index) => `customer-${index}`);
  await testBed.put('tenants.json', names);
  const error = {
    code: 'migration_failed',
    message: '"é\n'.repeat(1000),
    next: 'x'.repeat(3000),
    statement: 's'.repeat(500),
  } as const;
  await testBed.use({ batchSize: 1000 }, (request) => answered(request, (name) => ({ ...FAILED, error, to: [name] })));
  const summary = await testBed.run();
  expect(JSON.stringify(summary).length).toBeLessThanOrEqual(32_768);
  expect(summary.failed).toBe(2000);
  expect(summary.failures.length).toBeGreaterThan(0);
  expect(summary.failures.length).toBeLessThanOrEqual(MAX_SUMMARY_FAILURES);
  expect(await testBed.get(`runs/${testBed.runId}/failures.json`)).toHaveLength(2000);
});
