import { DamagedFile, type Store } from './store';

const LAST_FAILED_KEY = 'last-failed.json';

/** Milliseconds since the epoch. */
type At = number;

/** `last-failed.json`: the tenants that failed in their last upgrade, or were not started in it. */
export interface LastFailed {
  readonly failed: { readonly [tenant: string]: At };
  /** When each tenant reached head in a run over some tenants: an older run may end later. */
  readonly settled: { readonly [tenant: string]: At };
  /** When the last run over all tenants started. A tenant that is not listed was at head then, or no longer exists. */
  readonly allSince: At;
}

/** A run's result for a tenant. */
export interface Verdict {
  readonly tenant: string;
  readonly failed: boolean;
  readonly at: At;
}

export interface Verdicts {
  /** When the run started. */
  readonly since: At;
  /** Whether the run covered all tenants. */
  readonly all: boolean;
  readonly of: readonly Verdict[];
}

const NOTHING: LastFailed = { failed: {}, settled: {}, allSince: 0 };

/**
 * Merges verdicts. For each tenant the newest one counts, whichever run ends first, with one exception: the successes of a run over
 * all tenants are not stored. A failure that another run recorded after its start therefore stays, even if this run migrated the
 * tenant later. The next retry finds that tenant at head.
 */
export function merge(before: LastFailed, { since, all, of }: Verdicts): LastFailed {
  const failed = new Map(Object.entries(before.failed));
  const settled = new Map(Object.entries(before.settled));
  for (const { tenant, failed: hasFailed, at } of of) {
    const lastAt = failed.get(tenant) ?? settled.get(tenant) ?? before.allSince;
    if (at < lastAt) continue;
    failed.delete(tenant);
    settled.delete(tenant);
    if (hasFailed) failed.set(tenant, at);
    // After a run over all tenants, an unlisted tenant is at head.
    else if (!all) settled.set(tenant, at);
  }
  const allSince = all ? Math.max(before.allSince, since) : before.allSince;
  const recent = (verdicts: Map<string, At>) => Object.fromEntries([...verdicts].filter(([, at]) => at >= allSince).sort());
  return { failed: recent(failed), settled: recent(settled), allSince };
}

/** Adds a run's results. Throws DamagedFile when only a run over all tenants can replace a damaged file. */
export async function rememberFailed(store: Store, verdicts: Verdicts): Promise<void> {
  await store.update<LastFailed>(LAST_FAILED_KEY, (before = NOTHING) => {
    const damage = before instanceof DamagedFile ? before : damageOf(store, before);
    if (damage && !verdicts.all) throw damage;
    return merge(damage ? NOTHING : (before as LastFailed), verdicts);
  });
}

/** The names of the tenants that failed last. Throws DamagedFile. */
export async function lastFailed(store: Store): Promise<string[]> {
  const found = await store.get<LastFailed>(LAST_FAILED_KEY);
  if (found === undefined) return [];
  const damage = damageOf(store, found);
  if (damage) throw damage;
  return Object.keys(found.failed);
}

function damageOf(store: Store, found: LastFailed): DamagedFile | undefined {
  const areTimes = (of: unknown) =>
    typeof of === 'object' && of !== null && Object.values(of).every((at) => typeof at === 'number');
  const { failed, settled, allSince } = found ?? {};
  if (areTimes(failed) && areTimes(settled) && typeof allSince === 'number') return undefined;
  return new DamagedFile(`s3://${store.bucket}/${LAST_FAILED_KEY} does not hold what this version writes`);
}
