import {
  TENANT_STATES,
  type TenantApproval,
  type TenantRunInput,
  type TenantRunSummary,
  tenantStateMachineName,
} from '../../../lib/contract/tenants';
import { type Answer, type AwsError, AwsServer, type Call } from './server';
import { stepFunctionsAnswer } from './step-functions';
import { sts } from './sts';

/** Counts of a map run; omitted ones are 0. */
export interface MapCounts {
  readonly total: number;
  readonly succeeded?: number;
  readonly running?: number;
  readonly failed?: number;
  readonly aborted?: number;
}

/** The state of a run at one poll. Each poll advances to the next moment; the last one stays. */
export interface Moment {
  /** The last state that was entered. */
  readonly state?: string;
  readonly canary?: MapCounts;
  readonly rest?: MapCounts;
  /** The run stays in this state: until it is approved or rejected, or forever. */
  readonly until?: 'approval' | 'never';
  readonly end?: { readonly status: string; readonly output?: string; readonly error?: string; readonly cause?: string };
}

/** Replaces an answer. */
export type Fault = AwsError | 'drop' | 'lose' | 'hang';

export interface TenantsAwsOptions {
  /** The course of a started run. @default - it succeeds with {@link summary} */
  readonly run?: (input: TenantRunInput) => readonly Moment[];
  /**
   * Replaces the answer of a call; `call` counts calls of the same operation from 1. `lose`: executes it, but loses its answer.
   */
  readonly fault?: (operation: string, call: number) => Fault | undefined;
  /** Names of the state machines. @default - that of template-saas and dev */
  readonly machines?: readonly string[];
  /** The reaction of the approval function. @default - it accepts the expected token */
  readonly approval?: Fault | { readonly text: string };
}

interface Run {
  readonly name: string;
  readonly input: string;
  readonly moments: readonly Moment[];
  at: number;
}

const REGION_AND_ACCOUNT = 'eu-central-1:123456789012';

/** A fake AWS for a stage with many tenants: Step Functions, and the approval function. */
export class TenantsAws {
  /** All calls of Step Functions, in order. */
  readonly calls: { readonly operation: string; readonly body: Record<string, unknown> }[] = [];
  /** Payloads of all approvals. */
  readonly approvals: TenantApproval[] = [];
  readonly runs: Run[] = [];
  private readonly waiting: { readonly look: () => boolean; readonly tell: () => void }[] = [];

  private server?: AwsServer;

  private constructor(private readonly options: TenantsAwsOptions) {}

  static async start(options: TenantsAwsOptions = {}): Promise<TenantsAws> {
    const aws = new TenantsAws(options);
    aws.server = await AwsServer.start({
      states: (call) => aws.states(call),
      lambda: ({ body }) => aws.approve(JSON.parse(body)),
      sts: sts(),
    });
    return aws;
  }

  get url(): string {
    return (this.server as AwsServer).url;
  }

  /** Inputs of the runs, in order. */
  get inputs(): TenantRunInput[] {
    return this.runs.map(({ input }) => JSON.parse(input));
  }

  /** Resolves when a run that stays in its state is polled. */
  standstill(): Promise<void> {
    const look = () => this.runs.some(({ moments, at }) => moments[at]?.until !== undefined);
    return new Promise((tell) => this.waiting.push({ look, tell }));
  }

  async stop(): Promise<void> {
    await this.server?.stop();
  }

  private states({ operation, body: text }: Call): Answer {
    const body = JSON.parse(text);
    this.calls.push({ operation, body });
    const fault = this.options.fault?.(operation, this.calls.filter((call) => call.operation === operation).length);
    const answer = fault && fault !== 'lose' ? fault : stepFunctionsAnswer(this.answer(operation, body));
    for (const { tell } of this.waiting.filter(({ look }) => look())) tell();
    return fault === 'lose' ? 'drop' : answer;
  }

  private answer(operation: string, body: Record<string, unknown>): object {
    switch (operation) {
      case 'ListStateMachines': {
        const { machines = [tenantStateMachineName('template-saas', 'dev')] } = this.options;
        const arn = (name: string) => `arn:aws:states:${REGION_AND_ACCOUNT}:stateMachine:${name}`;
        return {
          stateMachines: machines.map((name) => ({ name, stateMachineArn: arn(name), type: 'STANDARD', creationDate: 0 })),
        };
      }
      case 'StartExecution':
        return this.startRun(body as { name: string; input: string });
      case 'DescribeExecution': {
        const run = this.find(body);
        if (!run) return { status: 400, error: 'ExecutionDoesNotExist' };
        const found = run.moments[run.at];
        if (!found?.until && run.at < run.moments.length - 1) run.at += 1;
        return {
          name: run.name,
          executionArn: body.executionArn,
          input: run.input,
          status: 'RUNNING',
          ...run.moments[run.at]?.end,
        };
      }
      case 'StopExecution':
        return { stopDate: 0 };
      case 'GetExecutionHistory':
        return { events: eventsOf(this.find(body)) };
      case 'ListMapRuns':
        return { mapRuns: mapsOf(this.find(body)).map(([name]) => ({ mapRunArn: mapArn(this.find(body), name) })) };
      case 'DescribeMapRun':
        return this.describeMap(`${body.mapRunArn}`);
      default:
        return { status: 400, error: 'UnknownOperationException' };
    }
  }

