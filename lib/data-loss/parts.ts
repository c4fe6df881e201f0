import type { Node } from 'libpg-query';
import { CUTS } from './conversions';
import { joined } from './made';

/** Functions that return their argument without an element. */
const REMOVES = new Set(['array_remove', 'delete']);

/** A key of a document. A text that starts with a digit or a sign is an interval. */
const KEY = /^[A-Za-z_][\w.:-]*$/;

/**
 * Whether an UPDATE keeps only a part of the column's own value: `settings - 'theme'`, `meta #- '{a,b}'`, `left(title, 80)`,
 * `array_remove(tags, 'old')`, `delete(attributes, 'old')` of an hstore.
 *
 * @param names the table and its aliases
 */
export function isPartOf(value: Node | undefined, column: string, names: readonly string[]): boolean {
  if (!value) return false;
  const isOwn = (node: Node | undefined): boolean => isOwnColumn(node, column, names);
  if ('TypeCast' in value) return isPartOf(value.TypeCast.arg, column, names);
  if ('FuncCall' in value) {
    const { funcname, args = [] } = value.FuncCall;
    const name = joined(funcname).replace(/^pg_catalog\./, '');
    if (CUTS.has(name) || REMOVES.has(name)) return args.some(isOwn);
    return args.length === 1 && isPartOf(args[0], column, names);
  }
  if (!('A_Expr' in value)) return false;
  const { name, lexpr, rexpr } = value.A_Expr;
  if (!isOwn(lexpr) && !isPartOf(lexpr, column, names)) return false;
  return joined(name) === '#-' || (joined(name) === '-' && isKeys(rexpr));
}

/** Whether WHERE selects the rows that have a key, such as `settings ? 'theme'`: each of them loses it. */
export function hasKey(where: Node | undefined, column: string, names: readonly string[]): boolean {
  if (!where || !('A_Expr' in where)) return false;
  return ['?', '?|', '?&'].includes(joined(where.A_Expr.name)) && isOwnColumn(where.A_Expr.lexpr, column, names);
}

function isOwnColumn(node: Node | undefined, column: string, names: readonly string[]): boolean {
  if (node && 'TypeCast' in node) return isOwnColumn(node.TypeCast.arg, column, names);
  if (!node || !('ColumnRef' in node)) return false;
  const fields = joined(node.ColumnRef.fields);
  const dot = fields.lastIndexOf('.');
  return fields.slice(dot + 1) === column && (dot < 0 || names.includes(fields.slice(0, dot)));
}

function isKeys(node: Node | undefined): boolean {
  if (!node) return false;
  if ('TypeCast' in node) return isKeys(node.TypeCast.arg);
  if ('A_ArrayExpr' in node) return (node.A_ArrayExpr.elements ?? []).every(isKeys);
  return 'A_Const' in node && KEY.test(node.A_Const.sval?.sval ?? '');
}
