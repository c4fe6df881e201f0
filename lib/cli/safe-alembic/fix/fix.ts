import type { ComposedFile, Report } from '../../../contract/facts';
import { mustHave, readGraph } from '../../../local/python/observe';
import { type Finding, type Fixes, laterCode, type Plan, type Review, type ReviewInput } from '../../../review';
import { judge, replay } from '../replay/review-revisions';
import type { Bench } from './bench';
import { type Proved, proveFixes } from './prove';

/**
 * Rewrites what a review found; what can be proved only when something else is repaired, after that. Returns the review of what is
 * left; after a dry run, of the files as they are.
 */
export async function fix(bench: Bench, input: ReviewInput, review: Review, dryRun: boolean): Promise<Review> {
  let proved = await proveFixes(bench, input, review);
  let fixes = fixesOf(proved);
  if (dryRun) return { ...review, fixes };
  while (proved.files.length > 0) {
    fixes = { ...fixes, written: true, ...(await write(bench, proved)) };
    if (!proved.notFixed.some(({ waits }) => waits)) break;
    const again = await reviewWritten(bench, proved.input);
    proved = await proveFixes(bench, again.input, again.review);
    fixes = together(fixes, fixesOf(proved));
  }
  return { ...proved.review, fixes };
}

function fixesOf({ plans, files, notFixed, withoutRows, review }: Proved): Fixes {
  const later = plans.flatMap((one) => {
    const code = laterCode(one);
    return code === undefined ? [] : [{ file: one.revision.facts.file, code }];
  });
  const staying = plans.length ? notFixed.filter(({ finding }) => isLeft(finding, plans, files, review)) : notFixed;
  return {
    written: false,
    fixed: plans.flatMap(({ fixed }) => fixed),
    notFixed: staying.map(({ finding, reason }) => ({ finding, reason })),
    ...(withoutRows.length ? { withoutRows } : {}),
    files: files.map(({ file, revision, diff, isNew }) => ({ file, revision, diff, isNew })),
    ...(later.length ? { later } : {}),
  };
}

async function write({ observation }: Bench, { files }: Proved): Promise<Pick<Fixes, 'hookFailure'>> {
  const reports: Report[] = [];
  await observation.observer.ask({ ask: 'write', files }, (report) => reports.push(report));
  const { failure } = mustHave(reports, 'written');
  return failure === undefined ? {} : { hookFailure: failure };
}

/** The files as they are now: one of the project's post_write_hooks may have formatted them. */
async function reviewWritten({ session, given, observation }: Bench, { revisions, unreleased, edited, started }: ReviewInput) {
  const graph = await readGraph(observation.observer);
  const chosen = { revisions: revisions.map(({ revision }) => revision), why: '', unreleased, edited };
  const input = await replay(session, given, { observer: observation.observer }, graph, chosen, started);
  return { input, review: await judge(session, given, input) };
}

/** A file that both change has two diffs, one after the other. */
function together(first: Fixes, then: Fixes): Fixes {
  const withoutRows = [...new Set([...(first.withoutRows ?? []), ...(then.withoutRows ?? [])])];
  const later = [...(first.later ?? []), ...(then.later ?? [])];
  const files = new Map(first.files.map((one) => [one.file, one]));
  for (const one of then.files) {
    const before = files.get(one.file);
    files.set(one.file, before ? { ...before, diff: before.diff + one.diff } : one);
  }
  return {
    ...first,
    fixed: [...first.fixed, ...then.fixed],
    notFixed: then.notFixed,
    ...(withoutRows.length ? { withoutRows } : {}),
    files: [...files.values()],
    ...(later.length ? { later } : {}),
  };
}

/** Whether it is still found where its revision is fixed: a lock is short without the statements that it waited for. */
function isLeft(
  { rule, revision }: Finding,
  plans: readonly Plan[],
  files: readonly ComposedFile[],
  { findings }: Review,
): boolean {
  if (!plans.some(({ revision: { facts } }) => facts.revision === revision)) return true;
  return findings.some((one) => one.rule === rule && files.some((file) => file.revision === one.revision));
}
