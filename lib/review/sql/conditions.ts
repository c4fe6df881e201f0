import type { Node } from 'libpg-query';
import { UNKNOWN_VALUE } from '../../contract/facts';
import { foundBy } from '../../sql/found-by';
import { as } from '../../sql/nodes';
import { text } from './names';

/** How many rows an UPDATE or DELETE may affect: `all`; `some` that a condition finds; single `rows`, selected by a value. */
export function affectedRows(where: Node | undefined, joined: readonly Node[]): 'all' | 'some' | 'rows' {
  if (!where || isTrue(where)) return joined.length ? 'some' : 'all';
  // FROM (VALUES ('a', 1), ('b', 2)) AS given (name, number)
  if (joined.length && joined.every(listsValues)) return 'rows';
  return !joined.length && selectsByValue(where) ? 'rows' : 'some';
}

/** Whether an entry of FROM has only the rows that the statement itself lists. */
function listsValues(from: Node): boolean {
  const { valuesLists } = as(as(from, 'RangeSubselect')?.subquery, 'SelectStmt') ?? {};
  return !!valuesLists?.length && !/"(?:ColumnRef|SubLink)"/.test(JSON.stringify(valuesLists));
}

function isTrue(node: Node): boolean {
  if ('A_Const' in node) return !!node.A_Const.boolval?.boolval;
  if (!('A_Expr' in node)) return false;
  const { name = [], lexpr, rexpr } = node.A_Expr;
  const constant = (side: Node | undefined) => side && 'A_Const' in side && JSON.stringify({ ...side.A_Const, location: 0 });
  return name.map(text).join() === '=' && !!constant(lexpr) && constant(lexpr) === constant(rexpr);
}

/** Whether a condition compares a column with values: `id = 3 AND lang IN ('de', 'fr') AND kind = ANY(:kinds)`. */
function selectsByValue(where: Node): boolean {
  if ('BoolExpr' in where) {
    const parts = where.BoolExpr.args ?? [];
    return where.BoolExpr.boolop === 'AND_EXPR'
      ? parts.some(selectsByValue)
      : where.BoolExpr.boolop === 'OR_EXPR' && parts.every(selectsByValue);
  }
  if (!('A_Expr' in where)) return false;
  const { kind, name = [], lexpr, rexpr } = where.A_Expr;
  if (name.map(text).join() !== '=' || !rexpr || !BY_VALUE.has(kind ?? '')) return false;
  if (isFoundKey(lexpr, rexpr)) return true;
  return !/"(?:ColumnRef|SubLink|FuncCall)"/.test(JSON.stringify(rexpr)) && !/"boolval"/.test(JSON.stringify(rexpr));
}

const BY_VALUE: ReadonlySet<string> = new Set(['AEXPR_OP', 'AEXPR_IN', 'AEXPR_OP_ANY']);

