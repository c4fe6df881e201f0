import type { LambdaClient } from '@aws-sdk/client-lambda';
import {
  DEFAULT_APP_NAME,
  functionName,
  type MigrateAnswer,
  type MigrateRequest,
  nameProblems,
  requestProblems,
} from '../contract';
import { migrateError } from './errors';
import { invoke } from './invoke';
import { type ConnectionOptions, checkAttempts, lambdaClient, regionOf } from './lambda-client';
import { type MigrateOptions, migrate } from './migrate';
import type { Target } from './target';

/** Which function to speak to, and how to reach it. */
export interface MigrateClientOptions extends ConnectionOptions {
  /** Stage whose database is meant. @default - none; `functionName` is needed then */
  readonly stage?: string;
  /** @default 'template-saas' */
  readonly appName?: string;
  /** Name or ARN of the function. @default - the name that the construct gives it for `appName` and `stage` */
  readonly functionName?: string;
  /**
   * A client of one's own, in place of `region`, `profile` and `endpoint`. It must make one attempt only (`maxAttempts: 1`).
   *
   * @default - one that is made for calls of many minutes
   */
  readonly client?: LambdaClient;
}

/** Options of every call. */
export interface CallOptions {
  /** Ends the waiting. What the function has started goes on to the end of its slice. */
  readonly signal?: AbortSignal;
}

export interface PlanOptions extends CallOptions {
  /** Revision that an upgrade would go to. @default 'head' */
  readonly revision?: string;
}

export interface StampOptions extends CallOptions {
  /** Revision that is written into the version table without running anything. */
  readonly revision: string;
}

export interface RunOptions extends CallOptions, MigrateOptions {
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
  private readonly lambda: LambdaClient;

  constructor(options: MigrateClientOptions) {
    const { stage, appName = DEFAULT_APP_NAME } = options;
    const problems = usageProblems(options);
    if (problems.length > 0) throw migrateError('invalid_usage', problems.join('; '), 'correct the options of MigrateClient');
    this.stage = stage;
    this.functionName = options.functionName ?? functionName(appName, stage as string);
    this.lambda = options.client ?? lambdaClient(options);
  }

  /** Applies pending revisions, slice after slice, until the database is at `revision`. */
  upgrade({ revision, sliceSeconds, ...options }: UpgradeOptions = {}): Promise<MigrateAnswer> {
    return this.run({ command: 'upgrade', revision, sliceSeconds }, options);
  }

  /** What an upgrade would apply. Changes nothing. */
  plan({ revision, ...options }: PlanOptions = {}): Promise<MigrateAnswer> {
    return this.run({ command: 'plan', revision }, options);
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
  downgrade({ revision, sliceSeconds, ...options }: DowngradeOptions): Promise<MigrateAnswer> {
    return this.run({ command: 'downgrade', revision, sliceSeconds }, options);
  }

  /** Writes a revision into the version table without running anything. Runs only where the construct's props allow it. */
  stamp({ revision, ...options }: StampOptions): Promise<MigrateAnswer> {
    return this.run({ command: 'stamp', revision }, options);
  }

  /** Sends a request as it is; the other methods are made of this one. */
  async run(request: MigrateRequest, options: MigrateOptions = {}): Promise<MigrateAnswer> {
    const problems = requestProblems(request);
    if (problems.length > 0) throw migrateError('invalid_request', problems.join('; '), 'correct the request; nothing was sent');
    await checkAttempts(this.lambda);
    const target: Target = { functionName: this.functionName, stage: this.stage, region: await regionOf(this.lambda) };
    const { command = 'upgrade', revision } = request;
    const sliced = command === 'upgrade' || command === 'downgrade';
    const sliceSeconds = sliced ? (request.sliceSeconds ?? SLICE_SECONDS) : undefined;
    return migrate((slice) => invoke(this.lambda, target, slice, options.signal), { command, revision, sliceSeconds }, options);
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
