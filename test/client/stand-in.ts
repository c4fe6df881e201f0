import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppliedRevision, MigrateAnswer, MigrateFailure, MigrateRequest } from '../../lib/contract';

/*
 * A stand-in for Lambda's HTTP API (Invoke and GetFunctionConfiguration), CloudFormation's DescribeStacks, STS's GetCallerIdentity, Step Functions
 * and CloudWatch Logs' FilterLogEvents: the SDK speaks to it over a real socket. Lambda itself can't be had here, and a local AWS
 * can't be made to drop a connection in mid-call.
 */

/** What the stand-in does with one call. */
export type Reply =
  | { readonly answer: unknown }
  | { readonly failure: MigrateFailure; readonly log?: string }
  | { readonly crash: { errorMessage: string; errorType?: string }; readonly log?: string }
  | { readonly status: number; readonly error: string; readonly message?: string }
  | { readonly text: string }
  | 'drop'
  | 'hang';

export class StandIn {
  /** The requests of all invokes, in order. */
  readonly invokes: MigrateRequest[] = [];
  /** Names of the functions invoked, in order. */
  readonly functions: string[] = [];
  configurationCalls = 0;
  describeCalls = 0;
  /** Bodies of all FilterLogEvents calls. */
  readonly logCalls: Record<string, unknown>[] = [];
  private invoked?: () => void;

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    private readonly reply: (request: MigrateRequest, call: number) => Reply,
    private readonly options: StandInOptions,
  ) {}

  /** @param reply what happens to an invoke; `call` counts from 1 */
  static async start(reply: (request: MigrateRequest, call: number) => Reply, options: StandInOptions = {}): Promise<StandIn> {
    const server = createServer((request, response) => void standIn.handle(request, response));
    const standIn: StandIn = new StandIn(server, reply, options);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Resolves when the next invoke has arrived. */
  nextInvoke(): Promise<void> {
    return new Promise((resolve) => {
      this.invoked = resolve;
    });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const [, name, operation] = /^\/2015-03-31\/functions\/([^/]+)\/(\w+)/.exec(request.url ?? '') ?? [];
    if (operation === 'invocations') {
      this.functions.push(decodeURIComponent(name as string));
      this.invokes.push(JSON.parse(body) as MigrateRequest);
      this.invoked?.();
      await sleep(this.options.delayMs ?? 0);
      deliver(this.reply(JSON.parse(body), this.invokes.length), response);
    } else if (operation === 'configuration') {
      this.configurationCalls += 1;
      const { configuration = () => ({ State: 'Active', LastUpdateStatus: 'Successful' }) } = this.options;
      const found = configuration(this.configurationCalls);
      if ('error' in found) deliver(found, response);
      else response.end(JSON.stringify(found));
    } else if (body.includes('Action=DescribeStacks')) {
      this.describeCalls += 1;
      if (this.options.stackStatus === undefined) response.writeHead(403).end(ACCESS_DENIED_XML);
      else response.end(stackXml(this.options.stackStatus));
    } else if (body.includes('Action=GetCallerIdentity')) {
      const { identity = true } = this.options;
      if (identity === 'hang') return;
      if (identity) response.end(IDENTITY_XML);
      else response.writeHead(403).end(ACCESS_DENIED_XML);
    } else if (request.headers['x-amz-target'] === 'Logs_20140328.FilterLogEvents') {
      this.logCalls.push(JSON.parse(body));
      const { logEvents = () => [] } = this.options;
      const found = logEvents(this.logCalls.length);
      if ('error' in found) deliver(found, response);
      else response.end(JSON.stringify({ events: found.map((message) => ({ eventId: message, message })) }));
    } else if (`${request.headers['x-amz-target']}`.startsWith('AWSStepFunctions.') && this.options.stepFunctions) {
      const found = this.options.stepFunctions(`${request.headers['x-amz-target']}`.split('.')[1] as string, JSON.parse(body));
      if ('error' in found && 'status' in found && typeof found.status === 'number') deliver(found as Reply, response);
      else response.end(JSON.stringify(found));
    } else {
      response.writeHead(404).end();
    }
  }
}

