import type { UpdateStmt } from 'libpg-query';
import type { TableFacts } from '../../contract/facts';
import type { Written } from '../sql/action';
import { isVolatile } from '../sql/definitions';
import { sqlLiteral } from './python';
import { quoted, quotedList, quotedTable, Text } from './sql';

const BATCH = 10_000;

/** Fills a column in batches, one transaction each. `facts` has the key that selects the rows. */
export function batches(table: string, assignment: string, condition: string, facts: TableFacts | undefined): string {
  const key = keyOf(facts);
  const update = `UPDATE ${quotedTable(table)} SET ${assignment} WHERE ${key.tuple} IN (SELECT ${key.list} FROM ${quotedTable(table)} WHERE ${condition} LIMIT ${BATCH})`;
  return [
    'with op.get_context().autocommit_block():',
    `    while op.get_bind().execute(sa.text(${sqlLiteral(update)})).rowcount:`,
    '        pass',
  ].join('\n');
}

/** The primary key, or the row's ctid if the table has none or is unknown. */
function keyOf(facts: TableFacts | undefined): { tuple: string; list: string } {
  const columns = facts?.constraints.find(({ kind }) => kind === 'primary key')?.columns;
  if (!columns?.length) return { tuple: 'ctid', list: 'ctid' };
  const list = quotedList(columns);
  return { tuple: columns.length > 1 ? `(${list})` : list, list };
}

/**
 * An UPDATE in batches that can be repeated after an interruption: it skips rows that already have their values. Undefined if that
 * can't be determined, as with `n = n + 1` or a random value.
 */
export function updateInBatches(table: string, written: Written<UpdateStmt> | undefined, facts: TableFacts | undefined) {
  const { targetList = [], fromClause } = written?.node ?? {};
  const targets = targetList.flatMap((target) => ('ResTarget' in target ? [target.ResTarget] : []));
  if (!written || !targets.length || fromClause?.length) return undefined;
  const set = new Set(targets.map(({ name = '' }) => name));
  const text = new Text(written.sql);
  const begin = text.find(['SET']);
  const end = text.find(['WHERE', 'FROM', 'RETURNING'], begin?.end)?.start;
  if (!begin) return undefined;
  const conditions: string[] = [];
  for (const { name = '', val, location = 0, indirection } of targets) {
    const value = JSON.stringify(val ?? {});
    const refersToTarget = [...value.matchAll(/"sval":"([^"]*)"/g)].some(([, column]) => set.has(column ?? ''));
    if (!val || indirection?.length || 'MultiAssignRef' in val || refersToTarget || isVolatile(val)) return undefined;
    const equals = text.find(['='], location);
    if (!equals) return undefined;
    const until = Math.min(text.clauseEnd(equals.end), end ?? Number.POSITIVE_INFINITY);
    conditions.push(`${quoted(name)} IS DISTINCT FROM (${text.slice(equals.end, until)})`);
  }
  const assignment = text.slice(begin.end, end).replace(/;$/, '');
  return batches(table, assignment, conditions.join(' OR '), facts);
}
