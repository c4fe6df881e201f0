import type { TenantsProgress } from '../../../client/tenants/progress';
import { elapsed } from '../../screen/progress-line';
import type { Screen } from '../../screen/screen';
import { HEARTBEAT_MS, Ticker } from '../../screen/ticker';
import { progressLine, progressText } from './progress-line';

/** Interval of lines in a log, which should show progress, but not each batch. */
const LINE_MS = 15_000;

/** Shows the progress of a run over tenants: a bar on a terminal, otherwise lines. */
export class Progress {
  private readonly ticker: Ticker;
  private readonly since = performance.now();
  private loggedAt = this.since;
  private logged = '';
  private hidden = false;
  private progress?: TenantsProgress;

  /**
   * @param screen where to show it
   * @param plan whether the run only reads the tenants
   */
  constructor(
    private readonly screen: Pick<Screen, 'notes' | 'status'>,
    private readonly plan: boolean,
  ) {
    this.ticker = new Ticker(screen, { line: (width) => this.line(width), sign: () => this.sign() }, LINE_MS);
  }

  /** Shows the run's new progress. */
  show(progress: TenantsProgress): void {
    const before = this.progress?.phase;
    this.progress = progress;
    this.ticker.draw();
    if (progress.phase !== before) this.ticker.sign();
  }

  /** Hides the bar during a question. */
  hide(hidden: boolean): void {
    this.hidden = hidden;
    this.screen.status?.clear();
  }

  stop(): void {
    this.ticker.stop();
  }

  private line(width: number): string | undefined {
    return this.hidden || !this.progress ? undefined : progressLine(this.progress, this.plan, this.elapsedMs, width);
  }

  private sign(): string | undefined {
    if (!this.progress) return undefined;
    const text = progressText(this.progress, this.plan);
    const now = performance.now();
    if (text === this.logged && now - this.loggedAt < HEARTBEAT_MS) return undefined;
    [this.logged, this.loggedAt] = [text, now];
    return `  … ${text} (${elapsed(this.elapsedMs)})`;
  }

  private get elapsedMs(): number {
    return performance.now() - this.since;
  }
}
