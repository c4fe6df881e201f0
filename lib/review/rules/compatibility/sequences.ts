import type { HistoryFacts } from '../../../contract/facts';
import { execute } from '../../advice/python';
import { literal, quoted, quotedTable, serialSequence } from '../../advice/sql';
import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import { sourceActions } from '../../revision/steps';
import { findTable } from '../../revision/tables';
import type { Action } from '../../sql/action';
import { isText } from '../../sql/column-types';
import type { Rule, RuleFinding } from '../rule';

/** A sequence begins at 1: https://www.postgresql.org/docs/current/sql-createsequence.html */
export const sequenceOutOfSync: Rule = {
  id: 'sequence-out-of-sync',
  group: 'compatibility',
  severity: 'warning',
  title: 'a sequence gives numbers that rows have already',
  *check({ facts, upgrade }) {
    yield* upgrade.steps.flatMap(restartFindings);
    const isSet = upgrade.steps.some(({ action, sql }) => action.does === 'set sequence' || SETS_START.test(sql));
    if (isSet) return;
    yield* upgrade.steps.flatMap((step) => defaultFindings(step, facts.changes?.added ?? {}));
    yield* numbersGiven(upgrade, facts.source.history);
  },
};

/** The first INSERT into each table that gives its own values to a column with a sequence, which does not count them. */
function* numbersGiven(part: RevisionFunction, { filledTables }: HistoryFacts): Iterable<RuleFinding> {
  const earlier = filledTables.flatMap(sourceActions).map(({ action }) => action);
  const reported = new Set<string>();
  for (const { action, index, place } of part.steps) {
    if (action.does !== 'insert' || reported.has(action.table)) continue;
    const { table, given } = action;
    const column = numberedColumns(table, part, index, earlier).find((name) => given?.includes(name) ?? true);
    if (column === undefined) continue;
    reported.add(table);
    yield {
      ...place,
      message:
        `this INSERT gives its own values to ${table}.${column}, and the sequence of ${column} does not count them: a later INSERT ` +
        'that takes one of these numbers from it fails with a duplicate key, or repeats it',
      instead: afterLargest(serialSequence(table, column), table, column),
    };
  }
}

/** The columns of a table that a sequence numbers, when a step runs. */
function numberedColumns(table: string, part: RevisionFunction, before: number, earlier: readonly Action[]): readonly string[] {
  const own = part.steps.flatMap(({ action, index }) => (index < before ? [action] : []));
  const known = part.replayed ? own : [...earlier, ...own];
  const made = known.findLast((action) => action.does === 'create table' && action.table === table);
  if (made?.does === 'create table') return made.columns.flatMap(({ numbered, name }) => (numbered ? [name] : []));
  const { columns = [] } = findTable(part.tablesAfter, table) ?? part.findTable(table) ?? {};
  // A text that is no number has never the value of a later one.
  return columns.flatMap(({ name, type, identity, default: value = '' }) =>
    !isText(type) && (identity || /^nextval\(/.test(value)) ? [name] : [],
  );
}

/** @param numbers the sequence, in SQL */
function afterLargest(numbers: string, table: string, column: string): string {
  const most = `(SELECT max(${quoted(column)}) FROM ${quotedTable(table)})`;
  return `# after this statement:\n${execute(`SELECT setval(${numbers}, ${most})`)}`;
}

function restartFindings({ action, isNewObject, isNewTable, place }: Step): readonly RuleFinding[] {
  const isRestart = action.does === 'restart sequence';
  // setval() to a number that a query computes is what the advice says.
  if (!isRestart && !(action.does === 'set sequence' && action.to !== undefined)) return [];
  const sequence = isRestart ? action.sequence : (action.of ?? 'the sequence');
  if ([sequence, action.of ?? ''].some((name) => isNewObject(name) || isNewTable(name) || isNewTable(tableOf(name)))) return [];
  return [
    {
      ...place,
      message:
        `${sequence} continues at ${action.to ?? 'its first number'}: an INSERT that takes a number of an existing row fails with a ` +
        'duplicate key, or repeats it',
      instead: `# continue after the largest number instead:\n${execute(`SELECT setval('${quotedTable(sequence)}', (SELECT max(<column>) FROM <table>))`)}`,
    },
  ];
}

/** PostgreSQL's own name of a column's sequence is `<table>_<column>_seq`, and most keys are `id`. */
function tableOf(sequence: string): string {
  return sequence.replace(/_id_seq$/, '');
}

/** @param added what the revision adds to the catalog */
function defaultFindings({ action, isExisting, isNewColumn, place }: Step, added: object): readonly RuleFinding[] {
  if (action.does !== 'set default' || action.sequence === undefined) return [];
  const { table, column, sequence } = action;
  if (!isExisting(table) || isNewColumn(table, column)) return [];
  if (sequence !== null && !(`sequence ${sequence}` in added)) return [];
  const numbers = sequence === null ? serialSequence(table, column) : literal(quotedTable(sequence));
  return [
    {
      ...place,
      message:
        `the numbers of ${table}.${column} begin at 1: an INSERT that takes one fails with a duplicate key, or repeats the number ` +
        'of an existing row',
      instead: afterLargest(numbers, table, column),
    },
  ];
}

/** START WITH or RESTART WITH of an identity or a sequence. */
const SETS_START = /\b(?:RE)?START\b/i;
