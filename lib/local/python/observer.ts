import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ask, Hello, ObserverCode, Report, ScratchAddress } from '../../contract/facts';
import { MigrateError } from '../../contract/failure';
import { startSupervised } from '../processes/supervised';
import { bytecodeEntry, recallBytecode, rememberBytecode } from './bytecode';
import { untilItStarts } from './managers';
import { bootstrap, observerCode } from './observer-code';

/** The project to observe, and how. */
export interface ObserverOptions {
  /** The folder in which the team calls `alembic`. */
  readonly project: string;
  /** The absolute path of a copy of the project, to load in its place. @default - the project itself */
  readonly copy?: string | undefined;
  /** The project's alembic.ini or pyproject.toml, relative to that folder. @default - searched for in the folder */
  readonly config?: string | undefined;
  /** The command that starts the backend's Python; arguments are appended. It runs in the project's folder. */
  readonly python: readonly string[];
  /** Variables to set before the backend is imported. @default - none */
  readonly environment?: Readonly<Record<string, string>>;
  /** What env.py reads with `context.get_x_argument()`, such as `env=dev`. @default - nothing */
  readonly x?: readonly string[];
  /**
   * Address of the database for all connections. While it is pending, Python starts and answers questions about the files.
   *
   * @default - the backend's own database
   */
  readonly scratch?: string | Promise<string>;
  /** Whether its server is removed afterwards. @default false */
  readonly disposable?: boolean;
  /** Whether to record what is read, and to pause for a copy. @default false */
  readonly trace?: boolean;
  /** Gets what the backend prints, line by line. */
  readonly onOutput?: (line: string) => void;
}

/** The backend's Python, which answers questions with facts. */
export interface Observer {
  /** Asks one question at a time. Resolves after all reports were passed on. Throws a {@link MigrateError}. */
  ask(ask: Ask, onReport: (report: Report) => void): Promise<void>;
  /** Lets it continue after a report `pause`. */
  resume(): void;
  /** Ends the process and everything it started. */
  end(): Promise<void>;
}

/** An observer that may continue as several processes. */
export interface StartedObserver extends Observer {
  /**
   * Another process with all that this one has imported, which ends with it; undefined if a fork is not safe there.
   *
   * @param folder where its socket is made
   * @param scratch the address of a server that is removed; called before its first question
   */
  fork(folder: string, scratch: () => Promise<string>): Promise<Observer | undefined>;
}

const LOG_LINES = 20;
const PATIENCE_MS = 2_000;

/** Starts the observer, which ends with this process. Call it inside `withFolder`, which ends it. */
export function startObserver(options: ObserverOptions): StartedObserver {
  const { python, project, copy = '.', config, environment = {}, x = [], scratch, disposable, trace, onOutput } = options;
  const [command = '', ...words] = python;
  const supervised = startSupervised(command, [...words, '-c', bootstrap()], { env: process.env, cwd: project, input: 'pipe' });
  const { stdin, stdout, stderr } = supervised.process as { stdin: Writable; stdout: Readable; stderr: Readable };
  stdin.on('error', () => {}); // Its exit reports that it died.
  send(stdin, { project: copy, config, environment, x, scratch: scratch !== undefined, trace });
  const code = observerCode();
  const entry = bytecodeEntry(code, python);
  send(stdin, { code, bytecode: recallBytecode(entry) });
  const log: string[] = [];
  const conversation = new Conversation(log, (bytecode) => rememberBytecode(entry, bytecode));

  onLine(stderr, (line) => {
    log.push(line);
    if (log.length > LOG_LINES) log.shift();
    onOutput?.(line);
  });
  onLine(stdout, (line) => {
    if (!conversation.receive(line)) void supervised.end();
  });
  supervised.exited.then(
    (status) => conversation.end(ended(python, status, conversation.hasBegun, log)),
    () => conversation.end(missing(command)),
  );
  const scratchAddress = Promise.resolve(scratch).then(
    (url): ScratchAddress => (url === undefined ? {} : { scratch: url, disposable }),
  );
  scratchAddress.catch(() => {}); // Callers that await it get the error.

  const first = asker(conversation, stdin, () => scratchAddress);
  return {
    ...first,
    async fork(folder, scratch) {
      const connection = await connectionOf(folder, (socket, onReport) => first.ask({ ask: 'fork', socket }, onReport));
      return connection && forked(connection, scratch, () => ended(python, 1, true, log));
    },
    async end() {
      stdin.end();
      // A process in a container gets no signals from this machine: the end of its input ends it.
      await Promise.race([supervised.exited.catch(() => {}), sleep(PATIENCE_MS, undefined, { ref: false })]);
      await supervised.end();
    },
  };
}

function asker(
  conversation: Conversation,
  stdin: Writable,
  scratchAddress: () => Promise<ScratchAddress>,
): Omit<Observer, 'end'> {
  return {
    async ask(ask, onReport) {
      // The files can be read while the server is still starting.
      const line = ask.ask === 'graph' || ask.ask === 'fork' ? ask : { ...ask, ...(await scratchAddress()) };
      await conversation.answered(() => send(stdin, line), onReport);
    },
    resume() {
      send(stdin, { ask: 'continue' });
    },
  };
}