  private startRun({ name, input }: { readonly name: string; readonly input: string }): object {
    const { run = () => [{ end: succeeded() }] } = this.options;
    const before = this.runs.find((other) => other.name === name);
    const over = before?.moments[before.at]?.end;
    if (before && (over || before.input !== input)) return { status: 400, error: 'ExecutionAlreadyExists' };
    if (!before) this.runs.push({ name, input, moments: [{ state: TENANT_STATES.list }, ...run(JSON.parse(input))], at: 0 });
    return { executionArn: `arn:aws:states:${REGION_AND_ACCOUNT}:execution:machine:${name}`, startDate: 0 };
  }

  private find({ executionArn }: Record<string, unknown>): Run | undefined {
    return this.runs.find(({ name }) => `${executionArn}`.endsWith(`:${name}`));
  }

  private describeMap(mapRunArn: string): Record<string, unknown> {
    const [label, runName] = mapRunArn.split('/')[1]?.split(':') ?? [];
    const run = this.runs.find(({ name }) => name === runName);
    const [, counts] = mapsOf(run).find(([name]) => name === label) ?? [];
    const zero = { pending: 0, running: 0, succeeded: 0, failed: 0, timedOut: 0, aborted: 0, total: 0, resultsWritten: 0 };
    const itemCounts = { ...zero, ...counts };
    return { mapRunArn, status: itemCounts.running > 0 ? 'RUNNING' : 'SUCCEEDED', itemCounts };
  }

  private approve(approval: TenantApproval): Answer {
    this.approvals.push(approval);
    const { approval: reply } = this.options;
    if (reply === 'lose') return 'drop';
    if (reply) return typeof reply === 'object' && 'text' in reply ? { body: reply.text } : reply;
    const run = this.runs.find(({ name }) => name === approval.runId);
    const waits = run?.moments[run.at]?.until === 'approval';
    if (run && waits) run.at += 1;
    return { body: { contract: 1, runId: approval.runId, status: waits ? 'taken' : 'not_waiting' } };
  }
}

function eventsOf(run?: Run): unknown[] {
  const entered = run?.moments.slice(0, run.at + 1).flatMap(({ state }) => (state ? [state] : [])) ?? [];
  const newest = entered.reverse();
  return newest.map((name, id) => ({ id, timestamp: 0, type: 'TaskStateEntered', stateEnteredEventDetails: { name } }));
}

function mapsOf(run?: Run): [string, MapCounts][] {
  const { canary, rest } = run?.moments[run.at] ?? {};
  return [
    ...(canary ? [['Canary', canary] as [string, MapCounts]] : []),
    ...(rest ? [['Rest', rest] as [string, MapCounts]] : []),
  ];
}

function mapArn(run: Run | undefined, label: string): string {
  return `arn:aws:states:${REGION_AND_ACCOUNT}:mapRun:machine/${label}:${run?.name}`;
}

/** A summary. Default: 4 tenants, all at head `c3` before the run. */
export function summary(fields: Partial<TenantRunSummary> = {}): TenantRunSummary {
  return {
    contract: 1,
    command: 'upgrade',
    stage: 'dev',
    runId: '0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11',
    status: 'complete',
    total: 4,
    unchanged: 4,
    migrated: 0,
    pending: 0,
    ahead: 0,
    failed: 0,
    notStarted: 0,
    heads: ['c3'],
    positions: [{ revisions: ['c3'], tenants: 4 }],
    failures: [],
    dataLoss: [],
    warnings: [],
    protected: false,
    detailsUri: 's3://bucket/runs/0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11/',
    ...fields,
  };
}

/** The end of a run that succeeded. */
export function succeeded(fields: Partial<TenantRunSummary> = {}): NonNullable<Moment['end']> {
  return { status: 'SUCCEEDED', output: JSON.stringify(summary(fields)) };
}

/** The end of a run that failed with a code of the contract. */
export function failed(
  error: NonNullable<TenantRunSummary['error']>,
  fields: Partial<TenantRunSummary> = {},
): NonNullable<Moment['end']> {
  return { status: 'FAILED', error: error.code, cause: JSON.stringify(summary({ ...fields, status: 'failed', error })) };
}
