import type { TenantRunCommand, TenantRunInput, Wave } from '../../../lib/contract/tenants';
import type { Store } from './store';

/*
 * Keys of a run's files. Files below `runs/` expire; the list of the last failures is stored elsewhere.
 */

/** `run.json`: the lister's decisions. */
export interface Run {
  readonly command: TenantRunCommand;
  readonly allow: TenantRunInput['allow'];
  readonly requestedBy: string;
  /** When the tenants were listed, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** Whether the run covers all tenants. */
  readonly all: boolean;
  /** Number of tenants and batches in each wave. */
  readonly waves: { readonly [wave in Wave]: WaveSize };
  readonly warnings: readonly string[];
  /** Why the run can't start. */
  readonly failure?: Failure;
}

export interface WaveSize {
  readonly tenants: number;
  readonly batches: number;
  /** More failures than this stop the run; absent: every tenant is tried. */
  readonly tolerated?: number;
}

export interface Failure {
  readonly code: 'invalid_request' | 'unknown_tenant' | 'no_tenants' | 'tenants_unavailable';
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

/** The run as stored by the lister. */
export function readRun(store: Store, runId: string): Promise<Run> {
  return store.require<Run>(runKey(runId, 'run.json'));
}
