import { CONTRACT_VERSION, type DataLoss, invokeCommand } from '../../../lib/contract';
import type { Stopped } from '../../../lib/contract/coordinator';
import {
  type DriftedTenant,
  MAX_SUMMARY_DRIFTED,
  MAX_SUMMARY_FAILURES,
  type TenantError,
  type TenantFailure,
  type TenantRunSummary,
} from '../../../lib/contract/tenants';
import type { Run } from '../files/run-files';
import type { BatchResult, TenantResult } from './results';

/** Step Functions limits a cause to 32,768 characters. */
const MAX_CHARACTERS = 32_768;
const MAX_TEXT = 600;
const MAX_NAME = 100;
/** The limit for the reason of the run itself. */
const MAX_REASON = 3000;
const MAX_LISTED = 50;
/** Drifted objects of a tenant whose definitions are left out. */
const MAX_OBJECTS = 5;

export interface SummaryOptions {
  readonly appName: string;
  readonly stage: string;
  readonly runId: string;
  readonly detailsUri: string;
  readonly run: Run;
  readonly stopped: Stopped | null;
}

/** The summary of a run, and details that are stored only in the bucket. */
export interface Result {
  readonly summary: TenantRunSummary;
  readonly failures: readonly TenantFailure[];
  readonly drifted: readonly DriftedTenant[];
}

export function summaryOf(results: readonly BatchResult[], options: SummaryOptions): Result {
  const { run, stage, runId, detailsUri } = options;
  const tenants = results.flatMap((result) => result.tenants);
  const count = (status: TenantResult['status']) => tenants.filter((tenant) => tenant.status === status).length;
  const failures = tenants.flatMap(({ tenant, error }): TenantFailure[] => (error ? [{ tenant, error }] : []));
  const drifted = driftedOf(tenants);
  const parts = results.flatMap((result) => result.parts);
  const [failed, notStarted, pending] = [count('failed'), count('notStarted'), count('pending')];
  const tolerated = run.waves.rest.tolerated ?? 0;
  const error = errorOf(options, tenants.length, failed, notStarted, failed > tolerated);
  const warnings = [...run.warnings, ...new Set(parts.flatMap((part) => part.warnings ?? []))];
  if (failed && !error) warnings.push(`${failed} of ${tenants.length} tenants failed, which is tolerated (at most ${tolerated})`);
  const summary: TenantRunSummary = {
    contract: CONTRACT_VERSION,
    command: run.command,
    stage,
    runId,
    status: error ? 'failed' : pending ? 'pending' : 'complete',
    total: tenants.length,
    unchanged: count('unchanged'),
    migrated: count('migrated'),
    pending,
    ahead: count('ahead'),
    failed,
    notStarted,
    heads: parts.find(({ heads }) => heads)?.heads ?? [],
    positions: positionsOf(tenants),
    failures: failures.slice(0, MAX_SUMMARY_FAILURES),
    dataLoss: lossesOf(parts.flatMap(({ dataLoss = [] }) => dataLoss)),
    warnings: warnings.slice(0, MAX_LISTED),
    ...(run.command === 'drift' && { drift: driftOf(tenants, drifted) }),
    protected: parts.some((part) => part.protected),
    detailsUri,
    ...(error && { error }),
  };
  return { summary: shortened(summary), failures, drifted };
}

/** The tenants that drifted, then those that could not be compared. */
function driftedOf(tenants: readonly TenantResult[]): DriftedTenant[] {
  return (['drifted', 'unknown'] as const).flatMap((status) =>
    tenants.flatMap(({ tenant, drift }) => (drift?.status === status ? [{ tenant, ...drift }] : [])),
  );
}

function driftOf(tenants: readonly TenantResult[], drifted: readonly DriftedTenant[]): TenantRunSummary['drift'] {
  const count = (status: DriftedTenant['status']) => tenants.filter(({ drift }) => drift?.status === status).length;
  const counts = { none: count('none'), drifted: count('drifted'), unknown: count('unknown') };
  return { ...counts, tenants: drifted.slice(0, MAX_SUMMARY_DRIFTED) };
}

/** The error of a run whose files do not name all of its tenants. */
export const FILES_MISSING = 'files of the run are missing';

