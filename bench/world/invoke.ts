import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { MAX_BATCH_SIZE, type Tenant } from '../../lib/contract/tenants';
import type { Database } from './database';
import type { Unpacked } from './packages';
import type { Timed, World } from './world';

export interface Invoked extends Timed {
  /** What the function answered. */
  readonly answer: unknown;
}

/** Invokes a function in a fresh process, which imports its handler from the unpacked zip. */
export async function invoke(world: World, unpacked: Unpacked, { env }: Database): Promise<Invoked> {
  const script = path.join(__dirname, '..', 'python', 'invoke.py');
  const timed = await world.timed({
    command: world.python,
    args: [script, unpacked.root, unpacked.handler],
    cwd: unpacked.root,
    env: { ...unpacked.env, ...env },
  });
  return { ...timed, answer: JSON.parse(timed.stdout.split('\n').at(-1) ?? '') };
}

/** Invokes a function of ours once; it has to find or bring the database to `revision`. */
export async function upgrade(world: World, ours: Unpacked, database: Database, revision: string): Promise<Timed> {
  const invoked = await invoke(world, ours, database);
  const { status, to } = invoked.answer as { status?: string; to?: string[] };
  if (status !== 'complete' || to?.join() !== revision)
    throw new Error(`the function answered ${JSON.stringify(invoked.answer)}`);
  return invoked;
}

/** What bench/python/tenants.py tells: how many tenants are at head, and how many revisions were applied to bring them there. */
export interface InvokedForTenants extends Timed {
  readonly answer: { readonly calls: number; readonly complete: number; readonly applied: number };
}

/** Invokes a function in a fresh process again and again until it has nothing left. */
export async function invokeForTenants(
  world: World,
  unpacked: Unpacked,
  { env }: Database,
  tenants: readonly Tenant[],
): Promise<InvokedForTenants> {
  const list = world.newPath('tenants.json');
  writeFileSync(list, JSON.stringify(tenants));
  const script = path.join(__dirname, '..', 'python', 'tenants.py');
  const timed = await world.timed({
    command: world.python,
    args: [script, unpacked.root, unpacked.handler, list, String(MAX_BATCH_SIZE)],
    cwd: unpacked.root,
    env: { ...unpacked.env, ...env },
  });
  return { ...timed, answer: JSON.parse(timed.stdout.split('\n').at(-1) ?? '') };
}
