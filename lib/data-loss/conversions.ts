import type { CaseExpr, ColumnDef, Node, TypeCast, TypeName } from 'libpg-query';
import { apply, as, joined, only, type Rules, systemName } from '../sql/nodes';
import { isSameExpression, normalized, readsNoColumn } from './conditions';

/** Functions whose result has only a part of their argument, or nothing of it. */
export const LOSSY_FUNCTIONS: ReadonlySet<string> = new Set([
  'left',
  'right',
  'substr',
  'substring',
  'round',
  'trunc',
  'floor',
  'ceil',
  'ceiling',
  'date_trunc',
  'split_part',
  'md5',
  'sha256',
  'length',
  'char_length',
  'extract',
  'date_part',
  'jsonb_array_length',
  'array_length',
  'cardinality',
  'random',
  'gen_random_uuid',
  'now',
]);

/** Casts to these types truncate a value without an error. */
const TRUNCATING_TYPES = new Set(['date', 'time']);
/** The length that people choose when they expect no limit to matter. */
const GENEROUS_LENGTH = 255;
const FRACTIONAL_TYPES = /^(?:numeric|double precision|real|float)/;
const INTEGER_TYPES = new Set(['int4', 'int8', 'int2']);
/** Texts that mean true or false: a comparison with one of them loses nothing. */
const BOOLEAN_TEXT = /^(?:[01tfyn]|true|false|yes|no|on|off)$/i;
const COMPARISON_OPERATOR = /^(?:=|<>|[<>]=?|!?~~?\*?)$/;

/**
 * Whether a change of type loses data: USING ignores the column or keeps only a part of it, or the cast
 * truncates without an error.
 *
 * @param before the column's current type, if known
 */
export function isLossyConversion({ typeName, raw_default: using }: ColumnDef, before: string | undefined): boolean {
  const type = systemName(typeName?.names);
  if (using && !fitsBefore(using, before) && (readsNoColumn(using) || isLossy(using) || isPredicate(using))) return true;
  // An expression that is more than a cast may keep what the type would lose.
  if (using && !isColumnOrCast(using)) return false;
  // timestamp to date requires no USING.
  if (TRUNCATING_TYPES.has(type)) return before !== type;
  if (INTEGER_TYPES.has(type)) return before !== undefined && FRACTIONAL_TYPES.test(before);
  if (type === 'float4') return before === 'double precision';
  if (/^time(?:stamp)?(?:tz)?$/.test(type))
    return secondDigits(typeName) < (before === undefined ? MAX_SECOND_DIGITS : secondDigitsIn(before));
  if (type === 'numeric' && before?.startsWith('numeric(')) {
    const scale = (text: string) => Number(/,\s*(\d+)/.exec(text)?.[1] ?? 0);
    const [, digits] = typeModifiers(typeName);
    return !!typeName?.typmods?.length && (digits ?? 0) < scale(before);
  }
  return false;
}

/** Whether a column is only cast to lengths that its current type, such as `VARCHAR(100)`, does not exceed: nothing is truncated. */
function fitsBefore(using: Node, before = ''): boolean {
  const limit = Number(/^(?:varchar|character varying|char|character)\((\d+)\)/i.exec(before)?.[1] ?? Number.NaN);
  const casts: number[] = [];
  let node: Node | undefined = using;
  while (node && 'TypeCast' in node) {
    const { typeName, arg }: TypeCast = node.TypeCast;
    const isText = ['text', 'varchar', 'bpchar'].includes(systemName(typeName?.names));
    casts.push(isText ? (typeModifiers(typeName)[0] ?? Number.POSITIVE_INFINITY) : 0);
    node = arg;
  }
  return !!node && 'ColumnRef' in node && casts.every((length) => length >= limit);
}

/** Fractional digits of a second: https://www.postgresql.org/docs/current/datatype-datetime.html */
const MAX_SECOND_DIGITS = 6;

function secondDigits(type: TypeName | undefined): number {
  const [digits] = type?.typmods ?? [];
  return digits && 'A_Const' in digits ? (digits.A_Const.ival?.ival ?? 0) : MAX_SECOND_DIGITS;
}

/** The fractional digits of a second that a type such as `timestamp(3) without time zone` keeps; 0 for a type without a time. */
function secondDigitsIn(type: string): number {
  const [, digits] = /^time(?:stamp)?(?:\((\d)\))?/.exec(type) ?? [undefined, '0'];
  return digits === undefined ? MAX_SECOND_DIGITS : Number(digits);
}

