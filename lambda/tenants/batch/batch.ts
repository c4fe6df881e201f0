import { RUN_ID } from '../../../lib/contract';
import { valueProblems } from '../../../lib/contract/checks/rules';
import type { BatchProgress, BatchState, CoordinatorSettings } from '../../../lib/contract/coordinator';
import { MigrateError } from '../../../lib/contract/failure';
import type { Tenant, TenantAnswer, TenantError, TenantRequest } from '../../../lib/contract/tenants';
import { log } from '../../on-deploy/log';
import { errorKey, partKey, type Run, readRun, runKey, tenantsKey } from '../files/run-files';
import type { Store } from '../files/store';
import { accountsFor } from './accounts';
import { callWorker } from './worker';

/** Keeps the worker's calls short; a longer revision still finishes. */
const SLICE_SECONDS = 300;

/** The stored result of one worker call. */
export type Part = Pick<TenantAnswer, 'outcomes' | 'left' | 'notStarted'> &
  Partial<TenantAnswer> & {
    /** When it was written, in milliseconds since the epoch. */
    readonly endedAt: number;
  };

/** `error.json`: a worker call failed as a whole, and all its tenants with it. */
export interface BatchFailure {
  readonly error: TenantError;
  /** When it was written, in milliseconds since the epoch. */
  readonly endedAt: number;
}

/** Nothing has started: the state machine retries after a pause. Its Retry uses this name. */
export class WorkerNotReady extends Error {
  override readonly name = 'WorkerNotReady';
}

/** Calls the worker once for a batch. If this call was already made, returns its stored result. */
export async function batch(settings: CoordinatorSettings, store: Store, state: BatchState): Promise<BatchProgress> {
  const { runId, wave, index, part } = state;
  const stored = await store.get<Part>(partKey(runId, wave, index, part));
  if (stored) return ended(store, state, stored);
  const tenants = await tenantsOf(store, state);
  if (await store.get<BatchFailure>(errorKey(runId, wave, index))) return failedBatch(store, state, tenants);

  const run = await readRun(store, runId);
  const { tolerated, batches } = run.waves[wave];
  const remaining = tolerated === undefined ? undefined : tolerated - (await failedSoFar(store, runId));
  if (remaining !== undefined && remaining < 0) {
    return record(store, state, { outcomes: [], left: [], notStarted: names(tenants) });
  }
  // Concurrent workers share the remaining failures. Together they exceed them by at most one failure per worker.
  const share = remaining === undefined ? undefined : Math.floor(remaining / Math.min(settings.concurrency, batches));
  try {
    const answer = await askWorker(settings.worker, request(run, runId, tenants, share), tenants);
    const mayContinue = tolerated !== undefined && (await isTolerated(store, runId, answer, tolerated));
    return await record(store, state, mayContinue ? withWaiting(answer, tenants) : answer);
  } catch (error) {
    if (!(error instanceof MigrateError)) throw error;
    if (error.code === 'throttled' || error.code === 'function_not_ready') throw new WorkerNotReady(error.message);
    return fail(store, state, error, tenants);
  }
}

/** The worker's answer. Throws MigrateError `unexpected_answer` if it is incomplete or made no progress. */
async function askWorker(worker: string, question: TenantRequest, tenants: readonly Tenant[]): Promise<TenantAnswer> {
  const answer = (await callWorker(worker, question)) as TenantAnswer;
  if (!accountsFor(answer, tenants)) throw new MigrateError('unexpected_answer', ...miscounted(worker));
  if (stoodStill(answer, tenants)) throw new MigrateError('unexpected_answer', ...standstill(worker, tenants.length));
  return answer;
}

/** Whether a worker that used up its share may continue, because all workers together are within the tolerance. */
async function isTolerated(store: Store, runId: string, answer: TenantAnswer, tolerated: number): Promise<boolean> {
  // A worker that stopped without an outcome would do the same forever.
  if (!answer.notStarted.length || !answer.outcomes.length) return false;
  return (await failedSoFar(store, runId)) + answer.failed <= tolerated;
}

