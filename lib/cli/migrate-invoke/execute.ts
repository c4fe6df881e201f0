import type { CheckAnswer } from '../../client/client';
import type { StartedContainer } from '../../client/container/in-container';
import { regionOf } from '../../client/lambda-client';
import { isAwaited } from '../../client/waiting/wait-for-snapshot';
import { type MigrateAnswer, MigrateError } from '../../contract';
import { callerIdentity } from '../answer/caller-identity';
import { confirm } from '../answer/confirm';
import { snapshotNow } from '../answer/production/show-snapshot';
import { Progress, watchedSlice } from '../answer/progress';
import { showAnswer, showApplied, showOutcome, showPosition } from '../answer/show-answer';
import { showHeader } from '../answer/show-header';
import { revisionNames } from '../screen/terminal';
import { followLog } from './follow-log';
import { nextRequest } from './next-request';
import type { Session } from './session';
import { showContainer } from './show-container';

const NOTHING = () => {};

/** Executes a command line: first reads the database's revision, then changes it. */
export async function execute(session: Session): Promise<MigrateAnswer | CheckAnswer> {
  const { client, lambda, screen, arguments: given } = session;
  const { stage, endpoint } = given.client;
  const region = await regionOf(lambda);
  // In parallel, so that the header does not delay the migration. Loading STS takes as long as preparing the first request, so it
  // starts after that request is sent.
  const requested = nextRequest(lambda);
  const answered = read(session);
  const sent = Promise.race([requested, answered.then(NOTHING, NOTHING)]);
  const who = () => sent.then(() => callerIdentity(lambda, endpoint));
  await showHeader(screen.notes, { stage, called: ['function', client.functionName], region }, who);
  const answer = await answered;
  if (given.changes) return change(session, answer);
  showAnswer(screen, answer);
  return answer;
}

function read({ client, screen, signal, arguments: { command, request, sql } }: Session): Promise<MigrateAnswer> {
  const options = { signal, onWait: (reason: string) => screen.notes.warning(`waiting: ${reason}`) };
  if (command === 'check') return client.check(options);
  if (command === 'history') return client.history(options);
  if (command === 'statistics') return client.statistics(options);
  if (command === 'drift') return client.drift({ accept: request.allow?.includes('drift'), ...options });
  if (command === 'plan' || command === 'upgrade')
    return client.plan({ revision: request.revision, in: request.in, sql, ...options });
  return client.current(options);
}

async function change(session: Session, before: MigrateAnswer): Promise<MigrateAnswer> {
  const { screen, ci, signal, arguments: given } = session;
  const upgrade = given.command === 'upgrade';
  if (upgrade && before.status === 'complete') {
    const answer = { ...before, command: given.command } as MigrateAnswer;
    showOutcome(screen, answer, 0);
    return answer;
  }
  await ci.section('plan', async () => showPosition(screen.notes, before));
  if (upgrade && before.status === 'ahead') throw ahead(before);
  if (before.protected && !given.yes) await confirm(before.stage, screen, signal);
  const stopFollowing = given.follow ? follow(session) : undefined;
  const started = performance.now();
  let answer: MigrateAnswer;
  let ms: number;
  try {
    answer = await ci.section('migrate', () => run(session, upgrade ? before : undefined));
    ms = Math.round(performance.now() - started);
  } finally {
    await stopFollowing?.();
  }
  showOutcome(screen, answer, ms);
  return answer;
}

async function run(session: Session, plan?: MigrateAnswer): Promise<MigrateAnswer> {
  const { client, screen, signal, arguments: given } = session;
  const { data, notes, status } = screen;
  const sliceSeconds = status && given.command !== 'stamp' ? watchedSlice(plan?.pending.length ?? 0) : undefined;
  const progress = given.progress ? new Progress(screen, plan?.pending ?? [], sliceSeconds !== 0) : undefined;
  let announced = false;
  const onProgress = (slice: MigrateAnswer) => {
    if (!announced && isAwaited(slice.snapshot)) notes.line(`  ${snapshotNow(slice.snapshot)}; nothing is applied before`);
    announced ||= isAwaited(slice.snapshot);
    session.applied.push(...slice.applied);
    for (const revision of slice.applied) showApplied(data, slice.command, revision);
    progress?.advance(slice);
  };
  const onWait = (reason: string) => notes.warning(`waiting: ${reason}`);
  const onContainer = (started: StartedContainer) => {
    session.execution = started.executionArn;
    showContainer(notes, started);
  };
  session.changing = true;
  try {
    return await client.run(
      { ...given.request, sliceSeconds },
      {
        onProgress,
        onRunning: progress && ((running) => progress.showRunning(running)),
        onContainer,
        onWait,
        signal,
        lockSeconds: given.lockSeconds,
      },
    );
  } finally {
    progress?.stop();
  }
}

function follow({ client, lambda, screen, signal, arguments: given }: Session): () => Promise<void> {
  const { endpoint } = given.client;
  return followLog({ lambda, endpoint, functionName: client.functionName, terminal: screen.notes, signal });
}

/** The same error as the runner's, without another call. */
function ahead({ unknown, heads }: MigrateAnswer) {
  return new MigrateError(
    'database_ahead',
    `the database is at ${revisionNames(unknown)}, which this release does not have (its heads: ${heads.join(', ') || 'none'})`,
    'deploy the release that has this revision, or a newer one; nothing was changed',
    { revision: unknown[0] },
  );
}
