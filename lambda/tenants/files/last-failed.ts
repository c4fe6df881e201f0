import { DamagedFile, type Store } from './store';

export const LAST_FAILED_KEY = 'last-failed.json';

/** Milliseconds since the epoch. */
type At = number;

/** `last-failed.json`: the tenants that failed in their last upgrade, and those that it did not begin. */
export interface LastFailed {
  readonly failed: { readonly [tenant: string]: At };
  /** Tenants that went to head in a run over some of them: a run that looked at them earlier may end later. */
  readonly settled: { readonly [tenant: string]: At };
  /** When the last run over all tenants began. A tenant that is not listed was at head then, or is none any more. */
  readonly allSince: At;
}

/** What a run found about a tenant. */
export interface Verdict {
  readonly tenant: string;
  readonly failed: boolean;
  readonly at: At;
}

export interface Verdicts {
  /** When the run began. */
  readonly since: At;
  /** Whether it was about all tenants. */
  readonly all: boolean;
  readonly of: readonly Verdict[];
}

const NOTHING: LastFailed = { failed: {}, settled: {}, allSince: 0 };

/** Of each tenant the newest verdict counts, whichever run ends first. */
export function merge(before: LastFailed, { since, all, of }: Verdicts): LastFailed {
  const failed = new Map(Object.entries(before.failed));
  const settled = new Map(Object.entries(before.settled));
  for (const { tenant, failed: hasFailed, at } of of) {
    const known = failed.get(tenant) ?? settled.get(tenant) ?? before.allSince;
    if (at < known) continue;
    failed.delete(tenant);
    settled.delete(tenant);
    if (hasFailed) failed.set(tenant, at);
    // After a run over all tenants, one that is not listed is at head.
    else if (!all) settled.set(tenant, at);
  }
  const allSince = all ? Math.max(before.allSince, since) : before.allSince;
  const recent = (verdicts: Map<string, At>) => Object.fromEntries([...verdicts].filter(([, at]) => at >= allSince).sort());
  return { failed: recent(failed), settled: recent(settled), allSince };
}

/** Adds what a run found. Throws DamagedFile when only a run over all tenants can replace what is there. */
export async function rememberFailed(store: Store, verdicts: Verdicts): Promise<void> {
  await store.update<LastFailed>(LAST_FAILED_KEY, (before = NOTHING) => {
    const damage = before instanceof DamagedFile ? before : damageOf(store, before);
    if (damage && !verdicts.all) throw damage;
    return merge(damage ? NOTHING : (before as LastFailed), verdicts);
  });
}

/** The names of those that failed last. Throws DamagedFile. */
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