function errorOf(
  { run, appName, stage, stopped }: SummaryOptions,
  total: number,
  failed: number,
  notStarted: number,
  tooMany: boolean,
): TenantRunSummary['error'] {
  if (run.failure) return run.failure;
  const invoke = invokeCommand(appName, stage);
  // Only an upgrade records which tenants failed.
  const rerun = `then run it again: ${invoke} --tenants all --command ${run.command}`;
  const retry = run.command === 'upgrade' ? `then run the failed ones again: ${invoke} --retry-failed` : rerun;
  if (stopped?.Error === 'not_approved') {
    const next = `resolve what prevented the approval, ${retry} (the canaries stay migrated)`;
    return {
      code: 'not_approved',
      message: `${stopped.Cause || 'nobody approved the canaries'}: ${notStarted} tenants were not started`,
      next,
    };
  }
  if (stopped) {
    const reason = [stopped.Error, stopped.Cause].filter(Boolean).join(': ');
    const isKnown = stopped.Error !== FILES_MISSING;
    return {
      code: 'run_aborted',
      message: `the state machine failed: ${cut(reason)}`,
      next: `see the execution's history, ${isKnown ? retry : `then run over all tenants: ${invoke} --tenants all`}`,
    };
  }
  if (!tooMany && !notStarted) return undefined;
  const others = notStarted ? `, and ${notStarted} were not started` : '';
  return {
    code: 'tenants_failed',
    message: `${failed} of ${total} tenants failed${others}`,
    next: `fix the causes, ${retry}`,
  };
}

function positionsOf(tenants: readonly TenantResult[]): TenantRunSummary['positions'] {
  const positions = new Map<string, { revisions: readonly string[]; tenants: number }>();
  for (const { to } of tenants) {
    if (!to) continue;
    const position = positions.get(to.join()) ?? { revisions: to, tenants: 0 };
    position.tenants += 1;
    positions.set(to.join(), position);
  }
  return [...positions.values()].sort((a, b) => b.tenants - a.tenants).slice(0, MAX_LISTED);
}

function lossesOf(losses: readonly DataLoss[]): DataLoss[] {
  const each = new Map(losses.map((loss) => [`${loss.revision} ${loss.what} ${loss.line}`, loss]));
  return [...each.values()].slice(0, MAX_LISTED);
}

/** Shortens the summary to the limit; `detailsUri` has all of it. */
export function shortened({ error, drift, ...summary }: TenantRunSummary): TenantRunSummary {
  const lists = {
    heads: summary.heads.map((revision) => cut(revision, MAX_NAME)),
    failures: summary.failures.map((failure) => ({ tenant: cut(failure.tenant, MAX_NAME), error: shortError(failure.error) })),
    positions: summary.positions.map(({ revisions, tenants }) => ({
      revisions: revisions.map((revision) => cut(revision, MAX_NAME)),
      tenants,
    })),
    dataLoss: summary.dataLoss.map((loss) => ({ ...loss, what: cut(loss.what) })),
    warnings: summary.warnings.map((warning) => cut(warning)),
    drifted: [...(drift?.tenants ?? [])],
  };
  const build = (): TenantRunSummary => {
    const { drifted, ...others } = lists;
    return {
      ...summary,
      ...others,
      ...(drift && { drift: { ...drift, tenants: drifted } }),
      ...(error && { error: { ...error, message: cut(error.message, MAX_REASON), next: cut(error.next) } }),
    };
  };
  // All tenants without definitions are more useful than some with them.
  if (JSON.stringify(build()).length > MAX_CHARACTERS) lists.drifted = lists.drifted.map(withoutDefinitions);
  while (JSON.stringify(build()).length > MAX_CHARACTERS) {
    const longest = Object.values(lists).reduce((a, b) => (JSON.stringify(a).length > JSON.stringify(b).length ? a : b));
    // Everything else is limited, so the summary fits.
    if (!longest.length) break;
    longest.length = Math.floor(longest.length / 2);
  }
  return build();
}

function withoutDefinitions({ objects, reason, ...drift }: DriftedTenant): DriftedTenant {
  const named = objects.slice(0, MAX_OBJECTS).map(({ change, object }) => ({ change, object: cut(object, MAX_NAME) }));
  return { ...drift, ...(reason && { reason: cut(reason) }), objects: named };
}

function shortError({ code, message, next, revision, sqlState, statement }: TenantError): TenantError {
  return {
    code,
    message: cut(message),
    next: cut(next),
    ...(revision && { revision: cut(revision, MAX_NAME) }),
    sqlState,
    ...(statement && { statement: cut(statement) }),
  };
}

function cut(text: string, length = MAX_TEXT): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
