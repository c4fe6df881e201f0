import type {
  Ask,
  DriftFacts,
  EnvironmentFacts,
  GraphFacts,
  MeasuredFacts,
  Overlay,
  Report,
  RevisionFacts,
} from '../../contract/facts';
import type { Observer } from './observer';

/** The result of a replay. */
export interface Observed {
  readonly environment?: EnvironmentFacts;
  /** In order of application. */
  readonly revisions: readonly RevisionFacts[];
  readonly drift?: DriftFacts;
}

/** The progress of a replay. */
export type ReplayProgress = Omit<Extract<Report, { report: 'progress' }>, 'report'>;

/** What to do with the reports of a replay as they come. */
export interface ReplayListener {
  readonly onProgress?: (progress: ReplayProgress) => void;
  readonly onRevision?: (revision: RevisionFacts) => void;
}

/** Replays revisions on the scratch database. */
export async function observe(
  observer: Observer,
  ask: Omit<Extract<Ask, { ask: 'observe' }>, 'ask'>,
  { onProgress, onRevision }: ReplayListener = {},
): Promise<Observed> {
  const revisions: RevisionFacts[] = [];
  let environment: EnvironmentFacts | undefined;
  let drift: DriftFacts | undefined;
  await observer.ask({ ask: 'observe', ...ask }, (report) => {
    if (report.report === 'progress') onProgress?.(report);
    else if (report.report === 'revision') {
      revisions.push(report.revision);
      onRevision?.(report.revision);
    } else if (report.report === 'environment') environment = report.environment;
    else if (report.report === 'drift') drift = report.drift;
  });
  // A revision that could not be replayed is reported out of order.
  const place = new Map(ask.revisions.map((revision, index) => [revision, index]));
  revisions.sort((a, b) => (place.get(a.revision) ?? 0) - (place.get(b.revision) ?? 0));
  return { environment, revisions, drift };
}

/** Measures revisions on filled tables of the scratch database. */
export async function measure(
  observer: Observer,
  ask: Omit<Extract<Ask, { ask: 'measure' }>, 'ask'>,
  onProgress: (progress: ReplayProgress) => void = () => {},
): Promise<readonly MeasuredFacts[]> {
  const measured: MeasuredFacts[] = [];
  await observer.ask({ ask: 'measure', ...ask }, (report) => {
    if (report.report === 'progress') onProgress(report);
    else if (report.report === 'measured') measured.push(report.measured);
  });
  return measured;
}

/** The graph of revisions, read from their files. */
export async function readGraph(observer: Observer, overlay: Overlay = {}): Promise<GraphFacts> {
  const reports: Report[] = [];
  await observer.ask({ ask: 'graph', ...overlay }, (report) => reports.push(report));
  return mustHave(reports, 'graph').graph;
}

/** The first report of a kind; throws if there is none. */
export function mustHave<Kind extends Report['report']>(
  reports: readonly Report[],
  kind: Kind,
): Extract<Report, { report: Kind }> {
  const found = reports.find((report): report is Extract<Report, { report: Kind }> => report.report === kind);
  if (!found) throw new Error(`the observer's answer has no report "${kind}"`);
  return found;
}
