import type { BatchCounts, TenantPhase, TenantsProgress } from '../../../client/tenants/progress';
import { cut, displayWidth } from '../../screen/display-width';
import { bar, elapsed } from '../../screen/progress-line';

const PHASES: Readonly<Record<TenantPhase, string>> = {
  listing: 'listing the tenants',
  canaries: 'canaries',
  pause: 'the canaries are done: pausing before the rest',
  approval: 'the canaries are done: waiting for an approval',
  rest: 'tenants',
  summary: 'summarizing',
};

/**
 * The progress of a run in words.
 *
 * @param plan whether the run only reads the tenants
 */
export function progressText(progress: TenantsProgress, plan: boolean): string {
  const batches = batchesOf(progress);
  const phase = plan ? `plan: ${PHASES[progress.phase]}` : PHASES[progress.phase];
  if (!batches) return phase;
  const { total, done, running, failed } = batches;
  const counts = [`${done + failed}/${total} batches`, `${running} running`, ...(failed > 0 ? [`${failed} with failures`] : [])];
  return `${phase}: ${counts.join(', ')}`;
}

/** The progress with a bar, in at most `width` columns. */
export function progressLine(progress: TenantsProgress, plan: boolean, elapsedMs: number, width: number): string {
  const batches = batchesOf(progress);
  const part = batches?.total ? (batches.done + batches.failed) / batches.total : 0;
  const start = `  ${bar(progress.phase === 'summary' ? 1 : part, width)} `;
  const end = `  ${elapsed(elapsedMs)}`;
  const text = cut(progressText(progress, plan), width - displayWidth(start) - end.length);
  return cut(`${start}${text}${end}`, width);
}

function batchesOf({ phase, canaries, rest }: TenantsProgress): BatchCounts | undefined {
  if (phase === 'canaries') return canaries;
  return phase === 'rest' ? rest : undefined;
}
