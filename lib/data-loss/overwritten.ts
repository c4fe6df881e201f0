import type { Node } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { apply, joined, type Rules, systemName } from '../sql/nodes';
import { conjuncts, constantText, isCurrentTime, isEmptyValue, isKey } from './conditions';
import { copiedColumn, mayTruncate } from './conversions';
import { isOwnColumn } from './partial-values';
import type { RevisionState } from './revision-state';

/** The value that is assigned to a column, also in `(email, phone) = ('x', 'y')`. */
export function assignedValue(value: Node | undefined): Node | undefined {
  if (!value || !('MultiAssignRef' in value)) return value;
  const { source, colno = 1 } = value.MultiAssignRef;
  return source && 'RowExpr' in source ? source.RowExpr.args?.[colno - 1] : value;
}

/**
 * Whether a value is unrelated to the one that it replaces: a constant, a random value, the current time, or a value built from the row's
 * key, such as `'user' || id`. A value computed from other columns is derived data: it can be computed again.
 *
 * @param names the table and its aliases
 */
export function isUnrelatedValue(
  value: Node | undefined,
  column: string,
  names: readonly string[],
  where: Node | undefined,
): boolean {
  if (!value || (isCurrentTime(value) && CHANGE_TIMESTAMP.test(column))) return false;
  const reads = columnsRead(value, column, !!where);
  return !!reads?.every((node) => isKey(node, names) && columnNameOf(node) !== column);
}

/**
 * Whether another column's value replaces the old one: `email = name`, `slug = lower(name)`. A value from several columns, a query or
 * arithmetic is probably derived data: it can be computed again.
 *
 * @param names the table and its aliases
 */
export function takesOtherColumn(value: Node | undefined, column: string, names: readonly string[]): boolean {
  if (!value || (isCurrentTime(value) && CHANGE_TIMESTAMP.test(column))) return false;
  const reads = new Map<string, Node>();
  let isComputed = JSON.stringify(value).includes(UNKNOWN);
  JSON.stringify(value, (key, inner) => {
    if (key === 'SubLink' || (key === 'A_Expr' && ARITHMETIC_OPERATOR.test(joined(inner.name)))) isComputed = true;
    if (key === 'FuncCall' && /tsvector$/.test(joined(inner.funcname))) isComputed = true;
    if (key === 'ColumnRef') reads.set(joined(inner.fields), { ColumnRef: inner });
    return inner;
  });
  return !isComputed && reads.size === 1 && [...reads.values()].every((node) => !isOwnColumn(node, column, names));
}

export const ARITHMETIC_OPERATOR = /^[-+*/%]$/;

/** The time of a row's last change. */
const CHANGE_TIMESTAMP = /updated|modified|changed|touched/;

/**
 * The columns that a value reads, except in a test whether `column` is NULL. Undefined if it runs a query or has an unknown part.
 *
 * @param byRow whether a parameter may have another value for each row
 */
function columnsRead(value: Node, column: string, byRow: boolean): readonly Node[] | undefined {
  const found: Node[] = [];
  let isKnown = true;
  JSON.stringify(value, (key, inner) => {
    if (key === 'SubLink' || (key === 'ParamRef' && byRow)) isKnown = false;
    if (key === 'FuncCall' && joined(inner.funcname).startsWith(UNKNOWN)) isKnown = false;
    if (key === 'NullTest' && columnNameOf(inner.arg) === column) return undefined;
    if (key === 'ColumnRef') found.push({ ColumnRef: inner });
    return inner;
  });
  return isKnown && !JSON.stringify(found).includes(UNKNOWN) ? found : undefined;
}

function columnNameOf(node: Node | undefined): string | undefined {
  return node && 'ColumnRef' in node ? joined(node.ColumnRef.fields).split('.').at(-1) : undefined;
}

/** Whether a value contains all of a column's: `SET lat = lng, lng = lat`, `SET note = concat(note, status), status = 'done'`. */
export function carriesColumn(value: Node | undefined, column: string, names: readonly string[]): boolean {
  if (copiedColumn(value) !== undefined) return isOwnColumn(value, column, names);
  return carryingParts(value).some((part) => carriesColumn(part, column, names));
}

function carryingParts(value: Node | undefined): readonly Node[] {
  return apply(CARRYING_RULES, value) ?? [];
}

