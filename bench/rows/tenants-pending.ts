import type { Row } from '../row';
import { copyTenants, type Tenants } from '../world/tenants';
import { LOOP, SAMPLE, TENANTS, tenantRuns } from './tenants';

export const tenantsPending: Row = {
  name: 'tenants-pending',
  title: `1,000 tenants with one pending revision each, per tenant (the loop: at ${SAMPLE} of them)`,
  unit: 'ms',
  runs: 3,
  warmUp: false,
  goals: [{ timesFaster: 10, than: LOOP }],
  async prepare(world) {
    const { create, ours, loop } = await tenantRuns(world);
    const original = await create(TENANTS);
    const onCopy = (migrate: (tenants: Tenants) => Promise<number>) => async (): Promise<number> => {
      const tenants = await copyTenants(world, original);
      const ms = await migrate(tenants);
      await tenants.database.drop();
      return ms;
    };
    return [
      { name: 'cdk-alembic', run: onCopy(async (tenants) => (await ours(tenants, TENANTS)).ms / TENANTS) },
      { name: LOOP, run: onCopy((tenants) => loop(tenants, SAMPLE)) },
    ];
  },
};
