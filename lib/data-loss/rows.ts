import type { Node, RangeVar, SelectStmt } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { isAlike, isEmpty, isEveryRow, isWholeTable } from './conditions';
import { copiedColumn } from './conversions';
import { type Loss, unreadable } from './losses';
import { joined, type Made, nameOf } from './made';
import { assigned, isUnrelated } from './overwritten';
import { hasKey, isPartOf } from './parts';

/** What a statement destroys that reads or writes rows, including its WITH. `isCut`: its text may lack a condition. */
export function rowLosses(node: Node, made: Made, isCut: boolean): readonly Loss[] {
  const found = [...withLosses(clauseOf(node), made, isCut), ...ownLosses(node, made)];
  return isCut ? found.map(({ what }) => unreadable(what)) : found;
}

function ownLosses(node: Node, made: Made): readonly Loss[] {
  if ('DeleteStmt' in node) {
    const { relation, whereClause, usingClause = [], withClause } = node.DeleteStmt;
    const table = nameOf(relation);
    const whole = [...wholeTables(withClause, table), ...usingClause.flatMap((from) => aliasOf(from, table))];
    return emptied([table, ...aliases(relation), ...whole], whereClause, relation?.alias?.aliasname, made);
  }
  if ('UpdateStmt' in node) {
    const { relation, whereClause, fromClause = [], targetList = [] } = node.UpdateStmt;
    const table = nameOf(relation);
    const names = [table, ...aliases(relation), ...fromClause.flatMap((from) => aliasOf(from, table))];
    return cleared(names, whereClause, targetList, relation?.alias?.aliasname ?? table, made);
  }
  if ('MergeStmt' in node) {
    const { relation, mergeWhenClauses = [] } = node.MergeStmt;
    const deletes = mergeWhenClauses.some(
      (part) => 'MergeWhenClause' in part && part.MergeWhenClause.commandType === 'CMD_DELETE',
    );
    return deletes && !made.has('table', nameOf(relation))
      ? [{ rule: 'delete-all', what: `MERGE INTO ${nameOf(relation)} ... DELETE` }]
      : [];
  }
  if ('InsertStmt' in node) return node.InsertStmt.selectStmt ? rowLosses(node.InsertStmt.selectStmt, made, false) : [];
  if (!('SelectStmt' in node)) return [];
  const { intoClause, larg, rarg } = node.SelectStmt;
  if (intoClause?.rel) made.add('table', nameOf(intoClause.rel));
  return [larg, rarg].flatMap((side) => (side ? rowLosses({ SelectStmt: side }, made, false) : []));
}

function clauseOf(node: Node): SelectStmt['withClause'] {
  const [statement] = Object.values(node) as readonly { readonly withClause?: SelectStmt['withClause'] }[];
  return statement?.withClause;
}

function withLosses(clause: SelectStmt['withClause'], made: Made, isCut: boolean): readonly Loss[] {
  return (clause?.ctes ?? []).flatMap((part) =>
    'CommonTableExpr' in part && part.CommonTableExpr.ctequery ? rowLosses(part.CommonTableExpr.ctequery, made, isCut) : [],
  );
}

/** Names of the CTEs that hold every row of a table. */
function wholeTables(clause: SelectStmt['withClause'], table: string): readonly string[] {
  return (clause?.ctes ?? []).flatMap((part) => {
    if (!('CommonTableExpr' in part)) return [];
    const { ctename = '', ctequery } = part.CommonTableExpr;
    const select = ctequery && 'SelectStmt' in ctequery ? ctequery.SelectStmt : undefined;
    return select && isWholeTable(select, [table]) ? [ctename] : [];
  });
}

/** DELETE FROM users USING users u */
function aliasOf(from: Node, table: string): readonly string[] {
  return 'RangeVar' in from && nameOf(from.RangeVar) === table ? [from.RangeVar.alias?.aliasname ?? table] : [];
}

function aliases(relation: RangeVar | undefined): readonly string[] {
  return relation?.alias?.aliasname ? [relation.alias.aliasname] : [];
}

