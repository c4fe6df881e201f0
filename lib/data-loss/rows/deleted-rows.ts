import type { Node, SelectStmt } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../../contract/facts';
import { as, joined, nameOf, namesOf, only } from '../../sql/nodes';
import { isKey, joinedRows, joinedTables, matchesEveryRow, selectsWholeTable } from '../conditions';
import { copiedColumn } from '../conversions';
import { mayOmitRows } from '../copies/inserted-rows';
import { type Loss, unreadableSql } from '../losses';
import type { RevisionState } from '../revision-state';

/** The rows that a DELETE finds with a join, as `joinedRows` writes them: with USING, or with `WHERE id IN (SELECT users.id FROM users JOIN teams ON ...)`. */
export function deletedByJoin(
  relation: Node | undefined,
  using: readonly Node[],
  where: Node | undefined,
  names: readonly string[],
): readonly string[] {
  if (relation && using.length) return [joinedRows([relation, ...using], where)];
  const { subLinkType, testexpr, subselect } = as(where, 'SubLink') ?? {};
  const select = as(subselect, 'SelectStmt');
  if (subLinkType !== 'ANY_SUBLINK' || !select?.fromClause || mayOmitRows(select) || !isKey(testexpr, names)) return [];
  const [key] = only(select.targetList, 'ResTarget');
  const own = only(joinedTables(select.fromClause), 'RangeVar').filter((one) => nameOf(one) === names[0]);
  const isOwn = own.flatMap(namesOf).includes(copiedColumn(key?.val)?.split('.').slice(0, -1).join('.') || (names[0] ?? ''));
  return isOwn && isKey(key?.val, names) ? [joinedRows(select.fromClause, select.whereClause)] : [];
}

/** The tables that hold the keys of the deleted rows: `WHERE id IN (SELECT id FROM archive)`. */
export function tablesWithKeys(where: Node | undefined, names: readonly string[]): readonly string[] {
  const { subLinkType, testexpr, subselect } = as(where, 'SubLink') ?? {};
  const select = as(subselect, 'SelectStmt');
  const from = as(select?.fromClause?.[0], 'RangeVar');
  if (subLinkType !== 'ANY_SUBLINK' || !select || !from || !isKey(testexpr, names)) return [];
  const table = nameOf(from);
  return selectsWholeTable(select, [table]) && !select.limitCount ? [table] : [];
}

/** Names of the CTEs that hold every row of a table. */
export function wholeTableCtes(clause: SelectStmt['withClause'], table: string): readonly string[] {
  return only(clause?.ctes, 'CommonTableExpr').flatMap(({ ctename = '', ctequery }) => {
    const select = as(ctequery, 'SelectStmt');
    return select && selectsWholeTable(select, [table]) ? [ctename] : [];
  });
}

/** @param names the table, its aliases, and CTEs with all of its rows */
export function deleteLosses(
  names: readonly string[],
  where: Node | undefined,
  alias: string | undefined,
  state: RevisionState,
): readonly Loss[] {
  const [table = ''] = names;
  if (state.isNew('table', table) || !(matchesEveryRow(where, names) || isUnfilled(where, table, state))) return [];
  // DELETE FROM users {where}
  if (alias?.includes(UNKNOWN)) return [unreadableSql(`DELETE FROM ${table} ${alias}`)];
  return [deletesAll(table, `DELETE FROM ${table}`)];
}

/** The loss of all rows of a table, or of as many as nobody has listed. */
export function deletesAll(table: string, what: string): Loss {
  return { rule: 'delete-all', what, of: { kind: 'rows', name: table } };
}

/** Whether a condition is true for every row because nothing has filled a new column: WHERE owner_id IS NULL. */
function isUnfilled(where: Node | undefined, table: string, state: RevisionState): boolean {
  if (!where || !('NullTest' in where) || where.NullTest.nulltesttype !== 'IS_NULL') return false;
  const { arg } = where.NullTest;
  const column = arg && 'ColumnRef' in arg ? joined(arg.ColumnRef.fields).split('.').at(-1) : undefined;
  return state.unfilledColumns.has(`${table}.${column}`);
}
