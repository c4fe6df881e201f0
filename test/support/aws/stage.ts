import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrateRequest } from '../../../lib/contract';
import { cloudFormation } from './cloudformation';
import { ACTIVE, type Configuration, invoked, type Reply } from './lambda';
import { ACCESS_DENIED, type Answer, type AwsError, AwsServer, type Call } from './server';
import { stepFunctionsAnswer } from './step-functions';
import { sts } from './sts';

export interface StageOptions {
  /** The answer of GetFunctionConfiguration; `call` counts from 1. @default - Active */
  readonly configuration?: (call: number) => Configuration;
  /** How long an invoke takes. @default 0 */
  readonly delayMs?: number;
  /** The answer of DescribeStacks. @default - access denied */
  readonly stackStatus?: string;
  /** The answer of GetCallerIdentity: an identity, access denied, or none at all. @default true */
  readonly identity?: boolean | 'hang';
  /** The answer of Step Functions to an operation. @default - there is none */
  readonly stepFunctions?: (operation: string, body: Record<string, string>) => object;
  /** The answer of FilterLogEvents; `call` counts from 1. Each text is a separate event. @default - no events */
  readonly logEvents?: (call: number) => readonly string[] | AwsError;
}

/** A fake AWS for a stage, whose function replies as the test specifies. */
export class StageAws {
  /** The requests of all invokes, in order. */
  readonly invokes: MigrateRequest[] = [];
  /** Names of the invoked functions, in order. */
  readonly functions: string[] = [];
  configurationCalls = 0;
  describeCalls = 0;
  /** Bodies of all FilterLogEvents calls. */
  readonly logCalls: Record<string, unknown>[] = [];
  private server?: AwsServer;
  private arrived?: () => void;

  private constructor(
    private readonly reply: (request: MigrateRequest, call: number) => Reply,
    private readonly options: StageOptions,
  ) {}

  /** @param reply the reaction to an invoke; `call` counts from 1 */
  static async start(reply: (request: MigrateRequest, call: number) => Reply, options: StageOptions = {}): Promise<StageAws> {
    const aws = new StageAws(reply, options);
    aws.server = await AwsServer.start({
      lambda: (call) => aws.lambda(call),
      cloudformation: cloudFormation(() => {
        aws.describeCalls += 1;
        return options.stackStatus;
      }),
      sts: sts(options.identity),
      logs: ({ body }) => aws.filterLogEvents(body),
      states: ({ operation, body }) => stepFunctionsAnswer(options.stepFunctions?.(operation, JSON.parse(body)) ?? ACCESS_DENIED),
    });
    return aws;
  }

  get url(): string {
    return (this.server as AwsServer).url;
  }

  /** Resolves when the next invoke has arrived. */
  nextInvoke(): Promise<void> {
    return new Promise((resolve) => {
      this.arrived = resolve;
    });
  }

  async stop(): Promise<void> {
    await this.server?.stop();
  }

  private async lambda({ operation, name, body }: Call): Promise<Answer> {
    if (operation === 'GetFunctionConfiguration') {
      this.configurationCalls += 1;
      const found = this.options.configuration?.(this.configurationCalls) ?? ACTIVE;
      return 'error' in found ? found : { body: found };
    }
    this.functions.push(name);
    this.invokes.push(JSON.parse(body));
    const call = this.invokes.length;
    this.arrived?.();
    await sleep(this.options.delayMs ?? 0);
    return invoked(this.reply(JSON.parse(body), call));
  }

  private filterLogEvents(body: string): Answer {
    this.logCalls.push(JSON.parse(body));
    const found = this.options.logEvents?.(this.logCalls.length) ?? [];
    return 'error' in found ? found : { body: { events: found.map((message) => ({ eventId: message, message })) } };
  }
}
