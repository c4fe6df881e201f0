import type { ComposedFile, GraphFacts, Overlay, Report, TrialFacts, TrialGroup, WantedRevision } from '../../../contract/facts';
import { MigrateError } from '../../../contract/failure';
import { mustHave, readGraph } from '../../../local/python/observe';
import type { Observation } from '../../../local/python/with-observer';
import {
  draftFixes,
  type NotFixed,
  type Plan,
  plan,
  type Review,
  type ReviewInput,
  seriesOf,
  whatFails,
  wholeSeriesOf,
  whyDifferent,
  whyNoBetter,
  whyNotUndone,
} from '../../../review';
import type { FailArguments, ReplayArguments } from '../replay/options';
import { judge, replay, scratchStart } from '../replay/review-revisions';
import type { Session } from '../session';

/** Where a fix works. */
export interface Bench {
  readonly session: Session;
  readonly given: ReplayArguments & FailArguments;
  readonly observation: Observation;
}

/** What a review led to. */
export interface Proved {
  readonly plans: readonly Plan[];
  readonly files: readonly ComposedFile[];
  readonly notFixed: readonly NotFixed[];
  /** Of the revisions with the fixes. */
  readonly review: Review;
}

interface Candidate {
  readonly plan: Plan;
  readonly files: readonly ComposedFile[];
  /** With what belongs to the next release. Only then is the schema that of the revision. */
  readonly whole: readonly ComposedFile[];
}

/**
 * Rewrites revisions and keeps what proves itself on the scratch database: the same schema and rows as before, up, down and up again,
 * and a review without the finding. Writes nothing.
 *
 * @param whyNot why a revision's file may not be changed; undefined: it may
 */
export async function proveFixes(
  bench: Bench,
  input: ReviewInput,
  review: Review,
  whyNot: (revision: string) => string | undefined,
): Promise<Proved> {
  const draft = draftFixes(review, input, whyNot);
  const notFixed = [...draft.notFixed];
  let left: Candidate[] = [];
  const taken = new Set(input.graph.revisions.map(({ revision }) => revision));
  for (const one of draft.fixable) {
    const { plan: planned, notFixed: parts } = plan(one, await bodiesOf(bench, one.revision.facts.file));
    notFixed.push(...parts);
    if (!planned) continue;
    const files = await compose(bench, planned, seriesOf(planned, taken));
    const whole = planned.later ? await compose(bench, planned, wholeSeriesOf(planned, taken)) : files;
    if (typeof files !== 'string' && typeof whole !== 'string') left.push({ plan: planned, files, whole });
    else {
      const reason = [files, whole].find((result) => typeof result === 'string') ?? '';
      notFixed.push(...planned.fixed.map((finding) => ({ finding, reason })));
    }
  }
  while (left.length > 0) {
    const tried = await tryOut(bench, input, review, left);
    const failed = left.filter((candidate) => tried.reasons.has(candidate));
    if (failed.length === 0) {
      const files = left.flatMap((candidate) => candidate.files);
      return { plans: left.map((candidate) => candidate.plan), files, notFixed, review: tried.review ?? review };
    }
    for (const candidate of failed) {
      const reason = tried.reasons.get(candidate) ?? '';
      notFixed.push(...candidate.plan.fixed.map((finding) => ({ finding, reason })));
    }
    left = left.filter((candidate) => !failed.includes(candidate));
  }
  return { plans: [], files: [], notFixed, review };
}

async function bodiesOf({ observation }: Bench, file: string) {
  const reports: Report[] = [];
  await observation.observer.ask({ ask: 'bodies', file }, (report) => reports.push(report));
  return mustHave(reports, 'bodies').bodies;
}

/** The files of a plan's series, or why they can't be written. */
async function compose({ observation }: Bench, planned: Plan, revisions: readonly WantedRevision[]) {
  const reports: Report[] = [];
  const ask = { ask: 'compose', file: planned.revision.facts.file, revisions } as const;
  try {
    await observation.observer.ask(ask, (report) => reports.push(report));
  } catch (error) {
    if (error instanceof MigrateError && error.code === 'invalid_project') return error.message;
    throw error;
  }
  return mustHave(reports, 'composed').files;
}

