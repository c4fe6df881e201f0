import type { Row } from '../../row';
import type { TestBed, Timed } from '../../test-bed/test-bed';
import { spread, tenantRuns } from './runs';

/** From few to many; the last is the row's own. */
const SIZES = [100, 1000, 10_000];

/** This many of each size are migrated, because 10,000 would take as long as the whole bench. */
const BATCH = 50;

interface Grown {
  readonly name: string;
  readonly count: number;
  /** Finds all of them at head. */
  readonly unchanged: Timed;
  /** Brings {@link BATCH} of them to head. */
  readonly pending: Timed;
}

/** Every size once, for all rows: the tenants of the largest are expensive to make. */
function grow(testBed: TestBed): Promise<readonly Grown[]> {
  return testBed.once('tenants-growth', async () => {
    const { create, setBack, ours } = await tenantRuns(testBed);
    const grown: Grown[] = [];
    for (const count of SIZES) {
      const tenants = await create(count, 'at head');
      const unchanged = await ours(tenants, 0);
      const batch = spread(tenants.all, BATCH);
      await setBack(tenants, batch);
      const pending = await ours(tenants, BATCH, batch);
      grown.unshift({ name: `${count.toLocaleString('en')} tenants`, count, unchanged, pending });
      await tenants.database.drop();
    }
    return grown;
  });
}

/** A row of what every size came to. */
export function growth(row: Pick<Row, 'name' | 'title' | 'unit' | 'goals'>, value: (grown: Grown) => number): Row {
  return {
    ...row,
    runs: 1,
    warmUp: false,
    async prepare(testBed) {
      const [most, ...fewer] = (await grow(testBed)).map((grown) => ({ name: grown.name, run: async () => value(grown) }));
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
    title: `growth with one pending revision each, per tenant (${BATCH} of them)`,
    unit: 'ms',
    goals: [{ atMostTimes: 1.2, of: '100 tenants' }],
  },
  ({ pending }) => pending.ms / BATCH,
);
