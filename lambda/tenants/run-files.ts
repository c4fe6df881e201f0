import type { TenantRunInput, Wave } from '../../lib/contract/tenants';
import type { Store } from './store';

/*
 * Keys of a run's files. `runs/` expires; the list of what failed last is outside of it.
 */

export const LAST_FAILED_KEY = 'last-failed.json';

/** `last-failed.json`: the tenants that failed in their last upgrade, and those that it did not start. */
export interface LastFailed {
  /** The run that wrote it. */
  readonly runId: string;
  readonly tenants: readonly string[];
}

/** `run.json`: the decisions of the list step. */
export interface Run {
  readonly command: 'upgrade' | 'plan';
  readonly allow: TenantRunInput['allow'];
  readonly requestedBy: string;
  /** Whether the run covers all tenants. */
  readonly all: boolean;
  /** Number of tenants and batches of each wave. */
  readonly waves: { readonly [wave in Wave]: WaveSize };
  readonly warnings: readonly string[];
  /** Why nothing can run. */
  readonly failure?: Failure;
}

export interface WaveSize {
  readonly tenants: number;
  readonly batches: number;
  /** More failures than this stop the run; absent: all tenants are tried. */
  readonly tolerated?: number;
}

export interface Failure {
  readonly code: 'invalid_request' | 'unknown_tenant' | 'tenants_unavailable';
  readonly message: string;
  readonly next: string;
}

export const runKey = (runId: string, ...path: (string | number)[]): string => ['runs', runId, ...path].join('/');
export const batchesKey = (runId: string, wave: Wave): string => runKey(runId, wave, 'batches.json');
export const tenantsKey = (runId: string, wave: Wave, index: number): string => runKey(runId, wave, index, 'tenants.json');
export const partKey = (runId: string, wave: Wave, index: number, part: number): string =>
  runKey(runId, wave, index, `${part}.json`);
export const errorKey = (runId: string, wave: Wave, index: number): string => runKey(runId, wave, index, 'error.json');
export const approvalKey = (runId: string): string => runKey(runId, 'approval.json');

/** The run as the list step stored it. */
export async function readRun(store: Store, runId: string): Promise<Run> {
  const run = await store.get<Run>(runKey(runId, 'run.json'));
  if (!run) throw new Error(`the run ${runId} has no file run.json in the bucket ${store.bucket}`);
  return run;
}
