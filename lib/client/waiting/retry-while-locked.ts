import { MigrateError } from '../../contract/failure';
import { sleep } from './sleep';

/** How long to wait for another run. */
export interface LockOptions {
  /**
   * Seconds to keep trying while another run holds the mutex. Each call includes the function's own wait (a minute, unless the
   * construct's `limits.mutexWait` says otherwise).
   *
   * @default 0 - the first `locked` is an error
   */
  readonly lockSeconds?: number;
  /** Called with the reason for waiting, and again if it changes. */
  readonly onWait?: (reason: string) => void;
  /** Stops waiting. */
  readonly signal?: AbortSignal;
}

const PAUSE_MS = 1_000;

/** Repeats a call while another run holds the mutex. `locked` means that nothing was applied. */
export async function retryWhileLocked<T>(call: () => Promise<T>, { lockSeconds = 0, onWait, signal }: LockOptions): Promise<T> {
  const deadline = performance.now() + lockSeconds * 1000;
  let reported: string | undefined;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const left = deadline - performance.now();
      if (!(error instanceof MigrateError && error.code === 'locked') || left <= 0) throw error;
      if (error.message !== reported) onWait?.(error.message);
      reported = error.message;
      // 50 to 100 % of the pause, because others may wait for the same run.
      await sleep(Math.min(PAUSE_MS * (0.5 + Math.random() / 2), left), signal);
    }
  }
}
