import type { Node } from 'libpg-query';
import type { Call, RevisionFacts } from '../../../contract/facts';
import { isColumnOrCast } from '../../../data-loss/conversions';
import { as, systemName } from '../../../sql/nodes';
import { parseNode } from '../../../sql/parse';
import { quotedTable } from '../../advice/sql';
import type { AnalyzedRevision, RevisionFunction, Step } from '../../revision/analyzed-revision';
import type { Change } from '../../revision/change';
import { existingType } from '../../revision/operations';
import { isSameAction } from '../../revision/steps';
import { findType, unqualifiedName } from '../../revision/tables';
import type { Action, ActionOf } from '../../sql/action';
import { isText, narrows } from '../../sql/column-types';
import type { Rule, RuleFinding } from '../rule';
import { enumsOf, removedLabels } from './removed-labels';

export const narrowingType: Rule = {
  id: 'narrowing-type',
  group: 'data loss',
  severity: 'error',
  title: 'a column or a sequence gets a narrower type, or an enum loses a label',
  *check(revision, change) {
    yield* removedLabels(revision);
    for (const step of revision.upgrade.steps) {
      if (step.action.does === 'change sequence type') yield* narrowerSequence(step, step.action, revision);
      if (step.action.does === 'change type') yield* narrowerColumn(step, step.action, revision, change);
    }
  },
};

function* narrowerSequence(
  { place, isNewObject }: Step,
  { sequence, type }: ActionOf<'change sequence type'>,
  { facts, upgrade }: AnalyzedRevision,
): Iterable<RuleFinding> {
  // Without a replay, it is a bigint, as by default.
  const narrows = upgrade.replayed ? narrowsSequence(facts, sequence, type) : type !== 'int8' && !isNewObject(sequence);
  if (!narrows) return;
  const most = type === 'int2' ? '32,767' : '2,147,483,647';
  yield {
    ...place,
    message:
      `${sequence} ends at ${most}: the statement fails if it is beyond that already, ` +
      'and every insert that needs a number fails once it gets there',
    instead: '# keep the type of the sequence: it may be larger than that of its column',
  };
}

function* narrowerColumn(
  step: Step,
  action: ActionOf<'change type'>,
  revision: AnalyzedRevision,
  change: Change,
): Iterable<RuleFinding> {
  const { table, column } = action;
  const { holdsRows, isNewColumn, call, index, place } = step;
  if (!holdsRows(table) || isNewColumn(table, column)) return;
  const declared = existingType(call);
  const known = revision.upgrade.findTable(table)?.columns.find(({ name }) => name === column)?.type;
  const before = known ?? declared?.type ?? restoredType(action, revision.downgrade);
  const using = usingOf(action, call);
  if (before === undefined || buildsDocument(using)) return;
  const labels = [...labelsOf(before, revision, change), ...(declared?.labels ?? [])];
  const earlier = revision.upgrade.steps.filter((one) => one.index < index).map((one) => one.action);
  if (!narrows(before, action.type, labels) || earlier.some((one) => isSameAction(one, action) && isOfType(one, action.type)))
    return;
  const isConverted = !!using && !isColumnOrCast(using);
  const isPrepared = earlier.some((one) => one.does === 'update' && one.table === table && one.columns.includes(column));
  const mayTruncate = !!using || !!call?.keywords.postgresql_using;
  const fate = isConverted
    ? 'its USING decides what remains of a value that does not fit'
    : isPrepared
      ? 'a value that still does not fit after the UPDATE makes the revision fail'
      : fateOfValues(before, action.type, mayTruncate);
  const type = action.type || 'the new type';
  yield {
    ...place,
    ...(isConverted || isPrepared ? { atMost: 'warning' } : {}),
    message: `${table}.${column} changes from ${before} to ${type}: ${fate}`,
    instead: `# first check in production: SELECT count(*) FROM ${quotedTable(table)} WHERE <does not fit ${type}>\n# if you only need a limit, keep ${before} and add a CHECK, NOT VALID first and validated later`,
  };
}

