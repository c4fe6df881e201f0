import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import { nodeProgram } from '../../node-program';
import { PATIENCE_MS, signalGroup, type Watched } from './supervisor';

export interface SupervisedOptions extends Omit<Watched, 'pid'> {
  /** The command's complete environment. */
  readonly env: NodeJS.ProcessEnv;
  /** @default - this process's */
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Where its output goes: a file descriptor, or pipes to read from. @default 'pipe' */
  readonly output?: number | 'pipe';
  /** Whether this process writes to its input. @default 'ignore' */
  readonly input?: 'pipe' | 'ignore';
}

/** A command that ends when this process ends. */
export interface Supervised {
  readonly process: ChildProcess;
  /**
   * Resolves with the exit code once all processes of the command have ended; never after {@link Supervised.end}. Throws if the command
   * can't be started.
   */
  readonly exited: Promise<number>;
  /** Ends the command and everything it started, and waits for that. */
  end(): Promise<void>;
}

const running = new Set<Supervised>();

/** Starts a command that ends together with this process, however this process ends. */
export function startSupervised(command: string, args: readonly string[], options: SupervisedOptions): Supervised {
  const { output = 'pipe', input = 'ignore', endSignal = 'SIGKILL', folder, ...rest } = options;
  // A separate session: Ctrl-C in the terminal reaches only this process, which then ends the command.
  const child = spawn(command, args, { ...rest, detached: true, stdio: [input, output, output] });
  const forget = watch({ pid: child.pid, endSignal, folder });
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid) signalGroup(child.pid, name);
  };
  let released = false;
  const closed = new Promise<number>((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`can't start ${command}: ${error.message}`)));
    child.on('exit', () => signal('SIGKILL'));
    child.on('close', (code, name) => resolve(code ?? 128 + (name ? constants.signals[name] : 0)));
  });
  const supervised: Supervised = {
    process: child,
    // Never resolves for a command that was ended on purpose, because that is not a failure.
    exited: closed.then((code) => (released ? new Promise(() => {}) : code)),
    async end() {
      released = true;
      if (!running.has(supervised)) return;
      signal(endSignal);
      const timer = setTimeout(signal, PATIENCE_MS, 'SIGKILL');
      await closed.finally(() => clearTimeout(timer));
    },
  };
  running.add(supervised);
  const end = (): void => {
    running.delete(supervised);
    forget();
  };
  closed.then(end, end);
  return supervised;
}

/** Removes a folder when this process ends, however it ends, unless the returned function was called. */
export function superviseFolder(folder: string): () => void {
  return watch({ folder });
}

/** Ends every supervised command of this process. */
export async function endAllSupervised(): Promise<void> {
  while (running.size > 0) await Promise.allSettled([...running].map((supervised) => supervised.end()));
}

const watched = new Set<Watched>();
let supervisor: Writable | undefined;

/** Registers a command or folder with the supervisor. The returned function unregisters it. */
function watch(entry: Watched): () => void {
  watched.add(entry);
  updateSupervisor();
  return () => {
    watched.delete(entry);
    updateSupervisor();
  };
}

/** Sends the list to the supervisor: one process for all, as long as there is something to watch. */
function updateSupervisor(): void {
  supervisor ??= startSupervisor();
  supervisor.write(`${JSON.stringify([...watched])}\n`);
  if (watched.size > 0) return;
  supervisor.end();
  supervisor = undefined;
}

function startSupervisor(): Writable {
  const child = spawn(process.execPath, nodeProgram('local/processes/supervisor'), {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  const { stdin } = child as { stdin: Writable & { unref?(): void } };
  stdin.unref?.();
  stdin.on('error', () => {}); // It has ended.
  child.on('exit', (_, signal) => {
    if (supervisor !== stdin) return;
    supervisor = undefined;
    // If someone killed it, a new one gets the whole list.
    if (signal) updateSupervisor();
  });
  return stdin;
}
