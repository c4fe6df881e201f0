import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HANDLER } from '../../lib/contract';
import { needed } from './environment';

/** What Lambda hands back for a call. */
export interface Invoked {
  readonly payload: string;
  readonly functionError?: string;
  /** What the function printed meanwhile. */
  readonly log: string;
}

/*
 * One execution environment of Lambda: a process of AWS's own runtime for Python (awslambdaric), and the HTTP server that it asks
 * for work, https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export class ExecutionEnvironment {
  private readonly server = createServer(
    // The runtime repeats an error in a header (for X-Ray) of up to a megabyte, and keeps its connection during a call.
    { maxHeaderSize: 2 * 1024 * 1024, keepAliveTimeout: 0 },
    (request, response) => void this.handle(request, response),
  );
  private process?: ChildProcess;
  private waiting?: ServerResponse;
  private work?: { id: string; payload: string; deadline: number; handedOut: boolean };
  private finish?: (payload: string, functionError?: string) => void;
  private log = '';

  /** @param root the unpacked package */
  static async start(root: string, variables: Record<string, string>): Promise<ExecutionEnvironment> {
    const environment = new ExecutionEnvironment();
    await new Promise<void>((resolve) => environment.server.listen(0, '127.0.0.1', resolve));
    environment.spawn(root, variables);
    return environment;
  }

  /** One call; the process is killed when it has not answered in time. */
  async invoke(payload: string, timeoutSeconds: number): Promise<Invoked> {
    const id = randomUUID();
    this.log = '';
    this.work = { id, payload, deadline: Date.now() + timeoutSeconds * 1000, handedOut: false };
    const outcome = new Promise<Invoked>((resolve) => {
      this.finish = (result, functionError) => resolve({ payload: result, functionError, log: this.log });
    });
    const timer = setTimeout(() => {
      this.finish?.(crash('Sandbox.Timedout', `${id} Task timed out after ${timeoutSeconds.toFixed(2)} seconds`), 'Unhandled');
      this.process?.kill('SIGKILL');
    }, timeoutSeconds * 1000);
    this.handOut();
    try {
      return await outcome;
    } finally {
      clearTimeout(timer);
      this.work = undefined;
    }
  }

  get alive(): boolean {
    return this.process?.exitCode === null && this.process.signalCode === null;
  }

  async stop(): Promise<void> {
    if (this.process && this.alive) {
      const ended = new Promise((resolve) => this.process?.once('close', resolve));
      this.process.kill('SIGKILL');
      await ended;
    }
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private spawn(root: string, variables: Record<string, string>): void {
    const address = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    this.process = spawn(needed('RUNNER_PYTHON'), ['-m', 'awslambdaric', HANDLER], {
      cwd: root,
      env: {
        PATH: process.env.PATH,
        PYTHONDONTWRITEBYTECODE: '1',
        LAMBDA_TASK_ROOT: root,
        AWS_LAMBDA_RUNTIME_API: address,
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        this.log += text;
      });
    }
    this.process.once('close', (code, signal) => {
      this.finish?.(
        crash('Runtime.ExitError', `Error: Runtime exited with error: ${signal ?? `exit status ${code}`}`),
        'Unhandled',
      );
    });
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.url?.endsWith('/invocation/next')) {
      this.waiting = response;
      this.handOut();
      return;
    }
    response.writeHead(202).end('{"status":"OK"}');
    if (request.url?.endsWith(`/${this.work?.id}/response`)) this.finish?.(body);
    else if (request.url?.endsWith('/error')) this.finish?.(body, 'Unhandled');
  }

  private handOut(): void {
    if (!this.waiting || !this.work || this.work.handedOut) return;
    this.work.handedOut = true;
    this.waiting.writeHead(200, {
      'Content-Type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': this.work.id,
      'Lambda-Runtime-Deadline-Ms': String(this.work.deadline),
      'Lambda-Runtime-Invoked-Function-Arn': 'arn:aws:lambda:eu-central-1:111122223333:function:migrate',
    });
    this.waiting.end(this.work.payload);
    this.waiting = undefined;
  }
}

function crash(errorType: string, errorMessage: string): string {
  return JSON.stringify({ errorType, errorMessage });
}
