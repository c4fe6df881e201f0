import type { BodyFacts } from '../../contract/facts';
import { installation } from '../../local/installation';
import type { Finding, Review } from '../finding';
import type { ReviewInput } from '../input';
import type { AnalyzedRevision, Direction, RevisionFunction, Step } from '../revision/analyzed-revision';
import { analyzeChange, type Change } from '../revision/change';
import { renamedTo } from '../revision/created-objects';
import { isInOneTransaction } from '../rules/environment';
import type { NoSafeForm, SafeForm } from './form';
import { FORMS, FORMS_OF_NEW, type Writer } from './forms';
import type { Fixable, NotFixed, Planned } from './plan/plan';
import { planSeries } from './plan/plan-series';
import { withoutCommits } from './repairs/commits';
import { nameConstraints } from './repairs/constraint-names';
import { addValuesFirst } from './repairs/enum-values';

export { blame, namesTable, shapeOf, type Unproved } from './blame';
export type { NotFixed, Plan, Planned } from './plan/plan';
export { isUpgraded, whatFails, whyDifferent, whyNoBetter, whyNotUndone } from './proof';
export { laterCode, seriesOf, wholeSeriesOf } from './series';

/** The findings that can be rewritten, before the proof. */
export interface Draft {
  readonly fixable: readonly FixableRevision[];
  readonly notFixed: readonly NotFixed[];
}

export interface FixableRevision {
  readonly revision: AnalyzedRevision;
  readonly fixable: readonly Fixable[];
  /** Findings that keep the upgrade or the downgrade from running to the end. */
  readonly broken: readonly Finding[];
  /** Whether each statement runs after all parts of those before it. @default false */
  readonly inOrder?: boolean;
}

interface Repair {
  /** @default - both */
  readonly direction?: Direction;
  readonly repair: (revision: AnalyzedRevision, found: readonly Finding[], bodies: BodyFacts) => Planned;
}

/** Repairs for rules about a function that fails, or that leaves Alembic's transaction. */
const REPAIRS: Readonly<Record<string, Repair>> = {
  'enum-value-in-transaction': { direction: 'upgrade', repair: addValuesFirst },
  'drop-constraint-none': { direction: 'downgrade', repair: nameConstraints },
  'bind-commit': { repair: withoutCommits },
  'raw-commit': { repair: withoutCommits },
  'concurrently-in-transaction': { repair: withoutCommits },
};

const DECIDE_USE =
  'only you know whether running code still uses it: if not, write the comment that accepts it, with the reason; if so, drop it in the next release';
const DECIDE_ROWS =
  'only you know whether the rows may go: if so, write the comment that accepts it, with the reason; if not, copy them first';

/** The decision that a rule without a safe form needs. */
const DECISIONS: Readonly<Record<string, string>> = {
  'drop-column': DECIDE_USE,
  'drop-table': DECIDE_USE,
  'drop-in-use': DECIDE_USE,
  'delete-all': DECIDE_ROWS,
  'delete-by-query': DECIDE_ROWS,
  'clear-column': DECIDE_ROWS,
  'required-column':
    'only you know the value for rows of running code: a column that one constant fits gets it as a server_default; otherwise require it in a later release, as shown',
  'not-null-without-default':
    'only you know the value for the rows: a column that one constant fits gets it as a server_default; otherwise require it later, as shown',
  'not-null-on-existing-rows': 'only you know the value of the rows that have none: fill them in a revision before, as shown',
};

/** https://docs.sqlalchemy.org/en/20/dialects/: the keyword arguments of its other dialects. */
const OF_OTHER_DATABASE = /^(?:sqlite|mysql|mariadb|mssql|oracle)_/;

/** Whether a rule's findings have a safe form; others need a decision. */
export function hasSafeForm(rule: string): boolean {
  return rule in FORMS_OF_NEW || rule in REPAIRS;
}

function whyNoForm({ rule, instead }: Finding): string {
  const decision = instead === undefined ? 'it needs your decision' : 'there is no automatic fix: write it by hand, as shown';
  return DECISIONS[rule] ?? decision;
}

