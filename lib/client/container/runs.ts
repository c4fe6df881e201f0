import type { DescribeExecutionCommandOutput, SFNClient, SFNClientConfig } from '@aws-sdk/client-sfn';
import {
  type AppliedRevision,
  MigrateError,
  type MigrateRequest,
  type RevisionInfo,
  RUNNER_CODES,
  type RunnerCode,
  type RunRecord,
} from '../../contract';
import { retryOf, sdkFailure } from '../sdk-failure';
import { type SfnSdk, stepFunctions } from '../step-functions';
import { sleep } from '../waiting/sleep';
import { containerCall, containerFailed, recordedFailure } from './failure';

/** How to wait for a run in the container. */
export interface WaitOptions {
  /** The run in the history. */
  readonly runId: string;
  /** The revisions that were pending before it. */
  readonly pending: readonly RevisionInfo[];
  /** When to stop waiting, on the clock of `performance.now()`. */
  readonly until: number;
  /** Called with those that were applied since the last call. */
  readonly onApplied: (applied: readonly AppliedRevision[]) => void;
  readonly signal?: AbortSignal;
}

const FIRST_PAUSE_MS = 500;
/** Each poll also calls the function. */
const LONGEST_PAUSE_MS = 15_000;

/** A run of hours tolerates a network outage of minutes. */
const PATIENCE_MS = 5 * 60_000;

/** How long a stopped task may take to record its end. */
const LAST_RECORD_MS = 10_000;

/** Starts the stage's container and watches it: its status in Step Functions, its progress in the run history. */
export class ContainerRuns {
  private readonly sfn: SFNClient;

  /**
   * @param connection credentials, region and endpoint
   * @param history returns the latest runs, from the function
   */
  constructor(
    private readonly sdk: SfnSdk,
    connection: Pick<SFNClientConfig, 'credentials' | 'region' | 'endpoint'>,
    private readonly history: () => Promise<readonly RunRecord[]>,
  ) {
    this.sfn = stepFunctions(sdk, connection);
  }

  /** Starts the container under a name, or finds the execution with this name. Nothing runs twice. @returns its ARN */
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

  /** Waits for an execution. @returns whether it succeeded; false: it is still running */
  async wait(executionArn: string, { runId, pending, until, onApplied, signal }: WaitOptions): Promise<boolean> {
    const left = new Set(pending.map(({ revision }) => revision));
    let lostSince: number | undefined;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
      signal?.throwIfAborted();
      const execution = await this.describe(executionArn, signal).catch((error: unknown) => {
        lostSince ??= performance.now();
        if (!retryOf(error) || performance.now() - lostSince > PATIENCE_MS) throw error;
      });
      if (execution) lostSince = undefined;
      const ended = execution?.status === 'RUNNING' ? undefined : execution;
      const record = await (ended ? this.lastRecord(runId, signal) : this.record(runId).catch(ignoreFailure));
      const applied = (record?.applied ?? []).filter(({ revision }) => left.delete(revision));
      if (applied.length > 0) onApplied(applied);
      if (ended?.status === 'SUCCEEDED') return true;
      if (ended) throw failureOf(ended, record);
      const remaining = until - performance.now();
      if (remaining <= 0) return false;
      await sleep(Math.min(pause, remaining), signal);
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

  /** The record of a run whose task has ended; undefined if there is none, or it can't be read. */
  private async lastRecord(runId: string, signal?: AbortSignal): Promise<RunRecord | undefined> {
    const deadline = performance.now() + LAST_RECORD_MS;
    for (;;) {
      try {
        const record = await this.record(runId);
        // A run that has released the mutex but not recorded its end yet looks killed.
        const mayChange = ['running', 'killed'].includes(record?.outcome ?? '');
        if (!mayChange || performance.now() >= deadline) return record;
      } catch (error) {
        ignoreFailure(error);
        if (performance.now() >= deadline) return undefined;
      }
      await sleep(FIRST_PAUSE_MS, signal);
    }
  }

  /** The run in the history. */
  private async record(runId: string): Promise<RunRecord | undefined> {
    return (await this.history()).find((run) => run.runId === runId);
  }
}

/** An unreadable history is not an error: progress appears later. */
function ignoreFailure(error: unknown): undefined {
  if (!(error instanceof MigrateError)) throw error;
}

/** The failure from the run's record, or from Step Functions. */
function failureOf(execution: DescribeExecutionCommandOutput, record: RunRecord | undefined): MigrateError {
  const code = record?.outcome;
  return record && isRunnerCode(code) ? recordedFailure(code, record, execution) : containerFailed(execution);
}

function isRunnerCode(code: string | undefined): code is RunnerCode {
  return (RUNNER_CODES as readonly string[]).includes(code ?? '');
}
