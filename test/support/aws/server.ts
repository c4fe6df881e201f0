import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/*
 * A fake AWS on a real socket, with a handler for each service that a test needs: the SDK uses it like the real one. Local
 * emulators can't drop a connection in mid-call, throttle, or hang at a chosen moment.
 */

export type Service = 'cloudformation' | 'lambda' | 'logs' | 'states' | 'sts';

/** One call of a service. */
export interface Call {
  /** Such as `Invoke`. */
  readonly operation: string;
  /** For Lambda: the function's name or ARN. */
  readonly name: string;
  /** The raw body: JSON, or a form for services with that protocol. */
  readonly body: string;
}

/** An error for the SDK to throw. */
export interface AwsError {
  readonly status: number;
  readonly error: string;
  readonly message?: string;
}

/** The response to a call. `drop`: closes its connection. `hang`: never answers. */
export type Answer = { readonly body: unknown; readonly headers?: Readonly<Record<string, string>> } | AwsError | 'drop' | 'hang';

export type Handler = (call: Call) => Answer | Promise<Answer>;

export type Services = Partial<Readonly<Record<Service, Handler>>>;

export const ACCESS_DENIED: AwsError = { status: 403, error: 'AccessDenied', message: 'not allowed' };

export class AwsServer {
  // A client that reuses a connection while the server closes it for being idle would see a dropped call.
  private readonly server = createServer({ keepAliveTimeout: 0 }, (request, response) => void this.handle(request, response));

  private constructor(private readonly services: Services) {}

  /** Starts a server. Services without a handler deny access. */
  static async start(services: Services): Promise<AwsServer> {
    const aws = new AwsServer(services);
    await new Promise<void>((resolve) => aws.server.listen(0, '127.0.0.1', resolve));
    // A test that starts several stops only the last one: the others must not keep jest's process alive.
    aws.server.unref();
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
    const { service, ...call } = read(request, body);
    const answer = await (this.services[service]?.(call) ?? ACCESS_DENIED);
    if (answer === 'hang') return;
    if (answer === 'drop') response.destroy();
    else if ('error' in answer) fail(answer, isForm(service), response);
    else {
      for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    }
  }
}

const FUNCTION_OPERATIONS: Readonly<Record<string, string>> = {
  invocations: 'Invoke',
  configuration: 'GetFunctionConfiguration',
};
const TARGETS: Readonly<Record<string, Service>> = { Logs_20140328: 'logs', AWSStepFunctions: 'states' };

/** Each AWS protocol has the operation's name in a different place: the path, a header, or the form. */
function read({ url, headers }: IncomingMessage, body: string): Call & { readonly service: Service } {
  const [, name, resource = ''] = /^\/2015-03-31\/functions\/([^/]+)\/(\w+)/.exec(url ?? '') ?? [];
  if (name !== undefined) {
    const operation = FUNCTION_OPERATIONS[resource] ?? resource;
    return { service: 'lambda', operation, name: decodeURIComponent(name), body };
  }
  const [target = '', targeted] = `${headers['x-amz-target'] ?? ''}`.split('.');
  const service = TARGETS[target];
  if (service && targeted) return { service, operation: targeted, name: '', body };
  const operation = new URLSearchParams(body).get('Action') ?? '';
  return { service: operation === 'GetCallerIdentity' ? 'sts' : 'cloudformation', operation, name: '', body };
}

function isForm(service: Service): boolean {
  return service === 'sts' || service === 'cloudformation';
}

function fail(
  { status, error, message = `said by the fake AWS: ${error}` }: AwsError,
  isXml: boolean,
  response: ServerResponse,
): void {
  const xml = `<ErrorResponse><Error><Type>Sender</Type><Code>${error}</Code><Message>${message}</Message></Error></ErrorResponse>`;
  const json = JSON.stringify({ __type: error, message, Message: message });
  response.writeHead(status, { 'x-amzn-errortype': error }).end(isXml ? xml : json);
}
