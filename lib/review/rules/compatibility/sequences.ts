import { execute } from '../../advice/python';
import { quoted, quotedTable } from '../../advice/sql';
import type { Step } from '../../revision/analyzed-revision';
import type { Rule, RuleFinding } from '../rule';

/** A sequence begins at 1: https://www.postgresql.org/docs/current/sql-createsequence.html */
export const sequenceOutOfSync: Rule = {
  id: 'sequence-out-of-sync',
  group: 'compatibility',
  severity: 'warning',
  title: 'a column that has values gets numbers that start at 1',
  *check({ facts, upgrade }) {
    yield* upgrade.steps.flatMap(restartFindings);
    const isSet = upgrade.steps.some(({ action, sql }) => action.does === 'set sequence' || SETS_START.test(sql));
    if (!isSet) yield* upgrade.steps.flatMap((step) => defaultFindings(step, facts.changes?.added ?? {}));
  },
};

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
  const numbers =
    sequence === null ? `pg_get_serial_sequence('${quotedTable(table)}', '${column}')` : `'${quotedTable(sequence)}'`;
  const most = `(SELECT max(${quoted(column)}) FROM ${quotedTable(table)})`;
  return [
    {
      ...place,
      message:
        `the numbers of ${table}.${column} begin at 1: an INSERT that takes one fails with a duplicate key, or repeats the number ` +
        'of an existing row',
      instead: `# after this statement:\n${execute(`SELECT setval(${numbers}, ${most})`)}`,
    },
  ];
}

/** START WITH or RESTART WITH of an identity or a sequence. */
const SETS_START = /\b(?:RE)?START\b/i;