/** The answer with the tenants that were not started among those that are left. */
function withWaiting(answer: TenantAnswer, tenants: readonly Tenant[]): TenantAnswer {
  const waiting = new Set([...answer.notStarted, ...names(answer.left)]);
  return { ...answer, left: tenants.filter(({ name }) => waiting.has(name)), notStarted: [] };
}

function request(run: Run, runId: string, tenants: readonly Tenant[], toleratedFailures: number | undefined): TenantRequest {
  const { command, allow, requestedBy } = run;
  if (command === 'plan') return { command, tenants, runId };
  const common = { command, tenants, requestedBy, ...(allow && { allow }) };
  if (command === 'drift') return valueProblems(RUN_ID, runId).length ? common : { ...common, runId };
  return {
    ...common,
    runId,
    sliceSeconds: SLICE_SECONDS,
    ...(toleratedFailures !== undefined && { toleratedFailures }),
  };
}

/** Whether a worker made no progress: it would repeat the same call forever. */
function stoodStill({ outcomes, left, notStarted }: TenantAnswer, tenants: readonly Tenant[]): boolean {
  return left.length >= tenants.length && !notStarted.length && outcomes.every(({ applied }) => applied.length === 0);
}

function standstill(worker: string, tenants: number): [message: string, next: string] {
  return [`${worker} returned all ${tenants} tenants of a batch without applying anything`, "raise the function's timeout"];
}

function miscounted(worker: string): [message: string, next: string] {
  return [
    `the answer of ${worker} does not report each tenant exactly once`,
    'deploy the function and the state machine with the same version of cdk-alembic',
  ];
}

async function tenantsOf(store: Store, { runId, wave, index, part }: BatchState): Promise<readonly Tenant[]> {
  if (part === 0) return store.require<Tenant[]>(tenantsKey(runId, wave, index));
  return (await store.require<Part>(partKey(runId, wave, index, part - 1))).left;
}

/** If the same call is delivered twice, the answer that was stored first counts. */
async function record(store: Store, state: BatchState, answer: Omit<Part, 'endedAt'>): Promise<BatchProgress> {
  const { runId, wave, index, part } = state;
  const written = await store.create<Part>(partKey(runId, wave, index, part), { ...answer, endedAt: Date.now() });
  return ended(store, state, written);
}

async function ended(store: Store, state: BatchState, { outcomes, left, notStarted }: Part): Promise<BatchProgress> {
  const { runId, wave, index, part } = state;
  const failures = outcomes.filter(({ status }) => status === 'failed').length;
  await countFailed(store, state, failures);
  return { runId, wave, index, part: part + 1, more: left.length > 0, failed: failures + notStarted.length > 0 };
}

async function fail(store: Store, state: BatchState, error: MigrateError, tenants: readonly Tenant[]): Promise<BatchProgress> {
  const { code, message, next, revision, sqlState, statement, dataLoss } = error;
  const failure: BatchFailure = {
    error: {
      code: code as TenantError['code'],
      message,
      next,
      revision,
      sqlState,
      statement,
      ...(dataLoss.length && { dataLoss }),
    },
    endedAt: Date.now(),
  };
  log('error', 'batch failed', { ...state, ...failure.error });
  await store.create(errorKey(state.runId, state.wave, state.index), failure);
  return failedBatch(store, state, tenants);
}

async function failedBatch(store: Store, state: BatchState, tenants: readonly Tenant[]): Promise<BatchProgress> {
  const { runId, wave, index, part } = state;
  await countFailed(store, state, tenants.length);
  return { runId, wave, index, part: part + 1, more: false, failed: true };
}

/*
 * Counts the failures of a run over all its batches: each call writes a key with its number of failures, and S3 lists the keys.
 * The number comes from the call's stored result, so a repeated call writes the same key.
 */

async function countFailed(store: Store, { runId, wave, index, part }: BatchState, count: number): Promise<void> {
  if (count) await store.put(runKey(runId, 'failed', `${wave}-${index}-${part}-${count}`), count);
}

async function failedSoFar(store: Store, runId: string): Promise<number> {
  let sum = 0;
  for await (const key of store.keys(`${runKey(runId, 'failed')}/`)) sum += Number(key.slice(key.lastIndexOf('-') + 1));
  return sum;
}

function names(tenants: readonly Tenant[]): string[] {
  return tenants.map(({ name }) => name);
}