/** A column, or a cast of one. */
export function isColumnOrCast(node: Node | undefined): boolean {
  return !!node && ('ColumnRef' in node || ('TypeCast' in node && isColumnOrCast(node.TypeCast.arg)));
}

/** Whether an assignment to a type may drop a part of the value without an error. */
export function mayTruncate(type: TypeName | undefined): boolean {
  return /^(?:date|time|timetz|int[24]|float4|bool)$/.test(systemName(type?.names));
}

/** The column that a value copies completely, directly or through casts. */
export function copiedColumn(value: Node | undefined): string | undefined {
  if (!value || isLossy(value) || !isColumnOrCast(value)) return undefined;
  return 'TypeCast' in value ? copiedColumn(value.TypeCast.arg) : joined('ColumnRef' in value ? value.ColumnRef.fields : []);
}

function isLossy(node: Node | undefined): boolean {
  return apply(LOSSY_RULES, node) ?? false;
}

const LOSSY_RULES: Rules<boolean> = {
  TypeCast: ({ arg, typeName }) => {
    const type = systemName(typeName?.names);
    // name::varchar(10) truncates, where an assignment would fail.
    const isShort =
      (type === 'varchar' || type === 'bpchar') && (typeModifiers(typeName)[0] ?? GENEROUS_LENGTH) < GENEROUS_LENGTH;
    return isShort || (TRUNCATING_TYPES.has(type) && !!as(arg, 'ColumnRef')) || isLossy(arg);
  },
  FuncCall: ({ funcname, args = [] }) => LOSSY_FUNCTIONS.has(systemName(funcname)) || args.some(isLossy),
  NullTest: () => true,
  A_Indirection: () => true,
  CoalesceExpr: ({ args = [] }) => args.some(isLossy),
  CaseExpr: (node) => {
    const whens = only(node.args, 'CaseWhen');
    const { defresult } = node;
    // CASE WHEN zip ~ '^[0-9]+$' THEN zip::int END: other values become NULL.
    const isTested = whens.some(({ expr }) => isPatternMatch(expr)) || whens.every(({ result }) => !result || isNull(result));
    return caseKeepsOneValue(node) || caseMergesValues(node) || (isTested && (!defresult || isNull(defresult)));
  },
  A_Expr: ({ name, lexpr, rexpr }) => ['->', '->>', '#>>'].includes(joined(name)) || isLossy(lexpr) || isLossy(rexpr),
};

/** The numbers in parentheses of a type: 10 and 2 of `numeric(10, 2)`. */
function typeModifiers(type: TypeName | undefined): readonly number[] {
  return (type?.typmods ?? []).map((node) => as(node, 'A_Const')?.ival?.ival ?? 0);
}

/** CASE WHEN plan = 'gold' THEN 'gold' END: every other value becomes NULL. */
export function caseKeepsOneValue({ args = [], defresult }: CaseExpr): boolean {
  return args.length === 1 && (!defresult || isNull(defresult));
}

/** CASE role WHEN 'owner' THEN 'admin' WHEN 'staff' THEN 'admin' ELSE role END: two values become one, unless both mean true or false. */
export function caseMergesValues({ args = [] }: CaseExpr): boolean {
  const results = args.flatMap((part) => {
    if (!('CaseWhen' in part)) return [];
    const { expr, result } = part.CaseWhen;
    if (!expr || 'NullTest' in expr || isBooleanLike(comparedValue(expr)) || !result || !readsNoColumn(result)) return [];
    // WHEN role IN ('owner', 'staff')
    return isInList(expr) ? [result, result] : [result];
  });
  return results.some((one, index) => results.slice(index + 1).some((other) => isSameExpression(one, other)));
}

/** The boolean column whose values a CASE keeps apart: `CASE WHEN active THEN 'on' WHEN NOT active THEN 'off' ELSE 'unknown' END`. */
export function encodedBoolean({ arg, args = [], defresult }: CaseExpr): string | undefined {
  const whens = args.flatMap((part) => ('CaseWhen' in part ? [part.CaseWhen] : []));
  const tests = whens.map(({ expr }) => testedState(arg ? comparison(arg, expr) : expr));
  const states = new Set(tests.map((one) => one?.state));
  const [column] = tests.map((one) => one?.column);
  if (states.size !== tests.length || states.size < 2 || tests.some((one) => !one || one.column !== column)) return undefined;
  const results = [...whens.map(({ result }) => result), ...(states.size === 2 ? [defresult] : [])];
  const texts = results.map((result) =>
    !result || isNull(result) ? 'null' : readsNoColumn(result) ? normalized(result, []) : undefined,
  );
  return texts.includes(undefined) || new Set(texts).size < texts.length ? undefined : column;
}

