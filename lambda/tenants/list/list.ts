import { MigrateError, RUN_ID } from '../../../lib/contract';
import { isRecord, valueProblems } from '../../../lib/contract/checks/rules';
import type { BatchState, CoordinatorSettings, Listed } from '../../../lib/contract/coordinator';
import {
  EXECUTION_NAME,
  type Tenant,
  type TenantRunInput,
  tenantRunInputProblems,
  WAVES,
  type Wave,
} from '../../../lib/contract/tenants';
import { inParallel } from '../files/in-parallel';
import { lastFailed } from '../files/last-failed';
import { batchesKey, type Failure, type Run, runKey, tenantsKey, type WaveSize } from '../files/run-files';
import { DamagedFile, type Store } from '../files/store';
import { listTenants } from './sources';
import { listed } from './tenants';
import { batches, divide, toleratedOf } from './waves';

const NO_TENANTS =
  'check the source of the tenants; while a stage has none, deploy it with onDeploy: TenantDeploy.off(); nothing was started';
const EMPTY: WaveSize = { tenants: 0, batches: 0 };

/** Lists the tenants of a run and stores its batches. Errors end up in the summary. */
export async function list(settings: CoordinatorSettings, store: Store, runId: string, given: unknown): Promise<Listed> {
  const { run, waves } = await plan(settings, store, runId, given);
  await inParallel(WAVES, (wave) => writeWave(store, runId, wave, waves[wave]));
  await store.put(runKey(runId, 'run.json'), run);
  const next = waves.canary.length ? 'canary' : waves.rest.length ? 'rest' : 'summarize';
  const total = run.waves.canary.tenants + run.waves.rest.tenants;
  return { next, total, canaryKey: batchesKey(runId, 'canary'), restKey: batchesKey(runId, 'rest') };
}

interface Planned {
  readonly run: Run;
  readonly waves: { readonly [wave in Wave]: readonly Tenant[][] };
}

async function plan(settings: CoordinatorSettings, store: Store, runId: string, given: unknown): Promise<Planned> {
  // A migration is recorded in each database with the run's id. EventBridge, which starts only drift, chooses its own names.
  const name = isRecord(given) && given.command === 'drift' ? EXECUTION_NAME : RUN_ID;
  const problems = [...valueProblems(name, runId, 'the name of the execution'), ...tenantRunInputProblems(given)];
  if (problems.length) {
    const failure: Failure = {
      code: 'invalid_request',
      message: problems.join('; '),
      next: 'correct the input; nothing was started',
    };
    return emptyRun(undefined, failure);
  }
  const input = given as TenantRunInput;
  try {
    return await planWaves(settings, store, input);
  } catch (error) {
    if (!(error instanceof MigrateError)) throw error;
    return emptyRun(input, { code: error.code as Failure['code'], message: error.message, next: error.next });
  }
}

/** Divides the chosen tenants into waves and batches. Throws MigrateError if there are none, or a name is unknown. */
async function planWaves(settings: CoordinatorSettings, store: Store, input: TenantRunInput): Promise<Planned> {
  const all = await listTenants(settings);
  if (!all.length) throw new MigrateError('no_tenants', `the list of tenants (${settings.source.kind}) is empty`, NO_TENANTS);
  const { tenants, warnings } = await choose(input, all, store);
  const isUpgrade = (input.command ?? 'upgrade') === 'upgrade';
  const missing = isUpgrade ? missingCanaries(settings, all) : [];
  const { canary, rest } = divide(tenants, isUpgrade ? settings.canary : undefined);
  const waves = { canary: batches(canary, settings.batchSize), rest: batches(rest, settings.batchSize) };
  const run: Run = {
    ...about(input),
    waves: {
      // The canaries have a tolerance of their own; that of the rest counts all tenants.
      canary: sizeOf(waves.canary, toleratedOf(canary.length, settings.tolerated)),
      rest: sizeOf(waves.rest, toleratedOf(tenants.length, settings.tolerated)),
    },
    warnings: [...warnings, ...missing],
  };
  return { run, waves };
}

function sizeOf(wave: readonly Tenant[][], tolerated: number | undefined): WaveSize {
  return { tenants: wave.flat().length, batches: wave.length, tolerated };
}

/** Mistyped canaries would otherwise silently migrate all tenants at once. */
function missingCanaries({ canary }: CoordinatorSettings, all: readonly Tenant[]): string[] {
  if (!canary || !('names' in canary)) return [];
  const known = new Set(all.map(({ name }) => name));
  const missing = canary.names.filter((name) => !known.has(name));
  if (missing.length === canary.names.length) {
    throw new MigrateError(
      'unknown_tenant',
      `none of the canaries is a tenant: ${listed(missing)}`,
      'correct the names in TenantCanary.names and deploy; nothing was started',
    );
  }
  return missing.length ? [`canaries that are not tenants: ${listed(missing)}`] : [];
}

function about({ command = 'upgrade', tenants, retryFailed, allow, requestedBy = 'invoke' }: TenantRunInput) {
  return { command, allow, requestedBy, startedAt: Date.now(), all: tenants === undefined && !retryFailed };
}

function emptyRun(input: TenantRunInput | undefined, failure: Failure): Planned {
  const run: Run = { ...about(input ?? {}), all: false, waves: { canary: EMPTY, rest: EMPTY }, warnings: [], failure };
  return { run, waves: { canary: [], rest: [] } };
}

interface Chosen {
  readonly tenants: readonly Tenant[];
  readonly warnings: readonly string[];
}

async function choose({ tenants: names, retryFailed }: TenantRunInput, all: readonly Tenant[], store: Store): Promise<Chosen> {
  if (retryFailed) return chooseFailed(all, store);
  if (!names) return { tenants: all, warnings: [] };
  const known = new Set(all.map(({ name }) => name));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length) {
    throw new MigrateError(
      'unknown_tenant',
      `not among the ${all.length} tenants: ${listed(unknown)}`,
      'correct the names, or add the tenants to the list; nothing was started',
    );
  }
  const wanted = new Set(names);
  return { tenants: all.filter(({ name }) => wanted.has(name)), warnings: [] };
}

async function chooseFailed(all: readonly Tenant[], store: Store): Promise<Chosen> {
  const failed = await failedBefore(store);
  if (!failed.length) return { tenants: [], warnings: ['no tenant failed in its last upgrade: nothing was started'] };
  const wanted = new Set(failed);
  const tenants = all.filter(({ name }) => wanted.delete(name));
  const removed = [...wanted];
  return {
    tenants,
    warnings: removed.length ? [`failed in their last upgrade but are no longer tenants: ${listed(removed)}`] : [],
  };
}

async function failedBefore(store: Store): Promise<string[]> {
  try {
    return await lastFailed(store);
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    const next = 'run all tenants: that rewrites it; those at head cost one query each';
    throw new MigrateError('tenants_unavailable', error.message, next);
  }
}

async function writeWave(store: Store, runId: string, wave: Wave, waveBatches: readonly Tenant[][]): Promise<void> {
  const items = waveBatches.map((_, index): BatchState => ({ runId, wave, index, part: 0 }));
  await inParallel(items, ({ index }) => store.put(tenantsKey(runId, wave, index), waveBatches[index]));
  await store.put(batchesKey(runId, wave), items);
}
