import { setTimeout } from 'node:timers/promises';

/** Waits. Throws the signal's reason as soon as the signal is aborted. @param ms milliseconds */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
}
