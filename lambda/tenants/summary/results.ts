import type { Tenant, TenantDrift, TenantError, TenantOutcome, Wave } from '../../../lib/contract/tenants';
import type { BatchFailure, Part } from '../batch/batch';
import { inParallel } from '../files/in-parallel';
import { errorKey, partKey, type Run, runKey, tenantsKey } from '../files/run-files';
import type { Store } from '../files/store';

/** The result of a tenant in a run. */
export interface TenantResult {
  readonly tenant: string;
  readonly status: 'unchanged' | 'migrated' | 'pending' | 'ahead' | 'failed' | 'notStarted';
  /** Its revisions; absent: they were not read, or could not be determined. */
  readonly to?: readonly string[];
  /** When `to` was read, in milliseconds since the epoch; absent: the tenant was not started. */
  readonly at?: number;
  /** Present after the command `drift`, unless it failed. */
  readonly drift?: TenantDrift;
  /** Present with `failed`. */
  readonly error?: TenantError;
}

/** The result of a batch. */
export interface BatchResult {
  readonly tenants: readonly TenantResult[];
  readonly parts: readonly Part[];
}

/** The error of tenants whose batch stored no result. */
const ABORTED: TenantError = {
  code: 'run_aborted',
  message: "the tenant's batch did not finish, and its state is unknown",
  next: 'run it again: a tenant at head is skipped',
};

/**
 * The results of a wave's batches.
 *
 * @param allowed whether the wave was started; 'unknown' after a stopped run: it was started if it stored anything
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
  const started = allowed === 'unknown' ? [...written].some((key) => /\/(\d+|error)\.json$/.test(key)) : allowed;
  const indexes = Array.from({ length: run.waves[wave].batches }, (_, index) => index);
  return inParallel(indexes, async (index): Promise<BatchResult> => {
    // The number of tenants shows a missing file.
    const tenants = (await store.get<Tenant[]>(tenantsKey(runId, wave, index))) ?? [];
    if (!started) return { tenants: tenants.map(({ name }) => ({ tenant: name, status: 'notStarted' })), parts: [] };
    const parts: Part[] = [];
    for (let part = 0; written.has(partKey(runId, wave, index, part)); part++) {
      parts.push((await store.get<Part>(partKey(runId, wave, index, part))) as Part);
    }
    const key = errorKey(runId, wave, index);
    const failure = written.has(key) ? await store.get<BatchFailure>(key) : undefined;
    return { tenants: merge(tenants, parts, failure ?? { error: ABORTED, endedAt: Date.now() }), parts };
  });
}

/** Number of failed tenants in a wave. */
export function failedOf(results: readonly BatchResult[]): number {
  return results.reduce((sum, { tenants }) => sum + tenants.filter(({ status }) => status === 'failed').length, 0);
}

/** A tenant may be in several answers: all applied revisions count, and the last answer has the final status. */
function merge(tenants: readonly Tenant[], parts: readonly Part[], { error, endedAt }: BatchFailure): TenantResult[] {
  const outcomes = new Map<string, TenantOutcome & { readonly at: number }>();
  for (const part of parts) {
    for (const outcome of part.outcomes) {
      const before = outcomes.get(outcome.tenant)?.applied ?? [];
      outcomes.set(outcome.tenant, { ...outcome, applied: [...before, ...outcome.applied], at: part.endedAt });
    }
  }
  const notStarted = new Set(parts.flatMap((part) => part.notStarted));
  return tenants.map(({ name: tenant }): TenantResult => {
    const outcome = outcomes.get(tenant);
    if (outcome && outcome.status !== 'partial') return { ...ended(outcome), at: outcome.at };
    if (notStarted.has(tenant)) return { tenant, status: 'notStarted', to: outcome?.to };
    return { tenant, status: 'failed', to: outcome?.to, error, at: endedAt };
  });
}

function ended(outcome: TenantOutcome): TenantResult {
  const { tenant, status, applied, to } = outcome;
  if (status === 'failed') return { tenant, status, to, error: outcome.error };
  const { drift } = outcome;
  if (status === 'complete') return { tenant, status: applied.length ? 'migrated' : 'unchanged', to, drift };
  return { tenant, status: status as 'pending' | 'ahead', to, drift };
}
