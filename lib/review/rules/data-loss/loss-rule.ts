import type { DataLossRule } from '../../../contract';
import { UNKNOWN_VALUE } from '../../../contract/facts';
import type { DestroyedData } from '../../../data-loss/find-losses';
import type { LostObject } from '../../../data-loss/losses';
import { fillColumn, withImports } from '../../advice/batch-loop';
import { execute } from '../../advice/python';
import { quoted, quotedTable } from '../../advice/sql';
import type { AnalyzedRevision, RevisionFunction, Step } from '../../revision/analyzed-revision';
import { unqualifiedName } from '../../revision/tables';
import type { Rule, RuleFinding } from '../rule';

export interface Loss {
  readonly step: Step;
  readonly of: Lost;
  /** Why nothing is lost, although the deploy's guard stops there. Absent if something is lost. */
  readonly harmless?: string;
  /** The message if the upgrade keeps a copy. Absent: then there is no finding. */
  readonly stillUsed?: string;
  readonly message: string;
  readonly instead?: string;
  /** Set if it is unknown whether something is lost. */
  readonly atMost?: 'warning';
}

/** The object, or the column of one, by which the guard's finding for the same statement is recognized. */
type Lost = Pick<LostObject, 'name' | 'column'>;

export const CREATED_BY_CHANGE = 'this change created it';

const ACTION_OF_RULE: Partial<Record<DataLossRule, Step['action']['does']>> = {
  'clear-column': 'update',
  'convert-column': 'change type',
};

/** A rule that reports a loss once, whether the deploy's guard finds it in the source, the rule finds it in the statements, or both do. */
export function lossRule(id: DataLossRule, title: string, losses: (revision: AnalyzedRevision) => Iterable<Loss>): Rule {
  return {
    id,
    group: 'data loss',
    severity: 'error',
    title,
    *check(revision) {
      const guarded = revision.losses.filter(({ rule }) => rule === id);
      const reported = new Set<(typeof guarded)[number]>();
      for (const loss of losses(revision)) {
        const here = guarded.filter(({ line, of }) => line === loss.step.line || isSameObject(of, loss.of));
        const [first] = here.filter((place) => !reported.has(place));
        for (const place of here) reported.add(place);
        const isKept = !here.length && revision.avoidedLosses.some((one) => one.rule === id && isSameObject(one.of, loss.of));
        yield* lossFindings(loss, isKept, first?.line);
      }
      for (const lost of guarded.filter((place) => !reported.has(place))) {
        const { line } = lost;
        // Attach the statement, so that it gets one error only.
        const own = revision.upgrade.steps.filter(({ action }) => action.does === ACTION_OF_RULE[id]);
        const onLine = own.filter((step) => step.line === line);
        // The text may be written on another line than the one that runs it.
        const here = onLine.length ? onLine : own.filter(({ action }) => updates(action, lost));
        const place = here.length === 1 ? here[0]?.place : undefined;
        yield { ...(place ?? { line, direction: 'upgrade', seen: 'source' }), ...guardFinding(lost, revision) };
      }
    },
  };
}

/** Whether an action is the UPDATE of a guard's finding. */
function updates(action: Step['action'], { of }: DestroyedData): boolean {
  return action.does === 'update' && action.columns.some((column) => isSameObject(of, { name: action.table, column }));
}

/** The message about a loss that only the guard has found. */
function guardFinding(
  { rule, what, of, readBefore, onFailure }: DestroyedData,
  { isMissing, mayBeKept, upgrade }: AnalyzedRevision,
): Pick<RuleFinding, 'message' | 'atMost' | 'instead'> {
  const kept = mayBeKept.get(`${of?.name}.${of?.column}`);
  const isUnknown = kept !== undefined || readBefore;
  const unknown = `${what}: ${kept ?? 'the review could not tell whether all of it is kept'}`;
  const message = isUnknown ? unknown : `${what} ${EFFECTS[rule] ?? 'destroys data when it runs'}`;
  if (onFailure)
    return { atMost: 'warning', message: `${what} runs only after a statement has failed, in an aborted transaction` };
  if (of && isMissing(of))
    return { atMost: 'warning', message: `no earlier revision creates this; if production has it: ${message}` };
  const instead = rule === 'clear-column' && of ? keptValues(of, upgrade) : undefined;
  return { message, instead, ...(isUnknown ? { atMost: 'warning' } : {}) };
}

