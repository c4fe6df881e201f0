import type { CoordinatorSettings, Stopped, Summarized } from '../../../lib/contract/coordinator';
import { rememberFailed, type Verdict } from '../files/last-failed';
import { type Run, runKey } from '../files/run-files';
import { DamagedFile, type Store } from '../files/store';
import { canariesFailed } from './judge';
import { type BatchResult, waveResults } from './results';
import { FILES_MISSING, summaryOf } from './summary';

const NEVER_LISTED: Run = {
  command: 'upgrade',
  allow: undefined,
  requestedBy: 'invoke',
  startedAt: 0,
  all: false,
  waves: { canary: { tenants: 0, batches: 0 }, rest: { tenants: 0, batches: 0 } },
  warnings: [],
};

/** Reads the results of all batches, and judges the run. */
export async function summarize(
  { appName, stage }: CoordinatorSettings,
  store: Store,
  runId: string,
  stopped: Stopped | null,
): Promise<Summarized> {
  const found = await store.get<Run>(runKey(runId, 'run.json'));
  const run = found ?? NEVER_LISTED;
  const results = await allResults(store, runId, run, stopped);
  const missing = found ? missingTenants(run, results) : 'run.json is missing';
  const reason = stopped ?? (missing ? { Error: FILES_MISSING, Cause: missing } : null);
  // Tenants whose file is missing have no verdict: their last one stays.
  const judged = { ...run, all: run.all && !missing };
  const warnings = run.command === 'upgrade' && !run.failure ? await remember(store, judged, results) : [];
  const detailsUri = `s3://${store.bucket}/${runKey(runId)}/`;
  const reported = { ...run, warnings: [...run.warnings, ...warnings] };
  const { summary, failures, drifted } = summaryOf(results, {
    appName,
    stage,
    runId,
    detailsUri,
    run: reported,
    stopped: reason,
  });
  await store.put(runKey(runId, 'failures.json'), failures);
  if (run.command === 'drift') await store.put(runKey(runId, 'drift.json'), drifted);
  await store.put(runKey(runId, 'summary.json'), summary);
  const { status, error } = summary;
  return { status, summary, error: error?.code ?? '', cause: error ? JSON.stringify(summary) : '' };
}

async function allResults(store: Store, runId: string, run: Run, stopped: Stopped | null): Promise<BatchResult[]> {
  const started = stopped ? 'unknown' : true;
  const canary = await waveResults(store, runId, run, 'canary', started);
  const restStarted = stopped?.Error !== 'not_approved' && !canariesFailed(run, canary) && started;
  return [...canary, ...(await waveResults(store, runId, run, 'rest', restStarted))];
}

function missingTenants({ waves }: Run, results: readonly BatchResult[]): string | undefined {
  const listed = waves.canary.tenants + waves.rest.tenants;
  const found = results.reduce((sum, { tenants }) => sum + tenants.length, 0);
  return found === listed ? undefined : `${listed} tenants were listed, but the batches' files contain ${found}`;
}

/** Stores which tenants failed, for a later run. Returns warnings. */
async function remember(store: Store, run: Run, results: readonly BatchResult[]): Promise<string[]> {
  const of = results.flatMap(({ tenants }) =>
    tenants.map(({ tenant, status, at = run.startedAt }): Verdict => {
      return { tenant, failed: status === 'failed' || status === 'notStarted', at };
    }),
  );
  try {
    await rememberFailed(store, { since: run.startedAt, all: run.all, of });
    return [];
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    return [`${error.message}; a run over all tenants rewrites it`];
  }
}
