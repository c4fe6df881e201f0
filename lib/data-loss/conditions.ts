import type { Node, SelectStmt } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { joined, nameOf } from './made';

/** Whether a condition leaves no row out: it is missing, always true, or true of every row there is. */
export function isEveryRow(where: Node | undefined, table: string): boolean {
  if (!where || isTrue(where)) return true;
  if ('BoolExpr' in where) {
    const { boolop, args = [] } = where.BoolExpr;
    if (boolop === 'NOT_EXPR') return args.some(isFalse);
    return boolop === 'AND_EXPR' ? args.every((arg) => isEveryRow(arg, table)) : args.some((arg) => isEveryRow(arg, table));
  }
  if ('NullTest' in where) return where.NullTest.nulltesttype === 'IS_NOT_NULL' && isKey(where.NullTest.arg);
  if ('SubLink' in where) {
    const { subLinkType, subselect, testexpr } = where.SubLink;
    const select = subselect && 'SelectStmt' in subselect ? subselect.SelectStmt : undefined;
    if (!select) return false;
    if (subLinkType === 'EXISTS_SUBLINK') return !select.fromClause?.length && isEveryRow(select.whereClause, table);
    return subLinkType === 'ANY_SUBLINK' && isKey(testexpr) && isWholeTable(select, table);
  }
  if (!('A_Expr' in where)) return false;
  const { name = [], lexpr, rexpr, kind } = where.A_Expr;
  const operator = joined(name);
  if (kind === 'AEXPR_OP_ANY' && operator === '=' && rexpr && 'SubLink' in rexpr) {
    // ctid = ANY (ARRAY (SELECT ctid FROM users LIMIT 1000))
    const { subselect } = rexpr.SubLink;
    return isKey(lexpr) && !!subselect && 'SelectStmt' in subselect && isWholeTable(subselect.SelectStmt, table);
  }
  if (kind === 'AEXPR_LIKE') return isColumn(lexpr) && constant(rexpr) === '{"sval":{"sval":"%"}}';
  if (operator === '=' && lexpr && rexpr) return same(lexpr, rexpr);
  // WHERE id > 0
  return ['>', '>=', '<>'].includes(operator) && isKey(lexpr) && isSmall(rexpr);
}

/** SELECT id FROM table [LIMIT n]: a table that is emptied in batches. */
function isWholeTable({ fromClause = [], whereClause }: SelectStmt, table: string): boolean {
  const [from, ...more] = fromClause;
  return !more.length && !!from && 'RangeVar' in from && nameOf(from.RangeVar) === table && isEveryRow(whereClause, table);
}

function isTrue(node: Node): boolean {
  if ('TypeCast' in node && node.TypeCast.arg)
    return isTrue(node.TypeCast.arg) || /^\{"sval":\{"sval":"t(?:rue)?"\}\}$/.test(constant(node.TypeCast.arg) ?? '');
  if ('BooleanTest' in node)
    return node.BooleanTest.booltesttype === 'IS_TRUE' && !!node.BooleanTest.arg && isTrue(node.BooleanTest.arg);
  if ('A_Const' in node) return !!node.A_Const.boolval?.boolval;
  if (!('A_Expr' in node)) return false;
  const { name = [], lexpr, rexpr } = node.A_Expr;
  const values = [constant(lexpr), constant(rexpr)];
  if (values.some((value) => value === undefined)) return false;
  return joined(name) === '=' ? values[0] === values[1] : joined(name) === '<>' && values[0] !== values[1];
}

function isFalse(node: Node): boolean {
  return 'A_Const' in node && !!node.A_Const && 'boolval' in node.A_Const && !node.A_Const.boolval?.boolval;
}

function same(one: Node, other: Node): boolean {
  return isColumn(one) && !JSON.stringify(one).includes(UNKNOWN) && withoutPlaces(one) === withoutPlaces(other);
}

function isSmall(node: Node | undefined): boolean {
  const text = JSON.stringify(node ?? {});
  return (
    !!node &&
    ('A_Const' in node || 'A_Expr' in node) &&
    (/"ival":\{("ival":[01])?\}/.test(text) || text.includes('"fval":"-')) &&
    !text.includes('ColumnRef')
  );
}

/** A column that is never NULL nor below one, by its name. */
function isKey(node: Node | undefined): boolean {
  return !!node && 'ColumnRef' in node && /^(?:.*\.)?(?:\w*id|ctid|uuid|pk|key)$/.test(joined(node.ColumnRef.fields));
}

function isColumn(node: Node | undefined): boolean {
  return !!node && 'ColumnRef' in node;
}

function constant(node: Node | undefined): string | undefined {
  if (!node || !('A_Const' in node)) return undefined;
  return withoutPlaces(node.A_Const);
}

function withoutPlaces(value: unknown): string {
  return JSON.stringify(value, (key, inner) => (key === 'location' ? undefined : inner));
}

/** Whether an expression reads no column: then every row gets the same. */
export function readsNothing(node: Node): boolean {
  return !/"ColumnRef"|"SubLink"/.test(JSON.stringify(node));
}

/** NULL, an empty text, an empty list or document, the default: nothing of what was there is left. */
export function isEmpty(node: Node | undefined): boolean {
  if (!node) return false;
  if ('SetToDefault' in node) return true;
  if ('TypeCast' in node) return isEmpty(node.TypeCast.arg);
  if ('A_ArrayExpr' in node) return !node.A_ArrayExpr.elements?.length;
  if ('FuncCall' in node && joined(node.FuncCall.funcname).toLowerCase() === 'nullif') return false;
  if ('CaseExpr' in node)
    return (
      isEmpty(node.CaseExpr.defresult) &&
      (node.CaseExpr.args ?? []).every((arg) => 'CaseWhen' in arg && isEmpty(arg.CaseWhen.result))
    );
  if (!('A_Const' in node)) return false;
  const { isnull, sval } = node.A_Const;
  return !!isnull || (sval !== undefined && ['', '{}', '[]'].includes(sval.sval ?? ''));
}
