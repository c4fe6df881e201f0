import { createHash } from 'node:crypto';
import type { CanarySettings, ToleranceSettings } from '../../../lib/contract/coordinator';
import type { Tenant } from '../../../lib/contract/tenants';

/**
 * Step Functions collects the outputs of all batches in the map's output, which is limited to 256 KB. More tenants make larger
 * batches.
 */
const MAX_BATCHES = 10_000;

/** Divides the tenants into canaries and the others. */
export function divide(tenants: readonly Tenant[], canary: CanarySettings | undefined): { canary: Tenant[]; rest: Tenant[] } {
  if (!canary) return { canary: [], rest: [...tenants] };
  const first = new Set('names' in canary ? canary.names : share(tenants, canary.percent));
  const waves = { canary: tenants.filter(({ name }) => first.has(name)), rest: tenants.filter(({ name }) => !first.has(name)) };
  // No tenants are left to benefit from canaries.
  return waves.rest.length ? waves : { canary: [], rest: waves.canary };
}

/** Picks the same tenants in every run, independent of their names and of when they became customers. */
function share(tenants: readonly Tenant[], percent: number): string[] {
  const ranked = tenants.map(({ name }) => ({ name, rank: createHash('sha256').update(name).digest('hex') }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return ranked.slice(0, Math.ceil((tenants.length * percent) / 100)).map(({ name }) => name);
}

export function batches(tenants: readonly Tenant[], batchSize: number): Tenant[][] {
  const size = Math.max(batchSize, Math.ceil(tenants.length / MAX_BATCHES));
  return Array.from({ length: Math.ceil(tenants.length / size) }, (_, index) => tenants.slice(index * size, (index + 1) * size));
}

/** How many of these tenants may fail; undefined: every tenant is tried. */
export function toleratedOf(tenants: number, tolerated: ToleranceSettings | undefined): number | undefined {
  if (!tolerated) return undefined;
  const { count = Number.POSITIVE_INFINITY, percent = 100 } = tolerated;
  return Math.min(count, Math.floor((tenants * percent) / 100));
}
