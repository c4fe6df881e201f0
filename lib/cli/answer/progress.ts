import type { MigrateAnswer, RevisionInfo } from '../../contract';
import { elapsed, type ProgressState, progressLine, runningName } from '../screen/progress-line';
import type { Screen } from '../screen/screen';

const REDRAW_MS = 200;

/** CI systems end a job that says nothing for long, CircleCI after ten minutes. */
const SIGN_OF_LIFE_MS = 60_000;

/** With one call for each revision the name that is shown is the one that runs; each call costs about half a second. */
const ONE_BY_ONE = 20;
const WATCHED_SLICE_SECONDS = 2;

/** Seconds of a slice while somebody watches; undefined: the client's own. */
export function watchedSlice(pending: number): number {
  return pending <= ONE_BY_ONE ? 0 : WATCHED_SLICE_SECONDS;
}

/** Shows how far a run is: a bar where somebody watches, now and then a line where nobody does. */
export class Progress {
  private readonly timer: NodeJS.Timeout;
  private done = 0;
  private since = performance.now();

  /**
   * @param screen where it is shown
   * @param pending what the run will apply; empty: not known
   * @param orLater whether a call works on several revisions
   */
  constructor(
    private readonly screen: Pick<Screen, 'notes' | 'status'>,
    private pending: readonly RevisionInfo[],
    private readonly orLater: boolean,
  ) {
    const { status } = screen;
    this.timer = status ? setInterval(() => this.draw(), REDRAW_MS) : setInterval(() => this.signOfLife(), SIGN_OF_LIFE_MS);
    this.draw();
  }

  /** A slice has ended. */
  advance({ command, applied, pending }: MigrateAnswer): void {
    this.done += applied.length;
    this.pending = command === 'upgrade' ? pending : [];
    this.since = performance.now();
    if (this.pending.length > 0) this.draw();
  }

  stop(): void {
    clearInterval(this.timer);
    this.screen.status?.clear();
  }

  private draw(): void {
    const { status } = this.screen;
    status?.draw(progressLine(this.state, status.width));
  }

  private signOfLife(): void {
    const { running, orLater, elapsedMs } = this.state;
    const name = running ? runningName({ running, orLater }) : `${this.done} done`;
    this.screen.notes.line(`  … still running: ${name} (${elapsed(elapsedMs)})`);
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
