import { randomUUID } from 'node:crypto';
import type { AppliedRevision, MigrateAnswer, MigrateRequest } from '../contract';
import { containerRunName } from './container-name';
import type { ContainerRuns } from './container-runs';
import { MigrateError, migrateError } from './errors';

/** Calls the function once. */
export type Invoke = (request: MigrateRequest) => Promise<MigrateAnswer>;

/** A container that was started, or found running. */
export interface StartedContainer {
  /** The revisions that it applies, in order. */
  readonly revisions: readonly string[];
  /** ARN of its execution in Step Functions. */
  readonly executionArn: string;
}

/** How to watch and limit a run. */
export interface MigrateOptions {
  /** Gets the answer of each slice. Its `applied` has only that slice's revisions. */
  readonly onProgress?: (slice: MigrateAnswer) => void;
  /** Seconds after which no more slices are started and the answer so far is returned as `partial`. @default - no limit */
  readonly budgetSeconds?: number;
  /** Stops waiting. The function finishes its current slice; a container runs to its end. */
  readonly signal?: AbortSignal;
  /** Gets each container that the run starts. */
  readonly onContainer?: (started: StartedContainer) => void;
  /**
   * Whether to start the container with everything that is pending and return at once. The answer is then `partial` and has the
   * execution in `containerExecution`.
   *
   * @default false
   */
  readonly handOver?: boolean;
}

/** The answer of a run. */
export interface RunAnswer extends MigrateAnswer {
  /** ARN of the execution that the run was handed over to. */
  readonly containerExecution?: string;
}

/**
 * Calls the function slice after slice until the request is fulfilled. The command and the deploy share this loop.
 *
 * @param runContainer creates what runs revisions in the stage's container; called when the run reaches the first one
 * @returns the last answer, with the first `from`, everything that was applied and each warning once
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
      // The slices are one run in the history, under the first slice's id.
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
      // A slice that moved nothing is repeated once even if the budget is used up: only then is it a standstill.
      if (idle === 0 && (performance.now() - started) / 1000 >= budgetSeconds) return answer;
      revision = sameTarget(slice, request);
    }
  } catch (error) {
    if (error instanceof MigrateError) Object.assign(error, { applied: [...applied, ...error.applied] });
    throw error;
  } finally {
    container?.destroy();
  }
}

/** The revisions for the container that the function stopped before. */
function containerWork({
  container,
  pending,
}: MigrateAnswer): { revisions: readonly string[]; stateMachineArn: string } | undefined {
  const { revisions = [], stateMachineArn } = container ?? {};
  return stateMachineArn !== undefined && revisions[0] === pending[0]?.revision ? { revisions, stateMachineArn } : undefined;
}

/** Where a run is after what its container applied. */
function goneOn({ to, pending }: MigrateAnswer, applied: readonly AppliedRevision[]): Pick<MigrateAnswer, 'to' | 'pending'> {
  const done = new Set(applied.map(({ revision }) => revision));
  const left = pending.filter(({ revision }) => !done.has(revision));
  const last = applied.at(-1);
  return { to: left.length < pending.length && last ? [last.revision] : to, pending: left };
}

/** The target of the next slice: a step such as `+2` would be counted again from the end of the last slice. */
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
    `two calls in a row applied nothing${waiting}`,
    "raise the function's timeout: it leaves no time to start a revision",
  );
}

function mustBeDone(answer: MigrateAnswer): MigrateAnswer {
  const acts = answer.command === 'upgrade' || answer.command === 'downgrade' || answer.command === 'stamp';
  if (!acts || answer.status === 'complete') return answer;
  const message = `the ${answer.command} ended as ${JSON.stringify(answer.status)} instead of "complete"`;
  throw migrateError('unexpected_answer', message, 'check the database\'s revision with the command "current"');
}
