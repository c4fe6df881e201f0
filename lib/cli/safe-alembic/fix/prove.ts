import type { ComposedFile, GraphFacts, Overlay, Report, TrialFacts, WantedRevision } from '../../../contract/facts';
import { MigrateError } from '../../../contract/failure';
import { mustHave, readGraph } from '../../../local/python/observe';
import {
  draftFixes,
  type Fixes,
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
import { type Bench, overlayOf } from './bench';
import { Originals, trial } from './trials';

/** The result of a review. */
export interface Proved {
  readonly plans: readonly Plan[];
  readonly files: readonly ComposedFile[];
  readonly notFixed: readonly NotFixed[];
  /** Tables without rows in the proof, because a revision itself fails on their rows. */
  readonly withoutRows: readonly string[];
  /** Files of which only the upgrade was proved, and why. */
  readonly upgradeOnly: NonNullable<Fixes['upgradeOnly']>;
  /** The revisions with the fixes. */
  readonly input: ReviewInput;
  /** The review of the revisions with the fixes. */
  readonly review: Review;
}

type Judged = Pick<Proved, 'input' | 'review'>;

interface Candidate {
  readonly attempt: Attempt;
  readonly plan: Plan;
  readonly files: readonly ComposedFile[];
  /** Including the part for the next release. Only with it is the schema the revision's. */
  readonly whole: readonly ComposedFile[];
}

/** Why attempts are not proved. */
type Reasons = Map<Attempt, string>;

/**
 * Rewrites revisions and keeps the fixes that are proved on the scratch database: the same schema and rows as before, up, down and up again,
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
    const candidates = await nextCandidates(bench, attempts, taken);
    if (candidates.length === 0) return { plans: [], files: [], notFixed, withoutRows: [], upgradeOnly: [], input, review };
    const { reasons, again } = await tryOut(bench, originals, input, review, candidates);
    for (const one of candidates) settle(one, reasons, originals);
    if (reasons.size === 0 && !attempts.some(({ isOpen }) => isOpen)) {
      return {
        plans: candidates.map(({ plan }) => plan),
        files: candidates.flatMap(({ files }) => files),
        notFixed,
        withoutRows: [...new Set(candidates.flatMap(({ plan: { revision } }) => originals.withoutRows(revision)))],
        upgradeOnly: candidates.flatMap(({ plan: { revision, repairs } }) => {
          const reason = repairs ? undefined : originals.whyUpgradeOnly(revision);
          return reason === undefined ? [] : [{ file: revision.facts.file, reason }];
        }),
        ...(again ?? { input, review }),
      };
    }
  }
}

/** Accepts an attempt if all are proved, and rejects it if there is a reason. */
function settle({ attempt, plan }: Candidate, reasons: Reasons, originals: Originals): void {
  const reason = reasons.get(attempt);
  // If the revision itself fails, so does each part of it.
  if (reason !== undefined) attempt.reject(reason, !plan.repairs && originals.fails(plan.revision));
  else if (reasons.size === 0) attempt.accept();
}

async function nextCandidates(bench: Bench, attempts: readonly Attempt[], taken: ReadonlySet<string>): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  for (const attempt of attempts) {
    const candidate = await nextCandidate(bench, attempt, taken);
    if (candidate) candidates.push(candidate);
  }
  return candidates;
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

async function bodiesOf(bench: Bench, file: string) {
  const reports: Report[] = [];
  await bench.observation.observer.ask({ ask: 'bodies', file, ...overlayOf(bench) }, (report) => reports.push(report));
  return mustHave(reports, 'bodies').bodies;
}

/** The files of a plan's series, or why they can't be written. */
async function compose(bench: Bench, planned: Plan, revisions: readonly WantedRevision[]) {
  const reports: Report[] = [];
  const ask = { ask: 'compose', file: planned.revision.facts.file, revisions, ...overlayOf(bench) } as const;
  try {
    await bench.observation.observer.ask(ask, (report) => reports.push(report));
  } catch (error) {
    if (error instanceof MigrateError && error.code === 'invalid_project') return error.message;
    throw error;
  }
  return mustHave(reports, 'composed').files;
}

/** Why attempts are not proved; empty: all are, and `again` is the project with them. */
async function tryOut(
  bench: Bench,
  originals: Originals,
  input: ReviewInput,
  review: Review,
  candidates: readonly Candidate[],
): Promise<{ readonly reasons: Reasons; readonly again?: Judged }> {
  const overlay = overlayOf(
    bench,
    candidates.flatMap(({ files }) => files),
  );
  const unequal = await runApart(bench, originals, candidates, overlay);
  if (unequal.size > 0) return { reasons: unequal };
  const again = await reviewWith(bench, input, candidates, overlay);
  const reasons: Reasons = new Map();
  for (const one of candidates) {
    const why = whyNoBetter(one.plan, idsOf(one), review, again.review);
    if (why !== undefined) reasons.set(one.attempt, why);
  }
  const fails = whatFails(review, again.review);
  if (reasons.size > 0 || fails === undefined) return { reasons, again };
  // Finds the attempts that make a later revision fail.
  for (const one of candidates.length > 1 ? candidates : []) {
    const why = (await tryOut(bench, originals, input, review, [one])).reasons.get(one.attempt);
    if (why !== undefined) reasons.set(one.attempt, why);
  }
  if (reasons.size === 0) for (const { attempt } of candidates) reasons.set(attempt, fails);
  return { reasons };
}

/** Runs each attempt and its original. Returns why results are no proof. */
async function runApart(
  bench: Bench,
  originals: Originals,
  candidates: readonly Candidate[],
  overlay: Overlay,
): Promise<Reasons> {
  await originals.run(candidates.filter(({ plan: { repairs } }) => !repairs).map(({ plan: { revision } }) => revision));
  const groupOf = ({ plan: { revision } }: Candidate, files: readonly ComposedFile[]) =>
    originals.group(
      revision,
      files.map(({ revision: id }) => id),
    );
  const whole = await trial(
    bench,
    candidates.map((one) => groupOf(one, one.whole)),
    overlayOf(
      bench,
      candidates.flatMap((one) => one.whole),
    ),
  );
  const groups = candidates.filter(({ plan: { later } }) => later).map((one) => groupOf(one, one.files));
  const untilLater = groups.length ? await trial(bench, groups, overlay) : new Map<string, TrialFacts>();
  const reasons: Reasons = new Map();
  const unreached: Attempt[] = [];
  for (const { attempt, plan } of candidates) {
    const own = whole.get(plan.revision.facts.revision);
    const first = untilLater.get(plan.revision.facts.revision);
    if (!own || (plan.later && !first)) {
      unreached.push(attempt);
      continue;
    }
    const why = whyNoProof(originals, plan, own, first);
    if (why !== undefined) reasons.set(attempt, why);
  }
  // Attempts that were not reached are tried again without the one that failed.
  if (reasons.size === 0) for (const attempt of unreached) reasons.set(attempt, 'it was not tried');
  return reasons;
}

/** @param first the trial without the part for a later release */
function whyNoProof(originals: Originals, { revision, repairs, phases }: Plan, own: TrialFacts, first: TrialFacts | undefined) {
  return (
    (repairs ? whyNotUndone(own) : whyDifferent(originals.trial(revision), own)) ??
    (first && whyNotUndone(first, originals.trial(revision))) ??
    (phases.some(({ phase }) => phase === 'fill') ? originals.whyNoRows(revision) : undefined)
  );
}

function idsOf({ files }: Candidate): readonly string[] {
  return files.map(({ revision }) => revision);
}

async function reviewWith(
  { session, given, observation, fixed: earlier }: Bench,
  input: ReviewInput,
  fixed: readonly Candidate[],
  overlay: Overlay,
): Promise<Judged> {
  const files = new Map([
    ...input.graph.revisions.map(({ revision, file }) => [revision, file] as const),
    ...[...earlier, ...fixed.flatMap((one) => one.files)].map(({ revision, file }) => [revision, file] as const),
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
  const replayed = await replay(session, given, { observer: observation.observer }, placed, chosen, input.started, overlay);
  const again = { ...replayed, revisions: replayed.revisions.map(inProject) };
  return { input: again, review: await judge(session, given, again) };
}
