import type { Check, Count } from './checks';

/** A check with its name, as `npm test -- NAME` takes it. */
export interface NamedCheck {
  readonly name: string;
  readonly check: Check;
}

export interface Schedule {
  /** How many checks run side by side. */
  readonly workers: number;
  /** No check runs longer than until then. In milliseconds, as of `Date.now`. */
  readonly deadline: number;
  /** Called once for each check, when it has ended. */
  readonly onEnd: (result: CheckResult) => void;
}

export interface CheckResult extends Count {
  readonly name: string;
  readonly seconds: number;
  /** Everything it printed. */
  readonly output: string;
}

/**
 * Runs checks side by side, in their order; list the longest first. A check that throws, or that still runs at the deadline, has failed.
 *
 * @returns the results, in the order of the checks
 */
export async function runChecks(checks: readonly NamedCheck[], schedule: Schedule): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const waiting = [...checks.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, check] = next;
      results[index] = await runCheck(check, schedule.deadline);
      schedule.onEnd(results[index]);
    }
  };
  await Promise.all(Array.from({ length: schedule.workers }, work));
  return results;
}

async function runCheck({ name, check }: NamedCheck, deadline: number): Promise<CheckResult> {
  const lines: string[] = [];
  const from = Date.now();
  const count = await beforeDeadline(deadline, () => check((line) => lines.push(line))).catch((error: Error) => {
    lines.push(error.stack ?? error.message);
    return { passed: 0, failed: 1 };
  });
  return { name, ...count, seconds: (Date.now() - from) / 1000, output: lines.join('\n') };
}

async function beforeDeadline<T>(deadline: number, start: () => Promise<T>): Promise<T> {
  const left = deadline - Date.now();
  if (left <= 0) throw new Error('not started: the time for all checks is used up');
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it still ran when the time for all checks was used up')), left);
  });
  try {
    return await Promise.race([start(), over]);
  } finally {
    clearTimeout(timer);
  }
}

/** A check that runs once, however often it is asked for. */
export function shared(check: Check): Check {
  let count: Promise<Count> | undefined;
  return (say) => {
    count ??= check(say);
    return count;
  };
}

/** A check that starts when another one has ended, in whatever way. */
export function after(first: Check, check: Check): Check {
  return async (say) => {
    await first(say).catch(() => undefined);
    return check(say);
  };
}
