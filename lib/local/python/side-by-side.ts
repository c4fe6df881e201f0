import { availableParallelism } from 'node:os';
import { type Observed, observe, type ReplayListener, type ReplayProgress } from './observe';
import type { Observer } from './observer';

/** Revisions that one of several observers looks at. */
export interface Share {
  readonly observer: Observer;
  readonly revisions: readonly string[];
}

/** More servers and Pythons take too much memory. */
const MOST = 4;

/**
 * What it takes to run a revision, and to start Python and a server, compared with looking at a revision. Half of the start is enough
 * where the file system makes the server's hundreds of files quickly.
 */
const RUN = 0.2;
const START = 80;

/** A smaller share saves nothing. */
const LEAST = 10;

/**
 * Divides revisions, in the order of application, among observers that end at about the same time. All but the first one have to be
 * started, and each has to run the revisions before its own.
 */
export function divide(
  revisions: readonly string[],
  most = Math.min(availableParallelism(), MOST),
): readonly (readonly string[])[] {
  for (let time = LEAST; ; time++) {
    const shares: string[][] = [];
    let before = 0;
    while (shares.length < most) {
      const size = Math.floor(time - (shares.length && START) - RUN * before);
      if (size < LEAST) break;
      shares.push(revisions.slice(before, before + size));
      before += size;
    }
    if (before >= revisions.length) return shares.filter((share, at) => at === 0 || share.length > 0);
  }
}

/** Replays revisions on the scratch servers of several observers at once. */
export async function observeSideBySide(
  shares: readonly Share[],
  ask: Omit<Parameters<typeof observe>[1], 'revisions'>,
  { onProgress, onRevision }: ReplayListener = {},
): Promise<Observed> {
  const progress = shares.map((): ReplayProgress => ({ done: 0, total: 0, revision: '' }));
  const sum = (name: 'done' | 'total') => progress.reduce((all, one) => all + one[name], 0);
  const last = shares.length - 1;
  const observed = await Promise.all(
    shares.map(({ observer, revisions }, at) =>
      observe(
        observer,
        { ...ask, revisions, drift: ask.drift && at === last },
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
