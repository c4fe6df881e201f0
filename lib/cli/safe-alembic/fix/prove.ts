import type { ComposedFile, GraphFacts, Report, TrialFacts, WantedRevision } from '../../../contract/facts';
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
  type Unproved,
  whatFails,
  wholeSeriesOf,
  whyDifferent,
  whyNoBetter,
  whyNotUndone,
} from '../../../review';
import { judge, replay } from '../replay/review-revisions';
import type { Attempt } from './attempt';
import { type Bench, overlayOf } from './bench';
import { FixProgress } from './progress';
import { startAttempt } from './start-attempt';
import { Originals, trial } from './trials';

/** The result of a review. */
export interface Proved {
  readonly plans: readonly Plan[];
  readonly files: readonly ComposedFile[];
  readonly notFixed: readonly NotFixed[];
  /** Tables without rows in the proof, because a revision itself fails on their rows. */
  readonly withoutRows: readonly string[];
  /** Files whose upgrade alone was proved, and why. */
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
type Reasons = Map<Attempt, Unproved>;

/**
 * Rewrites revisions and keeps the fixes that are proved on the scratch database: the same schema and rows as before, up, down and up again,
 * and a review without the finding. Writes nothing.
 *
 * @param only the ids of the revisions to rewrite. @default - all
 */
export async function proveFixes(
  bench: Bench,
  input: ReviewInput,
  review: Review,
  only?: ReadonlySet<string | undefined>,
): Promise<Proved> {
  const draft = draftFixes(review, input, bench.isNew);
  const isWanted = (revision: string | undefined) => !only || only.has(revision);
  const notFixed = draft.notFixed.filter(({ finding }) => isWanted(finding.revision));
  const attempts: Attempt[] = [];
  for (const one of draft.fixable.filter(({ revision }) => isWanted(revision.facts.revision)))
    attempts.push(startAttempt(one, await bodiesOf(bench, one.revision.facts.file), notFixed));
  const originals = new Originals(bench);
  const { candidates, again } = await new Search(bench, originals, input, review, attempts).run();
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

/** The search for the fixes of all revisions: each revision's apart, and then all together with a review. */
class Search {
  private readonly candidates = new Map<Attempt, Candidate>();
  /** What was proved in one run. */
  private together: readonly Candidate[] = [];
  private readonly taken: ReadonlySet<string>;
  private readonly progress: FixProgress;

  constructor(
    private readonly bench: Bench,
    private readonly originals: Originals,
    private readonly input: ReviewInput,
    private readonly review: Review,
    private readonly attempts: readonly Attempt[],
  ) {
    this.taken = new Set(input.graph.revisions.map(({ revision }) => revision));
    const { common, screen } = bench.session;
    this.progress = new FixProgress(common.progress ? screen : undefined);
  }

  /** What is proved, and the project with it. */
  async run(): Promise<{ readonly candidates: readonly Candidate[]; readonly again?: Judged }> {
    for (;;) {
      const all = await this.plan();
      if (all.length === 0) return { candidates: [] };
      const open = all.filter(({ attempt }) => !attempt.isProved);
      const tried = open.length > 0 ? open : all;
      const unequal = await this.runApart(tried);
      if (unequal.size === 0 && (open.length === 0 || open.some(({ attempt }) => attempt.needsReview))) {
        const { reasons, again } = await this.reviewAgain(tried);
        if (open.length === 0 && reasons.size === 0) return { candidates: all, again };
        this.settle(tried, reasons);
      } else this.settle(tried, unequal);
    }
  }

  /** The next plans, with their files. */
  private async plan(): Promise<readonly Candidate[]> {
    for (const attempt of this.attempts) {
      const candidate = this.candidates.get(attempt) ?? (await nextCandidate(this.bench, attempt, this.taken));
      if (candidate) this.candidates.set(attempt, candidate);
    }
    return this.attempts.flatMap((attempt) => this.candidates.get(attempt) ?? []);
  }

  /** Accepts attempts that are proved, and rejects those with a reason. Others were not reached. */
  private settle(tried: readonly Candidate[], reasons: Reasons): void {
    for (const one of tried) {
      const { attempt, plan } = one;
      const reason = reasons.get(attempt);
      // If the revision itself fails, so does each part of it.
      if (reason) attempt.reject(reason, !plan.repairs && this.originals.fails(plan.revision));
      else if (!attempt.isProved && this.together.includes(one)) attempt.accept();
      else continue;
      if (!attempt.isProved || reason) this.candidates.delete(attempt);
    }
  }

  /** Runs each plan and its original. Returns why results are no proof. */
  private async runApart(tried: readonly Candidate[]): Promise<Reasons> {
    if (tried.length === this.together.length && tried.every((one) => this.together.includes(one))) return new Map();
    const size = tried.reduce((sum, { plan: { fixed } }) => sum + fixed.length, 0);
    const { reasons, proved } = await this.progress.during(size, () => runApart(this.bench, this.originals, tried));
    this.together = proved;
    return reasons;
  }

  /** Why reviews are no better; empty: all are, and `again` is the project with them. */
  private async reviewAgain(tried: readonly Candidate[]): Promise<{ readonly reasons: Reasons; readonly again: Judged }> {
    const again = await reviewWith(this.bench, this.input, tried);
    const reasons: Reasons = new Map();
    for (const one of tried) {
      const why = whyNoBetter(one.plan, idsOf(one), this.review, again.review);
      if (why) reasons.set(one.attempt, why);
    }
    const fails = whatFails(this.review, again.review);
    if (reasons.size > 0 || fails === undefined) return { reasons, again };
    // Finds the attempts that make a later revision fail.
    for (const one of tried.length > 1 ? tried : []) {
      const reason = whatFails(this.review, (await reviewWith(this.bench, this.input, [one])).review);
      if (reason !== undefined) reasons.set(one.attempt, { reason, seenInReview: true });
    }
    if (reasons.size === 0) for (const { attempt } of tried) reasons.set(attempt, { reason: fails, seenInReview: true });
    return { reasons, again };
  }
}

/** The next plan of an attempt with its files; undefined: nothing of it is left. */
async function nextCandidate(bench: Bench, attempt: Attempt, taken: ReadonlySet<string>): Promise<Candidate | undefined> {
  for (let planned = attempt.plan(); planned; planned = attempt.plan()) {
    const files = await compose(bench, planned, seriesOf(planned, taken));
    const whole = planned.later ? await compose(bench, planned, wholeSeriesOf(planned, taken)) : files;
    if (typeof files !== 'string' && typeof whole !== 'string') return { attempt, plan: planned, files, whole };
    attempt.reject({ reason: typeof files === 'string' ? files : String(whole) });
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

/** Runs each candidate and its original. Returns what is proved and why others are not: those after a failure are not reached. */
async function runApart(
  bench: Bench,
  originals: Originals,
  candidates: readonly Candidate[],
): Promise<{ readonly reasons: Reasons; readonly proved: readonly Candidate[] }> {
  await originals.run(candidates.filter(({ plan: { repairs } }) => !repairs).map(({ plan: { revision } }) => revision));
  const whole = await tryFiles(bench, originals, candidates, (one) => one.whole);
  const untilLater = await tryFiles(
    bench,
    originals,
    candidates.filter(({ plan }) => plan.later && whole.get(plan.revision.facts.revision)?.failure === undefined),
    (one) => one.files,
  );
  const reasons: Reasons = new Map();
  const proved: Candidate[] = [];
  for (const one of candidates) {
    const { attempt, plan } = one;
    const own = whole.get(plan.revision.facts.revision);
    const first = untilLater.get(plan.revision.facts.revision);
    if (!own || (plan.later && !first && own.failure === undefined)) continue;
    const why = whyNoProof(originals, plan, own, first);
    if (why) reasons.set(attempt, why);
    else proved.push(one);
  }
  // Attempts that were not reached are tried again without the one that failed.
  if (reasons.size === 0)
    for (const one of candidates) if (!proved.includes(one)) reasons.set(one.attempt, { reason: 'it was not tried' });
  return { reasons, proved };
}

async function tryFiles(
  bench: Bench,
  originals: Originals,
  candidates: readonly Candidate[],
  filesOf: (one: Candidate) => readonly ComposedFile[],
): Promise<ReadonlyMap<string, TrialFacts>> {
  if (candidates.length === 0) return new Map();
  const idsOfFiles = (one: Candidate) => filesOf(one).map(({ revision }) => revision);
  const groups = candidates.map((one) => originals.group(one.plan.revision, idsOfFiles(one)));
  return trial(bench, groups, overlayOf(bench, candidates.flatMap(filesOf)));
}

/** @param first the trial without the part for a later release */
function whyNoProof(
  originals: Originals,
  { revision, repairs, phases }: Plan,
  own: TrialFacts,
  first: TrialFacts | undefined,
): Unproved | undefined {
  const reason = repairs ? whyNotUndone(own) : whyDifferent(originals.trial(revision), own);
  if (reason !== undefined) return { reason, clue: own.statement };
  const before = first && whyNotUndone(first, originals.trial(revision));
  if (before !== undefined) return { reason: before, clue: first?.statement };
  const fills = phases.filter(({ phase }) => phase === 'fill').flatMap(({ up }) => up.map(({ code }) => code));
  return originals.whyNotFilled(revision, fills.join('\n'));
}

function idsOf({ files }: Candidate): readonly string[] {
  return files.map(({ revision }) => revision);
}

async function reviewWith(bench: Bench, input: ReviewInput, fixed: readonly Candidate[]): Promise<Judged> {
  const { session, given, observation, fixed: earlier } = bench;
  const overlay = overlayOf(
    bench,
    fixed.flatMap(({ files }) => files),
  );
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
