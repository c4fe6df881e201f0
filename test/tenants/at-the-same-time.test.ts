import { batch, coordinate } from '../../lambda/tenants';
import { type LastFailed, merge, type Verdict } from '../../lambda/tenants/files/last-failed';
import type { TenantOutcome, TenantRequest } from '../../lib/contract/tenants';
import { failure } from '../support/aws/answers';
import type { Reply } from '../support/aws/lambda';
import { answered, answerWith, FAILED, useTestBed } from './test-bed';

const shared = useTestBed();
const named = (count: number) => Array.from({ length: count }, (_, index) => `t${String(index).padStart(3, '0')}`);

/** A worker that begins no further tenant after more failures than it may have. */
function obedient(request: TenantRequest, fails: (name: string) => boolean): Reply {
  const { tenants = [], toleratedFailures = Number.POSITIVE_INFINITY } = request;
  const outcomes: TenantOutcome[] = [];
  const notStarted: string[] = [];
  let failed = 0;
  for (const { name } of tenants) {
    if (failed > toleratedFailures) notStarted.push(name);
    else {
      const done = { tenant: name, status: 'complete', from: [], to: ['b2'], applied: ['b2'], pending: 0, durationMs: 1 };
      outcomes.push({ ...done, ...(fails(name) && FAILED) } as TenantOutcome);
      failed += Number(fails(name));
    }
  }
  return { answer: answerWith(request, outcomes, { notStarted }) };
}

async function allAtOnce() {
  const { testBed } = shared;
  await testBed.list();
  await Promise.all((await testBed.batches('rest')).map((item) => testBed.child(item)));
  return testBed.summarize();
}

describe('workers at the same time', () => {
  test('each exceed the tolerated failures by at most one', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', named(100));
    await testBed.use({ batchSize: 20, concurrency: 5, tolerated: { count: 7 } }, (request) => obedient(request, () => true));
    const { failed, notStarted, total } = await allAtOnce();
    expect(failed).toBeLessThanOrEqual(7 + 5);
    expect([failed + notStarted, total]).toEqual([100, 100]);
  });

  test('continue beyond their share while the total stays within the tolerance', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', named(40));
    const bad = ['t001', 't002', 't003', 't004'];
    await testBed.use({ batchSize: 20, concurrency: 2, tolerated: { count: 4 } }, (request) =>
      obedient(request, (name) => bad.includes(name)),
    );
    expect(await allAtOnce()).toMatchObject({ status: 'complete', failed: 4, migrated: 36, notStarted: 0 });
  });
});

describe('a batch that is delivered twice', () => {
  test('counts its failures once, and the first answer counts if they differ', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', ['a', 'b', 'c']);
    await testBed.use({ batchSize: 3, tolerated: { count: 3 } }, (request, call) =>
      answered(request, (name) => (name === 'a' || call > 1 ? FAILED : {})),
    );
    await testBed.list();
    const [item] = await testBed.batches('rest');
    const [first, second] = await Promise.all([batch(item as never), batch(item as never)]);
    expect(second).toEqual(first);
    const { failed } = await testBed.summarize();
    expect(await testBed.keys(`runs/${testBed.runId}/failed/`)).toEqual([`runs/${testBed.runId}/failed/rest-0-0-${failed}`]);
  });

  test('writes its count if the first delivery did not', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', ['a']);
    await testBed.use({ tolerated: { count: 3 } }, (request) => answered(request, () => FAILED));
    await testBed.list();
    await testBed.wave('rest');
    await testBed.remove(`runs/${testBed.runId}/failed/rest-0-0-1`);
    await testBed.wave('rest');
    expect(await testBed.keys(`runs/${testBed.runId}/failed/`)).toHaveLength(1);
    expect(testBed.asked).toHaveLength(1);
  });

  test('does not start again after its call has failed as a whole', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', ['a', 'b']);
    await testBed.use({}, () => ({ failure: failure({ code: 'database_unreachable', message: 'nothing answers' }) }));
    await testBed.list();
    const first = await testBed.wave('rest');
    expect(await testBed.wave('rest')).toEqual(first);
    expect(testBed.asked).toHaveLength(1);
  });
});

describe('the list of failed tenants', () => {
  test('keeps the failures of runs that end at the same time', async () => {
    const { testBed } = shared;
    const names = named(12);
    await testBed.put('tenants.json', names);
    await testBed.use({}, (request) => answered(request, () => FAILED));
    const runIds = names.map(() => crypto.randomUUID());
    for (const [index, runId] of runIds.entries()) {
      testBed.runId = runId;
      await testBed.list({ tenants: [names[index]] });
      await testBed.wave('rest');
    }
    await Promise.all(runIds.map((runId) => coordinate({ action: 'summarize', runId, stopped: null })));
    expect(Object.keys((await testBed.get<LastFailed>('last-failed.json')).failed)).toEqual(names);
  });

  test('makes a retry fail if its file is damaged, and a run over all tenants writes it again', async () => {
    const { testBed } = shared;
    await testBed.put('tenants.json', ['a', 'b']);
    await testBed.use({}, (request) => answered(request, (name) => (name === 'a' ? FAILED : {})));
    for (const damaged of ['{"failed":', '{"tenants":["a"]}', 'null']) {
      await testBed.put('last-failed.json', damaged);
      expect((await testBed.run({ retryFailed: true })).error).toMatchObject({
        code: 'tenants_unavailable',
        message: expect.stringContaining(`s3://${testBed.bucket}/last-failed.json`),
        next: expect.stringContaining('run all tenants'),
      });
      expect((await testBed.run({ tenants: ['b'] })).warnings).toEqual([expect.stringContaining('a run over all tenants')]);
      await testBed.run();
      expect(Object.keys((await testBed.get<LastFailed>('last-failed.json')).failed)).toEqual(['a']);
    }
  });

  const EMPTY: LastFailed = { failed: {}, settled: {}, allSince: 0 };
  const some = (since: number, ...of: Verdict[]) => ({ since, all: false, of });
  const all = (since: number, ...of: Verdict[]) => ({ since, all: true, of });
  const failed = (tenant: string, at: number): Verdict => ({ tenant, failed: true, at });
  const done = (tenant: string, at: number): Verdict => ({ tenant, failed: false, at });

  test.each([
    ['a later failure', all(10, done('x', 11)), some(20, failed('x', 21)), ['x']],
    ['a later success', all(10, failed('x', 11)), some(20, done('x', 21)), []],
    ['a later success of all', some(10, failed('x', 11)), all(20, done('x', 21)), []],
    ['a tenant that the older run took later', all(10, failed('x', 50)), some(20, done('x', 21)), ['x']],
    ['a tenant that the older run did not begin', all(10, failed('x', 10)), some(20, done('x', 21)), []],
    ['a tenant that is none any more', some(10, failed('gone', 11)), all(20, done('x', 21)), []],
    ['two failures', some(10, failed('x', 11)), some(12, failed('y', 13)), ['x', 'y']],
  ])('is the same whichever run ends first: %s', (_, older, newer, expected) => {
    const names = (found: LastFailed) => Object.keys(found.failed);
    expect(names(merge(merge(EMPTY, older), newer))).toEqual(expected);
    expect(names(merge(merge(EMPTY, newer), older))).toEqual(expected);
  });
});
