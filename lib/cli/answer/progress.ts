import type { MigrateAnswer, RevisionInfo } from '../../contract';
import { elapsed, type ProgressState, progressLine, runningName } from '../screen/progress-line';
import type { Screen } from '../screen/screen';
import { Ticker } from '../screen/ticker';

/** Up to this number, each call applies one revision, so the screen can name it. A call costs about half a second. */
const ONE_BY_ONE = 20;
const WATCHED_SLICE_SECONDS = 2;

/** Seconds of a slice when a person watches. */
export function watchedSlice(pending: number): number {
  return pending <= ONE_BY_ONE ? 0 : WATCHED_SLICE_SECONDS;
}

/** Shows a run's progress: a bar on a terminal, elsewhere an occasional line. */
export class Progress {
  private readonly ticker: Ticker;
  private done = 0;
  private since = performance.now();

  /**
   * @param screen where to show it
   * @param pending what the run will apply; empty: unknown
   * @param orLater whether a call applies several revisions
   */
  constructor(
    screen: Pick<Screen, 'notes' | 'status'>,
    private pending: readonly RevisionInfo[],
    private readonly orLater: boolean,
  ) {
    this.ticker = new Ticker(screen, { line: (width) => progressLine(this.state, width), sign: () => this.sign });
    this.ticker.draw();
  }

  /** A slice has ended. */
  advance({ command, applied, pending }: MigrateAnswer): void {
    this.done += applied.length;
    this.pending = command === 'upgrade' ? pending : [];
    this.since = performance.now();
    if (this.pending.length > 0) this.ticker.draw();
  }

  stop(): void {
    this.ticker.stop();
  }

  private get sign(): string {
    const { running, orLater, elapsedMs } = this.state;
    const name = running ? runningName({ running, orLater }) : `${this.done} done`;
    return `  … still running: ${name} (${elapsed(elapsedMs)})`;
  }

  private get state(): ProgressState {
    const { done, pending, orLater } = this;
    const total = pending.length > 0 ? done + pending.length : undefined;
    return {
      done,
      total,
      running: pending[0],
      orLater: orLater && pending.length > 1,
      elapsedMs: performance.now() - this.since,
    };
  }
}
