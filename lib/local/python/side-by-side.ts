import { availableParallelism } from 'node:os';
import { type Observed, observe, type ReplayListener, type ReplayProgress } from './observe';
import type { Observer } from './observer';
import type { Another } from './with-observer';

/** The revisions of one of several observers. */
export interface Share {
  readonly observer: Observer;
  readonly revisions: readonly string[];
}

/** More servers and Pythons take too much memory. */
const MOST = 4;

/**
 * The costs of running a revision, of starting Python and a server, of a fork, which begins a little later than the first observer, and
 * of the final comparison with the models. The unit is observing one revision.
 */
const RUN = 0.2;
const START = 80;
const FORK = 3;
const DRIFT = 10;

/** A smaller share saves nothing. */
const LEAST = 10;

/**
 * Divides revisions, in the order of application, among observers that end at about the same time. All but the first one must be
 * started, and each must run the revisions before its own.
 */
export function divide(
  revisions: readonly string[],
  start = START,
  most = Math.min(availableParallelism(), MOST),
): readonly (readonly string[])[] {
  for (let time = LEAST; ; time++) {
    const shares: string[][] = [];
    let before = 0;
    while (shares.length < most) {
      const size = Math.floor(time - (shares.length && start) - RUN * before);
      if (size < LEAST) break;
      shares.push(revisions.slice(before, before + size));
      before += size;
    }
    if (before >= revisions.length + DRIFT) return shares.filter((share, at) => at === 0 || share.length > 0);
  }
}

/** Divides revisions among an observer and others, as many as are worth their start. */
export async function shareOut(
  revisions: readonly string[],
  observer: Observer,
  another: Another | undefined,
): Promise<readonly Share[]> {
  const fork = another && divide(revisions, FORK).length > 1 ? await another.fork() : undefined;
  const shares = another ? divide(revisions, fork ? FORK : START) : [revisions];
  const others: Observer[] = fork ? [fork] : [];
  while (another && others.length < shares.length - 1) others.push((fork && (await another.fork())) ?? another.start());
  return shares.map((share, at) => ({ observer: others[at - 1] ?? observer, revisions: share }));
}

/** Replays revisions on the scratch servers of several observers at once. */
export async function observeSideBySide(
  shares: readonly Share[],
  ask: Omit<Parameters<typeof observe>[1], 'revisions'>,
  { onProgress, onRevision }: ReplayListener = {},
): Promise<Observed> {
  const progress = shares.map((): ReplayProgress => ({ done: 0, total: 0, revision: '' }));
  const sum = (name: 'done' | 'total') => progress.reduce((all, share) => all + share[name], 0);
  const last = shares.length - 1;
  const observed = await Promise.all(
    shares.map(({ observer, revisions }, at) =>
      observe(
        observer,
        { ...ask, revisions, drift: ask.drift && at === last, environment: at === 0 },
        {
          onRevision,
          onProgress: (report) => {
            progress[at] = report;
            onProgress?.({ ...report, done: sum('done'), total: sum('total') });
          },
        },
      ),
    ),
  );
  return {
    environment: observed[0]?.environment,
    revisions: observed.flatMap(({ revisions }) => revisions),
    drift: observed[last]?.drift,
  };
}