const CARRYING_RULES: Rules<readonly Node[]> = {
  TypeCast: ({ typeName, arg }) => (arg && !mayTruncate(typeName) ? [arg] : []),
  // NULL || 'text' is NULL.
  A_Expr: ({ name, lexpr, rexpr }) =>
    joined(name) === '||'
      ? [...(isNeverNull(lexpr) && rexpr ? [rexpr] : []), ...(isNeverNull(rexpr) && lexpr ? [lexpr] : [])]
      : [],
  FuncCall: ({ funcname, args = [] }) => (CARRYING_FUNCTION.test(systemName(funcname)) ? args : []),
  CoalesceExpr: ({ args: [first] = [] }) => (first ? [first] : []),
};

const CARRYING_FUNCTION = /^(?:concat(?:_ws)?|format|to_jsonb?|jsonb?_build_(?:array|object)|jsonb_set|array_append)$/;

function isNeverNull(value: Node | undefined): boolean {
  return apply(NEVER_NULL_RULES, value) ?? false;
}

const NEVER_NULL_RULES: Rules<boolean> = {
  A_Const: ({ isnull }) => !isnull,
  TypeCast: ({ arg }) => isNeverNull(arg),
  CoalesceExpr: ({ args = [] }) => args.some(isNeverNull),
  A_Expr: ({ name, lexpr, rexpr }) => joined(name) === '||' && isNeverNull(lexpr) && isNeverNull(rexpr),
  FuncCall: ({ funcname }) => /^concat(?:_ws)?$/.test(systemName(funcname)),
};

/** Whether a constant is the value that the rows have: `SET reason = 'lost', status = 'done' WHERE status = 'lost'`. */
export function isOldValue(value: Node | undefined, where: Node | undefined, column: string, names: readonly string[]): boolean {
  const [selected, ...more] = conjuncts(where).flatMap((part) => selectedValues(part, column, names) ?? []);
  return selected !== undefined && !more.length && constantBehindCast(value) === selected;
}

/**
 * Whether an UPDATE, or several of a revision together, give rows with different values the same one: `SET role = 'user' WHERE role IN
 * ('editor', 'viewer')`.
 *
 * @param names the table and its aliases
 */
export function updateMergesValues(
  where: Node | undefined,
  column: string,
  value: Node | undefined,
  names: readonly string[],
  state: RevisionState,
): boolean {
  const to = constantBehindCast(value);
  const from = to === undefined ? undefined : selectedValues(where, column, names);
  if (!from || to === undefined) return false;
  const of = `${names[0]}.${column}`;
  // No row has these values anymore.
  for (const one of from) state.mergedValues.delete(`${of} ${one}`);
  const sources = new Set([...(state.mergedValues.get(`${of} ${to}`) ?? []), ...from.filter((one) => one !== to)]);
  // The column's current type has the new label, so other rows may have it.
  if (state.replacedEnumColumns.has(of) && !state.addedEnumLabels.has(to)) sources.add(to);
  state.mergedValues.set(`${of} ${to}`, sources);
  return sources.size > 1;
}

/** The values of a column for which a condition is true; undefined if the condition is true for others or tests anything else. */
function selectedValues(where: Node | undefined, column: string, names: readonly string[]): readonly string[] | undefined {
  if (!where) return undefined;
  if ('BoolExpr' in where) {
    const parts = (where.BoolExpr.args ?? []).map((part) => selectedValues(part, column, names));
    return where.BoolExpr.boolop === 'OR_EXPR' && !parts.includes(undefined) ? parts.flatMap((part) => part ?? []) : undefined;
  }
  if (!('A_Expr' in where)) return undefined;
  const { kind, name, lexpr, rexpr } = where.A_Expr;
  if (joined(name) !== '=' || !isOwnColumn(lexpr, column, names)) return undefined;
  const items = kind === 'AEXPR_OP' ? [rexpr] : listItems(rexpr);
  // An empty value holds no information.
  const values = items.filter((one) => !isEmptyValue(one)).map(constantBehindCast);
  return values.length && !values.includes(undefined) ? values.map((one) => one ?? '') : undefined;
}

/** IN ('a', 'b'), = ANY (ARRAY['a', 'b']) */
export function listItems(node: Node | undefined): readonly Node[] {
  if (!node) return [];
  if ('TypeCast' in node) return listItems(node.TypeCast.arg);
  if ('List' in node) return node.List.items ?? [];
  return 'A_ArrayExpr' in node ? (node.A_ArrayExpr.elements ?? []) : [];
}

function constantBehindCast(node: Node | undefined): string | undefined {
  return node && 'TypeCast' in node ? constantBehindCast(node.TypeCast.arg) : constantText(node);
}
