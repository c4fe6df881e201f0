import type { TrialFacts, TrialState } from '../../contract/facts';
import type { Finding, Review } from '../finding';
import { onlyGainsLabels } from '../rules/reversibility';
import type { Unproved } from './blame';
import type { Plan } from './plan/plan';

/** How a series differs from the revision that it replaces; undefined if it does the same. */
export function whyDifferent(before: TrialFacts, now: TrialFacts): string | undefined {
  if (!isUpgraded(before)) return `the revision itself fails: ${before.failure}`;
  if (!isUpgraded(now)) return `the safe form fails: ${now.failure}`;
  const upgraded = whyUpgradesDiffer(before, now);
  // Where the revision itself can't be reverted and applied again, there is nothing more to compare with.
  if (upgraded !== undefined || before.failure !== undefined) return upgraded;
  if (now.failure !== undefined) return `the safe form fails: ${now.failure}`;
  const [old, own] = [before as Complete, now as Complete];
  return whyNotRestored(old, own) ?? whyOtherRows(old, own);
}

type Complete = Required<Omit<TrialFacts, 'failure' | 'statement'>>;

/** Which schema a downgrade, or the upgrade after it, does not restore although the original does; undefined if there is none. */
function whyNotRestored(old: Complete, own: Complete): string | undefined {
  const restored = newDifference(old, own, 'before', 'restored');
  if (restored !== undefined) return `its downgrade leaves another schema: ${restored}`;
  const again = newDifference(old, own, 'after', 'again');
  return again === undefined ? undefined : `after a downgrade it ends with another schema: ${again}`;
}

/** @param lossy a trial whose losses do not count */
function whyOtherRows(old: Complete, own: Complete, lossy?: Complete): string | undefined {
  for (const moment of ['restored', 'again'] as const) {
    const table = tableWithOtherRows(old, own, moment, lossy);
    if (table !== undefined) return `the rows of ${table} differ ${MOMENTS[moment]}`;
  }
  return undefined;
}

/** A trial whose upgrade ran to its end. */
type Upgraded = TrialFacts & Required<Pick<TrialFacts, 'before' | 'after'>>;

export function isUpgraded(trial: TrialFacts): trial is Upgraded {
  return trial.after !== undefined;
}

function whyUpgradesDiffer(old: Upgraded, own: Upgraded): string | undefined {
  const schema = firstDifference(old, own, 'entries') ?? firstDifference(old, own, 'indexes');
  if (schema !== undefined) return `the safe form ends with another schema: ${schema}`;
  const table = tableWithOtherRows(old, own, 'after');
  return table && `the rows of ${table} differ ${MOMENTS.after}`;
}

/**
 * Why the downgrade of a safe form does not undo its upgrade; undefined if it does.
 *
 * @param original the revision that it replaces, if its downgrade runs: what that one loses may be lost
 */
export function whyNotUndone(now: TrialFacts, original: TrialFacts = {}): string | undefined {
  const { before, after, restored, again } = now;
  if (now.failure !== undefined || !before || !after || !restored || !again) return `the safe form fails: ${now.failure}`;
  // An extension or a type that the downgrade leaves does no harm if the upgrade then runs again.
  const isLeft = (name: string) => /^(?:extension|type) /.test(name) && !(name in before.entries);
  const left = Object.entries(restored.entries).filter(
    ([name, own]) => onlyGainsLabels(before.entries[name] ?? '', own) || (isLeft(name) && own === after.entries[name]),
  );
  const undone = { ...before, entries: { ...before.entries, ...Object.fromEntries(left) } };
  const wanted = { before, after, restored: undone, again: after };
  const [schema, lossy] = isComplete(original) ? [original, original] : [wanted, { ...wanted, restored: withoutDropped(wanted) }];
  return whyNotRestored(schema, now as Complete) ?? whyOtherRows(wanted, now as Complete, lossy);
}

