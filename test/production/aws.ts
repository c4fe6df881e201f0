import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stackXml } from '../client/stand-in';
import type { Invoked } from './execution-environment';

/** A function as Lambda's API shows it: undefined when it is not there. */
export type Invocable = ((payload: string) => Promise<Invoked>) | undefined;

/**
 * The APIs of AWS that a deploy speaks to, on a real socket: Lambda's Invoke and GetFunctionConfiguration, CloudFormation's
 * DescribeStacks and Step Functions' StartExecution.
 */
export class Aws {
  /** What the stack is in; undefined: nobody may ask. */
  stackStatus?: string;
  /** Called with the name or ARN of the function. */
  find: (name: string) => Invocable = () => undefined;
  /** Called with the input of an execution. */
  startExecution: (input: string) => void = () => undefined;
  /** Whether the answer of this call is lost on its way; the call itself goes on. */
  losesAnswer: (name: string, payload: string) => Promise<boolean> = async () => false;
  /** How often the stack's status was asked for. */
  describeCalls = 0;
  private readonly server = createServer((request, response) => void this.handle(request, response));

  static async start(): Promise<Aws> {
    const aws = new Aws();
    await new Promise<void>((resolve) => aws.server.listen(0, '127.0.0.1', resolve));
    return aws;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const [, name = '', operation] = /^\/2015-03-31\/functions\/([^/]+)\/(\w+)/.exec(request.url ?? '') ?? [];
    if (operation === 'invocations') return this.invoke(decodeURIComponent(name), body, response);
    if (operation === 'configuration') {
      response.end(JSON.stringify({ State: 'Active', LastUpdateStatus: 'Successful' }));
    } else if (body.includes('Action=DescribeStacks') && this.stackStatus !== undefined) {
      this.describeCalls += 1;
      response.end(stackXml(this.stackStatus));
    } else if (request.headers['x-amz-target'] === 'AWSStepFunctions.StartExecution') {
      this.startExecution(JSON.parse(body).input);
      response.end(JSON.stringify({ executionArn: 'arn', startDate: 0 }));
    } else {
      response.writeHead(403, { 'x-amzn-errortype': 'AccessDeniedException' }).end('{}');
    }
  }

  private async invoke(name: string, payload: string, response: ServerResponse): Promise<void> {
    const invocable = this.find(name);
    if (!invocable) {
      const message = JSON.stringify({ Message: `Function not found: ${name}` });
      response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException' }).end(message);
      return;
    }
    const [invoked] = await Promise.all([
      invocable(payload),
      this.losesAnswer(name, payload).then((lost) => lost && response.destroy()),
    ]);
    if (response.destroyed) return;
    if (invoked.functionError) response.setHeader('x-amz-function-error', invoked.functionError);
    response.setHeader('x-amz-log-result', Buffer.from(invoked.log).subarray(-4096).toString('base64'));
    response.end(invoked.payload);
  }
}
