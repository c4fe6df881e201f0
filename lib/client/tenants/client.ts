import type { DescribeExecutionCommandOutput, SFNClient } from '@aws-sdk/client-sfn';
import { DEFAULT_APP_NAME, MigrateError, nameProblems } from '../../contract';
import { type TenantRunInput, type TenantRunSummary, tenantApprovalName } from '../../contract/tenants';
import { type ConnectionOptions, lambdaClient, regionOf } from '../lambda-client';
import { type AwsCall, retryOf, sdkFailure } from '../sdk-failure';
import { sleep } from '../waiting/sleep';
import { sendApproval } from './approval';
import { checkedInput, runIdProblems } from './input';
import { findMachine, givenMachine, type Machine, runArn } from './machine';
import { ProgressReader, type TenantsProgress } from './progress';
import { resultOf } from './result';
import { machineCall, sfnClient, sfnSdk } from './sdk';

/** The stage whose tenants to migrate, and how to reach AWS. */
export interface TenantsClientOptions extends ConnectionOptions {
  /** Stage whose tenants to migrate. */
  readonly stage: string;
  /** @default 'template-saas' */
  readonly appName?: string;
  /**
   * ARN of the state machine, for credentials that may not list state machines.
   *
   * @default - looked up once by the construct's name for `appName` and `stage`
   */
  readonly stateMachineArn?: string;
  /**
   * Who requests the run, for its history: 1 to 200 printable ASCII characters.
   *
   * @default 'invoke'
   */
  readonly requestedBy?: string;
  /** Your own client, instead of `region`, `profile` and `endpoint`; approvals still use those. @default - a new client */
  readonly client?: SFNClient;
}

export interface TenantsCallOptions {
  /** Stops waiting, with the signal's reason. A started run continues. */
  readonly signal?: AbortSignal;
}

export interface StartOptions extends Omit<TenantRunInput, 'requestedBy'>, TenantsCallOptions {
  /**
   * Id of the run, a lower-case UUID. Starting it again with the same request does nothing.
   *
   * @default - a new one
   */
  readonly runId?: string;
}

export interface WatchOptions extends TenantsCallOptions {
  /** Called when the progress changes; never, if the credentials may not read it. */
  readonly onProgress?: (progress: TenantsProgress) => void;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;

/** Watching tolerates outages shorter than this. The run does not depend on it. */
const PATIENCE_MS = 120_000;

/** Runs the migrations of many tenants through their deployed state machine. Throws only a `MigrateError`. */
export class TenantsClient {
  private readonly sfn: SFNClient;
  private machine?: Machine;

  constructor(private readonly options: TenantsClientOptions) {
    const { stage, appName = DEFAULT_APP_NAME, stateMachineArn } = options;
    const problems = nameProblems(appName, stage);
    if (stateMachineArn !== undefined && !/^arn:[^:]+:states:[^:]+:\d+:stateMachine:[^:]+$/.test(stateMachineArn)) {
      problems.push(`${JSON.stringify(stateMachineArn)} is not the ARN of a state machine`);
    }
    if (problems.length > 0) throw new MigrateError('invalid_usage', problems.join('; '), 'correct the options of TenantsClient');
    this.sfn = options.client ?? sfnClient(options);
    if (stateMachineArn !== undefined) this.machine = givenMachine(stateMachineArn);
  }

  /**
   * Starts a run, once: the execution is named after the run's id, so a lost answer never leads to a second run.
   *
   * @returns the run's id
   */
  async start({ runId = crypto.randomUUID(), signal, ...request }: StartOptions = {}): Promise<string> {
    mustBeRunId(runId);
    const input = checkedInput({ ...request, requestedBy: this.options.requestedBy });
    const { arn } = await this.find(signal);
    const { StartExecutionCommand } = sfnSdk();
    try {
      const command = new StartExecutionCommand({ stateMachineArn: arn, name: runId, input });
      await this.sfn.send(command, { abortSignal: signal });
    } catch (error) {
      signal?.throwIfAborted();
      if ((error as Error).name !== 'ExecutionAlreadyExists') throw sdkFailure(error, startOf(runId));
      // The first answer was lost and the run has ended since, or the id was used for another request.
      const { input: started } = await this.describe(runId, signal);
      if (started !== undefined && started !== input) {
        throw new MigrateError('invalid_usage', `run ${runId} was started with a different request`, 'pass a new id, or none');
      }
    }
    return runId;
  }

