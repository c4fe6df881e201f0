import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { MAX_BATCH_SIZE } from '../../lib/tenant-contract';
import { ourPackage } from '../world/packages';
import { createTenants, type Tenants, tenantBackend } from '../world/tenants';
import { virtualEnvironment } from '../world/virtual-environment';
import type { Timed, World } from '../world/world';

export const TENANTS = 1000;

/** The loop is measured at so many tenants: at a thousand it would take over ten minutes. */
export const SAMPLE = 10;

/** Name of the variant that everybody has today. */
export const LOOP = 'a loop of alembic upgrade head';

/** The ways to bring tenants to head; all of them look at every version table afterwards. */
export interface TenantRuns {
  /** So many tenants, all of which lack one revision. */
  create(count: number): Promise<Tenants>;
  /** Brings all of them to head in one process, which applies so many revisions. */
  ours(tenants: Tenants, revisions: number): Promise<Timed>;
  /** `alembic -x tenant=... upgrade head` for a few of them, one process after the other; then so many are at head. Milliseconds per tenant. */
  loop(tenants: Tenants, atHead: number): Promise<number>;
}

export function tenantRuns(world: World): Promise<TenantRuns> {
  return world.once('tenant-runs', async (directory) => {
    const backend = await tenantBackend(world);
    const ours = await ourPackage(world, backend, { tenants: {} });
    const alembic = path.join(await virtualEnvironment(world, backend), 'alembic');
    return {
      create: (count) => createTenants(world, backend, count),
      async ours({ database, all, expectAt }, revisions) {
        const list = `${directory}-${database.name}.json`;
        writeFileSync(list, JSON.stringify(all));
        const script = path.join(__dirname, '..', 'python', 'tenants.py');
        const timed = await world.timed({
          command: world.python,
          args: [script, ours.root, ours.handler, list, String(MAX_BATCH_SIZE)],
          cwd: ours.root,
          env: { ...ours.env, ...database.env },
        });
        const told = JSON.parse(timed.stdout.split('\n').at(-1) ?? '');
        if (told.complete !== all.length || told.applied !== revisions) throw new Error(`the function told ${timed.stdout}`);
        await expectAt(backend.head, all.length);
        return timed;
      },
      async loop({ database, all, expectAt }, atHead) {
        let total = 0;
        for (const { name } of some(all)) {
          const args = ['-x', `tenant=${name}`, 'upgrade', 'head'];
          total += (await world.timed({ command: alembic, args, cwd: backend.directory, env: database.env })).ms;
        }
        await expectAt(backend.head, atHead);
        return total / SAMPLE;
      },
    };
  });
}

/** Evenly from all of them. */
function some<T>(all: readonly T[]): T[] {
  return Array.from({ length: SAMPLE }, (_, index) => all[Math.floor((index * all.length) / SAMPLE)] as T);
}
