import type { AppliedRevision, MigrateAnswer, MigrateRequest } from '../contract';
import { MigrateError, migrateError } from './errors';

/** Something that can call the function once. */
export type Invoke = (request: MigrateRequest) => Promise<MigrateAnswer>;

/** How a run over slices is watched and bounded. */
export interface MigrateOptions {
  /** Gets the answer of each slice as it comes; its `applied` holds that slice's revisions alone. */
  readonly onProgress?: (slice: MigrateAnswer) => void;
  /** Seconds after which no further slice is asked for, and the answer so far is returned as `partial`. @default - no bound */
  readonly budgetSeconds?: number;
  /** Ends the waiting. What the function has started goes on to the end of its slice. */
  readonly signal?: AbortSignal;
}

/**
 * Asks for slice after slice until the request is fulfilled. The command and the deploy share this loop.
 *
 * @returns the last answer, with the first `from`, all that was applied and every warning once
 */
export async function migrate(invoke: Invoke, request: MigrateRequest, options: MigrateOptions = {}): Promise<MigrateAnswer> {
  const { onProgress, signal, budgetSeconds = Number.POSITIVE_INFINITY } = options;
  const started = performance.now();
  const applied: AppliedRevision[] = [];
  const warnings = new Set<string>();
  let from: readonly string[] | undefined;
  let { revision, runId } = request;
  let idle = 0;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const slice = await invoke({ ...request, revision, runId });
      applied.push(...slice.applied);
      for (const warning of slice.warnings) warnings.add(warning);
      from ??= slice.from;
      // The slices are one run in the history, under the id that the first of them was given.
      runId ??= slice.runId;
      const answer = { ...slice, from, applied: [...applied], warnings: [...warnings], ...(runId !== undefined && { runId }) };
      onProgress?.(slice);
      if (slice.status !== 'partial') return mustBeDone(answer);
      idle = moved(slice) ? 0 : idle + 1;
      if (idle === 2) throw standstill(answer);
      // A slice that moved nothing gets its second try whatever the budget says: only then a standstill can be told.
      if (idle === 0 && (performance.now() - started) / 1000 >= budgetSeconds) return answer;
      revision = sameTarget(slice, request);
    }
  } catch (error) {
    if (error instanceof MigrateError) Object.assign(error, { applied: [...applied, ...error.applied] });
    throw error;
  }
}

/** The revision that a further slice asks for: a step such as `+2` would otherwise be counted again from where the last one ended. */
function sameTarget({ target }: MigrateAnswer, request: MigrateRequest): string | undefined {
  if (target.length > 1) return request.revision;
  return target[0] ?? 'base';
}

function moved({ from, to, applied }: MigrateAnswer): boolean {
  return applied.length > 0 || [...from].sort().join() !== [...to].sort().join();
}

function standstill({ pending }: MigrateAnswer): MigrateError {
  const waiting = pending[0] ? ` before ${pending[0].revision}` : '';
  return migrateError(
    'version_not_moved',
    `two calls in a row ended without applying anything${waiting}`,
    'give the function a longer timeout: its deadline is too near for a revision to be started',
  );
}

function mustBeDone(answer: MigrateAnswer): MigrateAnswer {
  const acts = answer.command === 'upgrade' || answer.command === 'downgrade' || answer.command === 'stamp';
  if (!acts || answer.status === 'complete') return answer;
  const message = `the ${answer.command} ended as ${JSON.stringify(answer.status)} and not as "complete"`;
  throw migrateError('unexpected_answer', message, 'see where the database is with the command "current"');
}
