import type { LambdaClient } from '@aws-sdk/client-lambda';
import {
  type Allowance,
  DEFAULT_APP_NAME,
  functionName,
  type MigrateAnswer,
  MigrateError,
  type MigrateRequest,
  nameProblems,
  type Place,
  type RunRecord,
  requestProblems,
} from '../contract';
import type { RunAnswer } from './container/in-container';
import { ContainerRuns } from './container/runs';
import { invoke } from './invoke';
import { type ConnectionOptions, checkAttempts, lambdaClient, regionOf } from './lambda-client';
import { type MigrateOptions, migrate } from './migrate';
import type { Target } from './target';
import { type LockOptions, whenUnlocked } from './wait-for-lock';
import type { ReadyOptions } from './wait-until-ready';

/** Which function to speak to, and how to reach it. */
export interface MigrateClientOptions extends ConnectionOptions {
  /** Stage whose database is meant. @default - none; `functionName` is needed then */
  readonly stage?: string;
  /** @default 'template-saas' */
  readonly appName?: string;
  /** Name or ARN of the function. @default - the name that the construct gives it for `appName` and `stage` */
  readonly functionName?: string;
  /**
   * Who asks, for the run history: 1 to 200 printable ASCII characters.
   *
   * @default 'invoke'
   */
  readonly requestedBy?: string;
  /**
   * A client of one's own, in place of `region`, `profile` and `endpoint`. It must make one attempt only (`maxAttempts: 1`).
   *
   * @default - one that is made for calls of many minutes
   */
  readonly client?: LambdaClient;
}

/** Options of every call. */
export type CallOptions = ReadyOptions;

export interface PlanOptions extends CallOptions {
  /** Revision that an upgrade would go to. @default 'head' */
  readonly revision?: string;
  /** Where the upgrade would run all that is pending. @default - each revision where it says */
  readonly in?: Place;
  /**
   * Whether the answer's `sql` holds the pending revisions as SQL.
   *
   * @default false
   */
  readonly sql?: boolean;
}

/** Where the database is, and whether that is where the packaged scripts end. */
export interface CheckAnswer extends MigrateAnswer {
  /** Nothing is pending, and nothing is applied that the scripts do not have. */
  readonly atHead: boolean;
}

export interface StampOptions extends CallOptions, LockOptions {
  /** Revision that is written into the version table without running anything. */
  readonly revision: string;
}

export interface RunOptions extends CallOptions, LockOptions, MigrateOptions {
  /**
   * The run of the history that this one belongs to, a UUID.
   *
   * @default - a run of its own
   */
  readonly runId?: string;
  /**
   * Seconds after which the function starts no further revision and reports; 0: after each revision.
   *
   * @default 5 - a person sees something every few seconds, no connection is silent for long, and a call's own time (to connect
   * and to load the scripts, about half a second) stays around a tenth
   */
  readonly sliceSeconds?: number;
}

export interface UpgradeOptions extends RunOptions {
  /** Revision to go to. @default 'head' */
  readonly revision?: string;
  /**
   * What the upgrade may do besides: `drop_invalid_indexes` drops the invalid indexes that are in the way of a pending revision.
   *
   * @default - nothing
   */
  readonly allow?: readonly Allowance[];
  /**
   * `container`: all that is pending runs in the stage's container.
   *
   * @default - in the function, but for revisions that say `# cdk-alembic: run in container`
   */
  readonly in?: Place;
}

export interface DowngradeOptions extends RunOptions {
  /** Revision to go back to. */
  readonly revision: string;
}

const SLICE_SECONDS = 5;

/** Runs and inspects the migrations of one stage through its deployed function. Every failure is a `MigrateError`. */
export class MigrateClient {
  /** Name or ARN of the function that is called. */
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
   * Applies pending revisions, slice after slice, until the database is at `revision`. Those for the stage's container run there, and
   * are waited for.
   */
  upgrade({ revision, allow, in: place, sliceSeconds, runId, ...options }: UpgradeOptions = {}): Promise<RunAnswer> {
    return this.run({ command: 'upgrade', revision, allow, in: place, sliceSeconds, runId }, options);
  }

  /** What an upgrade would apply. Changes nothing. */
  plan({ revision, in: place, sql, ...options }: PlanOptions = {}): Promise<MigrateAnswer> {
    return this.run({ command: 'plan', revision, in: place, sql }, options);
  }

  /** Whether the database is at head, for a gate before a release. Changes nothing; a database that is not there is no error. */
  async check(options: CallOptions = {}): Promise<CheckAnswer> {
    const answer = await this.current(options);
    return { ...answer, atHead: answer.status === 'complete' };
  }

  /** Where the database is. Changes nothing. */
  current(options: CallOptions = {}): Promise<MigrateAnswer> {
    return this.run({ command: 'current' }, options);
  }

  /** All revisions, newest first, and whether each is applied. Changes nothing. */
  history(options: CallOptions = {}): Promise<MigrateAnswer> {
    return this.run({ command: 'history' }, options);
  }

  /** Takes revisions back. Runs only where the construct's props allow it. */
  downgrade({ revision, sliceSeconds, runId, ...options }: DowngradeOptions): Promise<MigrateAnswer> {
    return this.run({ command: 'downgrade', revision, sliceSeconds, runId }, options);
  }

  /** Writes a revision into the version table without running anything. Runs only where the construct's props allow it. */
  stamp({ revision, ...options }: StampOptions): Promise<MigrateAnswer> {
    return this.run({ command: 'stamp', revision }, options);
  }

  /** Sends a request; the other methods are made of this one. */
  async run(given: MigrateRequest, options: CallOptions & LockOptions & MigrateOptions = {}): Promise<RunAnswer> {
    const { command = 'upgrade' } = given;
    const sliced = command === 'upgrade' || command === 'downgrade';
    const recorded = sliced || command === 'stamp';
    const request: MigrateRequest = {
      ...given,
      command,
      sliceSeconds: given.sliceSeconds ?? (sliced ? SLICE_SECONDS : undefined),
      requestedBy: given.requestedBy ?? (recorded ? this.requestedBy : undefined),
    };
    const problems = requestProblems(request);
    if (problems.length > 0)
      throw new MigrateError('invalid_request', problems.join('; '), 'correct the request; nothing was sent');
    await checkAttempts(this.lambda);
    const target: Target = { functionName: this.functionName, stage: this.stage, region: await regionOf(this.lambda) };
    const ask = (slice: MigrateRequest) => whenUnlocked(() => invoke(this.lambda, target, slice, options), options);
    const history = async () => (await ask({ command: 'history' })).runs ?? [];
    return migrate(ask, request, options, () => this.containerRuns(history));
  }

  /** Step Functions' SDK is loaded when a run comes to a container: hardly any does. */
  private async containerRuns(history: () => Promise<readonly RunRecord[]>): Promise<ContainerRuns> {
    const sdk = await import('@aws-sdk/client-sfn');
    const { credentials, region } = this.lambda.config;
    return new ContainerRuns(sdk, { credentials, region, endpoint: this.endpoint }, history);
  }

  /** Closes the connections. A client that was handed in is closed too. */
  destroy(): void {
    this.lambda.destroy();
  }
}

/** All that is wrong with the choice of a function; empty when it can be called. */
export function usageProblems({ stage, appName = DEFAULT_APP_NAME, functionName: name }: MigrateClientOptions): string[] {
  if (name !== undefined) return name === '' ? ['the function name is empty'] : [];
  return stage === undefined ? ['the stage is missing'] : nameProblems(appName, stage);
}
