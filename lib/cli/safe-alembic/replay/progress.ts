import type { GraphFacts, GraphRevision } from '../../../contract/facts';
import type { ReplayProgress as Report } from '../../../local/python/observe';
import { elapsed, progressLine, runningName } from '../../screen/progress-line';
import type { Screen } from '../../screen/screen';
import { Ticker } from '../../screen/ticker';

/** Shows a replay's progress: a bar on a terminal, elsewhere an occasional line. */
export class ReplayProgress {
  private readonly ticker: Ticker;
  private readonly known: ReadonlyMap<string, GraphRevision>;
  private last: Report = { done: 0, total: 0, revision: '' };
  private since = performance.now();

  /** @param doing the activity, for an occasional line */
  constructor(
    screen: Pick<Screen, 'notes' | 'status'>,
    graph: GraphFacts,
    private readonly doing = 'replaying',
  ) {
    this.known = new Map(graph.revisions.map((revision) => [revision.revision, revision]));
    this.ticker = new Ticker(screen, { line: (width) => this.line(width), sign: () => this.sign });
  }

  /** Handles a report: a revision starts. */
  advance(report: Report): void {
    this.last = report;
    this.since = performance.now();
    this.ticker.draw();
  }

  stop(): void {
    this.ticker.stop();
  }

  private line(width: number): string | undefined {
    const { done, total } = this.last;
    return total > 0 ? progressLine({ done, total, ...this.running }, width) : undefined;
  }

  private get sign(): string {
    const { done, total } = this.last;
    const { elapsedMs } = this.running;
    return `  … still ${this.doing}: ${done}/${total}  ${runningName(this.running)} (${elapsed(elapsedMs)})`;
  }

  private get running() {
    return { running: this.known.get(this.last.revision), orLater: false, elapsedMs: performance.now() - this.since };
  }
}
