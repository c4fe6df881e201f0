import type { CdkCustomResourceEvent, CdkCustomResourceIsCompleteResponse, Context } from 'aws-lambda';
import { MigrateClient } from '../../lib/client/client';
import { MigrateError } from '../../lib/client/errors';
import type { ErrorCode, MigrateAnswer, OnDeployData, OnDeployProperties } from '../../lib/contract';
import { DeployFailure } from './deploy-failure';
import { log } from './log';
import { isRollingBack } from './stack-status';

/** What `onEvent` finds out for `isComplete`: the framework merges it into the event of every later call. */
export interface Planned {
  readonly PhysicalResourceId: string;
  /** Attributes may come with the last answer only; this one would be lost by then. */
  readonly Data: Pick<OnDeployData, 'fromRevision'>;
  /** Revisions that this deploy has to apply. Counted once, so that no slice and no repeated call can change the sum. */
  readonly PendingCount: number;
  /** Milliseconds since the epoch. */
  readonly StartedAt: number;
}

type Event = CdkCustomResourceEvent<OnDeployProperties>;
type IsCompleteEvent = Event & Planned;
type Deployed = CdkCustomResourceIsCompleteResponse<OnDeployData>;

/**
 * One call of this handler runs for about a slice, and all the rest of its time is left to the revision that is under way when the
 * slice ends. The framework calls again.
 */
const SLICE_SECONDS = 60;

/** Nothing was started, or something still runs: the next call finds out, and runs nothing twice. */
const ASK_AGAIN: readonly ErrorCode[] = ['locked', 'throttled', 'function_not_ready', 'network'];

/** A rival holds the mutex for one call at most, and Lambda ends that after 15 minutes. */
const PATIENCE_MS = 15 * 60_000;

/** CDK's Provider framework calls this once per event: it looks, and changes nothing. */
export async function onEvent(event: Event): Promise<Planned | { PhysicalResourceId: string }> {
  if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId };
  const { from, pending, status } = await ask(event, (client) => client.plan()).catch((error) => fail(error, event));
  log('info', 'planned', { ...about(event), status, from, pending: pending.map(({ revision }) => revision) });
  return {
    // An id that changed on an update would make CloudFormation send a Delete for the old one.
    PhysicalResourceId:
      event.RequestType === 'Update' ? event.PhysicalResourceId : `${event.ResourceProperties.FunctionName}/migrations`,
    Data: { fromRevision: from.join() },
    PendingCount: pending.length,
    StartedAt: Date.now(),
  };
}

/** CDK's Provider framework calls this until it says that the database is at head. */
export async function isComplete(event: IsCompleteEvent, context: Context): Promise<Deployed> {
  if (event.RequestType === 'Delete') return { IsComplete: true };
  const seconds = Math.min(SLICE_SECONDS, context.getRemainingTimeInMillis() / 2_000);
  try {
    const onProgress = (slice: MigrateAnswer) => log('info', 'slice', { ...about(event), ...progress(slice) });
    const answer = await ask(event, (client) => client.upgrade({ sliceSeconds: seconds, budgetSeconds: seconds, onProgress }));
    if (answer.status === 'partial') return { IsComplete: false };
    return done(event, answer.to, event.PendingCount);
  } catch (error) {
    if (!(error instanceof MigrateError)) throw error;
    if (error.code === 'database_ahead' && (await isRollingBack(event.StackId))) return untouched(event, error);
    if (ASK_AGAIN.includes(error.code) && Date.now() - event.StartedAt < PATIENCE_MS) {
      log('warning', 'asking again', { ...about(event), code: error.code, error: error.message });
      return { IsComplete: false };
    }
    return fail(error, event);
  }
}

async function ask(event: Event, question: (client: MigrateClient) => Promise<MigrateAnswer>): Promise<MigrateAnswer> {
  const { FunctionName, Stage } = event.ResourceProperties;
  const client = new MigrateClient({ functionName: FunctionName, stage: Stage });
  try {
    return await question(client);
  } finally {
    client.destroy();
  }
}

/** The old code of a rolled-back deploy meets the database of the new one. Failing here would leave the stack stuck. */
async function untouched(event: IsCompleteEvent, error: MigrateError): Promise<Deployed> {
  log('warning', 'the stack is rolled back and the database is ahead of its code: untouched', {
    ...about(event),
    error: error.message,
  });
  const { to } = await ask(event, (client) => client.current());
  return done({ ...event, Data: { fromRevision: to.join() } }, to, 0);
}

function done({ Data: { fromRevision } }: IsCompleteEvent, to: readonly string[], applied: number): Deployed {
  return { IsComplete: true, Data: { fromRevision, toRevision: to.join(), appliedCount: String(applied) } };
}

function fail(error: unknown, event: Event): never {
  if (!(error instanceof MigrateError)) throw error;
  const { name, message, cause, stack, ...details } = error;
  log('error', 'failed', { ...about(event), error: message, ...details });
  throw new DeployFailure(error, event.ResourceProperties.FunctionName);
}

function about({ RequestType, StackId, ResourceProperties: { FunctionName, Stage } }: Event): Record<string, unknown> {
  return { requestType: RequestType, stackId: StackId, function: FunctionName, stage: Stage };
}

function progress({ status, to, applied, pending }: MigrateAnswer): Record<string, unknown> {
  return { status, to, applied, pending: pending.length };
}
