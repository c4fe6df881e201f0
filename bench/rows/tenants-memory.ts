import type { Row } from '../row';
import { BATCH, grow, growth } from './tenants-growth';
import { upgradeThousand } from './tenants-pending';

export const tenantsMemory = growth(
  {
    name: 'tenants-memory',
    title: 'memory with nothing to do: peak of the process that looks at all tenants',
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
  goals: [{ atMostTimes: 1.1, of: `${BATCH} tenants` }],
  async prepare(world) {
    const [thousand, few] = [await upgradeThousand(world), (await grow(world)).at(-1)];
    return [
      { name: '1,000 tenants', run: async () => thousand.peakBytes },
      { name: `${BATCH} tenants`, run: async () => few?.pending.peakBytes as number },
    ];
  },
};
