import type { Row } from '../../row';
import { growth } from './growth';
import { upgradeThousand } from './pending';
import { tenantRuns } from './runs';

export const tenantsMemory = growth(
  {
    name: 'tenants-memory',
    title: 'memory with nothing to do: peak of the process that checks all tenants',
    unit: 'bytes',
    goals: [{ atMostTimes: 1.1, of: '100 tenants' }],
  },
  ({ unchanged }) => unchanged.peakBytes,
);

export const tenantsMemoryPending: Row = {
  name: 'tenants-memory-pending',
  title: 'memory with one pending revision each: peak of the process that migrates all tenants',
  unit: 'bytes',
  runs: 1,
  warmUp: false,
  goals: [{ atMostTimes: 1.1, of: '100 tenants' }],
  async prepare(testBed) {
    const { create, ours } = await tenantRuns(testBed);
    return [
      { name: '1,000 tenants', run: async () => (await upgradeThousand(testBed)).peakBytes },
      { name: '100 tenants', run: async () => (await ours(await create(100, 'behind'), 100)).peakBytes },
    ];
  },
};
