import { type TenantRuns, tenantRuns } from '../../bench/rows/tenants/runs';
import { TestBed } from '../../bench/test-bed/test-bed';
import { withFolder } from '../../examples/local-aws';

// It packages a backend and starts a PostgreSQL.
let told: { applied: number; looked: number; again: string; ahead: string };

async function reason(failing: Promise<unknown>): Promise<string> {
  return failing.then(
    () => 'it did not fail',
    (error: Error) => error.message,
  );
}

beforeAll(() =>
  withFolder(async (folder) => {
    const runs: TenantRuns = await tenantRuns(await TestBed.open(folder));
    const tenants = await runs.create(4, 'behind');
    const applied = (await runs.ours(tenants, 4)).ms;
    const looked = (await runs.ours(tenants, 0)).ms;
    await runs.setBack(tenants, tenants.all.slice(0, 3));
    const again = await reason(runs.ours(tenants, 0));
    await runs.setBack(tenants, tenants.all.slice(0, 3));
    const ahead = await reason(runs.loop(tenants, 3));
    told = { applied, looked, again, ahead };
  }),
);

test('the measured process brings all tenants to head', () => {
  expect(told.applied).toBeGreaterThan(0);
  expect(told.looked).toBeGreaterThan(0);
});

test('a run that applied the wrong revisions is rejected', () => {
  expect(told.again).toMatch(/^the function told .*"applied": 3/s);
});

test('a run that leaves the wrong number of tenants at head is rejected', () => {
  expect(told.ahead).toBe('3 tenants should be at c00000000002: there are 4 at c00000000002, and 4 with the columns of the last');
});
