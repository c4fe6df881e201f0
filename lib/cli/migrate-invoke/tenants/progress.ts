import type { TenantsProgress } from '../../../client/tenants/progress';
import { elapsed } from '../../screen/progress-line';
import type { Screen } from '../../screen/screen';
import { progressLine, progressText } from './progress-line';

const REDRAW_MS = 200;

/** A log wants to see that something moves, and not each batch. */
const LINE_MS = 15_000;

/** CI systems end a job that says nothing for long, CircleCI after ten minutes. */
const SIGN_OF_LIFE_MS = 60_000;

/** Shows how far a run over tenants is: a bar where somebody watches, lines where nobody does. */
export class Progress {
  private readonly timer: NodeJS.Timeout;
  private readonly since = performance.now();
  private saidAt = this.since;
  private said = '';
  private hidden = false;
  private progress?: TenantsProgress;

  /**
   * @param screen where it is shown
   * @param plan whether the run only looks at the tenants
   */
  constructor(
    private readonly screen: Pick<Screen, 'notes' | 'status'>,
    private readonly plan: boolean,
  ) {
    this.timer = screen.status ? setInterval(() => this.draw(), REDRAW_MS) : setInterval(() => this.say(), LINE_MS);
  }

  /** The run has moved. */
  show(progress: TenantsProgress): void {
    const before = this.progress?.phase;
    this.progress = progress;
    if (this.screen.status) this.draw();
    else if (progress.phase !== before) this.say();
  }

  /** Makes room while a person is asked. */
  hide(hidden: boolean): void {
    this.hidden = hidden;
    this.screen.status?.clear();
  }

  stop(): void {
    clearInterval(this.timer);
    this.screen.status?.clear();
  }

  private draw(): void {
    const { status } = this.screen;
    if (!this.hidden && this.progress) status?.draw(progressLine(this.progress, this.plan, this.elapsedMs, status.width));
  }

  private say(): void {
    if (!this.progress) return;
    const text = progressText(this.progress, this.plan);
    const now = performance.now();
    if (text === this.said && now - this.saidAt < SIGN_OF_LIFE_MS) return;
    this.screen.notes.line(`  … ${text} (${elapsed(this.elapsedMs)})`);
    [this.said, this.saidAt] = [text, now];
  }

  private get elapsedMs(): number {
    return performance.now() - this.since;
  }
}
