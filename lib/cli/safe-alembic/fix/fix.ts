import type { ComposedFile, Report } from '../../../contract/facts';
import { mustHave } from '../../../local/python/observe';
import { type Finding, type Fixes, laterCode, type Plan, type Review, type ReviewInput } from '../../../review';
import type { Bench } from './bench';
import { caveats, partialDowngrades } from './caveats';
import { type Proved, proveFixes } from './prove';

/**
 * Fixes the findings of a review; those that can be proved only after a repair come second. Returns the review of the fixed files;
 * after a dry run, of the original ones.
 */
export async function fix(bench: Omit<Bench, 'fixed'>, input: ReviewInput, review: Review, dryRun: boolean): Promise<Review> {
  let files: readonly ComposedFile[] = [];
  let proved = await proveFixes({ ...bench, fixed: files }, input, review);
  let fixes = fixesOf(proved);
  let plans = proved.plans;
  while (proved.files.length > 0) {
    files = [...files.filter(({ file }) => !proved.files.some((one) => one.file === file)), ...proved.files];
    const waiting = proved.notFixed.filter(({ waits }) => waits).map(({ finding }) => finding);
    if (!waiting.length) break;
    // What the first proof has refused, it would refuse again.
    const only = new Set(waiting.map(({ revision }) => revision));
    proved = await proveFixes({ ...bench, fixed: files }, proved.input, proved.review, only);
    fixes = together(fixes, fixesOf(proved), waiting, dryRun);
    plans = [...plans.filter(({ revision }) => !only.has(revision.facts.revision)), ...proved.plans];
  }
  const found = [...caveats(bench.session.project, proved.input, files), ...partialDowngrades(plans)];
  if (found.length) fixes = { ...fixes, caveats: found };
  if (dryRun || !files.length) return { ...review, fixes };
  const notFixed = fixes.notFixed.map((one) => ({ ...one, finding: nowAt(one.finding, files, proved.review) }));
  return { ...proved.review, fixes: { ...fixes, notFixed, written: true, ...(await write(bench, files)) } };
}

/** A finding with its place in the rewritten files. */
function nowAt(finding: Finding, files: readonly ComposedFile[], { findings }: Review): Finding {
  if (!files.some(({ file }) => file === finding.file)) return finding;
  const isSame = ({ rule, direction, statement, message }: Finding) =>
    rule === finding.rule &&
    direction === finding.direction &&
    statement === finding.statement &&
    (statement !== undefined || message === finding.message);
  return findings.find((one) => isSame(one) && files.some(({ file }) => file === one.file)) ?? finding;
}

function fixesOf({ plans, files, notFixed, withoutRows, upgradeOnly, review }: Proved): Fixes {
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
    ...(upgradeOnly.length ? { upgradeOnly } : {}),
    files: files.map(({ file, revision, diff, isNew }) => ({ file, revision, diff, isNew })),
    ...(later.length ? { later } : {}),
  };
}

async function write(
  { observation }: Pick<Bench, 'observation'>,
  files: readonly ComposedFile[],
): Promise<Pick<Fixes, 'hookFailure'>> {
  const reports: Report[] = [];
  await observation.observer.ask({ ask: 'write', files }, (report) => reports.push(report));
  const { failure } = mustHave(reports, 'written');
  return failure === undefined ? {} : { hookFailure: failure };
}

/** @param waiting the original findings that the first fixes left to the next ones */
function together(first: Fixes, then: Fixes, waiting: readonly Finding[], dryRun: boolean): Fixes {
  const repaired = new Set(waiting.map(({ revision }) => revision));
  const left = first.notFixed.filter(({ finding }) => !repaired.has(finding.revision));
  const found = (finding: Finding) =>
    waiting.find(({ rule, message, file }) => rule === finding.rule && message === finding.message && file === finding.file) ??
    finding;
  const withoutRows = [...new Set([...(first.withoutRows ?? []), ...(then.withoutRows ?? [])])];
  const upgradeOnly = [...(first.upgradeOnly ?? []), ...(then.upgradeOnly ?? [])];
  const later = [...(first.later ?? []), ...(then.later ?? [])];
  return {
    ...first,
    fixed: [...first.fixed, ...then.fixed.map(found)],
    notFixed: [...left, ...(dryRun ? then.notFixed.map((one) => ({ ...one, finding: found(one.finding) })) : then.notFixed)],
    ...(withoutRows.length ? { withoutRows } : {}),
    ...(upgradeOnly.length ? { upgradeOnly } : {}),
    files: [...first.files.filter(({ file }) => !then.files.some((one) => one.file === file)), ...then.files],
    ...(later.length ? { later } : {}),
  };
}

/** Whether the fixed revision still has the finding: a lock becomes short without the statements that held it. */
function isLeft(
  { rule, revision }: Finding,
  plans: readonly Plan[],
  files: readonly ComposedFile[],
  { findings }: Review,
): boolean {
  if (!plans.some(({ revision: { facts } }) => facts.revision === revision)) return true;
  return findings.some((one) => one.rule === rule && files.some((file) => file.revision === one.revision));
}
