import type { CoordinatorSettings, Stopped, Summarized } from '../../lib/contract/coordinator';
import { canariesFailed } from './judge';
import { type BatchResult, waveResults } from './results';
import { LAST_FAILED_KEY, type LastFailed, type Run, runKey } from './run-files';
import type { Store } from './store';
import { type Result, summaryOf } from './summary';

const NEVER_LISTED: Run = {
  command: 'upgrade',
  allow: undefined,
  requestedBy: 'invoke',
  all: false,
  waves: { canary: { tenants: 0, batches: 0 }, rest: { tenants: 0, batches: 0 } },
  warnings: [],
};

/** Reads the results of all batches, and judges the run. */
export async function summarize(
  { stage }: CoordinatorSettings,
  store: Store,
  runId: string,
  stopped: Stopped | null,
): Promise<Summarized> {
  const run = (await store.get<Run>(runKey(runId, 'run.json'))) ?? NEVER_LISTED;
  const results = await allResults(store, runId, run, stopped);
  const detailsUri = `s3://${store.bucket}/${runKey(runId)}/`;
  const result = summaryOf(results, { stage, runId, detailsUri, run, stopped });
  const { summary, failures } = result;
  await store.put(runKey(runId, 'failures.json'), failures);
  await store.put(runKey(runId, 'summary.json'), summary);
  if (run.command === 'upgrade' && !run.failure) await rememberFailed(store, runId, run, result);
  const { status, error } = summary;
  return { status, summary, error: error?.code ?? '', cause: error ? JSON.stringify(summary) : '' };
}

async function allResults(store: Store, runId: string, run: Run, stopped: Stopped | null): Promise<BatchResult[]> {
  const started = stopped ? 'unknown' : true;
  const canary = await waveResults(store, runId, run, 'canary', started);
  const restStarted = stopped?.Error !== 'not_approved' && !canariesFailed(run, canary) && started;
  return [...canary, ...(await waveResults(store, runId, run, 'rest', restStarted))];
}

/** A run over some tenants does not change the others' entries. */
async function rememberFailed(store: Store, runId: string, run: Run, { failedOrNotStarted, done }: Result): Promise<void> {
  const before = run.all ? [] : ((await store.get<LastFailed>(LAST_FAILED_KEY))?.tenants ?? []);
  const settled = new Set(done);
  const tenants = [...new Set([...before.filter((name) => !settled.has(name)), ...failedOrNotStarted])].sort();
  await store.put(LAST_FAILED_KEY, { runId, tenants } satisfies LastFailed);
}