/** `id = (SELECT min(id) FROM users WHERE active)`: the key of one row, unless the query reads a column of the statement's own table. */
function isFoundKey(column: Node | undefined, value: Node): boolean {
  const name = column && 'ColumnRef' in column ? column.ColumnRef.fields?.at(-1) : undefined;
  if (!name || text(name) !== 'id' || !('SubLink' in value) || value.SubLink.subLinkType !== 'EXPR_SUBLINK') return false;
  const query = JSON.stringify(value);
  const own = new Set([...query.matchAll(/"(?:relname|aliasname)":"([^"]*)"/g)].map(([, relation]) => relation));
  return [...query.matchAll(/"fields":\[\{"String":\{"sval":"([^"]*)"\}\},/g)].every(([, relation]) => own.has(relation));
}

/**
 * Whether a condition only compares columns that many rows may share a value of, or a range: `status = 'old'`, `active = true`,
 * `created_at < now() - interval '30 days'`.
 */
export function mayMatchManyRows(rows: string, where: Node | undefined): boolean {
  const isFound = rows === 'rows' || (rows === 'some' && !!where && comparesValues(where) && !isOnlyNull(where));
  return isFound && !comparedColumns(where).some((column) => IDENTIFYING_COLUMN.test(column) && !KIND_COLUMN.test(column));
}

/** Whether a condition finds rows by rows of another table: `team_id IN (SELECT id FROM teams WHERE archived)`. */
export function isFoundByOthers(rows: string, where: Node | undefined): boolean {
  return rows === 'some' && foundBy(where, []) === 'query' && /"subLinkType":"ANY_SUBLINK"/.test(JSON.stringify(where));
}

/** Whether a condition has a value that Python computes. */
export function hasUnknownValue(where: Node | undefined): boolean {
  return JSON.stringify(where ?? {}).includes(UNKNOWN_VALUE);
}

/** Whether a condition selects at most one row, by a key that Python computes: `id = {team_id}`. */
export function selectsComputedKey(where: Node | undefined): boolean {
  if (!where) return false;
  if ('BoolExpr' in where)
    return where.BoolExpr.boolop === 'AND_EXPR' && (where.BoolExpr.args ?? []).some((part) => selectsComputedKey(part));
  if (!('A_Expr' in where) || where.A_Expr.kind !== 'AEXPR_OP' || where.A_Expr.name?.map(text).join() !== '=') return false;
  const [column] = comparedColumns(where.A_Expr.lexpr);
  return column !== undefined && /^(?:id|uuid|guid|pk)$/.test(column) && hasUnknownValue(where.A_Expr.rexpr);
}

/** The names of the columns that a condition compares with values. Whether one is NULL does not tell rows apart. */
function comparedColumns(where: Node | undefined): readonly string[] {
  const tree = JSON.stringify(where ?? {}, (key, inner) => (key === 'NullTest' ? undefined : inner));
  return [...tree.matchAll(/"ColumnRef":\{"fields":\[[^\]]*?"sval":"([^"]*)"\}\}\]/g)].map(([, column = '']) => column);
}

/** Whether all parts of a condition compare a column with values that the statement contains. A range that code computes may be a batch. */
function comparesValues(where: Node): boolean {
  if ('BoolExpr' in where) return !!where.BoolExpr.args?.every(comparesValues);
  if ('NullTest' in where) return isColumn(where.NullTest.arg);
  if (!('A_Expr' in where)) return isColumn(where);
  const { name = [], lexpr, rexpr } = where.A_Expr;
  const values = JSON.stringify(rexpr ?? {});
  const isKnown = !/"(?:ColumnRef|SubLink|ParamRef)"/.test(values) && !values.includes(UNKNOWN_VALUE);
  return isKnown && isColumn(lexpr) && /^(?:[<>=]+|!?~~?\*?|NOT BETWEEN|BETWEEN)$/.test(name.map(text).join());
}

function isOnlyNull(where: Node): boolean {
  if ('BoolExpr' in where) return !!where.BoolExpr.args?.every(isOnlyNull);
  return 'NullTest' in where && where.NullTest.nulltesttype === 'IS_NULL';
}

function isColumn(node: Node | undefined): boolean {
  return !!node && ('ColumnRef' in node || ('TypeCast' in node && isColumn(node.TypeCast.arg)));
}

/** Names of columns that usually identify a row. */
const IDENTIFYING_COLUMN =
  /(?:^|_)(?:u?id|uuid|guid|key|slug|code|name|title|label|email|token|number|sku|hash|url|path|address|version_num)$/;

/** Names of columns that refer to one of a few kinds, which many rows share: `status_code`. */
const KIND_COLUMN = /(?:^|_)(?:type|status|state|kind|category|role|level|country|currency)_(?:id|code|key|name)$/;

/** Whether a condition only joins tables: `orders.customer_id = customers.id`. */
export function isJoin(where: Node | undefined, joined: readonly Node[]): boolean {
  if (!where || !joined.length || !joined.every((from) => 'RangeVar' in from)) return false;
  if ('BoolExpr' in where)
    return where.BoolExpr.boolop === 'AND_EXPR' && !!where.BoolExpr.args?.every((part) => isJoin(part, joined));
  if (!('A_Expr' in where) || where.A_Expr.kind !== 'AEXPR_OP') return false;
  const { name = [], lexpr, rexpr } = where.A_Expr;
  return name.map(text).join() === '=' && !!lexpr && 'ColumnRef' in lexpr && !!rexpr && 'ColumnRef' in rexpr;
}

/** The column of a condition that is only `<column> IS NULL`. */
export function nullColumn(where: Node | undefined): string | undefined {
  if (!where || !('NullTest' in where)) return undefined;
  const { arg, nulltesttype } = where.NullTest;
  const name = arg && 'ColumnRef' in arg ? arg.ColumnRef.fields?.at(-1) : undefined;
  return name && nulltesttype === 'IS_NULL' ? text(name) : undefined;
}

/** Whether a condition, or an entry of FROM, selects a limited batch of rows: a subquery with LIMIT. */
export function isBatched(node: Node | undefined): boolean {
  return !!node && /"limitCount"/.test(JSON.stringify(node));
}
