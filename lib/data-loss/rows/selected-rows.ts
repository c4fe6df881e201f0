import type { Node, SubLink } from 'libpg-query';
import { as, joined, nameOf, namesOf, only, wholeTable } from '../../sql/nodes';
import { conjuncts, constantText, isKey, readsNoColumn } from '../conditions';
import { listItems } from '../overwritten';
import { isOwnColumn } from '../partial-values';

/** Whether a condition lists the values of the rows, so that its author knew these rows: `code IN ('XX', 'YY')`. */
export function selectsByValue(where: Node | undefined): boolean {
  if (!where) return false;
  if ('BoolExpr' in where) return where.BoolExpr.boolop !== 'NOT_EXPR' && (where.BoolExpr.args ?? []).every(selectsByValue);
  if (!('A_Expr' in where) || joined(where.A_Expr.name) !== '=') return false;
  const { lexpr, rexpr } = where.A_Expr;
  const values = listItems(rexpr);
  return (
    !!lexpr && 'ColumnRef' in lexpr && (values.length ? values : [rexpr]).every((value) => constantText(value) !== undefined)
  );
}

/** Whether a condition selects rows by their key, or by the column's value, so that the lost value is known. */
export function selectsKnownRows(where: Node | undefined, column: string, names: readonly string[]): boolean {
  if (!where) return false;
  if ('BoolExpr' in where) {
    const pinned = (where.BoolExpr.args ?? []).map((part) => selectsKnownRows(part, column, names));
    return where.BoolExpr.boolop === 'AND_EXPR'
      ? pinned.includes(true)
      : where.BoolExpr.boolop === 'OR_EXPR' && !pinned.includes(false);
  }
  if ('NullTest' in where) return where.NullTest.nulltesttype === 'IS_NULL' && isOwnColumn(where.NullTest.arg, column, names);
  if ('SubLink' in where) return selectsKnownKeys(where.SubLink, column, names);
  if (!('A_Expr' in where) || joined(where.A_Expr.name) !== '=') return false;
  const { lexpr, rexpr } = where.A_Expr;
  return (
    (isOwnColumn(lexpr, column, names) || isKey(lexpr, names)) &&
    !!rexpr &&
    (readsNoColumn(rexpr) || isLookupByValue(rexpr, names))
  );
}

/** Whether rows are found by their keys, which a query finds in the same table: `id IN (SELECT id FROM users WHERE name IS NULL LIMIT 100)`. */
function selectsKnownKeys({ subLinkType, testexpr, subselect }: SubLink, column: string, names: readonly string[]): boolean {
  const { fromClause = [], whereClause, targetList } = as(subselect, 'SelectStmt') ?? {};
  const [from, ...more] = only(fromClause, 'RangeVar');
  const [key] = only(targetList, 'ResTarget');
  const isOwn = subLinkType === 'ANY_SUBLINK' && !!from && fromClause.length === 1 && !more.length && nameOf(from) === names[0];
  if (!from || !isOwn || !isKey(testexpr, names) || !isKey(key?.val, names)) return false;
  return selectsKnownRows(whereClause, column, [...names, ...namesOf(from)]);
}

/** A query for one row that its author named, the same for all rows: `(SELECT id FROM plans WHERE name = 'trial')`. */
function isLookupByValue(node: Node, outer: readonly string[]): boolean {
  const { subLinkType, subselect } = as(node, 'SubLink') ?? {};
  const { fromClause = [], whereClause } = as(subselect, 'SelectStmt') ?? {};
  const tests = conjuncts(whereClause).concat(fromClause.flatMap((from) => conjuncts(as(from, 'JoinExpr')?.quals)));
  const isSame = !columnsIn(node).some((column) => outer.some((name) => column.startsWith(`${name}.`)));
  return subLinkType === 'EXPR_SUBLINK' && isSame && tests.some(selectsByValue);
}

/** Whether a source has only rows that the statement itself lists: `(VALUES (3), (4)) AS gone (id)`. */
export function listsValues(source: Node | undefined): boolean {
  const { valuesLists = [] } = as(as(source, 'RangeSubselect')?.subquery, 'SelectStmt') ?? {};
  return valuesLists.length > 0 && !/"(?:ColumnRef|SubLink|FuncCall)"/.test(JSON.stringify(valuesLists));
}

/** Whether rows come from a list in the revision or from a query with a condition. Both filter rows as a WHERE does. */
export function hasRowFilter(source: object): boolean {
  return /"(?:valuesLists|RangeFunction|whereClause|havingClause|limitCount)"/.test(JSON.stringify(source));
}

/** Whether a condition only joins the table with another: WHERE teams.id = users.team_id. */
export function joinsTables(where: Node | undefined, names: readonly string[]): boolean {
  if (!where) return false;
  if ('BoolExpr' in where)
    return where.BoolExpr.boolop === 'AND_EXPR' && !!where.BoolExpr.args?.every((arg) => joinsTables(arg, names));
  if (!('A_Expr' in where) || where.A_Expr.kind !== 'AEXPR_OP' || joined(where.A_Expr.name) !== '=') return false;
  const of = [where.A_Expr.lexpr, where.A_Expr.rexpr].map((side) => {
    if (!side || !('ColumnRef' in side)) return undefined;
    const fields = joined(side.ColumnRef.fields);
    const dot = fields.lastIndexOf('.');
    return dot < 0 || names.includes(fields.slice(0, dot));
  });
  return !of.includes(undefined) && of[0] !== of[1];
}

/** DELETE FROM users USING users u; UPDATE users SET ... FROM (SELECT * FROM users) u */
export function selfJoinNames(from: Node, table: string): readonly string[] {
  const other = wholeTable(from);
  return other && nameOf(other) === table ? [other.alias?.aliasname ?? table] : [];
}

/** The columns that a value or a query reads, as they are written. */
export function columnsIn(value: Node | undefined): readonly string[] {
  const found: string[] = [];
  JSON.stringify(value ?? {}, (key, inner) => {
    if (key === 'ColumnRef') found.push(joined(inner.fields));
    return inner;
  });
  return found;
}
