import type { LastFailed } from '../../lambda/tenants/files/last-failed';
import { shortened } from '../../lambda/tenants/summary/summary';
import type { TenantRunSummary } from '../../lib/contract/tenants';
import { answered, answerWith, FAILED, useTestBed } from './test-bed';

const shared = useTestBed();
const of = (tenant: string, fields: object = {}) => ({
  ...{ tenant, status: 'complete', from: [], to: ['b2'], applied: ['b2'], pending: 0, durationMs: 1 },
  ...fields,
});

test.each([
  ['an outcome without applied', [of('a', { applied: undefined }), of('b')], {}],
  ['an unknown status', [of('a', { status: 'done' }), of('b')], {}],
  ['a failure without an error', [of('a', { status: 'failed' }), of('b')], { failed: 1 }],
  ['a tenant that is missing', [of('a')], {}],
  ['a tenant twice', [of('a'), of('a')], {}],
  ['a tenant twice, in two places', [of('a'), of('b')], { notStarted: ['b'] }],
  ['a tenant that was not asked about', [of('a'), of('b'), of('c')], {}],
  ['a tenant that is partial and not left', [of('a', { status: 'partial' }), of('b')], {}],
  ['another number of failures', [of('a'), of('b')], { failed: 1 }],
])('an answer of the worker with %s is the error unexpected_answer, and the counts add up', async (_, outcomes, fields) => {
  const { testBed } = shared;
  await testBed.put('tenants.json', ['a', 'b']);
  await testBed.use({}, (request) => ({ answer: answerWith(request, outcomes as never, fields) }));
  const { status, total, failed, migrated, unchanged, failures } = await testBed.run();
  expect({ status, total, failed, migrated, unchanged }).toEqual({
    status: 'failed',
    total: 2,
    failed: 2,
    migrated: 0,
    unchanged: 0,
  });
  expect(failures.map(({ error }) => error.code)).toEqual(['unexpected_answer', 'unexpected_answer']);
});

test.each(['run.json', 'rest/1/tenants.json'])('a run whose file %s is missing is never a success', async (file) => {
  const { testBed } = shared;
  await testBed.put('tenants.json', ['a', 'b', 'c']);
  await testBed.use({}, (request) => answered(request));
  await testBed.list();
  await testBed.wave('rest');
  await testBed.remove(`runs/${testBed.runId}/${file}`);
  const { status, error } = await testBed.summarize();
  expect([status, error?.code]).toEqual(['failed', 'run_aborted']);
  expect(error).toMatchObject({
    message: expect.stringContaining('files of the run are missing'),
    next: expect.stringContaining('--tenants all'),
  });
});

test('a run over all tenants with a missing file keeps earlier failures', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', ['a', 'b', 'c']);
  await testBed.use({}, (request) => answered(request, (name) => (name === 'c' ? FAILED : {})));
  await testBed.run();
  await testBed.use({}, (request) => answered(request));
  await testBed.list();
  await testBed.wave('rest');
  await testBed.remove(`runs/${testBed.runId}/rest/1/tenants.json`);
  await testBed.summarize();
  expect(Object.keys((await testBed.get<LastFailed>('last-failed.json')).failed)).toEqual(['c']);
});

test('a tenant whose revision is unknown counts for no revision', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', ['a', 'b']);
  await testBed.use({}, (request) =>
    answered(request, (name) => (name === 'a' ? { ...FAILED, from: undefined, to: undefined } : {})),
  );
  expect((await testBed.run()).positions).toEqual([{ revisions: ['b2'], tenants: 1 }]);
});

test('a summary fits into a cause of Step Functions, however long its texts are', () => {
  const long = 'ü"\n'.repeat(20_000);
  const many = Array.from({ length: 60 }, () => long);
  const summary: TenantRunSummary = {
    ...{
      contract: 1,
      command: 'upgrade',
      stage: 'dev',
      runId: 'r1',
      status: 'failed',
      protected: false,
      detailsUri: 's3://b/runs/r1/',
    },
    ...{ total: 1, unchanged: 0, migrated: 0, pending: 0, ahead: 0, failed: 1, notStarted: 0 },
    heads: many,
    positions: [{ revisions: many, tenants: 1 }],
    failures: [{ tenant: long, error: { code: 'migration_failed', message: long, next: long, revision: long, statement: long } }],
    dataLoss: [{ revision: long, rule: 'drop-table', what: long, file: long, line: 1 }],
    warnings: many,
    error: { code: 'tenants_failed', message: long, next: long },
  };
  const text = JSON.stringify(shortened(summary));
  expect(text.length).toBeLessThanOrEqual(32_768);
  expect(JSON.parse(text).error.message).toMatch(/^ü.*…$/s);
});
