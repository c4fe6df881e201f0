import type { Node } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { joined } from '../sql/nodes';
import { constant, isEmpty, isKey, isNow } from './conditions';
import type { Created } from './created';
import { isOwnColumn } from './parts';

/** The value that a column gets; of `(email, phone) = ('x', 'y')` its own. */
export function assigned(value: Node | undefined): Node | undefined {
  if (!value || !('MultiAssignRef' in value)) return value;
  const { source, colno = 1 } = value.MultiAssignRef;
  return source && 'RowExpr' in source ? source.RowExpr.args?.[colno - 1] : value;
}

/**
 * Whether a value has nothing to do with the one that it replaces: a constant, a random or a current value, or one made of the row's
 * key, such as `'user' || id`. One that is made of other columns is derived from them, and may be computed again.
 *
 * @param names the table and its aliases
 */
export function isUnrelated(value: Node | undefined, column: string, names: readonly string[], where: Node | undefined): boolean {
  if (!value || (isNow(value) && CHANGED.test(column))) return false;
  const reads = readsOf(value, column, !!where);
  return !!reads?.every((node) => isKey(node, names) && nameIn(node) !== column);
}

/**
 * Whether another column's value replaces the old one: `email = name`, `slug = lower(name)`. What several columns or a query make, or what
 * is calculated, was probably computed before, and may be computed again.
 *
 * @param names the table and its aliases
 */
export function isReplaced(value: Node | undefined, column: string, names: readonly string[]): boolean {
  if (!value || (isNow(value) && CHANGED.test(column))) return false;
  const reads = new Map<string, Node>();
  let isComputed = JSON.stringify(value).includes(UNKNOWN);
  JSON.stringify(value, (key, inner) => {
    if (key === 'SubLink' || (key === 'A_Expr' && COMPUTES.test(joined(inner.name)))) isComputed = true;
    if (key === 'FuncCall' && /tsvector$/.test(joined(inner.funcname))) isComputed = true;
    if (key === 'ColumnRef') reads.set(joined(inner.fields), { ColumnRef: inner });
    return inner;
  });
  return !isComputed && reads.size === 1 && [...reads.values()].every((node) => !isOwnColumn(node, column, names));
}

const COMPUTES = /^[-+*/%]$/;

/** The time of a row's last change. */
const CHANGED = /updated|modified|changed|touched/;

/**
 * The columns that a value is made of, without a test whether `column` is NULL. Undefined if it runs a query or has an unknown part.
 *
 * @param byRow whether a parameter may have another value for each row
 */
function readsOf(value: Node, column: string, byRow: boolean): readonly Node[] | undefined {
  const found: Node[] = [];
  let isKnown = true;
  JSON.stringify(value, (key, inner) => {
    if (key === 'SubLink' || (key === 'ParamRef' && byRow)) isKnown = false;
    if (key === 'FuncCall' && joined(inner.funcname).startsWith(UNKNOWN)) isKnown = false;
    if (key === 'NullTest' && nameIn(inner.arg) === column) return undefined;
    if (key === 'ColumnRef') found.push({ ColumnRef: inner });
    return inner;
  });
  return isKnown && !JSON.stringify(found).includes(UNKNOWN) ? found : undefined;
}

function nameIn(node: Node | undefined): string | undefined {
  return node && 'ColumnRef' in node ? joined(node.ColumnRef.fields).split('.').at(-1) : undefined;
}

/**
 * Whether an UPDATE, or several of a revision together, give rows with different values the same one: `SET role = 'user' WHERE role IN
 * ('editor', 'viewer')`.
 *
 * @param names the table and its aliases
 */
export function folds(
  where: Node | undefined,
  column: string,
  value: Node | undefined,
  names: readonly string[],
  made: Created,
): boolean {
  const to = constantOf(value);
  const from = to === undefined ? undefined : valuesIn(where, column, names);
  if (!from || to === undefined) return false;
  const of = `${names[0]}.${column}`;
  // Rows that had these values before have others from now on.
  for (const one of from) made.given.delete(`${of} ${one}`);
  const sources = new Set([...(made.given.get(`${of} ${to}`) ?? []), ...from.filter((one) => one !== to)]);
  // The type that the column still has knows the new value, so other rows may have it.
  if (made.enums.has(of) && !made.labels.has(to)) sources.add(to);
  made.given.set(`${of} ${to}`, sources);
  return sources.size > 1;
}

/** The values of a column for which a condition is true; undefined if it is true for others too, or tests anything else. */
function valuesIn(where: Node | undefined, column: string, names: readonly string[]): readonly string[] | undefined {
  if (!where) return undefined;
  if ('BoolExpr' in where) {
    const parts = (where.BoolExpr.args ?? []).map((part) => valuesIn(part, column, names));
    return where.BoolExpr.boolop === 'OR_EXPR' && !parts.includes(undefined) ? parts.flatMap((part) => part ?? []) : undefined;
  }
  if (!('A_Expr' in where)) return undefined;
  const { kind, name, lexpr, rexpr } = where.A_Expr;
  if (joined(name) !== '=' || !isOwnColumn(lexpr, column, names)) return undefined;
  const listed = kind === 'AEXPR_OP' ? [rexpr] : elements(rexpr);
  // No value is no information.
  const values = listed.filter((one) => !isEmpty(one)).map(constantOf);
  return values.length && !values.includes(undefined) ? values.map((one) => one ?? '') : undefined;
}

/** IN ('a', 'b'), = ANY (ARRAY['a', 'b']) */
function elements(node: Node | undefined): readonly Node[] {
  if (!node) return [];
  if ('TypeCast' in node) return elements(node.TypeCast.arg);
  if ('List' in node) return node.List.items ?? [];
  return 'A_ArrayExpr' in node ? (node.A_ArrayExpr.elements ?? []) : [];
}

function constantOf(node: Node | undefined): string | undefined {
  return node && 'TypeCast' in node ? constantOf(node.TypeCast.arg) : constant(node);
}
