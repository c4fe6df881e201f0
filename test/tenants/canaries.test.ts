import type { LastFailed } from '../../lambda/tenants/files/last-failed';
import type { Tenant } from '../../lib/contract/tenants';
import { answered, FAILED, useTestBed } from './test-bed';

const shared = useTestBed();
const NAMES = Array.from({ length: 20 }, (_, index) => `t${String(index).padStart(2, '0')}`);
const tenantsOf = async (wave: string, batches: number): Promise<string[]> => {
  const { testBed } = shared;
  const files = Array.from({ length: batches }, (_, index) =>
    testBed.get<Tenant[]>(`runs/${testBed.runId}/${wave}/${index}/tenants.json`),
  );
  return (await Promise.all(files)).flat().map(({ name }) => name);
};

test('named canaries go first, and the others follow if they succeed', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', NAMES);
  await testBed.use({ canary: { names: ['t03', 'gone'], after: 'pause' } }, (request) => answered(request));
  expect(await testBed.list()).toMatchObject({ next: 'canary', total: 20 });
  expect(await tenantsOf('canary', 1)).toEqual(['t03']);
  await testBed.wave('canary');
  expect(await testBed.judge()).toEqual({ next: 'pause' });
  await testBed.wave('rest');
  expect(await testBed.summarize()).toMatchObject({
    status: 'complete',
    total: 20,
    migrated: 20,
    warnings: ['canaries that are not tenants: gone'],
  });
});

test('the run stops if all names of canaries are mistyped, because all tenants would be migrated at once', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', NAMES);
  await testBed.use({ canary: { names: ['T03'], after: 'pause' } }, (request) => answered(request));
  expect((await testBed.run()).error).toMatchObject({ code: 'unknown_tenant', message: 'none of the canaries is a tenant: T03' });
  expect(testBed.asked).toEqual([]);
});

test('a share of the tenants is rounded up, and selects the same tenants in every run', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', NAMES);
  await testBed.use({ canary: { percent: 12, after: 'approval' } }, (request) => answered(request));
  await testBed.list();
  const first = await tenantsOf('canary', 2);
  expect(first).toHaveLength(3);
  expect(await tenantsOf('rest', 9)).toHaveLength(17);
  await testBed.put('tenants.json', [...NAMES].reverse());
  await testBed.list();
  expect(await tenantsOf('canary', 2)).toEqual(first);
  await testBed.wave('canary');
  expect(await testBed.judge()).toEqual({ next: 'approval' });
});

test('the run ends before the others start if the results of the canaries are missing', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', NAMES);
  await testBed.use({ canary: { names: ['t03', 't04'], after: 'pause' } }, (request) => answered(request));
  await testBed.list();
  await testBed.remove(`runs/${testBed.runId}/canary/0/tenants.json`);
  expect(await testBed.judge()).toEqual({ next: 'summarize' });
});

test('a failed canary ends the run before the others start', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', NAMES);
  await testBed.use({ canary: { names: ['t03', 't04'], after: 'pause' } }, (request) =>
    answered(request, (name) => (name === 't03' ? FAILED : {})),
  );
  await testBed.list();
  await testBed.wave('canary');
  expect(await testBed.judge()).toEqual({ next: 'summarize' });
  expect(await testBed.summarize()).toMatchObject({
    status: 'failed',
    migrated: 1,
    failed: 1,
    notStarted: 18,
    error: { code: 'tenants_failed', message: '1 of 20 tenants failed, and 18 were not started' },
  });
  expect(Object.keys((await testBed.get<LastFailed>('last-failed.json')).failed)).toHaveLength(19);
});

test('a canary may fail if failures are tolerated', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', NAMES);
  await testBed.use({ canary: { names: ['t03', 't04'], after: 'pause' }, tolerated: { count: 1 } }, (request) =>
    answered(request, (name) => (name === 't03' ? FAILED : {})),
  );
  await testBed.list();
  await testBed.wave('canary');
  expect(await testBed.judge()).toEqual({ next: 'pause' });
  await testBed.wave('rest');
  expect(await testBed.summarize()).toMatchObject({ status: 'complete', failed: 1, migrated: 19 });
});

test('without approval of the canaries, the others stay unchanged', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', NAMES);
  await testBed.use({ canary: { names: ['t03'], after: 'approval' } }, (request) => answered(request));
  await testBed.list();
  await testBed.wave('canary');
  expect(await testBed.summarize({ Error: 'not_approved', Cause: 'ada did not approve the canaries' })).toMatchObject({
    status: 'failed',
    migrated: 1,
    notStarted: 19,
    error: { code: 'not_approved', message: 'ada did not approve the canaries: 19 tenants were not started' },
  });
});

test('there are no canaries if no tenant would follow', async () => {
  const { testBed } = shared;
  await testBed.put('tenants.json', NAMES);
  await testBed.use({ canary: { percent: 10, after: 'approval' } }, (request) => answered(request));
  expect(await testBed.list({ tenants: ['t07'] })).toMatchObject({ next: 'rest', total: 1 });
});
