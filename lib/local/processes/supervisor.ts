/*
 * Ends the commands of its owner, with all that they have started, and removes its folders when the owner dies, even by SIGKILL: it then
 * reads the end of its input. Signal handlers in the owner could not guarantee that, and inside jest they do not run at all.
 */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What must not outlive its owner. */
export interface Watched {
  /** Id of a command, which leads a process group. @default - none: only removes the folder */
  readonly pid?: number;
  /** The signal that ends the command. */
  readonly endSignal?: 'SIGINT' | 'SIGQUIT' | 'SIGKILL';
  /** Removed after the command. */
  readonly folder?: string;
}

/** How long a command may take to end. */
export const PATIENCE_MS = 5_000;

/** Whether the group exists; 0 sends no signal. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false; // It has already ended.
  }
}

async function endAll(all: readonly Watched[]): Promise<void> {
  const pids = all.flatMap(({ pid, endSignal = 'SIGKILL' }) => (pid !== undefined && signalGroup(pid, endSignal) ? [pid] : []));
  // Where nothing reaps orphans, a group never disappears.
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until && pids.some((pid) => signalGroup(pid, 0)); ) await sleep(20);
  for (const pid of pids) signalGroup(pid, 'SIGKILL');
  // A killed process may still write for a moment.
  for (const { folder } of all) if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

/** Each line of the input lists everything to watch. The last line may be incomplete. */
async function supervise(input: AsyncIterable<string>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {}); // The owner decides.
  let last = '[]';
  let rest = '';
  for await (const text of input) {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    last = lines.at(-1) ?? last;
  }
  await endAll(JSON.parse(last));
}

if (require.main === module) void supervise(process.stdin.setEncoding('utf8'));
