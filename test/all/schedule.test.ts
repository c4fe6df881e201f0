import type { Check, Count } from './checks';
import { after, type CheckResult, type NamedCheck, runChecks, shared } from './schedule';

const PASSED: Count = { passed: 1, failed: 0 };
const HOUR_MS = 3_600_000;

function run(checks: readonly NamedCheck[], workers: number, deadline = Date.now() + HOUR_MS, ended: CheckResult[] = []) {
  return runChecks(checks, { workers, deadline, onEnd: (result) => ended.push(result) });
}

/** A check that ends when it is told to. */
function held(name: string): NamedCheck & { readonly started: Promise<void>; end(): void } {
  let [end, start] = [(): void => {}, (): void => {}];
  const started = new Promise<void>((resolve) => {
    start = resolve;
  });
  const check: Check = async (say) => {
    say(`${name} begins`);
    start();
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    say(`${name} ends`);
    return PASSED;
  };
  return { name, check, started, end: () => end() };
}

describe('the checks of npm test', () => {
  it('run in parallel, one per worker, and the next starts when one has ended', async () => {
    const [a, b, c] = [held('a'), held('b'), held('c')] as const;
    const ended: CheckResult[] = [];
    const all = run([a, b, c], 2, undefined, ended);
    await Promise.all([a.started, b.started]);
    expect(ended).toEqual([]);
    b.end();
    await c.started;
    expect(ended.map(({ name }) => name)).toEqual(['b']);
    a.end();
    c.end();
    expect((await all).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('report all of their output when they end', async () => {
    const [a, b] = [held('a'), held('b')] as const;
    const all = run([a, b], 2);
    await Promise.all([a.started, b.started]);
    b.end();
    a.end();
    expect((await all).map(({ output }) => output)).toEqual(['a begins\na ends', 'b begins\nb ends']);
  });

  it('fail if they throw, and the others continue', async () => {
    const check: Check = async () => {
      throw new Error('no such command');
    };
    const [first, second] = await run(
      [
        { name: 'a', check },
        { name: 'b', check: async () => PASSED },
      ],
      1,
    );
    expect(first).toMatchObject({ passed: 0, failed: 1, output: expect.stringContaining('no such command') });
    expect(second).toMatchObject(PASSED);
  });

  it('fail if they still run at the deadline, and waiting checks do not start', async () => {
    jest.useFakeTimers();
    try {
      const [a, b] = [held('a'), held('b')] as const;
      const results = run([a, b], 1, Date.now() + 1_000);
      await jest.advanceTimersByTimeAsync(1_000);
      expect(await results).toEqual([
        expect.objectContaining({ name: 'a', failed: 1, output: expect.stringContaining('still ran') }),
        expect.objectContaining({ name: 'b', failed: 1, output: expect.stringContaining('not started') }),
      ]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('wait for a check that they need, which runs once and may fail', async () => {
    const order: string[] = [];
    const needed = shared(async () => {
      order.push('needed');
      throw new Error('not built');
    });
    const tests = after(needed, async () => {
      order.push('tests');
      return PASSED;
    });
    const results = await run(
      [
        { name: 'needed', check: needed },
        { name: 'tests', check: tests },
      ],
      2,
    );
    expect(order).toEqual(['needed', 'tests']);
    expect(results.map(({ passed, failed }) => [passed, failed])).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });
});
