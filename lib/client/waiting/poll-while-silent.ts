import { sleep } from './sleep';

/** Short enough for a waiting person, long enough to cost little. */
const SILENT_MS = 5_000;

/**
 * Calls `poll` while `run` reports nothing for some seconds, until a `poll` fails: a function without spare concurrency rejects it.
 *
 * @param run gets a function to call when it reports something
 */
export async function pollWhileSilent<T>(
  run: (reported: () => void) => Promise<T>,
  poll: (signal: AbortSignal) => Promise<void>,
  silentMs = SILENT_MS,
): Promise<T> {
  const ended = new AbortController();
  let last = performance.now();
  const watching = (async () => {
    for (;;) {
      await sleep(Math.max(0, last + silentMs - performance.now()), ended.signal);
      if (performance.now() < last + silentMs) continue;
      await poll(ended.signal);
      last = performance.now();
    }
  })().catch(() => {});
  try {
    return await run(() => {
      last = performance.now();
    });
  } finally {
    ended.abort();
    await watching;
  }
}
