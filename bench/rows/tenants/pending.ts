import type { Row } from '../../row';
import { copyTenants, type Tenants } from '../../test-bed/tenants';
import type { TestBed, Timed } from '../../test-bed/test-bed';
import { LOOP, SAMPLE, TENANTS, tenantRuns } from './runs';

function thousand(testBed: TestBed): Promise<Tenants> {
  return testBed.once('tenants-thousand', async () => (await tenantRuns(testBed)).create(TENANTS, 'behind'));
}

/** One process that brings 1,000 tenants to head. It takes a minute: what is measured of it is measured once. */
export function upgradeThousand(testBed: TestBed): Promise<Timed> {
  return testBed.once('tenants-thousand-upgrade', async () => {
    const tenants = await copyTenants(testBed, await thousand(testBed));
    const timed = await (await tenantRuns(testBed)).ours(tenants, TENANTS);
    await tenants.database.drop();
    return timed;
  });
}

export const tenantsPending: Row = {
  name: 'tenants-pending',
  title: `1,000 tenants with one pending revision each, per tenant (the loop: at ${SAMPLE} of them)`,
  unit: 'ms',
  runs: 1,
  warmUp: false,
  goals: [{ timesFaster: 10, than: LOOP }],
  async prepare(testBed) {
    const [{ loop }, tenants] = [await tenantRuns(testBed), await thousand(testBed)];
    return [
      { name: 'cdk-alembic', run: async () => (await upgradeThousand(testBed)).ms / TENANTS },
      { name: LOOP, run: async () => loop(await copyTenants(testBed, tenants), SAMPLE) },
    ];
  },
};