/** @param isNew whether the revisions are just written by Alembic's autogenerate */
export function draftFixes(review: Review, input: ReviewInput, isNew: boolean): Draft {
  const forms = isNew ? FORMS_OF_NEW : FORMS;
  const change: Change = analyzeChange(input);
  const notFixed: NotFixed[] = [];
  const found = new Map<AnalyzedRevision, { fixable: Fixable[]; broken: Finding[] }>();
  for (const finding of review.findings.filter(({ acknowledged }) => acknowledged === undefined)) {
    const revision = change.revisions.find(({ facts }) => facts.revision === finding.revision);
    const leave = (reason: string) => notFixed.push({ finding, reason });
    const isFixable = isBroken(finding) || (finding.rule in forms && finding.direction !== 'downgrade');
    if (!revision || !isFixable) {
      leave(whyNoForm(finding));
      continue;
    }
    const reason = whyNotFixable(finding, revision, input);
    if (reason !== undefined) {
      leave(reason);
      continue;
    }
    const own = found.get(revision) ?? { fixable: [], broken: [] };
    const write = forms[finding.rule];
    if (isBroken(finding) || !write) {
      own.broken.push(finding);
      found.set(revision, own);
      continue;
    }
    // Two rules may ask for the same form of a statement.
    const isTaken = ({ step, finding: { rule } }: Fixable) =>
      rule !== finding.rule && isAtFinding(step, finding) && forms[rule] === write;
    if (own.fixable.some(isTaken)) continue;
    const alike = review.findings.filter((other) => other.rule === finding.rule && isSamePlace(other, finding));
    const drafted = draftForm(finding, alike, revision, write, change);
    if ('reason' in drafted) leave(drafted.reason);
    else {
      own.fixable.push(drafted);
      found.set(revision, own);
    }
  }
  return { fixable: [...found].map(([revision, own]) => ({ revision, ...own })), notFixed };
}

/** Whether the safe form of a rule's statement commits nothing on the way. */
export function isFixedInOneTransaction({ rule }: Finding): boolean {
  return rule === 'drop-constraint-none' || rule === 'not-null-without-default';
}

/** Whether a finding is about a function that fails, so that nothing else about it can be proved. */
function isBroken({ rule, direction }: Finding): boolean {
  const repair = REPAIRS[rule];
  return !!repair && (repair.direction ?? direction) === direction;
}

/** Why a statement is not rewritten although it has a safe form. */
function whyNotFixable(finding: Finding, revision: AnalyzedRevision, input: ReviewInput): string | undefined {
  if (finding.severity === 'note') return 'its table is small, so its lock is short';
  if (!input.unreleased.includes(revision.facts.revision))
    return 'its file is not new since the default branch, so production may have run it';
  if (isInOneTransaction(input.environment) && !isFixedInOneTransaction(finding))
    return `env.py begins a transaction around all revisions, so the steps of a safe form can't be committed: change it first, as env-outer-transaction shows, and run "${installation().command} review --fix"`;
  return undefined;
}

/**
 * The safe form of the one step that a finding is about, or why there is none.
 *
 * @param alike the rule's findings about the same statement: one ALTER TABLE may add several constraints
 */
function draftForm(
  finding: Finding,
  alike: readonly Finding[],
  revision: AnalyzedRevision,
  write: Writer,
  change: Change,
): Fixable | NoSafeForm {
  const forms = revision.upgrade.steps.flatMap((step) => {
    const form = isAtFinding(step, finding) && write(step, revision);
    return form ? [{ step, form }] : [];
  });
  if (forms.length > 1 && forms.length !== alike.length) return { reason: 'several statements are on its line' };
  const first = forms.length > 1 ? forms[alike.indexOf(finding)] : forms[0];
  if (!first) return { reason: 'its statement was not found' };
  const reason = whyNotKept(first.step, change.after(revision)) ?? whyNotOnlyPostgres(first, revision);
  if (reason !== undefined) return { reason };
  return 'reason' in first.form ? first.form : { finding, step: first.step, form: first.form };
}

