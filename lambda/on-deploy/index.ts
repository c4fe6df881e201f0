import type { CdkCustomResourceEvent, CdkCustomResourceIsCompleteResponse, Context } from 'aws-lambda';
import { MigrateClient } from '../../lib/client/client';
import type { RunAnswer, StartedContainer } from '../../lib/client/container/in-container';
import { printable } from '../../lib/client/printable';
import { isAwaited } from '../../lib/client/waiting/wait-for-snapshot';
import type { FailureCode, MigrateAnswer, OnDeployData, OnDeployProperties, Snapshot } from '../../lib/contract';
import { isRecord } from '../../lib/contract/checks/rules';
import { MigrateError } from '../../lib/contract/failure';
import { type DeployFailure, type Failure, migrationFailure } from './deploy-failure';
import { checkEvent, PLANNED } from './event';
import { log } from './log';
import { runId } from './run-id';
import { isRollingBack } from './stack-status';
import {
  CONTAINER_DEPLOY_SECONDS,
  DEPLOY_SECONDS,
  PATIENCE_SECONDS,
  PLAN_READY_SECONDS,
  ROLLBACK_PLAN_SECONDS,
  SLICE_READY_SECONDS,
  SLICE_SECONDS,
} from './timeouts';

/** Passed from `onEvent` to `isComplete`: the framework merges it into the event of every later call. */
export interface Planned {
  readonly PhysicalResourceId: string;
  /** Other attributes come with the last answer; this one would be lost by then. */
  readonly Data: Pick<OnDeployData, 'fromRevision'>;
  /** Number of revisions that this deploy applies. Counted once, so that no slice or repeated call changes it. */
  readonly PendingCount: number;
  /** Start of CloudFormation's hour, in milliseconds since the epoch. */
  readonly StartedAt: number;
}

/** The answer of `onEvent` during a rollback of the stack: `isComplete` has nothing to do. */
export interface Untouched {
  readonly PhysicalResourceId: string;
  readonly Data: OnDeployData;
  readonly Untouched: true;
}

type Event = CdkCustomResourceEvent<OnDeployProperties>;
type UpdateEvent = Extract<Event, { RequestType: 'Update' }>;
type IsCompleteEvent = Event & (Planned | Untouched);
type Deployed = CdkCustomResourceIsCompleteResponse<OnDeployData>;

const PROPERTIES = ['FunctionName', 'Stage'];

/** Nothing was started, or a run is still active: the next call checks, and runs nothing twice. */
const RETRYABLE: readonly FailureCode[] = ['locked', 'throttled', 'function_not_ready', 'network'];

/** CDK's Provider framework calls this once per event. It makes the plan and changes nothing. */
export async function onEvent(event: Event): Promise<Planned | Untouched | { PhysicalResourceId: string }> {
  const startedAt = Date.now();
  checkEvent(event, PROPERTIES);
  if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId };
  if (event.RequestType === 'Update' && (await isRollingBack(event.StackId))) return leaveUntouched(event);
  const options = { readySeconds: PLAN_READY_SECONDS, onWait: waiting(event) };
  const { from, pending, status } = await withClient(event, (client) => client.plan(options)).catch((error) =>
    fail(error, event),
  );
  log('info', 'planned', { ...about(event), status, from, pending: pending.map(({ revision }) => revision) });
  return {
    // If an update changed the id, CloudFormation would send a Delete for the old one.
    PhysicalResourceId:
      event.RequestType === 'Update' ? event.PhysicalResourceId : `${event.ResourceProperties.FunctionName}/migrations`,
    Data: { fromRevision: from.join() },
    PendingCount: pending.length,
    StartedAt: startedAt,
  };
}

/** CDK's Provider framework calls this until the database is at head. */
export async function isComplete(event: IsCompleteEvent, context: Context): Promise<Deployed> {
  checkEvent(event, PROPERTIES, isRecord(event) && 'Untouched' in event ? {} : PLANNED);
  if (event.RequestType === 'Delete') return { IsComplete: true };
  if ('Untouched' in event) return { IsComplete: true, Data: event.Data };
  try {
    const answer = await slice(event, Math.min(SLICE_SECONDS, context.getRemainingTimeInMillis() / 2_000));
    return answer.status === 'partial' && !answer.containerExecution ? continueLater(event, answer) : complete(event, answer);
  } catch (error) {
    // The first check may have failed, and a canceled deploy may be rolling back by now.
    if (event.RequestType === 'Update' && (await isRollingBack(event.StackId))) {
      return { IsComplete: true, Data: (await leaveUntouched(event, event.Data.fromRevision)).Data };
    }
    if (!(error instanceof MigrateError) || !mayRetry(error, event)) return fail(error, event);
    log('warning', 'asking again', { ...about(event), code: error.code, error: error.message });
    return { IsComplete: false };
  }
}

function complete(event: Event & Planned, { to, pending, containerExecution, snapshot }: RunAnswer): Deployed {
  const { fromRevision } = event.Data;
  const applied = event.PendingCount - (containerExecution ? pending.length : 0);
  const outcome = { fromRevision, toRevision: to.join(), appliedCount: String(applied) };
  return { IsComplete: true, Data: data(event, { ...outcome, containerExecution, snapshot: snapshot?.name }) };
}

