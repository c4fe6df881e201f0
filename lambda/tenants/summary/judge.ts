import type { CoordinatorSettings, Judged } from '../../../lib/contract/coordinator';
import { type Run, readRun } from '../files/run-files';
import type { Store } from '../files/store';
import { type BatchResult, failedOf, waveResults } from './results';

/** Decides whether the rest may follow the canaries. */
export async function judge({ canary }: CoordinatorSettings, store: Store, runId: string): Promise<Judged> {
  const run = await readRun(store, runId);
  const results = await waveResults(store, runId, run, 'canary', true);
  return { next: canariesFailed(run, results) ? 'summarize' : (canary?.after ?? 'pause') };
}

/** Whether a canary has no result, or more of them failed than are tolerated; without a tolerance, whether any failed. */
export function canariesFailed({ waves: { canary } }: Run, results: readonly BatchResult[]): boolean {
  const found = results.reduce((sum, { tenants }) => sum + tenants.length, 0);
  return found < canary.tenants || failedOf(results) > (canary.tolerated ?? 0);
}