function comparison(lexpr: Node, rexpr: Node | undefined): Node {
  return { A_Expr: { kind: 'AEXPR_OP', name: [{ String: { sval: '=' } }], lexpr, ...(rexpr ? { rexpr } : {}) } };
}

/** The boolean column of a test, and the state that it tests for: `active`, `NOT active`, `active = false`, `active IS TRUE`, `active IS NULL`. */
export function testedState(test: Node | undefined): { readonly column: string; readonly state: string } | undefined {
  const of = (node: Node | undefined, state: string) => {
    const column = node && 'ColumnRef' in node ? joined(node.ColumnRef.fields) : undefined;
    return column === undefined ? undefined : { column, state };
  };
  if (!test) return undefined;
  if ('BoolExpr' in test && test.BoolExpr.boolop === 'NOT_EXPR') return of(test.BoolExpr.args?.[0], 'false');
  if ('NullTest' in test && test.NullTest.nulltesttype === 'IS_NULL') return of(test.NullTest.arg, 'null');
  if ('BooleanTest' in test) {
    const state = { IS_TRUE: 'true', IS_FALSE: 'false', IS_UNKNOWN: 'null' }[String(test.BooleanTest.booltesttype)];
    return state === undefined ? undefined : of(test.BooleanTest.arg, state);
  }
  if (!('A_Expr' in test)) return of(test, 'true');
  const { name, lexpr, rexpr } = test.A_Expr;
  const value = rexpr && 'A_Const' in rexpr && 'boolval' in rexpr.A_Const ? !!rexpr.A_Const.boolval?.boolval : undefined;
  return joined(name) === '=' && value !== undefined ? of(lexpr, String(value)) : undefined;
}

function isInList(test: Node): boolean {
  if (!('A_Expr' in test) || test.A_Expr.kind !== 'AEXPR_IN' || joined(test.A_Expr.name) !== '=') return false;
  const { rexpr } = test.A_Expr;
  return !!rexpr && 'List' in rexpr && (rexpr.List.items?.length ?? 0) > 1;
}

function comparedValue(test: Node): Node | undefined {
  return 'A_Expr' in test && COMPARISON_OPERATOR.test(joined(test.A_Expr.name)) ? test.A_Expr.rexpr : test;
}

/** Whether an expression only tests the value, so that two results are left: `state = 'active'`, `CASE WHEN total > 9 THEN 'high' ELSE 'low' END`. */
function isPredicate(node: Node): boolean {
  if ('TypeCast' in node) return !!node.TypeCast.arg && isPredicate(node.TypeCast.arg);
  if ('BoolExpr' in node) return (node.BoolExpr.args ?? []).every(isPredicate);
  if ('CaseExpr' in node) {
    const { arg, args = [], defresult } = node.CaseExpr;
    const [when] = args.flatMap((part) => ('CaseWhen' in part ? [part.CaseWhen] : []));
    if (args.length !== 1 || ![when?.result, defresult].every((result) => result && readsNoColumn(result))) return false;
    return !!when?.expr && (arg ? !isBooleanLike(when.expr) : isPredicate(when.expr));
  }
  if (!('A_Expr' in node)) return false;
  const { kind, name, lexpr, rexpr } = node.A_Expr;
  return kind !== 'AEXPR_NULLIF' && COMPARISON_OPERATOR.test(joined(name)) && ![lexpr, rexpr].some(isBooleanLike);
}

function isBooleanLike(node: Node | undefined): boolean {
  if (node && 'TypeCast' in node) return isBooleanLike(node.TypeCast.arg);
  if (node && 'List' in node) return (node.List.items ?? []).every(isBooleanLike);
  if (!node || !('A_Const' in node)) return false;
  const { sval, ival, boolval } = node.A_Const;
  return !!boolval || BOOLEAN_TEXT.test(sval?.sval ?? String(ival ? (ival.ival ?? 0) : ''));
}

function isPatternMatch(node: Node | undefined): boolean {
  return !!node && 'A_Expr' in node && /^!?~/.test(joined(node.A_Expr.name));
}

function isNull(node: Node): boolean {
  return 'TypeCast' in node && node.TypeCast.arg ? isNull(node.TypeCast.arg) : 'A_Const' in node && !!node.A_Const.isnull;
}