function mayRetry({ code }: MigrateError, event: Event & Planned): boolean {
  // The stage's container holds the mutex as long as it runs.
  const inContainer = code === 'locked' && event.ResourceProperties.Container === 'wait';
  return RETRYABLE.includes(code) && secondsSince(event) < (inContainer ? CONTAINER_DEPLOY_SECONDS : PATIENCE_SECONDS);
}

function slice(event: Event, seconds: number): Promise<RunAnswer> {
  const onProgress = ({ status, to, applied, pending, snapshot, warnings }: MigrateAnswer) => {
    log('info', 'slice', { ...about(event), status, to, applied, pending: pending.length, snapshot });
    for (const warning of warnings) log('warning', warning, about(event));
  };
  const options = {
    sliceSeconds: seconds,
    budgetSeconds: seconds,
    readySeconds: SLICE_READY_SECONDS,
    runId: runId(event.StackId, event.RequestId),
    handOver: event.ResourceProperties.Container === 'handOver',
    onProgress,
    onContainer: (started: StartedContainer) => log('info', 'in the container', { ...about(event), ...started }),
    onWait: waiting(event),
  };
  return withClient(event, (client) => client.upgrade(options));
}

function continueLater(event: Event & Planned, { pending, applied, container, snapshot }: MigrateAnswer): Deployed {
  const inContainer = container?.revisions.includes(pending[0]?.revision ?? '');
  const limit = inContainer ? CONTAINER_DEPLOY_SECONDS : DEPLOY_SECONDS;
  if (secondsSince(event) < limit) return { IsComplete: false };
  if (isAwaited(snapshot)) throw failed(snapshotNotReady(snapshot, limit), event, { snapshot });
  const failure: Failure = {
    message: `the migrations take longer than a deploy can wait: after ${limit / 60} minutes, ${pending.length} are still pending`,
    next: inContainer
      ? 'the container keeps running; deploy again when it has ended, or use ContainerDeploy.handOver()'
      : 'apply the rest with `npx migrate-invoke`, which has no such limit, then deploy again; applied revisions stay',
  };
  throw failed(failure, event, { applied });
}

function secondsSince({ StartedAt }: Planned): number {
  return (Date.now() - StartedAt) / 1000;
}

function snapshotNotReady({ status, name, percent = 0, reason }: Snapshot, limit: number): Failure {
  const why = status === 'waiting' ? `RDS can't begin it: ${reason}` : `it is being made (${percent} %)`;
  return {
    code: 'snapshot_not_ready',
    message: `the snapshot ${name} is not available after ${limit / 60} minutes, ${why}; nothing was applied`,
    next: 'deploy again when it is available, or apply with `npx migrate-invoke`, which has no such limit',
  };
}

/** The attributes. A container and snapshots have one each. */
function data(event: Event, { containerExecution = '', snapshot = '', ...outcome }: OnDeployData): OnDeployData {
  const { Container, Snapshot } = event.ResourceProperties;
  return { ...outcome, ...(Container && { containerExecution }), ...(Snapshot && { snapshot }) };
}

async function withClient<Answer>(event: Event, call: (client: MigrateClient) => Promise<Answer>): Promise<Answer> {
  const { FunctionName, Stage } = event.ResourceProperties;
  const stackName = event.StackId.split('/')[1] ?? event.StackId;
  const client = new MigrateClient({ functionName: FunctionName, stage: Stage, requestedBy: printable(`deploy ${stackName}`) });
  try {
    return await call(client);
  } finally {
    client.destroy();
  }
}

/**
 * On a rollback there is nothing to migrate: the database keeps what the failed deploy applied. Even if the database, the runner or
 * the function is broken, failing here would leave the stack in UPDATE_ROLLBACK_FAILED.
 */
async function leaveUntouched(event: UpdateEvent, planned = ''): Promise<Untouched> {
  log('warning', 'the stack is rolling back: there is nothing to migrate, and the database is unchanged', about(event));
  const signal = AbortSignal.timeout(ROLLBACK_PLAN_SECONDS * 1000);
  const revision = await withClient(event, (client) => client.current({ signal })).then(
    ({ to }) => to.join(),
    (error) => {
      log('warning', "the database's revision could not be determined", { ...about(event), error: String(error) });
      return planned;
    },
  );
  const Data = data(event, { fromRevision: revision, toRevision: revision, appliedCount: '0' });
  return { PhysicalResourceId: event.PhysicalResourceId, Data, Untouched: true };
}

function fail(error: unknown, event: Event): never {
  if (!(error instanceof MigrateError)) throw error;
  const { name, message, cause, stack, ...details } = error;
  throw failed(error, event, details);
}

/** Logs a failure and returns it. */
function failed(failure: Failure, event: Event, details: Record<string, unknown>): DeployFailure {
  const reported = migrationFailure(failure, event.ResourceProperties.FunctionName);
  // `cdk deploy` ends with the messages of this log's last lines.
  log('error', reported.message, { ...about(event), ...details });
  return reported;
}

function waiting(event: Event): (reason: string) => void {
  return (reason) => log('warning', 'waiting for the function', { ...about(event), reason });
}

function about({ RequestType, StackId, ResourceProperties: { FunctionName, Stage } }: Event): Record<string, unknown> {
  return { requestType: RequestType, stackId: StackId, function: FunctionName, stage: Stage };
}
