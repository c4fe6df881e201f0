import { Duration } from 'aws-cdk-lib';
import { LAMBDA_SECONDS, type RunnerLimits } from '../../contract';
import { option } from '../../packaging/code-in-messages';
import { duration, optional, type PropTypes, structure, texts } from './prop-types';
import { FUNCTION_SECONDS, MAX_CONNECT_RETRY_SECONDS } from './timeouts';

/** How long a run waits. docs/timeouts.md gives the reason for each default. */
export interface MigrationLimits {
  /**
   * How long a run waits for another run of the same database to end before it fails with `locked`. Two deploys that start
   * together usually wait only for a short run; after this time, failing is better than waiting.
   *
   * @default Duration.minutes(1)
   */
  readonly mutexWait?: Duration;

  /**
   * How long a migration's statement may wait for a lock. The application's queries queue behind it for this long: common
   * practice is 1 to 10 seconds.
   *
   * @default Duration.seconds(5)
   */
  readonly lockTimeout?: Duration;

  /**
   * How long a revision is retried, after a rollback, when a lock was not available. `Duration.seconds(0)` tries once.
   *
   * @default Duration.minutes(2)
   */
  readonly lockRetry?: Duration;

  /**
   * How long an unreachable database is retried before anything has run: a paused Aurora resumes, and a failover ends, within
   * about this time. At most 3 minutes. `Duration.seconds(0)` tries once.
   *
   * @default Duration.seconds(30)
   */
  readonly connectRetry?: Duration;

  /**
   * Sessions that a run may end if they block a revision. It never ends a session that runs a statement. Each one that it ended
   * is in the answer and in the run history. The migrating role requires `pg_signal_backend` and `pg_read_all_stats` for sessions
   * of other roles.
   *
   * @default - none is ended
   */
  readonly endBlockers?: EndBlockers;
}

/** Sessions that are idle in a transaction and of one of these roles or applications. */
export interface EndBlockers {
  /**
   * Names of database roles.
   *
   * @default - only `applications`
   */
  readonly roles?: string[];

  /**
   * Values of `application_name`.
   *
   * @default - only `roles`
   */
  readonly applications?: string[];

  /**
   * How long a session must have been idle in its transaction.
   *
   * @default Duration.seconds(30)
   */
  readonly idleFor?: Duration;
}

const END_BLOCKERS: PropTypes<EndBlockers> = {
  roles: optional(texts),
  applications: optional(texts),
  idleFor: optional(duration),
};

export const LIMITS: PropTypes<MigrationLimits> = {
  mutexWait: optional(duration),
  lockTimeout: optional(duration),
  lockRetry: optional(duration),
  connectRetry: optional(duration),
  endBlockers: optional(structure(END_BLOCKERS)),
};

/** The function's default timeout. */
export function defaultTimeout(runOnDeploy: boolean): Duration {
  return Duration.seconds(runOnDeploy ? FUNCTION_SECONDS : LAMBDA_SECONDS);
}

const DEFAULT_LOCK_TIMEOUT = Duration.seconds(5);

/** All errors in a function's timeout and its limits. */
export function limitProblems(timeout: Duration, limits: MigrationLimits, runOnDeploy: boolean): string[] {
  const longest = defaultTimeout(runOnDeploy);
  const problems: string[] = [];
  if (isOver(timeout, longest)) {
    const reason = runOnDeploy ? `a deploy can wait for ${longest.toHumanString()}` : 'Lambda allows 15 minutes';
    problems.push(
      `the timeout is ${timeout.toHumanString()}, but ${reason}: shorten it; a longer run continues in the next invoke`,
    );
  }
  const { lockTimeout = DEFAULT_LOCK_TIMEOUT, mutexWait, connectRetry, lockRetry } = limits;
  if (isZero(lockTimeout)) {
    problems.push(
      'the lock timeout is 0, which means no timeout to PostgreSQL: the application would block behind a migration that waits for ' +
        'a lock; use 1 to 10 seconds',
    );
  }
  const inside = { 'lock timeout': lockTimeout, 'mutex wait': mutexWait, 'lock retry': lockRetry, 'connect retry': connectRetry };
  for (const [name, limit] of Object.entries(inside)) {
    if (limit && isAtLeast(limit, timeout)) {
      problems.push(
        `the ${name} is ${limit.toHumanString()} and the function's timeout ${timeout.toHumanString()}: the function would ` +
          'end before it could report what it waited for; make the limit shorter',
      );
    }
  }
  const { endBlockers } = limits;
  if (endBlockers && !endBlockers.roles?.length && !endBlockers.applications?.length) {
    problems.push(`${option('endBlockers')} of the limits names no session: list database roles or application names`);
  }
  const longestRetry = Duration.seconds(MAX_CONNECT_RETRY_SECONDS);
  if (connectRetry && isOver(connectRetry, longestRetry)) {
    problems.push(
      `the connect retry is ${connectRetry.toHumanString()}, but at most ${longestRetry.toHumanString()} are allowed: ` +
        'a database that takes longer is down, and a deploy should say so',
    );
  }
  return problems;
}

/** The limits in the runner's format. Omits those that are not set. */
export function runnerLimits(limits: MigrationLimits): RunnerLimits | undefined {
  const { mutexWait, lockTimeout, lockRetry, connectRetry, endBlockers } = limits;
  const settings: RunnerLimits = {
    ...(mutexWait && { mutexWaitSeconds: seconds(mutexWait) }),
    ...(lockTimeout && { lockTimeoutSeconds: seconds(lockTimeout) }),
    ...(lockRetry && { lockRetrySeconds: seconds(lockRetry) }),
    ...(connectRetry && { connectRetrySeconds: seconds(connectRetry) }),
    ...(endBlockers && { endBlockers: endedBlockers(endBlockers) }),
  };
  return Object.keys(settings).length ? settings : undefined;
}

function endedBlockers({ roles, applications, idleFor }: EndBlockers): RunnerLimits['endBlockers'] {
  return {
    ...(roles?.length && { roles }),
    ...(applications?.length && { applications }),
    ...(idleFor && { idleSeconds: seconds(idleFor) }),
  };
}

function seconds(duration: Duration): number {
  return duration.toSeconds({ integral: false });
}

function isZero(duration: Duration): boolean {
  return !duration.isUnresolved() && seconds(duration) === 0;
}

function isOver(duration: Duration, limit: Duration): boolean {
  return !duration.isUnresolved() && seconds(duration) > seconds(limit);
}

function isAtLeast(duration: Duration, limit: Duration): boolean {
  return !duration.isUnresolved() && !limit.isUnresolved() && seconds(duration) >= seconds(limit);
}
