import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { endAllSupervised, superviseFolder } from './supervised';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Calls back with a new folder. Afterwards ends everything that was started and removes the folder, even after an error, on
 * Ctrl-C, or when this process ends.
 *
 * @param above where it is created
 */
export async function withFolder<T>(use: (folder: string) => Promise<T>, above = tmpdir()): Promise<T> {
  let folder: string | undefined;
  let forget = (): void => {};
  const remove = (): void => {
    if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    forget();
  };
  const onSignal = (signal: (typeof SIGNALS)[number]): void => {
    // Code that has already reported the result has set the exit code.
    endAllSupervised().finally(() => process.exit(process.exitCode ?? 128 + constants.signals[signal]));
  };
  process.once('exit', remove);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    folder = mkdtempSync(path.join(above, 'cdk-alembic-'));
    forget = superviseFolder(folder);
    // If this process is root, PostgreSQL runs as another user, who must reach its own folder below.
    chmodSync(folder, 0o711);
    return await use(folder);
  } finally {
    await endAllSupervised();
    remove();
    process.off('exit', remove);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