/** The type that the downgrade gives back to a column, which it had before the upgrade. */
function restoredType({ table, column }: ActionOf<'change type'>, { steps }: RevisionFunction): string | undefined {
  const types = steps.flatMap(({ action }) =>
    action.does === 'change type' && action.table === table && action.column === column ? [action.type] : [],
  );
  return types.at(-1) || undefined;
}

/** @param mayTruncate whether it has a USING: without one, a text that is too long is an error. A cast to another type never truncates */
function fateOfValues(before: string, type: string, mayTruncate: boolean): string {
  const digits = scaleOf(type);
  return digits < scaleOf(before)
    ? `each value is rounded to ${digits} decimal places, and one that is still too large makes the revision fail`
    : `a value that does not fit makes the revision fail${mayTruncate && isText(type) ? ', or is truncated by its USING' : ''}`;
}

/** The digits after the decimal point of `numeric(12,2)`; not a number for a type without a limit. */
function scaleOf(type: string): number {
  const [, scale] = /^numeric\(\d+(?:,\s*(\d+))?\)$/.exec(type) ?? [undefined, undefined];
  return scale === undefined ? (/^numeric\(\d+\)$/.test(type) ? 0 : Number.NaN) : Number(scale);
}

function isOfType(action: Action, type: string): boolean {
  return action.does === 'change type' && action.type === type;
}

/** All labels of an enum, from this revision, those before it, or what its downgrade creates. */
function labelsOf(type: string, revision: AnalyzedRevision, change: Change): readonly string[] {
  const before = change.before(revision).map(({ facts }) => facts);
  const known = enumLabels([revision.facts, ...before.reverse()], type);
  return known.length ? known : (enumsOf(revision.downgrade).get(unqualifiedName(type))?.labels ?? []);
}

/** The expression that converts the values. */
function usingOf({ written }: ActionOf<'change type'>, call: Call | undefined): Node | undefined {
  if (written) return as(written.node.def, 'ColumnDef')?.raw_default;
  const { postgresql_using: using } = call?.keywords ?? {};
  const select = typeof using === 'string' ? as(parsedOrNone(`SELECT ${using}`), 'SelectStmt') : undefined;
  return as(select?.targetList?.[0], 'ResTarget')?.val;
}

function parsedOrNone(sql: string): Node | undefined {
  try {
    return parseNode(sql);
  } catch {
    return undefined;
  }
}

/** Whether USING wraps the value in a JSON document: to_jsonb(name), json_build_array(name). */
function buildsDocument(using: Node | undefined): boolean {
  return /^(?:to_jsonb?|jsonb?_build_(?:array|object))$/.test(systemName(as(using, 'FuncCall')?.funcname));
}

/** The labels of an enum before the first of these revisions, from the replay or from the earlier revisions; empty if unknown. */
function enumLabels([own, ...before]: readonly RevisionFacts[], type: string): readonly string[] {
  const earlier = before.flatMap(({ changes }) => findType(changes?.added, type) ?? findType(changes?.changed, type)?.[1] ?? []);
  const removed = findType(own?.changes?.removed, type) ?? findType(own?.changes?.changed, type)?.[0];
  const labels = removed ?? own?.enums?.[type] ?? earlier[0] ?? '';
  return labels.startsWith('ENUM')
    ? [...labels.matchAll(/'((?:[^']|'')*)'/g)].map(([, label = '']) => label.replaceAll("''", "'"))
    : [];
}

/** Whether an existing sequence gets a smaller type. */
function narrowsSequence({ changes }: RevisionFacts, sequence: string, type: string): boolean {
  const before = changes?.changed[`sequence ${sequence}`]?.[0];
  return (
    before !== undefined && INTEGER_TYPES.indexOf(type) < INTEGER_TYPES.indexOf(SEQUENCE_TYPES[before.split(' ')[0] ?? ''] ?? '')
  );
}

const INTEGER_TYPES = ['int2', 'int4', 'int8'];
/** PostgreSQL's internal type names, by the names that it prints. */
const SEQUENCE_TYPES: Readonly<Record<string, string>> = { smallint: 'int2', integer: 'int4', bigint: 'int8' };