const EFFECTS: Partial<Record<DataLossRule, string>> = {
  'clear-column': 'loses the values that the column has now',
  // DETACH PARTITION has a message of its own.
  'detach-partition': 'takes its rows out of queries of the parent, and they stay in the table itself',
  'drop-materialized-view': 'removes its stored rows: queries on it fail until it is rebuilt from its tables',
};

/** Keeps the values of a column that an UPDATE overwrites. */
function keptValues({ name, column = '' }: LostObject, { findTable }: RevisionFunction): string | undefined {
  const facts = findTable(name);
  const type = facts?.columns.find((one) => one.name === column)?.type;
  if (type === undefined) return undefined;
  const [from, kept] = [quoted(column), quoted(`${column}_before`)];
  return [
    '# in earlier revisions, keep the values until nobody needs them:',
    execute(`ALTER TABLE ${quotedTable(name)} ADD COLUMN ${kept} ${type}`),
    withImports(fillColumn(name, `${column}_before`, from, facts)),
    `# then, in this one: # cdk-alembic: allow clear-column: ${column}_before has the values`,
  ].join('\n');
}

/**
 * @param isKept whether the guard found that the upgrade keeps the data
 * @param stop the line where the guard stops, unless another loss has reported it
 */
function* lossFindings(
  { step, harmless, stillUsed, message, instead, atMost }: Loss,
  isKept: boolean,
  stop?: number,
): Iterable<RuleFinding> {
  if (harmless === undefined) {
    if (!isKept) yield { ...step.place, message, instead, ...(atMost ? { atMost } : {}) };
    else if (stillUsed !== undefined) yield { ...step.place, atMost: 'warning', message: stillUsed, instead };
  } else if (stop !== undefined) {
    const stopped = `nothing is lost, because ${harmless}, but the deploy's guard stops here until you acknowledge it`;
    yield { ...step.place, line: stop, atMost: 'warning', message: stopped };
  }
}

/** Whether both are the same object. A statement may leave out the schema, or take it, or a column's table, from a variable. */
export function isSameObject(one: LostObject | undefined, { name, column }: Lost): boolean {
  if (one === undefined || one.column !== column) return false;
  const names = [one.name, name];
  const [own, other] = names.map(unqualifiedName);
  if (own !== other) return column !== undefined && names.includes(UNKNOWN_VALUE);
  const schemas = names.map((full) => full.slice(0, Math.max(0, full.lastIndexOf('.'))));
  return new Set(schemas).size === 1 || schemas.some((schema) => schema === '' || schema.includes(UNKNOWN_VALUE));
}

export function inLaterRelease(rule: DataLossRule, what: string, code: string): string {
  return [
    `# first release code that neither reads nor writes ${what}; then, in a separate revision:`,
    `# cdk-alembic: allow ${rule}: <why nobody needs it anymore>`,
    code,
  ].join('\n');
}

/** A table that the replay does not have may be missing because an earlier revision failed in it. */
export function lostTable(
  { isNewTable, isExisting, index }: Step,
  name: string,
  message: string,
  { existed, upgrade }: AnalyzedRevision,
): Pick<Loss, 'harmless' | 'message' | 'atMost'> {
  if (isNewTable(name)) return { harmless: CREATED_BY_CHANGE, message };
  const drop = upgrade.steps.find(
    (later) =>
      later.index > index && later.action.does === 'drop' && later.action.what === 'table' && later.action.names.includes(name),
  );
  if (drop) return { message: `the rows of ${name} are lost anyway: line ${drop.line} drops the table`, atMost: 'warning' };
  const isThere = isExisting(name) || existed(`table ${unqualifiedName(name)}`);
  if (isThere) return { message };
  const isMissing = isThere === undefined && upgrade.replayed;
  const unknown = isMissing ? 'the replay does not have' : 'no earlier revision creates';
  return {
    message: `${unknown} ${name}; if production has it: ${message}`,
    ...(isThere === undefined ? {} : { atMost: 'warning' }),
  };
}

/** Rules whose losses only the guard finds. */
export const guardOnlyRules: readonly Rule[] = (
  [
    ['drop-sequence', 'a sequence is dropped with the number that it has reached'],
    ['drop-materialized-view', 'a materialized view is dropped or emptied'],
    ['drop-cascade', 'a view or an extension is dropped with everything that depends on it'],
    ['drop-owned', 'everything that a role owns is dropped'],
  ] as const
).map(([id, title]) => lossRule(id, title, () => []));
