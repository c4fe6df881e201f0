import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  TENANT_STATES,
  type TenantApproval,
  type TenantRunInput,
  type TenantRunSummary,
  tenantStateMachineName,
} from '../../lib/contract/tenants';
import { IDENTITY_XML } from './stand-in';

/*
 * A stand-in for Step Functions' HTTP API, with Lambda's Invoke of the approval's function and STS's GetCallerIdentity: the SDK speaks to
 * it over a real socket. A local AWS can't be made to lose an answer, to throttle, or to stand still at a wanted moment; that the
 * client and the command work with state machines that really run is shown by test/e2e.
 */

/** Counts of a map run; what is left out is 0. */
export interface MapCounts {
  readonly total: number;
  readonly succeeded?: number;
  readonly running?: number;
  readonly failed?: number;
  readonly aborted?: number;
}

/** What a look at a run finds. Each look moves on to the next moment, and the last one stays. */
export interface Moment {
  /** The state that was entered last. */
  readonly state?: string;
  readonly canary?: MapCounts;
  readonly rest?: MapCounts;
  /** It stays like this: until it is approved or refused, or for good. */
  readonly until?: 'approval' | 'never';
  readonly end?: { readonly status: string; readonly output?: string; readonly error?: string; readonly cause?: string };
}

/** In place of an answer. */
export type Fault = { readonly status: number; readonly error: string } | 'drop' | 'lose' | 'hang';

export interface StepFunctionsOptions {
  /** What becomes of a run that is started. @default - it succeeds with {@link summary} */
  readonly run?: (input: TenantRunInput) => readonly Moment[];
  /** What becomes of a call; `call` counts those of the same operation from 1. `lose`: it is carried out, and its answer lost. */
  readonly fault?: (operation: string, call: number) => Fault | undefined;
  /** Names of the state machines. @default - that of template-saas and dev */
  readonly machines?: readonly string[];
  /** What the approval's function does. @default - it takes what is waited for */
  readonly approval?: Fault | { readonly text: string };
}

interface Run {
  readonly name: string;
  readonly input: string;
  readonly moments: readonly Moment[];
  at: number;
}

const REGION_AND_ACCOUNT = 'eu-central-1:123456789012';

export class StepFunctionsStandIn {
  /** All calls of Step Functions, in order. */
  readonly calls: { readonly operation: string; readonly body: Record<string, unknown> }[] = [];
  /** Payloads of all approvals. */
  readonly approvals: TenantApproval[] = [];
  readonly runs: Run[] = [];
  private readonly waiting: { readonly look: () => boolean; readonly tell: () => void }[] = [];

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    private readonly options: StepFunctionsOptions,
  ) {}

  static async start(options: StepFunctionsOptions = {}): Promise<StepFunctionsStandIn> {
    const server = createServer((request, response) => void standIn.handle(request, response));
    const standIn: StepFunctionsStandIn = new StepFunctionsStandIn(server, options);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Inputs of the runs, in order. */
  get inputs(): TenantRunInput[] {
    return this.runs.map(({ input }) => JSON.parse(input));
  }

  /** Resolves when somebody looks at a run that stays like it is. */
  standstill(): Promise<void> {
    const look = () => this.runs.some(({ moments, at }) => moments[at]?.until !== undefined);
    return new Promise((tell) => this.waiting.push({ look, tell }));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (text.includes('Action=GetCallerIdentity')) {
      response.end(IDENTITY_XML);
      return;
    }
    const [, invoked] = /^\/2015-03-31\/functions\/([^/]+)\/invocations/.exec(request.url ?? '') ?? [];
    if (invoked) {
      this.approve(JSON.parse(text), response);
      return;
    }
    const operation = `${request.headers['x-amz-target']}`.replace('AWSStepFunctions.', '');
    const body = JSON.parse(text);
    this.calls.push({ operation, body });
    const fault = this.options.fault?.(operation, this.calls.filter((call) => call.operation === operation).length);
    if (fault && fault !== 'lose') fail(fault, response);
    else {
      const answer = this.answer(operation, body);
      if (fault === 'lose') response.destroy();
      else if (typeof answer.status === 'number') fail(answer as Exclude<Fault, string>, response);
      else response.setHeader('content-type', 'application/x-amz-json-1.0').end(JSON.stringify(answer));
    }
    for (const { tell } of this.waiting.filter(({ look }) => look())) tell();
  }

  private answer(operation: string, body: Record<string, unknown>): Record<string, unknown> {
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

  private startRun({ name, input }: { readonly name: string; readonly input: string }): Record<string, unknown> {
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

  private approve(approval: TenantApproval, response: ServerResponse): void {
    this.approvals.push(approval);
    const { approval: reply } = this.options;
    if (reply && typeof reply === 'object' && 'text' in reply) response.end(reply.text);
    else if (reply) fail(reply, response);
    else {
      const run = this.runs.find(({ name }) => name === approval.runId);
      const waits = run?.moments[run.at]?.until === 'approval';
      if (run && waits) run.at += 1;
      response.end(JSON.stringify({ contract: 1, runId: approval.runId, status: waits ? 'taken' : 'not_waiting' }));
    }
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

function fail(fault: Fault | { readonly status: number; readonly error: string }, response: ServerResponse): void {
  if (fault === 'hang') return;
  if (typeof fault === 'string') response.destroy();
  else {
    response.writeHead(fault.status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': fault.error });
    response.end(JSON.stringify({ __type: fault.error, message: `said by the stand-in: ${fault.error}` }));
  }
}

/** A summary: 4 tenants, all at head `c3` before, unless told otherwise. */
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
