import type { ComposedFile, Report } from '../../../contract/facts';
import { mustHave } from '../../../local/python/observe';
import { type Finding, type Fixes, laterCode, type Plan, type Review, type ReviewInput } from '../../../review';
import type { Bench } from './bench';
import { proveFixes } from './prove';

/** Rewrites what a review found. Returns the review of what is left; after a dry run, of the files as they are. */
export async function fix(
  bench: Bench,
  input: ReviewInput,
  review: Review,
  { dryRun, whyNot }: { readonly dryRun: boolean; readonly whyNot: (revision: string) => string | undefined },
): Promise<Review> {
  const { plans, files, notFixed, withoutRows, review: left } = await proveFixes(bench, input, review, whyNot);
  const reports: Report[] = [];
  const writes = !dryRun && files.length > 0;
  if (writes) await bench.observation.observer.ask({ ask: 'write', files }, (report) => reports.push(report));
  const failure = writes ? mustHave(reports, 'written').failure : undefined;
  const later = plans.flatMap((one) => {
    const code = laterCode(one);
    return code === undefined ? [] : [{ file: one.revision.facts.file, code }];
  });
  const fixes: Fixes = {
    written: writes,
    fixed: plans.flatMap(({ fixed }) => fixed),
    notFixed: plans.length ? notFixed.filter(({ finding }) => isLeft(finding, plans, files, left)) : notFixed,
    ...(withoutRows.length ? { withoutRows } : {}),
    files: files.map(({ file, revision, diff, isNew }) => ({ file, revision, diff, isNew })),
    ...(later.length ? { later } : {}),
    ...(failure === undefined ? {} : { hookFailure: failure }),
  };
  return { ...(dryRun ? review : left), fixes };
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
