import { randomUUID } from 'node:crypto';
import type { DriftedTenant, TenantDrift } from '../../lib/contract/tenants';
import { AT_HEAD, answered, FAILED, useTestBed } from './test-bed';

const shared = useTestBed();
const NAMES = ['a', 'b', 'c', 'd', 'e'];
const KEPT_AT = '2026-01-01T00:00:00Z';
const NONE: TenantDrift = { status: 'none', keptAt: KEPT_AT, count: 0, objects: [] };
const DRIFTED: TenantDrift = {
  status: 'drifted',
  keptAt: KEPT_AT,
  count: 12,
  objects: [{ change: 'added', object: 'index b.by_hand', found: 'CREATE INDEX', ddl: 'DROP INDEX b.by_hand;' }],
};
const UNKNOWN: TenantDrift = { status: 'unknown', reason: 'no run has kept a catalog yet', count: 0, objects: [] };

test('a drift run has one wave, changes nothing, and names each drifted tenant with its objects', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', NAMES);
  const found: Record<string, TenantDrift> = { a: UNKNOWN, b: DRIFTED };
  await testBed.use({ canary: { names: ['a'], after: 'pause' }, tolerated: { count: 0 } }, (request) =>
    answered(request, (name) => ({ ...AT_HEAD, drift: found[name] ?? NONE })),
  );
  const summary = await testBed.run({ command: 'drift', allow: ['drift'], requestedBy: 'ada' });
  expect(testBed.asked[0]).toEqual({
    command: 'drift',
    tenants: [{ name: 'a' }, { name: 'b' }],
    allow: ['drift'],
    requestedBy: 'ada',
    runId: testBed.runId,
  });
  const tenants = [
    { tenant: 'b', ...DRIFTED },
    { tenant: 'a', ...UNKNOWN },
  ];
  expect(summary).toMatchObject({
    command: 'drift',
    status: 'complete',
    total: 5,
    unchanged: 5,
    drift: { none: 3, drifted: 1, unknown: 1, tenants },
  });
  expect(await testBed.get(`runs/${testBed.runId}/drift.json`)).toEqual(tenants);
  expect(await testBed.keys('last-failed.json')).toEqual([]);
});

test('only a drift run accepts the name that EventBridge gives, because databases do not record it', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', NAMES);
  await testBed.use({}, (request) => answered(request, () => ({ ...AT_HEAD, drift: NONE })));
  const name = () => `${randomUUID()}_${randomUUID()}`;
  const summary = await testBed.run({ command: 'drift', requestedBy: 'schedule' }, name());
  expect(summary).toMatchObject({ status: 'complete', runId: testBed.runId, drift: { none: 5 } });
  expect(testBed.asked[0]).toEqual({ command: 'drift', tenants: expect.any(Array), requestedBy: 'schedule' });
  const refused = await testBed.run({ command: 'plan' }, name());
  expect(refused).toMatchObject({ status: 'failed', error: { code: 'invalid_request' } });
});

test('an unreachable tenant fails, and the others are compared', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', NAMES);
  await testBed.use({}, (request) => answered(request, (name) => (name === 'c' ? FAILED : { ...AT_HEAD, drift: NONE })));
  const summary = await testBed.run({ command: 'drift' });
  expect(summary).toMatchObject({ status: 'failed', failed: 1, drift: { none: 4, drifted: 0, unknown: 0, tenants: [] } });
  expect(summary.error?.next).toContain('--command drift');
});

test('a summary of many drifted tenants is short enough for Step Functions, and the file has all of them', async () => {
  const { testBed } = shared;
  const names = Array.from({ length: 120 }, (_, index) => `t${index}`);
  await testBed.put('tenants.json', names);
  const objects = Array.from({ length: 10 }, (_, index) => ({
    change: 'changed' as const,
    object: `function f${index}()`,
    kept: 'x'.repeat(400),
    found: 'y'.repeat(400),
  }));
  await testBed.use({ batchSize: 100 }, (request) => answered(request, () => ({ ...AT_HEAD, drift: { ...DRIFTED, objects } })));
  const summary = await testBed.run({ command: 'drift' });
  expect(JSON.stringify(summary).length).toBeLessThanOrEqual(32_768);
  expect(summary.drift).toMatchObject({ none: 0, drifted: 120 });
  expect(summary.drift?.tenants).toHaveLength(50);
  expect(summary.drift?.tenants[0]?.objects).toEqual(objects.slice(0, 5).map(({ change, object }) => ({ change, object })));
  const all = await testBed.get<DriftedTenant[]>(`runs/${testBed.runId}/drift.json`);
  expect(all.map(({ tenant }) => tenant).sort()).toEqual([...names].sort());
  expect(all[0]?.objects).toEqual(objects);
});
