import { pollWhileSilent } from '../../lib/client/waiting/poll-while-silent';

// Jest does not fake node:timers/promises.
jest.mock('../../lib/client/waiting/sleep', () => ({
  sleep: (ms: number, signal: AbortSignal) =>
    new Promise((resolve, reject) => {
      setTimeout(resolve, ms);
      signal.addEventListener('abort', () => reject(signal.reason));
    }),
}));

const RUN_SECONDS = 17;

/** A run of 17 s that reports at these seconds. @returns the seconds at which it was looked at */
async function looks(reports: readonly number[], look: () => Promise<void> = async () => {}): Promise<number[]> {
  const started = performance.now();
  const seconds: number[] = [];
  const run = pollWhileSilent(
    async (reported) => {
      for (const at of reports) setTimeout(reported, at * 1000);
      await new Promise((end) => setTimeout(end, RUN_SECONDS * 1000));
      return 'done';
    },
    async () => {
      seconds.push(Math.round((performance.now() - started) / 1000));
      await look();
    },
  );
  await jest.advanceTimersByTimeAsync(RUN_SECONDS * 1000);
  expect(await run).toBe('done');
  await jest.advanceTimersByTimeAsync(60_000);
  return seconds;
}

beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick'] }));
afterEach(() => jest.useRealTimers());

test('a silent run is polled every five seconds until it ends', async () => {
  expect(await looks([])).toEqual([5, 10, 15]);
});

test('a run that reports often is never polled', async () => {
  expect(await looks([3, 6, 9, 12, 15])).toEqual([]);
});

test('polling stops after an error, and the run continues', async () => {
  expect(await looks([], () => Promise.reject(new Error('throttled')))).toEqual([5]);
});

test('a failed run rejects with its own error', async () => {
  await expect(
    pollWhileSilent(
      () => Promise.reject(new Error('lost')),
      async () => {},
    ),
  ).rejects.toThrow('lost');
});
