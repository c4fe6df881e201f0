import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { packagePath } from '../package-root';
import type { LeashedJob } from './leash';

export interface LeashedOptions extends Partial<Omit<LeashedJob, 'command' | 'args'>> {
  /** The command's whole environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Where its output goes: a file's descriptor, or pipes to read from. @default 'pipe' */
  readonly output?: number | 'pipe';
  /** Whether it is written to. @default 'ignore' */
  readonly input?: 'pipe' | 'ignore';
}

/** A command that can't outlive this process. */
export interface Leashed {
  readonly process: ChildProcess;
  /** Resolves with the exit code once nothing of the command runs any more; never after {@link Leashed.end}. */
  readonly exited: Promise<number>;
  /** Ends the command with all it started, removes its folder, and waits for both. */
  end(): Promise<void>;
}

const running = new Set<Leashed>();

/** Starts a command that ends together with this process, however this process ends. */
export function startLeashed(command: string, args: readonly string[], options: LeashedOptions): Leashed {
  const { env, output = 'pipe', input = 'ignore', endSignal = 'SIGKILL', ...rest } = options;
  return startLeash({ command, args, endSignal, ...rest }, env, input, output);
}

/** Has a folder removed when this process ends, however it ends. */
export function leashFolder(folder: string): void {
  startLeash({ args: [], endSignal: 'SIGKILL', folder }, process.env, 'ignore', 'ignore');
}

type Output = number | 'pipe' | 'ignore';

function startLeash(job: LeashedJob, env: NodeJS.ProcessEnv, input: 'pipe' | 'ignore', output: Output): Leashed {
  const child = spawn(
    process.execPath,
    [...leashProgram(), JSON.stringify(job)],
    // A session of its own: a Ctrl-C in the terminal reaches the owner alone, who then lets go.
    { detached: true, env, stdio: [input, output, output, 'pipe'] },
  );
  let letGo = false;
  const closed = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  const leashed: Leashed = {
    process: child,
    // Whoever waits for a command that was ended on purpose must not take that for a failure of the command.
    exited: closed.then((code) => (letGo ? new Promise(() => {}) : code)),
    async end() {
      letGo = true;
      (child.stdio[3] as Writable | null)?.end();
      await closed;
    },
  };
  running.add(leashed);
  const forget = (): boolean => running.delete(leashed);
  closed.then(forget, forget);
  return leashed;
}

/** What Node runs: the built file; in the sources TypeScript, which no dependency of the package understands. */
function leashProgram(): readonly string[] {
  if (!__filename.endsWith('.ts')) return [packagePath('dist', 'lib', 'local', 'leash.js')];
  return ['-r', createRequire(__filename).resolve('tsx/cjs'), path.join(__dirname, 'leash.ts')];
}

/** Ends every leashed command of this process. */
export async function endAllLeashed(): Promise<void> {
  while (running.size > 0) await Promise.allSettled([...running].map((leashed) => leashed.end()));
}