/** `names`: the table, its aliases, and CTEs with all of its rows. */
function emptied(names: readonly string[], where: Node | undefined, alias: string | undefined, made: Made): readonly Loss[] {
  const [table = ''] = names;
  if (made.has('table', table) || !(isEveryRow(where, names) || isUnfilled(where, table, made))) return [];
  // DELETE FROM users {where}
  if (alias?.includes(UNKNOWN)) return [unreadable(`DELETE FROM ${table} ${alias}`)];
  return [{ rule: 'delete-all', what: `DELETE FROM ${table}` }];
}

/** WHERE owner_id IS NULL, of a column that the revision added and that nothing has filled. */
function isUnfilled(where: Node | undefined, table: string, made: Made): boolean {
  if (!where || !('NullTest' in where) || where.NullTest.nulltesttype !== 'IS_NULL') return false;
  const { arg } = where.NullTest;
  const column = arg && 'ColumnRef' in arg ? joined(arg.ColumnRef.fields).split('.').at(-1) : undefined;
  return made.unfilled.has(`${table}.${column}`);
}

function cleared(
  names: readonly string[],
  where: Node | undefined,
  targets: readonly Node[],
  alias: string,
  made: Made,
): readonly Loss[] {
  const [table = ''] = names;
  return targets.flatMap((target) => {
    if (!('ResTarget' in target)) return [];
    const { name = '' } = target.ResTarget;
    const val = assigned(target.ResTarget.val);
    made.unfilled.delete(`${table}.${name}`);
    noteCopy(`${table}.${name}`, isEveryRow(where, names) ? copiedColumn(val) : undefined, [table, alias], made);
    if (made.hasColumn(table, name)) return [];
    const isWhole = isEveryRow(where, names) || isSetAnyway(where, name, val);
    const loss = (to: string): readonly Loss[] => [{ rule: 'clear-column', what: `UPDATE ${table} SET ${name} to ${to}` }];
    if (isEmpty(val)) return isWhole ? loss('nothing') : [];
    const own = [table, alias];
    if (isPartOf(val, name, own)) return isWhole || hasKey(where, name, own) ? loss('a part of itself') : [];
    return isWhole && isUnrelated(val, name, own, where) && !made.mayBeEmpty(table, name) ? loss('an unrelated value') : [];
  });
}

/** SET new = old, of a column that the revision added: the old one can be dropped then. */
function noteCopy(column: string, source: string | undefined, names: readonly string[], made: Made): void {
  for (const [from, copy] of made.copies) if (copy === column) made.copies.delete(from);
  const of = source?.includes('.') ? source.slice(0, source.lastIndexOf('.')) : names[0];
  if (source === undefined || !names.includes(of ?? '') || made.narrow.has(column) || !made.has('column', column)) return;
  made.copies.set(`${names[0]}.${source.slice(source.lastIndexOf('.') + 1)}`, column);
}

/** WHERE name IS NOT NULL, WHERE name <> '', or WHERE name <> 'x', for a column `name` that is being set to `value`. */
function isSetAnyway(where: Node | undefined, column: string, value: Node | undefined): boolean {
  if (!where) return false;
  if ('NullTest' in where) return where.NullTest.nulltesttype === 'IS_NOT_NULL' && isColumn(where.NullTest.arg, column);
  if ('BoolExpr' in where && where.BoolExpr.boolop === 'AND_EXPR')
    return !!where.BoolExpr.args?.length && where.BoolExpr.args.every((part) => isSetAnyway(part, column, value));
  if (!('A_Expr' in where)) return false;
  const { kind, name, lexpr, rexpr } = where.A_Expr;
  const differs = kind === 'AEXPR_DISTINCT' || joined(name) === '<>';
  return differs && isColumn(lexpr, column) && (isEmpty(rexpr) || isAlike(rexpr, value));
}

function isColumn(node: Node | undefined, column: string): boolean {
  return !!node && 'ColumnRef' in node && joined(node.ColumnRef.fields).split('.').at(-1) === column;
}
