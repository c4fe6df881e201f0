import type { Row } from '../row';
import type { Timed, World } from '../world/world';
import { tenantRuns } from './tenants';

/** From few to many; the last is the row's own. */
const SIZES = [100, 1000, 10_000];

interface Grown {
  readonly count: number;
  /** One process that brings all of them to head, and one that finds them there. */
  readonly pending: Timed;
  readonly unchanged: Timed;
}

/** Every size once, for all rows: the tenants of the largest are expensive to make. */
function grow(world: World): Promise<readonly Grown[]> {
  return world.once('tenants-growth', async () => {
    const { create, ours } = await tenantRuns(world);
    const grown: Grown[] = [];
    for (const count of SIZES) {
      const tenants = await create(count);
      grown.unshift({ count, pending: await ours(tenants, count), unchanged: await ours(tenants, 0) });
      await tenants.database.drop();
    }
    return grown;
  });
}

function growth(row: Pick<Row, 'name' | 'title' | 'unit' | 'goals'>, value: (grown: Grown) => number): Row {
  return {
    ...row,
    runs: 1,
    warmUp: false,
    async prepare(world) {
      const [most, ...fewer] = (await grow(world)).map((grown) => ({
        name: `${grown.count.toLocaleString('en')} tenants`,
        run: async () => value(grown),
      }));
      if (!most) throw new Error('nothing was measured');
      return [most, ...fewer];
    },
  };
}

export const tenantsGrowth = growth(
  {
    name: 'tenants-growth',
    title: 'growth with nothing to do, per tenant',
    unit: 'ms',
    goals: [{ atMostTimes: 1.2, of: '1,000 tenants' }],
  },
  ({ unchanged, count }) => unchanged.ms / count,
);

export const tenantsGrowthPending = growth(
  {
    name: 'tenants-growth-pending',
    title: 'growth with one pending revision each, per tenant',
    unit: 'ms',
    goals: [{ atMostTimes: 1.2, of: '1,000 tenants' }],
  },
  ({ pending, count }) => pending.ms / count,
);

export const tenantsMemory = growth(
  {
    name: 'tenants-memory',
    title: 'memory with one pending revision for each tenant: peak of the process',
    unit: 'bytes',
    goals: [{ atMostTimes: 1.1, of: '100 tenants' }],
  },
  ({ pending }) => pending.peakBytes,
);
