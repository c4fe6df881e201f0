import type { LambdaClient } from '@aws-sdk/client-lambda';
import {
  type Allowance,
  type Compute,
  changesDatabase,
  DEFAULT_APP_NAME,
  functionName,
  type MigrateAnswer,
  MigrateError,
  type MigrateRequest,
  nameProblems,
  type RunRecord,
  requestProblems,
} from '../contract';
import type { RunAnswer } from './container/in-container';
import { ContainerRuns } from './container/runs';
import { invoke } from './invoke';
import { type ConnectionOptions, checkAttempts, lambdaClient, regionOf } from './lambda-client';
import { type MigrateOptions, migrate } from './migrate';
import type { Target } from './target';
import { pollWhileSilent } from './waiting/poll-while-silent';
import { type LockOptions, retryWhileLocked } from './waiting/retry-while-locked';
import type { ReadyOptions } from './waiting/send-when-ready';

/** The function to call, and how to reach it. */
export interface MigrateClientOptions extends ConnectionOptions {
  /** Stage to migrate. @default - none; `functionName` is then required */
  readonly stage?: string;
  /** @default 'template-saas' */
  readonly appName?: string;
  /** Name or ARN of the function. @default - the name that the construct gives it for `appName` and `stage` */
  readonly functionName?: string;
  /**
   * Who requests the run, for its history: 1 to 200 printable ASCII characters.
   *
   * @default 'invoke'
   */
  readonly requestedBy?: string;
  /**
   * Your own client, instead of `region`, `profile` and `endpoint`. It must make only one attempt (`maxAttempts: 1`).
   *
   * @default - a client configured for calls of many minutes
   */
  readonly client?: LambdaClient;
}

/** Options of every call. */
export type CallOptions = ReadyOptions;

export interface PlanOptions extends CallOptions {
  /** The target of the upgrade. @default 'head' */
  readonly revision?: string;
  /** Where the upgrade would run all pending revisions. @default - each file decides */
  readonly in?: Compute;
  /**
   * Whether the answer's `sql` has the pending revisions as SQL.
   *
   * @default false
   */
  readonly sql?: boolean;
}

/** The database's revision, and whether it is at the packaged head. */
export interface CheckAnswer extends MigrateAnswer {
  /** Nothing is pending, and the database has no revision that the package lacks. */
  readonly atHead: boolean;
}

export interface DriftOptions extends CallOptions {
  /**
   * Whether to accept today's schema: later calls compare with it.
   *
   * @default false
   */
  readonly accept?: boolean;
}

export interface StampOptions extends CallOptions, LockOptions {
  /** Revision to write to the version table without running anything. */
  readonly revision: string;
}

export interface RunOptions extends CallOptions, LockOptions, MigrateOptions {
  /**
   * UUID of the run in the history that this one continues.
   *
   * @default - a new run
   */
  readonly runId?: string;
  /**
   * Seconds after which the function starts no more revisions and answers; 0: after each revision.
   *
   * @default 5 - shows progress every few seconds and keeps no connection silent for long, while a call's overhead (connecting
   * and loading the scripts, about half a second) stays around a tenth
   */
  readonly sliceSeconds?: number;
}

export interface UpgradeOptions extends RunOptions {
  /** Revision to go to. @default 'head' */
  readonly revision?: string;
  /**
   * What else the upgrade may do: `drop_invalid_indexes` drops invalid indexes that block a pending revision.
   *
   * @default - nothing
   */
  readonly allow?: readonly Allowance[];
  /**
   * `container`: all pending revisions run in the stage's container.
   *
   * @default - in the function, except revisions with the comment `# cdk-alembic: run in container`
   */
  readonly in?: Compute;
  /**
   * Whether an RDS snapshot is made first, even if no revision destroys data. Requires `snapshot` on the construct.
   *
   * @default - the construct's `snapshot` decides
   */
  readonly snapshot?: boolean;
}

export interface DowngradeOptions extends RunOptions {
  /** Revision to downgrade to. */
  readonly revision: string;
  /**
   * Whether an RDS snapshot is made first. Requires `snapshot` on the construct.
   *
   * @default - only with `MigrationSnapshot.always()`
   */
  readonly snapshot?: boolean;
}

const SLICE_SECONDS = 5;

/** Runs and inspects the migrations of one stage through its deployed function. Throws only a `MigrateError`. */
export class MigrateClient {
  /** Name or ARN of the called function. */
  readonly functionName: string;
  private readonly stage?: string;
  private readonly requestedBy?: string;
  private readonly endpoint?: string;
  private readonly lambda: LambdaClient;

  constructor(options: MigrateClientOptions) {
    const { stage, appName = DEFAULT_APP_NAME } = options;
    const problems = usageProblems(options);
    if (problems.length > 0) throw new MigrateError('invalid_usage', problems.join('; '), 'correct the options of MigrateClient');
    this.stage = stage;
    this.requestedBy = options.requestedBy;
    this.endpoint = options.endpoint;
    this.functionName = options.functionName ?? functionName(appName, stage as string);
    this.lambda = options.client ?? lambdaClient(options);
  }