  /** Waits until a run ends, and reports its progress. */
  async watch(runId: string, { onProgress, signal }: WatchOptions = {}): Promise<TenantRunSummary> {
    const reader = onProgress && new ProgressReader(this.sfn, await this.arnOf(runId, signal), runId);
    let reported = '';
    let failingSince: number | undefined;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.3, LONGEST_PAUSE_MS)) {
      let execution: DescribeExecutionCommandOutput | undefined;
      let progress: TenantsProgress | undefined;
      try {
        execution = await this.describe(runId, signal);
        progress = await reader?.read(signal);
        failingSince = undefined;
      } catch (cause) {
        signal?.throwIfAborted();
        failingSince ??= performance.now();
        if (!retryOf(cause) || performance.now() - failingSince > PATIENCE_MS) throw cause;
      }
      const text = JSON.stringify(progress);
      if (progress && text !== reported) {
        reported = text;
        onProgress?.(progress);
      }
      if (execution && execution.status !== 'RUNNING') return resultOf(execution) as TenantRunSummary;
      await sleep(pause, signal);
    }
  }

  /**
   * The result of a run; undefined while it runs. Throws if the run failed: the error's code says why, its `summary` has the
   * results.
   */
  async result(runId: string, { signal }: TenantsCallOptions = {}): Promise<TenantRunSummary | undefined> {
    return resultOf(await this.describe(runId, signal));
  }

  /** Lets a run that waits after its canaries continue with the rest. */
  approve(runId: string, options: TenantsCallOptions = {}): Promise<void> {
    return this.decide(runId, true, options);
  }

  /** Ends a run that waits after its canaries with `not_approved`: the rest is not started. */
  reject(runId: string, options: TenantsCallOptions = {}): Promise<void> {
    return this.decide(runId, false, options);
  }

  /** Stops a run: no more batches are started, and each worker finishes its current call. */
  async stop(runId: string, { signal }: TenantsCallOptions = {}): Promise<void> {
    const { status } = await this.describe(runId, signal);
    if (status !== 'RUNNING') return;
    const { StopExecutionCommand } = sfnSdk();
    const cause = `stopped by ${this.options.requestedBy ?? 'invoke'}`;
    const command = new StopExecutionCommand({ executionArn: await this.arnOf(runId, signal), error: 'run_aborted', cause });
    try {
      await this.sfn.send(command, { abortSignal: signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw sdkFailure(error, machineCall(`states:StopExecution of run ${runId}`));
    }
  }

  /** Closes the connections, including those of a client that you passed. */
  destroy(): void {
    this.sfn.destroy();
  }

  private async decide(runId: string, approved: boolean, { signal }: TenantsCallOptions): Promise<void> {
    mustBeRunId(runId);
    const { stage, appName = DEFAULT_APP_NAME, requestedBy } = this.options;
    // Does not call Step Functions: approving requires no permission to start runs.
    const region = await regionOf(this.sfn);
    const lambda = lambdaClient({ ...this.options, region });
    try {
      const target = { functionName: tenantApprovalName(appName, stage), stage, region };
      await sendApproval(lambda, target, { runId, approved, requestedBy }, signal);
    } finally {
      lambda.destroy();
    }
  }

  private async describe(runId: string, signal?: AbortSignal): Promise<DescribeExecutionCommandOutput> {
    const { DescribeExecutionCommand } = sfnSdk();
    const executionArn = await this.arnOf(runId, signal);
    try {
      return await this.sfn.send(new DescribeExecutionCommand({ executionArn }), { abortSignal: signal });
    } catch (error) {
      signal?.throwIfAborted();
      if ((error as Error).name !== 'ExecutionDoesNotExist') {
        throw sdkFailure(error, machineCall(`states:DescribeExecution of run ${runId}`));
      }
      const message = `${(await this.find(signal)).name} has no run ${runId}`;
      const next = 'check the id, the stage, the region and the account; AWS keeps runs for 90 days';
      throw new MigrateError('run_not_found', message, next, { cause: error });
    }
  }

  private async arnOf(runId: string, signal?: AbortSignal): Promise<string> {
    mustBeRunId(runId, true);
    return runArn(await this.find(signal), runId);
  }

  private async find(signal?: AbortSignal): Promise<Machine> {
    const { stage, appName = DEFAULT_APP_NAME } = this.options;
    this.machine ??= await findMachine(this.sfn, appName, stage, signal);
    return this.machine;
  }
}

/** A start without an answer may have succeeded; so may an earlier attempt of one that was never sent. */
function startOf(runId: string): AwsCall {
  const call = machineCall(`the start of run ${runId}`);
  const next = `it may have started: follow it with --run ${runId}, or start it again with this id as \`runId\``;
  return { ...call, next: { ...call.next, notConnected: next, lost: next } };
}

function mustBeRunId(runId: string, any = false): void {
  const problems = runIdProblems(runId, any);
  if (problems.length > 0) throw new MigrateError('invalid_usage', problems.join('; '), 'pass the id that `start` returned');
}
