import type { Tenant } from '../../../lib/contract/tenants';
import { invokeForTenants } from '../../test-bed/invoke';
import { ourPackage } from '../../test-bed/packages';
import { alembicForTenants, createTenants, setBack, type Tenants, tenantBackend } from '../../test-bed/tenants';
import type { TestBed, Timed } from '../../test-bed/test-bed';

export const TENANTS = 1000;

/** The loop is measured with this many tenants: a thousand would take over ten minutes. */
export const SAMPLE = 10;

/** Name of the variant that everybody has today. */
export const LOOP = 'a loop of alembic upgrade head';

/** The ways to bring tenants to head; all of them look at every version table afterwards. */
export interface TenantRuns {
  /** This many tenants, all at head or all one revision behind. */
  create(count: number, where: 'at head' | 'behind'): Promise<Tenants>;
  /** Takes some of the tenants that are at head one revision back. */
  setBack(tenants: Tenants, some: readonly Tenant[]): Promise<void>;
  /** Brings some to head in one process, which applies this many revisions. */
  ours(tenants: Tenants, revisions: number, some?: readonly Tenant[]): Promise<Timed>;
  /** `alembic -x tenant=... upgrade head` for a few of them, one process each. Milliseconds per tenant. */
  loop(tenants: Tenants, atHead: number): Promise<number>;
}

export function tenantRuns(testBed: TestBed): Promise<TenantRuns> {
  return testBed.once('tenant-runs', async () => {
    const backend = await tenantBackend(testBed);
    const unpacked = await ourPackage(testBed, backend, { tenants: {} });
    const alembic = await alembicForTenants(testBed, backend);
    return {
      create: (count, where) => createTenants(testBed, backend, count, where === 'behind' ? backend.before : backend.head),
      setBack: (tenants, some) => setBack(testBed, backend, tenants, some),
      async ours({ database, all, expectAt }, revisions, some = all) {
        const invoked = await invokeForTenants(testBed, unpacked, database, some);
        const { complete, applied } = invoked.answer;
        if (complete !== some.length || applied !== revisions) throw new Error(`the function told ${invoked.stdout}`);
        await expectAt(backend.head, all.length);
        return invoked;
      },
      async loop({ database, all, expectAt }, atHead) {
        const sample = spread(all, Math.min(SAMPLE, all.length));
        let total = 0;
        for (const { name } of sample) {
          const args = ['-x', `tenant=${name}`, 'upgrade', 'head'];
          total += (await testBed.timed({ command: alembic, args, cwd: backend.directory, env: database.env })).ms;
        }
        await expectAt(backend.head, atHead);
        return total / sample.length;
      },
    };
  });
}

/** This many, evenly spread over all of them. */
export function spread<T>(all: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, index) => all[Math.floor((index * all.length) / count)] as T);
}