  /**
   * Applies pending revisions, slice by slice, until the database is at `revision`. Starts the stage's container for its
   * revisions, and waits for it, and for the RDS snapshot, if the stage makes one first.
   */
  upgrade({ revision, allow, in: compute, snapshot, sliceSeconds, runId, ...options }: UpgradeOptions = {}): Promise<RunAnswer> {
    return this.run({ command: 'upgrade', revision, allow, in: compute, snapshot, sliceSeconds, runId }, options);
  }

  /** What an upgrade would apply. Changes nothing. */
  plan({ revision, in: compute, sql, ...options }: PlanOptions = {}): Promise<MigrateAnswer> {
    return this.run({ command: 'plan', revision, in: compute, sql }, options);
  }

  /**
   * Whether the database is at head: a check before a release. Changes nothing. A database that is not at head is not an error.
   */
  async check(options: CallOptions = {}): Promise<CheckAnswer> {
    const answer = await this.current(options);
    return { ...answer, atHead: answer.status === 'complete' };
  }

  /** The database's revision. Changes nothing. */
  current(options: CallOptions = {}): Promise<MigrateAnswer> {
    return this.run({ command: 'current' }, options);
  }

  /** All revisions, newest first, each with whether it is applied. Changes nothing. */
  history(options: CallOptions = {}): Promise<MigrateAnswer> {
    return this.run({ command: 'history' }, options);
  }

  /** Sizes and traffic of tables and indexes: names and numbers, never a value of a row. Changes nothing. */
  statistics(options: CallOptions = {}): Promise<MigrateAnswer> {
    return this.run({ command: 'statistics' }, options);
  }

  /**
   * What was changed by hand since the last run, on a stage with `onDrift`. Changes nothing in the schema.
   *
   * Drift is not an error: see `drift.status`.
   */
  drift({ accept, ...options }: DriftOptions = {}): Promise<MigrateAnswer> {
    return this.run({ command: 'drift', allow: accept ? ['drift'] : undefined }, options);
  }

  /** Reverts revisions. Requires `allowDowngrade` on the construct. */
  downgrade({ revision, snapshot, sliceSeconds, runId, ...options }: DowngradeOptions): Promise<MigrateAnswer> {
    return this.run({ command: 'downgrade', revision, snapshot, sliceSeconds, runId }, options);
  }

  /** Writes a revision to the version table without running anything. Requires `allowStamp` on the construct. */
  stamp({ revision, ...options }: StampOptions): Promise<MigrateAnswer> {
    return this.run({ command: 'stamp', revision }, options);
  }

  /** Sends any request. The other methods call this one. */
  async run(given: MigrateRequest, options: CallOptions & LockOptions & MigrateOptions = {}): Promise<RunAnswer> {
    const { command = 'upgrade' } = given;
    const sliced = command === 'upgrade' || command === 'downgrade';

    const request: MigrateRequest = {
      ...given,
      command,
      sliceSeconds: given.sliceSeconds ?? (sliced ? SLICE_SECONDS : undefined),
      requestedBy: given.requestedBy ?? (changesDatabase(command) ? this.requestedBy : undefined),
    };
    const problems = requestProblems(request);
    if (problems.length > 0)
      throw new MigrateError('invalid_request', problems.join('; '), 'correct the request; nothing was sent');
    await checkAttempts(this.lambda);
    const target: Target = { functionName: this.functionName, stage: this.stage, region: await regionOf(this.lambda) };
    const call = (slice: MigrateRequest) => retryWhileLocked(() => invoke(this.lambda, target, slice, options), options);
    const history = async () => (await call({ command: 'history' })).runs ?? [];
    const { onRunning, onProgress } = options;
    const run = (reported = () => {}) => {
      const progress = (slice: MigrateAnswer) => {
        reported();
        onProgress?.(slice);
      };
      return migrate(call, request, { ...options, onProgress: progress }, () => this.containerRuns(history));
    };
    if (!onRunning || !sliced) return run();
    return pollWhileSilent(run, async (signal) => {
      const { running } = await invoke(this.lambda, target, { command: 'current' }, { readySeconds: 0, signal });
      if (running && !signal.aborted) onRunning(running);
    });
  }

  /** Loads the SDK of Step Functions only if a run needs the container; few do. */
  private async containerRuns(history: () => Promise<readonly RunRecord[]>): Promise<ContainerRuns> {
    const sdk = await import('@aws-sdk/client-sfn');
    const { credentials, region } = this.lambda.config;
    return new ContainerRuns(sdk, { credentials, region, endpoint: this.endpoint }, history);
  }

  /** Closes the connections, including those of a client that you passed. */
  destroy(): void {
    this.lambda.destroy();
  }
}

/** All problems of the options that select the function; empty if they are valid. */
export function usageProblems({ stage, appName = DEFAULT_APP_NAME, functionName: name }: MigrateClientOptions): string[] {
  if (name !== undefined) return name === '' ? ['the function name is empty'] : [];
  return stage === undefined ? ['the stage is missing'] : nameProblems(appName, stage);
}
