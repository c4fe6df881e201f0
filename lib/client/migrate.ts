import { changesDatabase, type MigrateAnswer, MigrateError, type MigrateRequest, type Running, type Snapshot } from '../contract';
import { type ContainerOptions, type ForContainer, forContainer, inContainer, type RunAnswer } from './container/in-container';
import type { ContainerRuns } from './container/runs';
import { RunState } from './run-state';
import { isAwaited, SnapshotWait } from './waiting/wait-for-snapshot';

/** Calls the function once. */
export type Invoke = (request: MigrateRequest) => Promise<MigrateAnswer>;

/** How to watch and limit a run. */
export interface MigrateOptions extends ContainerOptions {
  /** Called with the answer of each slice. Its `applied` has only that slice's revisions. */
  readonly onProgress?: (slice: MigrateAnswer) => void;
  /**
   * Called every few seconds with the progress of the run while it reports nothing else. This needs a second, concurrent call of
   * the function; without spare concurrency, it is not called.
   */
  readonly onRunning?: (running: Running) => void;
  /** Seconds after which no more slices start and the current answer is returned as `partial`. @default - no limit */
  readonly budgetSeconds?: number;
  /** Stops waiting. The function finishes its current slice; a container runs to its end. */
  readonly signal?: AbortSignal;
}

/**
 * Calls the function slice by slice until the request is fulfilled. The command and the deploy share this loop.
 *
 * @param runContainer creates the runner for the stage's container; called when the run reaches the first revision for it
 * @returns the last answer, with the first `from`, all applied revisions, and each warning once
 */
export async function migrate(
  invoke: Invoke,
  request: MigrateRequest,
  options: MigrateOptions = {},
  runContainer?: () => Promise<ContainerRuns>,
): Promise<RunAnswer> {
  const { budgetSeconds = Number.POSITIVE_INFINITY } = options;
  const until = performance.now() + budgetSeconds * 1000;
  const run = new RunState(request);
  const workOf = runContainer ? containerWork : () => undefined;
  let containers: ContainerRuns | undefined;
  let started: string | undefined;
  try {
    for (;;) {
      const last = await inFunction(invoke, run, until, workOf, options);
      const work = workOf(last);
      if (!work || !runContainer) return mustBeDone(run.answer(last));
      if (work.revisions[0] === started) throw standstill(last);
      started = work.revisions[0];
      containers ??= await runContainer();
      const answer = await inContainer(containers, work, run, last, until, options);
      if (answer) return answer;
    }
  } catch (error) {
    throw error instanceof MigrateError ? error.with({ applied: [...run.applied, ...error.applied] }) : error;
  } finally {
    containers?.destroy();
  }
}

/** Calls the function until the container must continue, or the time is up. @returns the last call's answer */
async function inFunction(
  invoke: Invoke,
  run: RunState,
  until: number,
  workOf: (slice: MigrateAnswer) => ForContainer | undefined,
  { onProgress, signal }: MigrateOptions,
): Promise<MigrateAnswer> {
  const snapshot = new SnapshotWait();
  for (let idle = 0; ; ) {
    signal?.throwIfAborted();
    const slice = await invoke(run.request);
    run.add(slice);
    onProgress?.(slice);
    const missing = awaited(slice);
    if (missing && (await snapshot.again(missing, until, signal))) continue;
    if (missing || slice.status !== 'partial' || !changesDatabase(run.request.command) || workOf(slice)) return slice;
    idle = moved(slice) ? 0 : idle + 1;
    if (idle === 2) throw standstill(slice);
    // A slice without progress is repeated once, even if the budget is used up, before it counts as a standstill.
    if (idle === 0 && performance.now() >= until) return slice;
  }
}

/** The work for the container; none before the snapshot is available. */
function containerWork(slice: MigrateAnswer): ForContainer | undefined {
  return slice.status === 'partial' && !awaited(slice) ? forContainer(slice) : undefined;
}

/** The snapshot that a run waits for. */
function awaited({ status, snapshot }: MigrateAnswer): Snapshot | undefined {
  return status === 'partial' && isAwaited(snapshot) ? snapshot : undefined;
}

function moved({ from, to, applied }: MigrateAnswer): boolean {
  return applied.length > 0 || [...from].sort().join() !== [...to].sort().join();
}

function standstill({ pending }: MigrateAnswer): MigrateError {
  const waiting = pending[0] ? ` before ${pending[0].revision}` : '';
  return new MigrateError(
    'version_not_moved',
    `two calls in a row applied nothing${waiting}`,
    "raise the function's timeout: it leaves no time to start a revision",
  );
}

/** A run that changes something ends as `complete`, or as `partial` when its time is up; no other command can be `partial`. */
function mustBeDone(answer: MigrateAnswer): MigrateAnswer {
  const { command, status } = answer;
  const isPartial = status === 'partial';
  const changes = changesDatabase(command);
  if (changes ? isPartial || status === 'complete' : !isPartial) return answer;
  const message = `the ${command} ended as ${JSON.stringify(status)}${changes ? ' instead of "complete"' : ''}`;
  throw new MigrateError('unexpected_answer', message, 'check the database\'s revision with the command "current"');
}
