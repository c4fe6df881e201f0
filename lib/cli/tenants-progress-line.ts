import type { BatchCounts, TenantPhase, TenantsProgress } from '../client/tenants-progress';
import { cut } from './display-width';
import { bar, elapsed } from './progress-line';

const PHASES: Readonly<Record<TenantPhase, string>> = {
  listing: 'listing the tenants',
  canaries: 'canaries',
  pause: 'the canaries are done: pausing before the rest',
  approval: 'the canaries are done: waiting for an approval',
  rest: 'tenants',
  summary: 'summing up',
};

/** How far a run is, in words. */
export function tenantsProgressText(progress: TenantsProgress): string {
  const batches = batchesOf(progress);
  if (!batches) return PHASES[progress.phase];
  const { total, done, running, failed } = batches;
  const told = [`${done + failed}/${total} batches`, `${running} running`, ...(failed > 0 ? [`${failed} with failures`] : [])];
  return `${PHASES[progress.phase]}: ${told.join(', ')}`;
}

/** The same with a bar, in at most `width` columns. */
export function tenantsProgressLine(progress: TenantsProgress, elapsedMs: number, width: number): string {
  const batches = batchesOf(progress);
  const part = batches?.total ? (batches.done + batches.failed) / batches.total : 0;
  return cut(
    `  ${bar(progress.phase === 'summary' ? 1 : part, width)} ${tenantsProgressText(progress)}  ${elapsed(elapsedMs)}`,
    width,
  );
}

function batchesOf({ phase, canaries, rest }: TenantsProgress): BatchCounts | undefined {
  if (phase === 'canaries') return canaries;
  return phase === 'rest' ? rest : undefined;
}
