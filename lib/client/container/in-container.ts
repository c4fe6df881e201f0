import type { AppliedRevision, MigrateAnswer } from '../../contract';
import type { RunState } from '../run-state';
import { containerRunName } from './run-name';
import type { ContainerRuns } from './runs';

/** A container that was started, or that was already running. */
export interface StartedContainer {
  /** The revisions that it applies, in order. */
  readonly revisions: readonly string[];
  /** ARN of its execution in Step Functions. */
  readonly executionArn: string;
}

/** How to start and watch a run in the container. */
export interface ContainerOptions {
  readonly onProgress?: (slice: MigrateAnswer) => void;
  /** Called for each container that the run starts. */
  readonly onContainer?: (started: StartedContainer) => void;
  /**
   * Whether to start the container for all pending revisions and return right away. The answer is then `partial` and has the
   * execution in `containerExecution`.
   *
   * @default false
   */
  readonly handOver?: boolean;
  readonly signal?: AbortSignal;
}

/** The answer of a run. */
export interface RunAnswer extends MigrateAnswer {
  /** ARN of the execution that the run was handed over to. */
  readonly containerExecution?: string;
}

/** The next revisions, which the function leaves to the container. */
export interface ForContainer {
  readonly revisions: readonly [string, ...string[]];
  readonly stateMachineArn: string;
}

/** The revisions for the container after a call; undefined if the next one is not for it, or the stage has no container. */
export function forContainer({ container, pending }: MigrateAnswer): ForContainer | undefined {
  const { revisions: [first, ...others] = [], stateMachineArn } = container ?? {};
  if (stateMachineArn === undefined || first === undefined || first !== pending[0]?.revision) return undefined;
  return { revisions: [first, ...others], stateMachineArn };
}

/**
 * Runs the next revisions in the container.
 *
 * @param last the call that stopped before them
 * @param until when to stop waiting, on the clock of `performance.now()`
 * @returns the run's answer if it ends here; undefined: the container is done, and the function continues
 */
export async function inContainer(
  containers: ContainerRuns,
  { revisions, stateMachineArn }: ForContainer,
  run: RunState,
  last: MigrateAnswer,
  until: number,
  { onProgress, onContainer, handOver = false, signal }: ContainerOptions,
): Promise<RunAnswer | undefined> {
  const runId = run.id();
  const { revision, requestedBy, allow, in: compute } = run.request;
  const request = { revision, runId, requestedBy, allow, in: handOver ? ('container' as const) : compute };
  const executionArn = await containers.start(stateMachineArn, containerRunName(runId, revisions[0]), request, signal);
  onContainer?.({ revisions, executionArn });
  if (handOver) return { ...run.answer(last), containerExecution: executionArn };
  const onApplied = (applied: readonly AppliedRevision[]) => {
    run.applied.push(...applied);
    onProgress?.({ ...last, ...positionAfter(last, run.applied), applied });
  };
  if (await containers.wait(executionArn, { runId, pending: last.pending, until, onApplied, signal })) return undefined;
  return { ...run.answer(last), ...positionAfter(last, run.applied) };
}

/** The position of a run after its container applied revisions. */
function positionAfter(
  { to, pending }: MigrateAnswer,
  applied: readonly AppliedRevision[],
): Pick<MigrateAnswer, 'to' | 'pending'> {
  const done = new Set(applied.map(({ revision }) => revision));
  const left = pending.filter(({ revision }) => !done.has(revision));
  const newest = applied.at(-1);
  return { to: left.length < pending.length && newest ? [newest.revision] : to, pending: left };
}
