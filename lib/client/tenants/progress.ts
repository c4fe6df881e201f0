import type { DescribeMapRunCommandOutput, SFNClient } from '@aws-sdk/client-sfn';
import { TENANT_STATES } from '../../contract/tenants';
import { sdkFailure } from '../sdk-failure';
import { machineCall, sfnSdk } from './sdk';

/** The phase of a run. `pause` and `approval`: the canaries are done and the rest is waiting. */
export const TENANT_PHASES = ['listing', 'canaries', 'pause', 'approval', 'rest', 'summary'] as const;
export type TenantPhase = (typeof TENANT_PHASES)[number];

/** Batches of a wave. */
export interface BatchCounts {
  readonly total: number;
  /** Succeeded. */
  readonly done: number;
  readonly running: number;
  /** A tenant failed, or the batch did not finish. */
  readonly failed: number;
}

/** The progress of a run. */
export interface TenantsProgress {
  readonly runId: string;
  readonly phase: TenantPhase;
  /** Absent: not started, or there are no canaries. */
  readonly canaries?: BatchCounts;
  /** Absent: not started. */
  readonly rest?: BatchCounts;
}

const PHASES: Readonly<Record<string, TenantPhase>> = {
  [TENANT_STATES.list]: 'listing',
  [TENANT_STATES.canary]: 'canaries',
  [TENANT_STATES.judge]: 'canaries',
  [TENANT_STATES.pause]: 'pause',
  [TENANT_STATES.approval]: 'approval',
  [TENANT_STATES.rest]: 'rest',
  [TENANT_STATES.summarize]: 'summary',
};

/** Polls the progress of one run. Reads final states only once. */
export class ProgressReader {
  private phase: TenantPhase = 'listing';
  private readonly ended = new Map<string, BatchCounts>();
  private isDenied = false;

  constructor(
    private readonly client: SFNClient,
    private readonly executionArn: string,
    private readonly runId: string,
  ) {}

  /** The progress; undefined if the credentials may not read it. Throws a `MigrateError`. */
  async read(abortSignal?: AbortSignal): Promise<TenantsProgress | undefined> {
    if (this.isDenied) return undefined;
    try {
      this.phase = await this.lastPhase(abortSignal);
      const waves = this.phase === 'listing' ? {} : await this.waves(abortSignal);
      return { runId: this.runId, phase: this.phase, ...waves };
    } catch (cause) {
      const failure = sdkFailure(cause, machineCall(`the progress of run ${this.runId}`));
      this.isDenied = failure.code === 'access_denied';
      if (!this.isDenied) throw failure;
      return undefined;
    }
  }

  private async lastPhase(abortSignal?: AbortSignal): Promise<TenantPhase> {
    const { executionArn } = this;
    const { GetExecutionHistoryCommand } = sfnSdk();
    // The maps' batches have separate histories, so this one stays short.
    const latest = { executionArn, reverseOrder: true, maxResults: 100, includeExecutionData: false };
    const { events = [] } = await this.client.send(new GetExecutionHistoryCommand(latest), { abortSignal });
    for (const { stateEnteredEventDetails: entered } of events) {
      const phase = PHASES[entered?.name ?? ''];
      if (phase) return phase;
    }
    return this.phase;
  }

  private async waves(abortSignal?: AbortSignal): Promise<Pick<TenantsProgress, 'canaries' | 'rest'>> {
    const { DescribeMapRunCommand, ListMapRunsCommand } = sfnSdk();
    const { executionArn } = this;
    const { mapRuns = [] } = await this.client.send(new ListMapRunsCommand({ executionArn }), { abortSignal });
    const waves: { canaries?: BatchCounts; rest?: BatchCounts } = {};
    for (const { mapRunArn = '' } of mapRuns) {
      const wave = mapRunArn.includes(`/${TENANT_STATES.canary}:`) ? 'canaries' : 'rest';
      let counts = this.ended.get(mapRunArn);
      if (!counts) {
        const run = await this.client.send(new DescribeMapRunCommand({ mapRunArn }), { abortSignal });
        counts = countsOf(run);
        if (run.status !== 'RUNNING') this.ended.set(mapRunArn, counts);
      }
      waves[wave] = counts;
    }
    return waves;
  }
}

function countsOf({ itemCounts }: DescribeMapRunCommandOutput): BatchCounts {
  const { total = 0, succeeded = 0, running = 0, failed = 0, timedOut = 0, aborted = 0 } = itemCounts ?? {};
  return { total, done: succeeded, running, failed: failed + timedOut + aborted };
}