/** Why the old name can't be kept until the next release: what a later revision drops or renames is not there then. */
function whyNotKept({ action }: Step, later: readonly AnalyzedRevision[]): string | undefined {
  if (action.does !== 'rename') return undefined;
  const table = action.what === 'table' ? renamedTo(action.table, action.to) : action.table;
  const removes = ({ action: other }: Step) => {
    if (other.does === 'drop') return other.what === 'table' && other.names.includes(table);
    if (other.does === 'drop column') return other.table === table && other.column === action.to;
    return other.does === 'rename' && other.table === table && (other.what === 'table' || other.from === action.to);
  };
  const one = later.find(({ upgrade }) => upgrade.steps.some(removes));
  return one && `${one.facts.revision} drops or renames it later, so the old name can't be kept until the next release`;
}

/** Why a form is not written: an operation that it replaces also runs on another kind of database. */
function whyNotOnlyPostgres(
  { step, form }: { readonly step: Step; readonly form: SafeForm | NoSafeForm },
  { upgrade, downgrade }: AnalyzedRevision,
): string | undefined {
  if ('reason' in form) return undefined;
  const optionsOf = ({ source }: RevisionFunction, steps: readonly Step[]) =>
    (source?.calls ?? [])
      .filter(({ line }) => steps.some((one) => one.place.line === line))
      .flatMap(({ keywords }) => Object.keys(keywords));
  const replaced = upgrade.steps.filter((one) => one === step || form.replaces?.(one));
  const options = [...optionsOf(upgrade, replaced), ...optionsOf(downgrade, downgrade.steps.filter(form.undoneBy))];
  const option = options.find((name) => OF_OTHER_DATABASE.test(name));
  return option && `it has an option for another kind of database, which the safe form can't keep: ${option}`;
}

function isSamePlace(one: Finding, other: Finding): boolean {
  return (
    one.revision === other.revision &&
    one.line === other.line &&
    one.statement === other.statement &&
    one.direction === other.direction
  );
}

function isAtFinding({ place }: Step, { line, statement, direction }: Review['findings'][number]): boolean {
  return place.line === line && place.statement === statement && (direction ?? 'upgrade') === place.direction;
}

/** A revision without the findings about commits that can't be removed, so that its other fixes can be proved. */
export function withoutOwnCommits(
  one: FixableRevision,
  bodies: BodyFacts,
): { readonly one: FixableRevision; readonly notFixed: readonly NotFixed[] } {
  const commits = one.broken.filter(({ rule }) => REPAIRS[rule]?.repair === withoutCommits);
  const { plan: planned, notFixed } = commits.length ? withoutCommits(one.revision, commits, bodies) : { notFixed: [] };
  if (planned || !commits.length) return { one, notFixed: [] };
  return { one: { ...one, broken: one.broken.filter((finding) => !commits.includes(finding)) }, notFixed };
}

/** The plan for one revision, if there is one, and the findings that it does not fix. */
export function plan({ revision, fixable, broken, inOrder }: FixableRevision, bodies: BodyFacts): Planned {
  const [first] = broken;
  if (!first) return planSeries(revision, fixable, bodies, inOrder);
  const { direction, repair } = REPAIRS[first.rule] as Repair;
  const repairable = broken.filter(({ rule }) => REPAIRS[rule]?.repair === repair);
  const repaired = repair(revision, repairable, bodies);
  const what = direction ?? 'transaction';
  const left = repaired.plan
    ? { reason: `its ${what} is repaired first, and this one after it`, waits: true }
    : { reason: `nothing can be proved, because its ${what} does not run to its end` };
  const rest = broken.filter((finding) => !repairable.includes(finding));
  const others = [...fixable.map(({ finding }) => finding), ...rest];
  return { ...repaired, notFixed: [...repaired.notFixed, ...others.map((finding) => ({ finding, ...left }))] };
}
