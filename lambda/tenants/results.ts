import type { Tenant, TenantError, TenantOutcome, Wave } from '../../lib/contract/tenants';
import type { BatchFailure, Part } from './batch';
import { inParallel } from './in-parallel';
import { errorKey, partKey, type Run, runKey, tenantsKey } from './run-files';
import type { Store } from './store';

/** What became of a tenant in a run. */
export interface TenantResult {
  readonly tenant: string;
  readonly status: 'unchanged' | 'migrated' | 'pending' | 'ahead' | 'failed' | 'notStarted';
  /** Where it is; absent: nobody looked. */
  readonly to?: readonly string[];
  /** With `failed`. */
  readonly error?: TenantError;
}

/** What became of a batch. */
export interface BatchResult {
  readonly tenants: readonly TenantResult[];
  readonly parts: readonly Part[];
}

/** What is said of a tenant whose batch left nothing behind. */
const ABORTED: TenantError = {
  code: 'run_aborted',
  message: 'the batch of the tenant did not come to an end, and whether it is migrated is not known',
  next: 'run it again: a tenant that is at head is left alone',
};

/**
 * What became of each batch of a wave.
 *
 * @param allowed whether the wave was begun; 'unknown' after a run was stopped: then it was if it has left anything behind
 */
export async function waveResults(
  store: Store,
  runId: string,
  run: Run,
  wave: Wave,
  allowed: boolean | 'unknown',
): Promise<BatchResult[]> {
  const written = new Set<string>();
  if (allowed) for await (const key of store.keys(`${runKey(runId, wave)}/`)) written.add(key);
  const begun = allowed === 'unknown' ? [...written].some((key) => /\/(\d+|error)\.json$/.test(key)) : allowed;
  const indexes = Array.from({ length: run.waves[wave].batches }, (_, index) => index);
  return inParallel(indexes, async (index): Promise<BatchResult> => {
    const tenants = (await store.get<Tenant[]>(tenantsKey(runId, wave, index))) ?? [];
    if (!begun) return { tenants: tenants.map(({ name }) => ({ tenant: name, status: 'notStarted' })), parts: [] };
    const parts: Part[] = [];
    for (let part = 0; written.has(partKey(runId, wave, index, part)); part++) {
      parts.push((await store.get<Part>(partKey(runId, wave, index, part))) as Part);
    }
    const key = errorKey(runId, wave, index);
    const failure = written.has(key) ? await store.get<BatchFailure>(key) : undefined;
    return { tenants: merge(tenants, parts, failure?.error ?? ABORTED), parts };
  });
}

/** How many tenants of a wave have failed. */
export function failedOf(results: readonly BatchResult[]): number {
  return results.reduce((sum, { tenants }) => sum + tenants.filter(({ status }) => status === 'failed').length, 0);
}

/** A tenant may be in several answers: all that they did counts, and the last one says how it ended. */
function merge(tenants: readonly Tenant[], parts: readonly Part[], unfinished: TenantError): TenantResult[] {
  const outcomes = new Map<string, TenantOutcome>();
  for (const outcome of parts.flatMap((part) => part.outcomes)) {
    const before = outcomes.get(outcome.tenant)?.applied ?? [];
    outcomes.set(outcome.tenant, { ...outcome, applied: [...before, ...outcome.applied] });
  }
  const notStarted = new Set(parts.flatMap((part) => part.notStarted));
  return tenants.map(({ name: tenant }): TenantResult => {
    const outcome = outcomes.get(tenant);
    if (outcome && outcome.status !== 'partial') return ended(outcome);
    if (notStarted.has(tenant)) return { tenant, status: 'notStarted', to: outcome?.to };
    return { tenant, status: 'failed', to: outcome?.to, error: unfinished };
  });
}

function ended({ tenant, status, applied, to, error }: TenantOutcome): TenantResult {
  if (status === 'failed') return { tenant, status, to, error };
  if (status === 'complete') return { tenant, status: applied.length ? 'migrated' : 'unchanged', to };
  return { tenant, status: status as 'pending' | 'ahead', to };
}
