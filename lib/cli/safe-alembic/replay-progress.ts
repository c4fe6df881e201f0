import type { GraphFacts, GraphRevision } from '../../contract/facts';
import type { ReplayProgress as Report } from '../../local/observe';
import { elapsed, progressLine, runningName } from '../screen/progress-line';
import type { Screen } from '../screen/screen';

const REDRAW_MS = 200;

/** CI systems end a job that says nothing for long, CircleCI after ten minutes. */
const SIGN_OF_LIFE_MS = 60_000;

/** Shows how far a replay is: a bar where somebody watches, now and then a line where nobody does. */
export class ReplayProgress {
  private readonly timer: NodeJS.Timeout;
  private readonly known: ReadonlyMap<string, GraphRevision>;
  private last: Report = { done: 0, total: 0, revision: '' };
  private since = performance.now();

  constructor(
    private readonly screen: Pick<Screen, 'notes' | 'status'>,
    graph: GraphFacts,
  ) {
    this.known = new Map(graph.revisions.map((revision) => [revision.revision, revision]));
    const { status } = screen;
    this.timer = status ? setInterval(() => this.draw(), REDRAW_MS) : setInterval(() => this.signOfLife(), SIGN_OF_LIFE_MS);
  }

  /** A revision is begun. */
  advance(report: Report): void {
    this.last = report;
    this.since = performance.now();
    this.draw();
  }

  stop(): void {
    clearInterval(this.timer);
    this.screen.status?.clear();
  }

  private draw(): void {
    const { status } = this.screen;
    const { done, total } = this.last;
    if (total > 0) status?.draw(progressLine({ done, total, ...this.running }, status.width));
  }

  private signOfLife(): void {
    const { done, total } = this.last;
    const { elapsedMs } = this.running;
    this.screen.notes.line(`  … still replaying: ${done}/${total}  ${runningName(this.running)} (${elapsed(elapsedMs)})`);
  }

  private get running() {
    return { running: this.known.get(this.last.revision), orLater: false, elapsedMs: performance.now() - this.since };
  }
}