/** The state before, without the values of columns that the upgrade drops: what destroyed them is another finding. */
function withoutDropped({ before, after }: Complete): TrialState {
  const isKept = (table: string, column: string) => {
    const name = `column ${table}.${column}`;
    return !(name in before.entries) || name in after.entries;
  };
  const rows = Object.entries(before.rows).map(([table, its]) => [
    table,
    its.map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => isKept(table, column)))),
  ]);
  return { ...before, rows: Object.fromEntries(rows) };
}

function isComplete(trial: TrialFacts): trial is Complete {
  return trial.failure === undefined && trial.again !== undefined;
}

type Moment = 'after' | 'restored' | 'again';
const MOMENTS = { after: 'after the upgrade', restored: 'after the downgrade', again: 'after the second upgrade' } as const;

/** The first entry that differs after the upgrade, ignoring what neither changes: an earlier revision may have been fixed, too. */
function firstDifference(old: Upgraded, own: Upgraded, what: 'entries' | 'indexes'): string | undefined {
  const [one, other] = [old.after[what], own.after[what]];
  const isLeft = (name: string) => [old, own].every(({ before, after }) => before[what][name] === after[what][name]);
  const key = [...new Set([...Object.keys(one), ...Object.keys(other)])].find(
    (name) => one[name] !== other[name] && !isLeft(name),
  );
  return key === undefined ? undefined : `${key} is ${one[key] ?? 'absent'}, and would be ${other[key] ?? 'absent'}`;
}

/** The first deviation from the wanted schema that the revision itself does not have. */
function newDifference(
  one: Complete,
  other: Complete,
  wanted: 'before' | 'after',
  moment: 'restored' | 'again',
): string | undefined {
  const [was, is] = [other[wanted].entries, other[moment].entries];
  const key = [...new Set([...Object.keys(was), ...Object.keys(is)])].find(
    (name) => is[name] !== was[name] && one[moment].entries[name] === one[wanted].entries[name],
  );
  return key === undefined ? undefined : `${key} was ${was[key] ?? 'absent'}, and is ${is[key] ?? 'absent'}`;
}

