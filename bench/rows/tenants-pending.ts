import type { Row } from '../row';
import { copyTenants, type Tenants } from '../world/tenants';
import type { Timed, World } from '../world/world';
import { LOOP, SAMPLE, TENANTS, tenantRuns } from './tenants';

function thousand(world: World): Promise<Tenants> {
  return world.once('tenants-thousand', async () => (await tenantRuns(world)).create(TENANTS, 'behind'));
}

/** One process that brings 1,000 tenants to head. It takes a minute: what is measured of it is measured once. */
export function upgradeThousand(world: World): Promise<Timed> {
  return world.once('tenants-thousand-upgrade', async () => {
    const tenants = await copyTenants(world, await thousand(world));
    const timed = await (await tenantRuns(world)).ours(tenants, TENANTS);
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
  async prepare(world) {
    const [{ loop }, tenants] = [await tenantRuns(world), await thousand(world)];
    return [
      { name: 'cdk-alembic', run: async () => (await upgradeThousand(world)).ms / TENANTS },
      { name: LOOP, run: async () => loop(await copyTenants(world, tenants), SAMPLE) },
    ];
  },
};
