import type { BatchProgress, BatchState, CoordinatorSettings } from '../../lib/contract/coordinator';
import { MigrateError } from '../../lib/contract/failure';
import type { Tenant, TenantAnswer, TenantError, TenantRequest } from '../../lib/contract/tenants';
import { log } from '../on-deploy/log';
import { errorKey, partKey, type Run, readRun, runKey, tenantsKey } from './run-files';
import type { Store } from './store';
import { callWorker } from './worker';

/** Keeps calls of the worker short; a longer revision still finishes. */
const SLICE_SECONDS = 300;

/** The stored answer of a worker call. */
export type Part = Pick<TenantAnswer, 'outcomes' | 'left' | 'notStarted'> & Partial<TenantAnswer>;

/** `error.json`: a worker call failed as a whole, and with it these tenants. */
export interface BatchFailure {
  readonly error: TenantError;
}

/** Nothing has run: the state machine retries after a pause. Its Retry uses this name. */
export class WorkerNotReady extends Error {
  override readonly name = 'WorkerNotReady';
}

/** One worker call for a batch. If the call was made already, returns its stored result. */
export async function batch(settings: CoordinatorSettings, store: Store, state: BatchState): Promise<BatchProgress> {
  const { runId, wave, index, part } = state;
  const known = await store.get<Part>(partKey(runId, wave, index, part));
  if (known) return progress(state, known);

  const [run, tenants] = await Promise.all([readRun(store, runId), tenantsOf(store, state)]);
  const { tolerated } = run.waves[wave];
  const left = tolerated === undefined ? undefined : tolerated - (await failedSoFar(store, runId));
  if (left !== undefined && left < 0) return record(store, state, { outcomes: [], left: [], notStarted: names(tenants) });
  try {
    const answer = (await callWorker(settings.worker, request(run, runId, tenants, left))) as TenantAnswer;
    if (stoodStill(answer, tenants)) throw new MigrateError('unexpected_answer', ...standstill(settings.worker, tenants.length));
    return await record(store, state, answer);
  } catch (error) {
    if (!(error instanceof MigrateError)) throw error;
    if (error.code === 'throttled' || error.code === 'function_not_ready') throw new WorkerNotReady(error.message);
    return fail(store, state, error, tenants.length);
  }
}

function request(run: Run, runId: string, tenants: readonly Tenant[], toleratedFailures: number | undefined): TenantRequest {
  const { command, allow, requestedBy } = run;
  if (command === 'plan') return { command, tenants, runId };
  return {
    command,
    tenants,
    sliceSeconds: SLICE_SECONDS,
    requestedBy,
    runId,
    ...(allow && { allow }),
    ...(toleratedFailures !== undefined && { toleratedFailures }),
  };
}

/** The worker would do the same forever. */
function stoodStill({ outcomes, left, notStarted }: TenantAnswer, tenants: readonly Tenant[]): boolean {
  return left.length >= tenants.length && !notStarted.length && outcomes.every(({ applied }) => applied.length === 0);
}

function standstill(worker: string, tenants: number): [message: string, next: string] {
  return [`${worker} returned all ${tenants} tenants of a batch without applying anything`, "raise the function's timeout"];
}

async function tenantsOf(store: Store, { runId, wave, index, part }: BatchState): Promise<readonly Tenant[]> {
  if (part === 0) return (await store.get<Tenant[]>(tenantsKey(runId, wave, index))) ?? [];
  return (await store.get<Part>(partKey(runId, wave, index, part - 1)))?.left ?? [];
}

async function record(store: Store, state: BatchState, part: Part): Promise<BatchProgress> {
  const { runId, wave, index } = state;
  await countFailed(store, state, part.outcomes.filter(({ status }) => status === 'failed').length);
  await store.put(partKey(runId, wave, index, state.part), part);
  return progress(state, part);
}

function progress(state: BatchState, { outcomes, left, notStarted }: Part): BatchProgress {
  const { runId, wave, index, part } = state;
  const failed = notStarted.length > 0 || outcomes.some(({ status }) => status === 'failed');
  return { runId, wave, index, part: part + 1, more: left.length > 0, failed };
}

async function fail(store: Store, state: BatchState, error: MigrateError, tenants: number): Promise<BatchProgress> {
  const { runId, wave, index, part } = state;
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
  };
  log('error', 'batch failed', { ...state, ...failure.error });
  await countFailed(store, state, tenants);
  await store.put(errorKey(runId, wave, index), failure);
  return { runId, wave, index, part: part + 1, more: false, failed: true };
}

/*
 * The failures of a run so far, counted by all its batches together: each writes a key with its number, and S3 lists the keys that
 * were written. A batch that is repeated writes the same key.
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
