import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { nodeProgram } from '../../node-program';
import type { SupervisedJob } from './supervisor';

export interface SupervisedOptions extends Partial<Omit<SupervisedJob, 'command' | 'args'>> {
  /** The command's complete environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Where its output goes: a file descriptor, or pipes to read from. @default 'pipe' */
  readonly output?: number | 'pipe';
  /** Whether this process writes to its input. @default 'ignore' */
  readonly input?: 'pipe' | 'ignore';
}

/** A command that ends when this process ends. */
export interface Supervised {
  readonly process: ChildProcess;
  /** Resolves with the exit code once all processes of the command have ended; never after {@link Supervised.end}. */
  readonly exited: Promise<number>;
  /** Ends the command and everything it started, removes its folder, and waits for both. */
  end(): Promise<void>;
}

const running = new Set<Supervised>();

/** Starts a command that ends together with this process, however this process ends. */
export function startSupervised(command: string, args: readonly string[], options: SupervisedOptions): Supervised {
  const { env, output = 'pipe', input = 'ignore', endSignal = 'SIGKILL', ...rest } = options;
  return startSupervisor({ command, args, endSignal, ...rest }, env, input, output);
}

/** Removes a folder when this process ends, however it ends. */
export function superviseFolder(folder: string): void {
  startSupervisor({ args: [], endSignal: 'SIGKILL', folder }, process.env, 'ignore', 'ignore');
}

type Output = number | 'pipe' | 'ignore';

function startSupervisor(job: SupervisedJob, env: NodeJS.ProcessEnv, input: 'pipe' | 'ignore', output: Output): Supervised {
  const child = spawn(
    process.execPath,
    [...nodeProgram('local/processes/supervisor'), JSON.stringify(job)],
    // A separate session: Ctrl-C in the terminal reaches only the owner, which then releases the command.
    { detached: true, env, stdio: [input, output, output, 'pipe'] },
  );
  let released = false;
  const closed = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  const supervised: Supervised = {
    process: child,
    // Never resolves for a command that was ended on purpose, because that is not a failure.
    exited: closed.then((code) => (released ? new Promise(() => {}) : code)),
    async end() {
      released = true;
      (child.stdio[3] as Writable | null)?.end();
      await closed;
    },
  };
  running.add(supervised);
  const forget = (): boolean => running.delete(supervised);
  closed.then(forget, forget);
  return supervised;
}

/** Ends every supervised command of this process. */
export async function endAllSupervised(): Promise<void> {
  while (running.size > 0) await Promise.allSettled([...running].map((supervised) => supervised.end()));
}
