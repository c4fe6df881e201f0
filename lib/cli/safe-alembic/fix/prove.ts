import type { ComposedFile, GraphFacts, Overlay, Report, TrialFacts, TrialGroup, WantedRevision } from '../../../contract/facts';
import { MigrateError } from '../../../contract/failure';
import { mustHave, readGraph } from '../../../local/python/observe';
import {
  draftFixes,
  type NotFixed,
  type Plan,
  type Review,
  type ReviewInput,
  seriesOf,
  whatFails,
  wholeSeriesOf,
  whyDifferent,
  whyNoBetter,
  whyNotUndone,
} from '../../../review';
import { judge, replay } from '../replay/review-revisions';
import { Attempt } from './attempt';
import type { Bench } from './bench';
import { Originals, trial } from './trials';

/** What a review led to. */
export interface Proved {
  readonly plans: readonly Plan[];
  readonly files: readonly ComposedFile[];
  readonly notFixed: readonly NotFixed[];
  /** Tables without rows in the proof, because a revision itself fails on their rows. */
  readonly withoutRows: readonly string[];
  /** The revisions with the fixes. */
  readonly input: ReviewInput;
  /** Of the revisions with the fixes. */
  readonly review: Review;
}

type Judged = Pick<Proved, 'input' | 'review'>;

interface Candidate {
  readonly attempt: Attempt;
  readonly plan: Plan;
  readonly files: readonly ComposedFile[];
  /** With what belongs to the next release. Only then is the schema that of the revision. */
  readonly whole: readonly ComposedFile[];
}

/**
 * Rewrites revisions and keeps what proves itself on the scratch database: the same schema and rows as before, up, down and up again,
 * and a review without the finding. Writes nothing.
 */
export async function proveFixes(bench: Bench, input: ReviewInput, review: Review): Promise<Proved> {
  const draft = draftFixes(review, input);
  const notFixed = [...draft.notFixed];
  const attempts: Attempt[] = [];
  for (const one of draft.fixable) attempts.push(new Attempt(one, await bodiesOf(bench, one.revision.facts.file), notFixed));
  const taken = new Set(input.graph.revisions.map(({ revision }) => revision));
  const originals = new Originals(bench);
  for (;;) {
    const candidates: Candidate[] = [];
    for (const attempt of attempts) {
      const candidate = await nextCandidate(bench, attempt, taken);
      if (candidate) candidates.push(candidate);
    }
    if (candidates.length === 0) return { plans: [], files: [], notFixed, withoutRows: [], input, review };
    const tried = await tryOut(bench, originals, input, review, candidates);
    for (const { attempt, plan: planned } of candidates) {
      const reason = tried.reasons.get(attempt);
      // If the revision itself fails, so does each part of it.
      if (reason !== undefined) attempt.reject(reason, !planned.repairs && originals.fails(planned.revision));
      else if (tried.reasons.size === 0) attempt.accept();
    }
    if (tried.reasons.size === 0 && !attempts.some(({ isOpen }) => isOpen)) {
      return {
        plans: candidates.map(({ plan }) => plan),
        files: candidates.flatMap(({ files }) => files),
        notFixed,
        withoutRows: [...new Set(candidates.flatMap(({ plan: { revision } }) => originals.withoutRows(revision)))],
        ...(tried.again ?? { input, review }),
      };
    }
  }
}

/** The next plan of an attempt with its files; undefined: nothing of it is left. */
async function nextCandidate(bench: Bench, attempt: Attempt, taken: ReadonlySet<string>): Promise<Candidate | undefined> {
  for (let planned = attempt.plan(); planned; planned = attempt.plan()) {
    const files = await compose(bench, planned, seriesOf(planned, taken));
    const whole = planned.later ? await compose(bench, planned, wholeSeriesOf(planned, taken)) : files;
    if (typeof files !== 'string' && typeof whole !== 'string') return { attempt, plan: planned, files, whole };
    attempt.reject(typeof files === 'string' ? files : String(whole));
  }
  return undefined;
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

/** Why attempts are no proved fix; empty: all are, and `again` is the project with them. */
async function tryOut(
  bench: Bench,
  originals: Originals,
  input: ReviewInput,
  review: Review,
  candidates: readonly Candidate[],
): Promise<{ readonly reasons: Map<Attempt, string>; readonly again?: Judged }> {
  const overlayOf = (files: readonly ComposedFile[]): Overlay => ({ overlay: files, folder: bench.observation.folder });
  const overlay = overlayOf(candidates.flatMap(({ files }) => files));
  const reasons = new Map<Attempt, string>();
  await originals.run(candidates.filter(({ plan: { repairs } }) => !repairs).map(({ plan: { revision } }) => revision));
  const groupsOf = (some: readonly Candidate[], filesOf: (one: Candidate) => readonly ComposedFile[]): readonly TrialGroup[] =>
    some.map((one) =>
      originals.group(
        one.plan.revision,
        filesOf(one).map(({ revision }) => revision),
      ),
    );
  const now = await trial(
    bench,
    groupsOf(candidates, ({ whole }) => whole),
    overlayOf(candidates.flatMap(({ whole }) => whole)),
  );
  const inTwo = candidates.filter(({ plan: { later } }) => later);
  const groups = groupsOf(inTwo, ({ files }) => files);
  const untilThen = groups.length ? await trial(bench, groups, overlay) : new Map<string, TrialFacts>();
  const unreached: Candidate[] = [];
  for (const one of candidates) {
    const { revision, repairs, phases } = one.plan;
    const id = revision.facts.revision;
    const own = now.get(id);
    const first = untilThen.get(id);
    if (!own || (inTwo.includes(one) && !first)) {
      unreached.push(one);
      continue;
    }
    const why =
      (repairs ? whyNotUndone(own) : whyDifferent(originals.trial(revision), own)) ??
      (first && whyNotUndone(first)) ??
      (phases.some(({ phase }) => phase === 'fill') ? originals.whyNoRows(revision) : undefined);
    if (why !== undefined) reasons.set(one.attempt, why);
  }
  // What was not reached is tried again without the one that failed.
  if (reasons.size === 0) for (const { attempt } of unreached) reasons.set(attempt, 'it was not tried');
  if (reasons.size > 0) return { reasons };
  const again = await reviewWith(bench, input, candidates, overlay);
  for (const one of candidates) {
    const why = whyNoBetter(one.plan, idsOf(one), review, again.review);
    if (why !== undefined) reasons.set(one.attempt, why);
  }
  const fails = whatFails(review, again.review);
  if (reasons.size > 0 || fails === undefined) return { reasons, again };
  // Finds those that a later revision fails with.
  const [only, ...more] = candidates as [Candidate, ...Candidate[]];
  for (const one of more.length ? candidates : []) {
    const why = (await tryOut(bench, originals, input, review, [one])).reasons.get(one.attempt);
    if (why !== undefined) reasons.set(one.attempt, why);
  }
  if (reasons.size === 0) for (const { attempt } of more.length ? candidates : [only]) reasons.set(attempt, fails);
  return { reasons };
}

function idsOf({ files }: Candidate): readonly string[] {
  return files.map(({ revision }) => revision);
}

async function reviewWith(
  { session, given, observation }: Bench,
  input: ReviewInput,
  fixed: readonly Candidate[],
  overlay: Overlay,
): Promise<Judged> {
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
  const again = { ...replayed, revisions: replayed.revisions.map(inProject) };
  return { input: again, review: await judge(session, given, again) };
}
