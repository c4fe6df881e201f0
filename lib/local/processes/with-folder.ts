import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { endAllSupervised, superviseFolder } from './supervised';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Calls back with a new folder. In the end everything that was started is ended and the folder removed, whatever happens: an
 * error, Ctrl-C, or the end of this process.
 */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  let folder: string | undefined;
  const remove = (): void => {
    if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  };
  const onSignal = (signal: (typeof SIGNALS)[number]): void => {
    // Whoever has already said how it ended has set the exit code.
    endAllSupervised().finally(() => process.exit(process.exitCode ?? 128 + constants.signals[signal]));
  };
  process.once('exit', remove);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    folder = mkdtempSync(path.join(tmpdir(), 'cdk-alembic-'));
    superviseFolder(folder);
    // PostgreSQL runs as another user when this process is root; that user has to reach its own folder below.
    chmodSync(folder, 0o711);
    return await use(folder);
  } finally {
    await endAllSupervised();
    remove();
    process.off('exit', remove);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
