import { setTimeout as sleep } from 'node:timers/promises';
import { MigrateError } from '../contract/failure';

/** How long another run is waited for. */
export interface LockOptions {
  /**
   * Seconds in which a call that another run has locked out is sent again; the function's own wait (a minute, unless the construct's
   * `limits.mutexWait` says otherwise) is a part of each call.
   *
   * @default 0 - the first `locked` is the error
   */
  readonly lockSeconds?: number;
  /** Gets the reason when another run has to be waited for, and again when it changes. */
  readonly onWait?: (reason: string) => void;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

const PAUSE_MS = 1_000;

/** Sends a call again as long as another run holds the mutex. `locked` says that nothing was applied. */
export async function whenUnlocked<T>(call: () => Promise<T>, { lockSeconds = 0, onWait, signal }: LockOptions): Promise<T> {
  const deadline = performance.now() + lockSeconds * 1000;
  let told: string | undefined;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const left = deadline - performance.now();
      if (!(error instanceof MigrateError && error.code === 'locked') || left <= 0) throw error;
      if (error.message !== told) onWait?.(error.message);
      told = error.message;
      // Between half of the pause and all of it: others may wait for the same run.
      await sleep(Math.min(PAUSE_MS * (0.5 + Math.random() / 2), left), undefined, { signal });
    }
  }
}
