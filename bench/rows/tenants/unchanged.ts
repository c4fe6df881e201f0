import type { Row } from '../../row';
import { LOOP, SAMPLE, TENANTS, tenantRuns } from './runs';

export const tenantsUnchanged: Row = {
  name: 'tenants-unchanged',
  title: `1,000 tenants with nothing to do, per tenant (the loop: at ${SAMPLE} of them)`,
  unit: 'ms',
  runs: 3,
  warmUp: false,
  goals: [{ timesFaster: 20, than: LOOP }],
  async prepare(testBed) {
    const { create, ours, loop } = await tenantRuns(testBed);
    const tenants = await create(TENANTS, 'at head');
    return [
      { name: 'cdk-alembic', run: async () => (await ours(tenants, 0)).ms / TENANTS },
      { name: LOOP, run: () => loop(tenants, TENANTS) },
    ];
  },
};