/** Why candidates are no proved fix; empty: all are, and `review` is that of the project with them. */
async function tryOut(
  bench: Bench,
  input: ReviewInput,
  review: Review,
  candidates: readonly Candidate[],
): Promise<{ readonly reasons: Map<Candidate, string>; readonly review?: Review }> {
  const { observation } = bench;
  const overlayOf = (files: readonly ComposedFile[]): Overlay => ({ overlay: files, folder: observation.folder });
  const overlay = overlayOf(candidates.flatMap(({ files }) => files));
  const reasons = new Map<Candidate, string>();
  const before = await trial(
    bench,
    candidates.filter(({ plan: { repairs } }) => !repairs).map((one) => groupOf(one, [one.plan.revision.facts.revision])),
    {},
  );
  const now = await trial(
    bench,
    candidates.map((one) =>
      groupOf(
        one,
        one.whole.map(({ revision }) => revision),
      ),
    ),
    overlayOf(candidates.flatMap(({ whole }) => whole)),
  );
  const inTwo = candidates.filter(({ plan: { later } }) => later);
  const untilThen = inTwo.length
    ? await trial(
        bench,
        inTwo.map((one) => groupOf(one, idsOf(one))),
        overlay,
      )
    : new Map<string, TrialFacts>();
  for (const one of candidates) {
    const id = one.plan.revision.facts.revision;
    const own = now.get(id) ?? MISSING;
    const old = one.plan.repairs ? own : (before.get(id) ?? MISSING);
    const first = inTwo.includes(one) ? (untilThen.get(id) ?? MISSING) : undefined;
    // What was not reached is tried again without the one that failed.
    if ([old, own, first].some((trial) => trial?.started === false)) continue;
    const why = (one.plan.repairs ? whyNotUndone(own) : whyDifferent(old, own)) ?? (first && whyNotUndone(first));
    if (why !== undefined) reasons.set(one, why);
  }
  const stopped = [...before.values(), ...now.values(), ...untilThen.values()].find(({ started }) => started === false);
  if (reasons.size === 0 && stopped) await blame(bench, input, review, candidates, reasons, stopped.failure ?? '');
  if (reasons.size > 0) return { reasons };
  const again = await reviewWith(bench, input, candidates, overlay);
  for (const one of candidates) {
    const why = whyNoBetter(one.plan, idsOf(one), review, again);
    if (why !== undefined) reasons.set(one, why);
  }
  const fails = whatFails(review, again);
  const [only, ...more] = candidates;
  if (reasons.size === 0 && fails !== undefined) {
    if (more.length > 0) await blame(bench, input, review, candidates, reasons, fails);
    else if (only) reasons.set(only, fails);
  }
  return { reasons, review: again };
}

/** Finds the candidates that stop a trial before any of them starts, such as a file that can't be imported. */
async function blame(
  bench: Bench,
  input: ReviewInput,
  review: Review,
  candidates: readonly Candidate[],
  reasons: Map<Candidate, string>,
  failure: string,
): Promise<void> {
  if (candidates.length > 1) {
    for (const one of candidates) {
      const why = (await tryOut(bench, input, review, [one])).reasons.get(one);
      if (why !== undefined) reasons.set(one, why);
    }
  }
  if (reasons.size === 0) for (const one of candidates) reasons.set(one, `what comes before it fails: ${failure}`);
}

const MISSING: TrialFacts = { failure: 'it was not tried', started: true };

function idsOf({ files }: Candidate): readonly string[] {
  return files.map(({ revision }) => revision);
}

function groupOf({ plan: { revision } }: Candidate, revisions: readonly string[]): TrialGroup {
  return { revisions, tables: Object.keys(revision.facts.before) };
}

async function trial({ session, given, observation }: Bench, groups: readonly TrialGroup[], overlay: Overlay) {
  const found = new Map<string, TrialFacts>();
  await observation.observer.ask({ ask: 'try', groups, ...scratchStart(session, given), ...overlay }, (report) => {
    if (report.report === 'tried') found.set(report.revision, report.trial);
  });
  return found;
}

async function reviewWith(
  { session, given, observation }: Bench,
  input: ReviewInput,
  fixed: readonly Candidate[],
  overlay: Overlay,
) {
  const files = new Map([
    ...input.graph.revisions.map(({ revision, file }) => [revision, file] as const),
    ...fixed.flatMap((one) => one.files.map(({ revision, file }) => [revision, file] as const)),
  ]);
  // The copies lie elsewhere.
  const inProject = <T extends { revision: string; file: string }>(one: T): T => ({
    ...one,
    file: files.get(one.revision) ?? one.file,
  });
  const graph = await readGraph(observation.observer, overlay);
  const placed: GraphFacts = { ...graph, revisions: graph.revisions.map(inProject) };
  const series = new Map(fixed.map((one) => [one.plan.revision.facts.revision, idsOf(one)]));
  const withSeries = (ids: readonly string[]) => ids.flatMap((id) => series.get(id) ?? [id]);
  const chosen = {
    revisions: withSeries(input.revisions.map(({ revision }) => revision)),
    why: '',
    unreleased: withSeries(input.unreleased),
    edited: input.edited,
  };
  const replayed = await replay(session, given, observation.observer, placed, chosen, input.started, overlay);
  return judge(session, given, { ...replayed, revisions: replayed.revisions.map(inProject) });
}
