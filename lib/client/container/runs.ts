import { setTimeout as sleep } from 'node:timers/promises';
import type { DescribeExecutionCommandOutput, SFNClient, SFNClientConfig } from '@aws-sdk/client-sfn';
import {
  type AppliedRevision,
  MigrateError,
  type MigrateRequest,
  RUNNER_CODES,
  type RunnerCode,
  type RunRecord,
} from '../../contract';
import { retryOf, sdkFailure } from '../sdk-failure';
import { type SfnSdk, stepFunctions } from '../step-functions';
import { containerCall, containerFailed, recordedFailure } from './failure';

/** How one run in the container is waited for. */
export interface WaitOptions {
  /** The run of the history that it writes. */
  readonly runId: string;
  /** When the waiting ends, on the clock of `performance.now()`. */
  readonly until: number;
  /** Gets what the run has applied since the last time. */
  readonly onApplied: (applied: readonly AppliedRevision[]) => void;
  readonly signal?: AbortSignal;
}

const FIRST_PAUSE_MS = 500;
/** Each look is a call of the function, too. */
const LONGEST_PAUSE_MS = 15_000;

/** A run of hours outlasts a network that is gone for minutes. */
const PATIENCE_MS = 5 * 60_000;

/** A task that is stopped still writes how it ended. */
const LAST_WORDS_MS = 10_000;

/** Starts the stage's container and watches it: its end through Step Functions, its progress through the run history. */
export class ContainerRuns {
  private readonly sfn: SFNClient;

  /**
   * @param connection credentials, region and endpoint
   * @param history asks the function for the latest runs
   */
  constructor(
    private readonly sdk: SfnSdk,
    connection: Pick<SFNClientConfig, 'credentials' | 'region' | 'endpoint'>,
    private readonly history: () => Promise<readonly RunRecord[]>,
  ) {
    this.sfn = stepFunctions(sdk, connection);
  }

  /** Starts the container under a name; what was started under it before is found, and nothing runs twice. @returns its ARN */
  async start(stateMachineArn: string, name: string, request: MigrateRequest, abortSignal?: AbortSignal): Promise<string> {
    try {
      const command = new this.sdk.StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(request) });
      const { executionArn } = await this.sfn.send(command, { abortSignal });
      return executionArn as string;
    } catch (error) {
      abortSignal?.throwIfAborted();
      if (!(error instanceof this.sdk.ExecutionAlreadyExists)) {
        throw sdkFailure(error, containerCall(`states:StartExecution of ${stateMachineArn}`));
      }
      return `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    }
  }

  /** Waits for an execution. @returns whether it has ended, and well */
  async wait(executionArn: string, { runId, until, onApplied, signal }: WaitOptions): Promise<boolean> {
    let seen = (await this.record(runId))?.applied.length ?? 0;
    let lostSince: number | undefined;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
      signal?.throwIfAborted();
      const execution = await this.describe(executionArn, signal).catch((error: unknown) => {
        lostSince ??= performance.now();
        if (!retryOf(error) || performance.now() - lostSince > PATIENCE_MS) throw error;
      });
      if (execution) lostSince = undefined;
      const applied = (await this.record(runId))?.applied.slice(seen) ?? [];
      seen += applied.length;
      if (applied.length > 0) onApplied(applied);
      if (execution?.status === 'SUCCEEDED') return true;
      if (execution && execution.status !== 'RUNNING') throw await this.failure(execution, runId, signal);
      const left = until - performance.now();
      if (left <= 0) return false;
      await sleep(Math.min(pause, left), undefined, { signal });
    }
  }

  /** Closes the connections. */
  destroy(): void {
    this.sfn.destroy();
  }

  private async describe(executionArn: string, abortSignal?: AbortSignal): Promise<DescribeExecutionCommandOutput> {
    try {
      return await this.sfn.send(new this.sdk.DescribeExecutionCommand({ executionArn }), { abortSignal });
    } catch (error) {
      abortSignal?.throwIfAborted();
      throw sdkFailure(error, containerCall(`states:DescribeExecution of ${executionArn}`));
    }
  }

  /** Why it failed: what the run itself has recorded, or what Step Functions knows. */
  private async failure(execution: DescribeExecutionCommandOutput, runId: string, signal?: AbortSignal): Promise<MigrateError> {
    const deadline = performance.now() + LAST_WORDS_MS;
    let record = await this.record(runId);
    while (record?.outcome === 'running' && performance.now() < deadline) {
      await sleep(FIRST_PAUSE_MS, undefined, { signal });
      record = await this.record(runId);
    }
    const code = record?.outcome;
    return record && isRunnerCode(code) ? recordedFailure(code, record, execution) : containerFailed(execution);
  }

  /** The run in the history. That it can't be read delays what is shown, and fails nothing. */
  private async record(runId: string): Promise<RunRecord | undefined> {
    try {
      return (await this.history()).find((run) => run.runId === runId);
    } catch (error) {
      if (error instanceof MigrateError) return undefined;
      throw error;
    }
  }
}

function isRunnerCode(code: string | undefined): code is RunnerCode {
  return (RUNNER_CODES as readonly string[]).includes(code ?? '');
}
