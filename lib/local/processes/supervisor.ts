/*
 * Runs one command in its own process group while its owner holds the other end of descriptor 3.
 * When the owner closes it or dies (even by SIGKILL), the supervisor ends the whole group and removes the folder. Signal
 * handlers in the owner could not guarantee that, and inside jest they do not run at all.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants } from 'node:os';

/** The job from {@link startSupervised}, as JSON in the first argument. */
export interface SupervisedJob {
  /** @default - none: only removes the folder */
  readonly command?: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** The signal that ends the command. */
  readonly endSignal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL';
  /** Removed when the owner closes the descriptor. */
  readonly folder?: string;
}

/** The descriptor whose other end the owner holds. */
const HELD = 3;

const PATIENCE_MS = 5_000;

function hold(job: SupervisedJob): void {
  const { command, uid, gid, cwd } = job;
  const child = command ? spawn(command, job.args, { detached: true, stdio: 'inherit', uid, gid, cwd }) : undefined;
  let released = false;

  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      if (child?.pid) process.kill(-child.pid, signal);
    } catch {
      // The group has already ended.
    }
  };
  const end = (): void => {
    if (released) return;
    released = true;
    if (!child) finish(0);
    signalGroup(job.endSignal);
    setTimeout(signalGroup, PATIENCE_MS, 'SIGKILL').unref();
  };
  const finish = (code: number): void => {
    signalGroup('SIGKILL');
    // A killed process may still write for a moment.
    if (released && job.folder) rmSync(job.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    process.exit(code);
  };

  child?.on('error', (error) => {
    console.error(`can't start ${command}: ${error.message}`);
    finish(127);
  });
  child?.on('exit', (code, signal) => finish(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  new Socket({ fd: HELD }).on('end', end).on('error', end).resume();
}

if (require.main === module) hold(JSON.parse(process.argv[2] as string));