/** The connection of a process that was asked to fork; undefined if it did not. */
async function connectionOf(
  folder: string,
  ask: (socket: string, onReport: (report: Report) => void) => Promise<void>,
): Promise<Socket | undefined> {
  const file = path.join(folder, `fork-${randomUUID()}`);
  const server = createServer().listen(file);
  const connected: Promise<Socket[]> = once(server, 'connection');
  connected.catch(() => {}); // It is awaited below.
  try {
    await once(server, 'listening');
    let done = false;
    await ask(file, (report) => {
      done = report.report === 'forked' && report.done;
    });
    return done ? (await connected)[0] : undefined;
  } catch {
    return undefined; // Its next question fails with the reason.
  } finally {
    server.close();
  }
}

function forked(connection: Socket, scratch: () => Promise<string>, died: () => MigrateError): Observer {
  const conversation = new Conversation([], () => {});
  connection.on('error', () => {}); // Its end reports that it died.
  onLine(connection, (line) => {
    if (!conversation.receive(line)) connection.destroy();
  });
  const closed = once(connection, 'close').then(() => conversation.end(died()));
  let scratchAddress: Promise<ScratchAddress> | undefined;
  return {
    ...asker(conversation, connection, () => {
      scratchAddress ??= scratch().then((url) => ({ scratch: url, disposable: true }));
      return scratchAddress;
    }),
    async end() {
      connection.end();
      await closed;
    },
  };
}

function send(stdin: Writable, line: Hello | ObserverCode | (Ask & ScratchAddress)): void {
  stdin.write(`${JSON.stringify(line)}\n`);
}

/** A question without an answer so far. */
interface Pending {
  readonly onReport: (report: Report) => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One question at a time and its reports, until the process ends. */
class Conversation {
  /** Whether the process has reported anything. */
  hasBegun = false;
  private pending: Pending | undefined;
  private dead: Error | undefined;

  constructor(
    private readonly log: readonly string[],
    private readonly remember: (bytecode: Extract<Report, { report: 'bytecode' }>['bytecode']) => void,
  ) {}

  /** Resolves when the question that `send` sends is answered. */
  answered(send: () => void, onReport: (report: Report) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.dead) throw this.dead;
      this.pending = { onReport, resolve, reject };
      send();
    });
  }

  /** Takes a line of the process; false if it is not a report, after which nothing else is read. */
  receive(line: string): boolean {
    if (line.trim() === '' || this.dead) return true;
    const report = readReport(line);
    if (!report) {
      this.end(unexpected(line, this.log));
      return false;
    }
    this.hasBegun = true;
    if (report.report === 'bytecode') this.remember(report.bytecode);
    else if (report.report === 'end') this.settle()?.resolve();
    else if (report.report === 'failed') this.settle()?.reject(failure(report.error, this.log));
    else this.pending?.onReport(report);
    return true;
  }

  /** No more answers come. */
  end(error: Error): void {
    this.dead ??= error;
    this.settle()?.reject(error);
  }

  private settle(): Pending | undefined {
    const settled = this.pending;
    this.pending = undefined;
    return settled;
  }
}

function onLine(stream: Readable, heard: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', heard);
}

function readReport(line: string): Report | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'report' in value ? (value as Report) : undefined;
  } catch {
    return undefined;
  }
}

function failure(error: Extract<Report, { report: 'failed' }>['error'], log: readonly string[]): MigrateError {
  const { code, message, next, ...details } = error;
  // For an internal error, its log has a traceback.
  return new MigrateError(code, message, next, code === 'internal_error' ? { ...details, log: [...log] } : details);
}

function unexpected(line: string, log: readonly string[]): MigrateError {
  return new MigrateError(
    'unexpected_report',
    `the backend's Python wrote something other than a report to its standard output: ${line.slice(0, 200)}`,
    'check the command in --python or the setting "python": only Python may write there',
    { log: [...log] },
  );
}

function ended(python: readonly string[], code: number, hasReported: boolean, log: readonly string[]): MigrateError {
  const details = { log: [...log] };
  const command = python.join(' ');
  if (hasReported) {
    const message = `the backend's Python ended with exit code ${code} during its work`;
    return new MigrateError('observer_died', message, 'see its last output; it may be out of memory', details);
  }
  return notStarted(`"${command}" ended with exit code ${code}`, details, untilItStarts(python));
}

function missing(command: string): MigrateError {
  return notStarted(`the command "${command}", which starts the backend's Python, does not exist`);
}

function notStarted(
  message: string,
  details: { readonly log?: readonly string[] } = {},
  next = 'pass a command that starts Python with --python or the setting "python"',
): MigrateError {
  return new MigrateError('python_not_started', message, next, details);
}
