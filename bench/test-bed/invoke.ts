import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { MAX_BATCH_SIZE, type Tenant } from '../../lib/contract/tenants';
import type { Database } from './database';
import type { Unpacked } from './packages';
import type { TestBed, Timed } from './test-bed';

export interface Invoked extends Timed {
  /** What the function answered. */
  readonly answer: unknown;
}

/** Invokes a function in a fresh process, which imports its handler from the unpacked zip. */
export async function invoke(testBed: TestBed, unpacked: Unpacked, { env }: Database): Promise<Invoked> {
  const script = path.join(__dirname, '..', 'python', 'invoke.py');
  const timed = await testBed.timed({
    command: testBed.python,
    args: [script, unpacked.root, unpacked.handler],
    cwd: unpacked.root,
    env: { ...unpacked.env, ...env },
  });
  return { ...timed, answer: JSON.parse(timed.stdout.split('\n').at(-1) ?? '') };
}

/** Invokes our function once. Afterwards the database must be at `revision`. */
export async function upgrade(testBed: TestBed, ours: Unpacked, database: Database, revision: string): Promise<Timed> {
  const invoked = await invoke(testBed, ours, database);
  const { status, to } = invoked.answer as { status?: string; to?: string[] };
  if (status !== 'complete' || to?.join() !== revision)
    throw new Error(`the function answered ${JSON.stringify(invoked.answer)}`);
  return invoked;
}

/** The output of bench/python/tenants.py: how many tenants are at head, and how many revisions were applied to bring them there. */
export interface InvokedForTenants extends Timed {
  readonly answer: { readonly calls: number; readonly complete: number; readonly applied: number };
}

/** Invokes a function in a fresh process until no tenants are left. */
export async function invokeForTenants(
  testBed: TestBed,
  unpacked: Unpacked,
  { env }: Database,
  tenants: readonly Tenant[],
): Promise<InvokedForTenants> {
  const list = testBed.newPath('tenants.json');
  writeFileSync(list, JSON.stringify(tenants));
  const script = path.join(__dirname, '..', 'python', 'tenants.py');
  const timed = await testBed.timed({
    command: testBed.python,
    args: [script, unpacked.root, unpacked.handler, list, String(MAX_BATCH_SIZE)],
    cwd: unpacked.root,
    env: { ...unpacked.env, ...env },
  });
  return { ...timed, answer: JSON.parse(timed.stdout.split('\n').at(-1) ?? '') };
}