export interface StandInOptions {
  /** What GetFunctionConfiguration says; `call` counts from 1. @default - Active */
  readonly configuration?: (
    call: number,
  ) => { State: string; LastUpdateStatus?: string; StateReason?: string } | { status: number; error: string };
  /** How long an invoke takes. @default 0 */
  readonly delayMs?: number;
  /** What DescribeStacks says. @default - access denied */
  readonly stackStatus?: string;
  /** What GetCallerIdentity says: somebody, access denied, or nothing ever. @default true */
  readonly identity?: boolean | 'hang';
  /** What Step Functions says to an operation. @default - there is none */
  readonly stepFunctions?: (operation: string, body: Record<string, string>) => object;
  /** What FilterLogEvents says; `call` counts from 1. Each text is an event of its own. @default - no events */
  readonly logEvents?: (call: number) => readonly string[] | { status: number; error: string };
}

function deliver(reply: Reply, response: ServerResponse): void {
  if (reply === 'hang') return;
  if (reply === 'drop') {
    response.destroy();
  } else if ('answer' in reply) {
    response.end(JSON.stringify(reply.answer));
  } else if ('text' in reply) {
    response.end(reply.text);
  } else if ('status' in reply) {
    const message = reply.message ?? `said by the stand-in: ${reply.error}`;
    response.writeHead(reply.status, { 'x-amzn-errortype': reply.error }).end(JSON.stringify({ message, Message: message }));
  } else {
    response.setHeader('x-amz-function-error', 'Unhandled');
    if (reply.log) response.setHeader('x-amz-log-result', Buffer.from(reply.log).toString('base64'));
    const payload = 'crash' in reply ? reply.crash : { errorMessage: JSON.stringify(reply.failure), errorType: 'RunnerFailure' };
    response.end(JSON.stringify(payload));
  }
}

/** An answer of the runner: at head `c3`, nothing to do, unless told otherwise. */
export function answer(fields: Partial<MigrateAnswer> = {}): MigrateAnswer {
  const at = ['c3'];
  return {
    contract: 1,
    command: 'upgrade',
    stage: 'dev',
    status: 'complete',
    from: at,
    to: at,
    heads: at,
    target: at,
    applied: [],
    pending: [],
    unknown: [],
    dataLoss: [],
    edited: [],
    warnings: [],
    protected: false,
    ...(fields.command === 'history' && { history: [], runs: [] }),
    ...fields,
  };
}

/** A failure of the runner. */
export function failure(error: Partial<MigrateFailure['error']> = {}, applied: AppliedRevision[] = []): MigrateFailure {
  const detail = { code: 'migration_failed', message: 'revision b2 failed', next: 'fix it', ...error } as const;
  return { contract: 1, status: 'failed', error: detail, applied };
}

export function applied(revision: string, message = `Add ${revision}`): AppliedRevision {
  return { revision, message, durationMs: 12, statements: 1 };
}

/** What the SDK takes its configuration from, so that nothing of this machine gets into a test. */
export function awsEnvironment(url?: string): Record<string, string> {
  return {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    ...(url && { AWS_ENDPOINT_URL: url }),
  };
}

/** What DescribeStacks answers. */
export function stackXml(status: string): string {
  return `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member>
    <StackName>app</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>${status}</StackStatus>
  </member></Stacks></DescribeStacksResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeStacksResponse>`;
}

/** What GetCallerIdentity answers. */
export const IDENTITY_XML = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
  <Arn>arn:aws:iam::123456789012:user/ada</Arn><UserId>AIDA</UserId><Account>123456789012</Account>
  </GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>`;

const ACCESS_DENIED_XML = `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>
  <Code>AccessDenied</Code><Message>not allowed</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
