import { isAwaited } from '../../client/waiting/wait-for-snapshot';
import type { MigrateAnswer, RevisionInfo, Running } from '../../contract';
import { elapsed, type ProgressState, progressLine, runningName } from '../screen/progress-line';
import type { Screen } from '../screen/screen';
import { Ticker } from '../screen/ticker';
import { runningNow } from './production/show-running';
import { snapshotNow } from './production/show-snapshot';

/** Up to this number of revisions, each call applies one, so that the screen can name it. A call costs about half a second. */
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
  private running?: Running;
  /** What the run waits for before its first revision. */
  private awaited?: string;

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
  advance({ command, applied, pending, snapshot }: MigrateAnswer): void {
    const awaited = isAwaited(snapshot) ? snapshotNow(snapshot) : undefined;
    if (awaited !== undefined && this.awaited !== undefined) {
      this.awaited = awaited;
      this.ticker.draw();
      return;
    }
    this.awaited = awaited;
    this.done += applied.length;
    this.pending = command === 'upgrade' ? pending : [];
    this.since = performance.now();
    this.running = undefined;
    if (this.pending.length > 0) this.ticker.draw();
  }

  /** Another call has read what the run is doing. */
  showRunning(running: Running): void {
    this.running = running;
    this.ticker.draw();
  }

  stop(): void {
    this.ticker.stop();
  }

  private get sign(): string {
    const { running, orLater, elapsedMs } = this.state;
    if (this.awaited !== undefined) return `  … ${this.awaited} (${elapsed(elapsedMs)})`;
    const name = running ? runningName({ running, orLater }) : `${this.done} done`;
    const now = this.state.now ? `: ${this.state.now}` : '';
    return `  … still running: ${name} (${elapsed(elapsedMs)})${now}`;
  }

  /** The revision that another call has read. */
  private get named(): RevisionInfo | undefined {
    const { revision, message = '' } = this.running ?? {};
    return revision === undefined ? undefined : { revision, message };
  }

  private get state(): ProgressState {
    const { done, pending, orLater } = this;
    const total = pending.length > 0 ? done + pending.length : undefined;
    return {
      done,
      total,
      running: this.awaited === undefined ? (this.named ?? pending[0]) : undefined,
      orLater: orLater && pending.length > 1 && !this.named,
      elapsedMs: performance.now() - this.since,
      now: this.awaited ?? (this.running && runningNow({ ...this.running, elapsedMs: undefined })),
    };
  }
}
