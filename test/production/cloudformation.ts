import { randomUUID } from 'node:crypto';
import { createServer, request as httpRequest, type RequestOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isComplete, onEvent } from '../../lambda/on-deploy';
import type { Aws, Invocable } from './aws';

const runtime = join(dirname(require.resolve('aws-cdk-lib/package.json')), 'custom-resources/lib/provider-framework/runtime');
const outbound = require(join(runtime, 'outbound'));
const framework = require(join(runtime, 'framework'));

const ON_EVENT = 'arn:aws:lambda:eu-central-1:111122223333:function:on-event';
const IS_COMPLETE = 'arn:aws:lambda:eu-central-1:111122223333:function:is-complete';
Object.assign(process.env, {
  USER_ON_EVENT_FUNCTION_ARN: ON_EVENT,
  USER_IS_COMPLETE_FUNCTION_ARN: IS_COMPLETE,
  WAITER_STATE_MACHINE_ARN: 'arn:aws:states:eu-central-1:111122223333:stateMachine:waiter',
});

const QUERY_INTERVAL_MS = 100;

/** What arrived at the ResponseURL. */
export interface CloudFormationResponse {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason: string;
  readonly PhysicalResourceId: string;
  readonly Data?: Record<string, string>;
}

/** How a request ended: what arrived first counts, as CloudFormation has it. */
export interface Delivered {
  readonly response: CloudFormationResponse;
  /** All answers, in the order in which they arrived. */
  readonly all: readonly CloudFormationResponse[];
  /** Length of the longest answer on the wire. */
  readonly bytes: number;
  /** Until the first answer. */
  readonly milliseconds: number;
}

/** How often a request is delivered. */
export type Delivery = 'once' | 'twice at once' | 'twice in a row';

/**
 * CloudFormation's side of a custom resource, with CDK's own Provider framework between it and our handler. The framework calls the
 * handler through Lambda's API and starts the state machine through Step Functions' API; both are `Aws`.
 */
export class CloudFormation {
  private readonly server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      this.arrived(new URL(request.url as string, 'http://x').pathname, Buffer.concat(chunks));
      response.end();
    });
  });
  private readonly answers = new Map<string, { bodies: Buffer[]; arrived: () => void }>();
  private readonly running = new Set<Promise<void>>();

  static async start(aws: Aws): Promise<CloudFormation> {
    const it = new CloudFormation();
    await new Promise<void>((resolve) => it.server.listen(0, '127.0.0.1', resolve));
    // The framework's own does the same with https, and leaves the port out.
    outbound.httpRequest = (options: RequestOptions, body: string) =>
      new Promise<void>((resolve, reject) => {
        const { port } = it.server.address() as AddressInfo;
        const request = httpRequest({ ...options, port }, (response) => response.resume().on('end', resolve));
        request.on('error', reject).end(body);
      });
    aws.startExecution = (input) => it.track(poll(input));
    return it;
  }

  /** The handler's two functions, by their ARN. */
  handler(name: string): Invocable {
    if (name === ON_EVENT) return (payload) => asLambda(() => onEvent(JSON.parse(payload)));
    if (name === IS_COMPLETE) return (payload) => asLambda(() => isComplete(JSON.parse(payload), context));
    return undefined;
  }

  /** Sends a request, and waits until nothing of it runs any more. */
  async deliver(request: object, delivery: Delivery = 'once'): Promise<Delivered> {
    const RequestId = randomUUID();
    const path = `/${RequestId}`;
    const event = {
      ...request,
      RequestId,
      ResponseURL: `http://127.0.0.1${path}?X-Amz-Signature=secret`,
      ServiceToken: 'arn:aws:lambda:eu-central-1:111122223333:function:framework-on-event',
      LogicalResourceId: 'Migrations',
      ResourceType: 'Custom::AlembicMigration',
    };
    const bodies: Buffer[] = [];
    const started = performance.now();
    let milliseconds = 0;
    const answered = new Promise<void>((resolve) => {
      this.answers.set(path, {
        bodies,
        arrived: () => {
          milliseconds ||= performance.now() - started;
          resolve();
        },
      });
    });
    const send = async () => {
      await framework.onEvent(JSON.parse(JSON.stringify(event)));
      while (this.running.size > 0) await Promise.all(this.running);
    };
    if (delivery === 'twice at once') await Promise.all([send(), send()]);
    else for (let times = delivery === 'once' ? 1 : 2; times > 0; times -= 1) await send();
    await answered;
    const all = bodies.map((body) => JSON.parse(body.toString('utf8')) as CloudFormationResponse);
    return {
      response: all[0] as CloudFormationResponse,
      all,
      bytes: Math.max(...bodies.map(({ length }) => length)),
      milliseconds,
    };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private arrived(path: string, body: Buffer): void {
    const answer = this.answers.get(path);
    answer?.bodies.push(body);
    answer?.arrived();
  }

  private track(execution: Promise<void>): void {
    const tracked = execution.finally(() => this.running.delete(tracked));
    this.running.add(tracked);
  }
}

const context = { getRemainingTimeInMillis: () => 870_000 } as never;

/** The framework's state machine: it asks until the framework stops saying "Retry", which comes with the input of the next try. */
async function poll(input: string): Promise<void> {
  for (;;) {
    try {
      return await framework.isComplete(JSON.parse(input));
    } catch (error) {
      if ((error as Error).constructor.name !== 'Retry') throw error;
      input = (error as Error).message;
      await sleep(QUERY_INTERVAL_MS);
    }
  }
}

/** How Lambda's runtime for Node hands on what a handler returns or throws. */
async function asLambda(handler: () => Promise<unknown>) {
  try {
    return { payload: JSON.stringify(await handler()), log: '' };
  } catch (error) {
    const { name, message, stack } = error as Error;
    const payload = JSON.stringify({ errorType: name, errorMessage: message, trace: (stack ?? '').split('\n') });
    return { payload, functionError: 'Unhandled', log: '' };
  }
}
