import { randomUUID } from 'node:crypto';
import { type AppliedRevision, type MigrateAnswer, MigrateError, type MigrateRequest } from '../contract';
import { containerRunName } from './container-name';
import type { ContainerRuns } from './container-runs';

/** Something that can call the function once. */
export type Invoke = (request: MigrateRequest) => Promise<MigrateAnswer>;

/** A container that has been started, or that was found running. */
export interface StartedContainer {
  /** What it is to apply, in order. */
  readonly revisions: readonly string[];
  /** ARN of its execution in Step Functions. */
  readonly executionArn: string;
}

/** How a run over slices is watched and bounded. */
export interface MigrateOptions {
  /** Gets the answer of each slice as it comes; its `applied` holds that slice's revisions alone. */
  readonly onProgress?: (slice: MigrateAnswer) => void;
  /** Seconds after which no further slice is asked for, and the answer so far is returned as `partial`. @default - no bound */
  readonly budgetSeconds?: number;
  /** Ends the waiting. What the function has started goes on to the end of its slice, a container to its own end. */
  readonly signal?: AbortSignal;
  /** Gets each container that the run comes to. */
  readonly onContainer?: (started: StartedContainer) => void;
  /**
   * Whether a container that the run comes to is left alone with all that is pending: the answer is then `partial` and has the
   * execution in `containerExecution`.
   *
   * @default false
   */
  readonly handOver?: boolean;
}

/** The answer of a run. */
export interface RunAnswer extends MigrateAnswer {
  /** ARN of the execution that was handed over to. */
  readonly containerExecution?: string;
}

/**
 * Asks for slice after slice until the request is fulfilled. The command and the deploy share this loop.
 *
 * @param runContainer what runs revisions that are for the stage's container; asked when the run comes to one
 * @returns the last answer, with the first `from`, all that was applied and every warning once
 */
export async function migrate(
  invoke: Invoke,
  request: MigrateRequest,
  options: MigrateOptions = {},
  runContainer?: () => Promise<ContainerRuns>,
): Promise<RunAnswer> {
  const { onProgress, onContainer, signal, handOver = false, budgetSeconds = Number.POSITIVE_INFINITY } = options;
  const started = performance.now();
  const names = new Set<string>();
  let container: ContainerRuns | undefined;
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
      const forContainer = containerWork(slice);
      if (forContainer && runContainer) {
        runId ??= randomUUID();
        revision = sameTarget(slice, request);
        const name = containerRunName(runId, forContainer.revisions[0] as string);
        if (names.has(name)) throw standstill(answer);
        names.add(name);
        container ??= await runContainer();
        const { allow, requestedBy } = request;
        const inContainer = { revision, runId, requestedBy, allow, in: handOver ? ('container' as const) : request.in };
        const executionArn = await container.start(forContainer.stateMachineArn, name, inContainer, signal);
        onContainer?.({ revisions: forContainer.revisions, executionArn });
        if (handOver) return { ...answer, runId, containerExecution: executionArn };
        const until = started + budgetSeconds * 1000;
        const onApplied = (more: readonly AppliedRevision[]) => {
          applied.push(...more);
          onProgress?.({ ...slice, ...goneOn(slice, applied), applied: more });
        };
        if (await container.wait(executionArn, { runId, until, onApplied, signal })) continue;
        return { ...answer, ...goneOn(slice, applied), runId, applied: [...applied] };
      }
      idle = moved(slice) ? 0 : idle + 1;
      if (idle === 2) throw standstill(answer);
      // A slice that moved nothing gets its second try whatever the budget says: only then a standstill can be told.
      if (idle === 0 && (performance.now() - started) / 1000 >= budgetSeconds) return answer;
      revision = sameTarget(slice, request);
    }
  } catch (error) {
    throw error instanceof MigrateError ? error.with({ applied: [...applied, ...error.applied] }) : error;
  } finally {
    container?.destroy();
  }
}

/** What a function has stopped before. */
function containerWork({
  container,
  pending,
}: MigrateAnswer): { revisions: readonly string[]; stateMachineArn: string } | undefined {
  const { revisions = [], stateMachineArn } = container ?? {};
  return stateMachineArn !== undefined && revisions[0] === pending[0]?.revision ? { revisions, stateMachineArn } : undefined;
}

/** Where a run is after what its container has applied. */
function goneOn({ to, pending }: MigrateAnswer, applied: readonly AppliedRevision[]): Pick<MigrateAnswer, 'to' | 'pending'> {
  const done = new Set(applied.map(({ revision }) => revision));
  const left = pending.filter(({ revision }) => !done.has(revision));
  const last = applied.at(-1);
  return { to: left.length < pending.length && last ? [last.revision] : to, pending: left };
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
  return new MigrateError(
    'version_not_moved',
    `two calls in a row ended without applying anything${waiting}`,
    'give the function a longer timeout: its deadline is too near for a revision to be started',
  );
}

function mustBeDone(answer: MigrateAnswer): MigrateAnswer {
  const acts = answer.command === 'upgrade' || answer.command === 'downgrade' || answer.command === 'stamp';
  if (!acts || answer.status === 'complete') return answer;
  const message = `the ${answer.command} ended as ${JSON.stringify(answer.status)} and not as "complete"`;
  throw new MigrateError('unexpected_answer', message, 'see where the database is with the command "current"');
}