/** The first table whose rows differ from the revision's. Values that neither changes may differ: a default can be random. */
function tableWithOtherRows(old: Upgraded, own: Upgraded, moment: Moment, lossy?: Complete): string | undefined {
  return Object.keys(own.before.rows).find((table) => {
    const rowsOf = (trial: Upgraded): Rows => [trial.before.rows[table] ?? [], trial[moment]?.rows[table] ?? []];
    const [before, after] = [rowsOf(old), rowsOf(own)];
    const columns = columnsOf([...before[1], ...after[1]]).filter((column) => !lossy || !isLost(lossy, moment, table, column));
    // An earlier revision, which was fixed too, may leave other rows.
    if (gainedRows(before) !== gainedRows(after)) return columns.length > 0;
    const existing = columnsOf([...before[0], ...after[0]]);
    const sameStart = existing.every((column) => valuesOf(before[0], column) === valuesOf(after[0], column));
    return columns.some((column) => {
      const isComputed = / DEFAULT .*(?:\(|CURRENT_|LOCALTIME)/.test(own.after.entries[`column ${table}.${column}`] ?? '');
      if (existing.includes(column)) {
        const isRandom = isComputed || differsEachTime(old, table, column);
        return hasOtherValues(before, after, column, isRandom);
      }
      const [first, second] = [old.after.rows[table] ?? [], (old.again ?? old.after).rows[table] ?? []];
      const isRepeatable = sameStart && !isComputed && valuesOf(first, column) === valuesOf(second, column);
      const compared = isRepeatable ? valuesOf : countOfValues;
      return compared(before[1], column) !== compared(after[1], column);
    });
  });
}

function gainedRows([then, now]: Rows): number {
  return now.length - then.length;
}

/** @param isRandom whether new values may differ: those from before must still be the same */
function hasOtherValues(before: Rows, after: Rows, column: string, isRandom: boolean): boolean {
  const isLeft = [before, after].every(([then, now]) => valuesOf(then, column) === valuesOf(now, column));
  if (isLeft || valuesOf(before[1], column) === valuesOf(after[1], column)) return false;
  const isOther = (compare: (rows: Rows) => unknown) => compare(before) !== compare(after);
  return !isRandom || isOther((rows) => keptValues(rows, column)) || isOther(([, now]) => countOfValues(now, column));
}

/** Whether a column has other values after the second upgrade, although it had the same ones before it. */
function differsEachTime({ before, after, restored, again }: Upgraded, table: string, column: string): boolean {
  const [start, first, restart, second] = [before, after, restored, again].map(
    (state) => state && valuesOf(state.rows[table] ?? [], column),
  );
  return second !== undefined && start === restart && first !== second;
}

/** Whether a column does not have the values after a downgrade that it had before, or after the second upgrade those of the first. */
function isLost(trial: Complete, moment: Moment, table: string, column: string): boolean {
  const wanted = moment === 'again' ? trial.after : trial.before;
  return valuesOf(wanted.rows[table] ?? [], column) !== valuesOf(trial[moment].rows[table] ?? [], column);
}

type Row = Readonly<Record<string, unknown>>;
/** Before and now. */
type Rows = readonly [readonly Row[], readonly Row[]];

function columnsOf(rows: readonly Row[]): readonly string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

function valuesOf(rows: readonly Row[], column: string): string {
  return rows
    .map((row) => JSON.stringify(row[column]))
    .sort()
    .join();
}

/** The values of now that were there before, in order. */
function keptValues([then, now]: Rows, column: string): string {
  const values = new Set(then.map((row) => JSON.stringify(row[column])));
  return valuesOf(
    now.filter((row) => values.has(JSON.stringify(row[column]))),
    column,
  );
}

function countOfValues(rows: readonly Row[], column: string): number {
  return rows.filter((row) => (row[column] ?? null) !== null).length;
}

/** Why a review of the series is no better; undefined if the fixed findings are gone and no error is new. */
export function whyNoBetter(
  { revision, fixed }: Plan,
  series: readonly string[],
  before: Review,
  now: Review,
): Unproved | undefined {
  const seenInReview = true;
  const open = (review: Review, ids: readonly string[]) =>
    review.findings.filter(({ revision: id, acknowledged }) => acknowledged === undefined && ids.includes(id ?? ''));
  const [old, own] = [open(before, [revision.facts.revision]), open(now, series)];
  const notRun = now.revisions.find((one) => series.includes(one.revision) && one.notReplayed !== undefined);
  if (notRun) return { reason: `the safe form was not replayed: ${notRun.notReplayed}`, seenInReview };
  const isStill = (isAlike: typeof isSameFinding) => (one: Finding) => {
    const number = (findings: readonly Finding[]) => findings.filter((finding) => isAlike(one, finding)).length;
    return number(own) > number(old) - number(fixed);
  };
  const still = fixed.filter(isStill(isSameFinding));
  const left = still.length > 0 ? still : fixed.filter(isStill(({ rule }, other) => rule === other.rule));
  if (left[0]) return { reason: `the review still finds ${left[0].rule}`, left, seenInReview };
  const newError = own.find((finding) => finding.severity === 'error' && !old.some((known) => known.rule === finding.rule));
  if (!newError) return undefined;
  const { rule, message, statement } = newError;
  return { reason: `the review then finds ${rule}: ${message}`, clue: statement ?? message, seenInReview };
}

/** A revision that ran before the fix and now fails, such as a later one that a new view blocks; undefined if there is none. */
export function whatFails(before: Review, now: Review): string | undefined {
  const ran = new Set(before.revisions.filter(({ notReplayed }) => notReplayed === undefined).map(({ revision }) => revision));
  const failed = now.revisions.find(({ revision, notReplayed }) => notReplayed !== undefined && ran.has(revision));
  return failed && `revision ${failed.revision} then fails: ${failed.notReplayed}`;
}

function isSameFinding(one: Finding, other: Finding): boolean {
  return one.rule === other.rule && one.message === other.message;
}
