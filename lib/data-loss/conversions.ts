import type { CaseExpr, ColumnDef, Node, TypeName } from 'libpg-query';
import { apply, as, joined, only, type Rules, systemName } from '../sql/nodes';
import { isAlike, readsNothing, written } from './conditions';

/** Functions that return only a part of their argument, or nothing of it. */
export const CUTS: ReadonlySet<string> = new Set([
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
const CUTTING = new Set(['date', 'time']);
/** A length that people choose when they expect no limit. */
const ROOMY = 255;
const FRACTIONAL = /^(?:numeric|double precision|real|float)/;
const WHOLE = new Set(['int4', 'int8', 'int2']);
/** Values that mean true or false: a comparison with one of them loses nothing. */
const FLAG = /^(?:[01tfyn]|true|false|yes|no|on|off)$/i;
const COMPARES = /^(?:=|<>|[<>]=?|!?~~?\*?)$/;

/**
 * Whether a column's values lose data when its type changes: USING ignores the column or keeps only a part of it, or the cast
 * truncates without an error.
 *
 * @param before the column's current type, if known
 */
export function convertsLossily({ typeName, raw_default: using }: ColumnDef, before: string | undefined): boolean {
  const type = systemName(typeName?.names);
  if (using && (readsNothing(using) || cuts(using) || asks(using))) return true;
  // Any other expression than a cast may keep what the type would lose.
  if (using && !isCast(using)) return false;
  // timestamp to date requires no USING.
  if (CUTTING.has(type)) return before !== type;
  if (WHOLE.has(type)) return before !== undefined && FRACTIONAL.test(before);
  if (type === 'float4') return before === 'double precision';
  if (/^time(?:stamp)?(?:tz)?$/.test(type)) return digitsOf(typeName) < (before === undefined ? PRECISE : precisionOf(before));
  if (type === 'numeric' && before?.startsWith('numeric(')) {
    const scale = (text: string) => Number(/,\s*(\d+)/.exec(text)?.[1] ?? 0);
    const [, digits] = sizesOf(typeName);
    return !!typeName?.typmods?.length && (digits ?? 0) < scale(before);
  }
  return false;
}

/** Digits of a second. https://www.postgresql.org/docs/current/datatype-datetime.html */
const PRECISE = 6;

function digitsOf(type: TypeName | undefined): number {
  const [digits] = type?.typmods ?? [];
  return digits && 'A_Const' in digits ? (digits.A_Const.ival?.ival ?? 0) : PRECISE;
}

/** Of a type such as `timestamp(3) without time zone`; 0 for one without a time. */
function precisionOf(type: string): number {
  const [, digits] = /^time(?:stamp)?(?:\((\d)\))?/.exec(type) ?? [undefined, '0'];
  return digits === undefined ? PRECISE : Number(digits);
}

/** The column, or casts of it alone. */
function isCast(node: Node): boolean {
  return 'ColumnRef' in node || ('TypeCast' in node && !!node.TypeCast.arg && isCast(node.TypeCast.arg));
}

/** Whether assigning to a type drops a part of a value without an error. */
export function cutsOff(type: TypeName | undefined): boolean {
  return /^(?:date|time|timetz|int[24]|float4|bool)$/.test(systemName(type?.names));
}

/** The column that a value has all of, also after casts. */
export function copiedColumn(value: Node | undefined): string | undefined {
  if (!value || cuts(value) || !isCast(value)) return undefined;
  return 'TypeCast' in value ? copiedColumn(value.TypeCast.arg) : joined('ColumnRef' in value ? value.ColumnRef.fields : []);
}

function cuts(node: Node | undefined): boolean {
  return apply(CUTTERS, node) ?? false;
}

const CUTTERS: Rules<boolean> = {
  TypeCast: ({ arg, typeName }) => {
    const type = systemName(typeName?.names);
    // name::varchar(10) truncates, where an assignment would fail.
    const isShort = (type === 'varchar' || type === 'bpchar') && (sizesOf(typeName)[0] ?? ROOMY) < ROOMY;
    return isShort || (CUTTING.has(type) && !!as(arg, 'ColumnRef')) || cuts(arg);
  },
  FuncCall: ({ funcname, args = [] }) => CUTS.has(systemName(funcname)) || args.some(cuts),
  NullTest: () => true,
  A_Indirection: () => true,
  CoalesceExpr: ({ args = [] }) => args.some(cuts),
  CaseExpr: (node) => {
    const whens = only(node.args, 'CaseWhen');
    const { defresult } = node;
    // CASE WHEN zip ~ '^[0-9]+$' THEN zip::int END: other values become NULL.
    const isTested = whens.some(({ expr }) => isPattern(expr)) || whens.every(({ result }) => !result || isNull(result));
    return isPartial(node) || isMerged(node) || (isTested && (!defresult || isNull(defresult)));
  },
  A_Expr: ({ name, lexpr, rexpr }) => ['->', '->>', '#>>'].includes(joined(name)) || cuts(lexpr) || cuts(rexpr),
};

/** The numbers of a type: `numeric(10, 2)`. */
function sizesOf(type: TypeName | undefined): readonly number[] {
  return (type?.typmods ?? []).map((node) => as(node, 'A_Const')?.ival?.ival ?? 0);
}

/** CASE WHEN plan = 'gold' THEN 'gold' END: every other value becomes NULL. */
export function isPartial({ args = [], defresult }: CaseExpr): boolean {
  return args.length === 1 && (!defresult || isNull(defresult));
}

/** CASE role WHEN 'owner' THEN 'admin' WHEN 'staff' THEN 'admin' ELSE role END: two values become one, unless both mean true or false. */
export function isMerged({ args = [] }: CaseExpr): boolean {
  const results = args.flatMap((part) => {
    if (!('CaseWhen' in part)) return [];
    const { expr, result } = part.CaseWhen;
    if (!expr || 'NullTest' in expr || isFlag(comparedWith(expr)) || !result || !readsNothing(result)) return [];
    // WHEN role IN ('owner', 'staff')
    return isListed(expr) ? [result, result] : [result];
  });
  return results.some((one, index) => results.slice(index + 1).some((other) => isAlike(one, other)));
}

/** The column of which a CASE tells true, false and NULL apart: `CASE WHEN active THEN 'on' WHEN NOT active THEN 'off' ELSE 'unknown' END`. */
export function tellsBoolean({ arg, args = [], defresult }: CaseExpr): string | undefined {
  const whens = args.flatMap((part) => ('CaseWhen' in part ? [part.CaseWhen] : []));
  const asked = whens.map(({ expr }) => askedOf(arg ? comparison(arg, expr) : expr));
  const states = new Set(asked.map((one) => one?.state));
  const [column] = asked.map((one) => one?.column);
  if (states.size !== asked.length || states.size < 2 || asked.some((one) => !one || one.column !== column)) return undefined;
  const results = [...whens.map(({ result }) => result), ...(states.size === 2 ? [defresult] : [])];
  const texts = results.map((result) =>
    !result || isNull(result) ? 'null' : readsNothing(result) ? written(result, []) : undefined,
  );
  return texts.includes(undefined) || new Set(texts).size < texts.length ? undefined : column;
}

function comparison(lexpr: Node, rexpr: Node | undefined): Node {
  return { A_Expr: { kind: 'AEXPR_OP', name: [{ String: { sval: '=' } }], lexpr, ...(rexpr ? { rexpr } : {}) } };
}

/** The boolean column that a test asks for a state: `active`, `NOT active`, `active = false`, `active IS TRUE`, `active IS NULL`. */
function askedOf(test: Node | undefined): { readonly column: string; readonly state: string } | undefined {
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

function isListed(test: Node): boolean {
  if (!('A_Expr' in test) || test.A_Expr.kind !== 'AEXPR_IN' || joined(test.A_Expr.name) !== '=') return false;
  const { rexpr } = test.A_Expr;
  return !!rexpr && 'List' in rexpr && (rexpr.List.items?.length ?? 0) > 1;
}

function comparedWith(test: Node): Node | undefined {
  return 'A_Expr' in test && COMPARES.test(joined(test.A_Expr.name)) ? test.A_Expr.rexpr : test;
}

/** Whether an expression only says whether the column has one value: `state = 'active'`, `CASE WHEN total > 9 THEN 'high' ELSE 'low' END`. */
function asks(node: Node): boolean {
  if ('TypeCast' in node) return !!node.TypeCast.arg && asks(node.TypeCast.arg);
  if ('BoolExpr' in node) return (node.BoolExpr.args ?? []).every(asks);
  if ('CaseExpr' in node) {
    const { arg, args = [], defresult } = node.CaseExpr;
    const [when] = args.flatMap((part) => ('CaseWhen' in part ? [part.CaseWhen] : []));
    if (args.length !== 1 || ![when?.result, defresult].every((result) => result && readsNothing(result))) return false;
    return !!when?.expr && (arg ? !isFlag(when.expr) : asks(when.expr));
  }
  if (!('A_Expr' in node)) return false;
  const { kind, name, lexpr, rexpr } = node.A_Expr;
  return kind !== 'AEXPR_NULLIF' && COMPARES.test(joined(name)) && ![lexpr, rexpr].some(isFlag);
}

function isFlag(node: Node | undefined): boolean {
  if (node && 'TypeCast' in node) return isFlag(node.TypeCast.arg);
  if (node && 'List' in node) return (node.List.items ?? []).every(isFlag);
  if (!node || !('A_Const' in node)) return false;
  const { sval, ival, boolval } = node.A_Const;
  return !!boolval || FLAG.test(sval?.sval ?? String(ival ? (ival.ival ?? 0) : ''));
}

function isPattern(node: Node | undefined): boolean {
  return !!node && 'A_Expr' in node && /^!?~/.test(joined(node.A_Expr.name));
}

function isNull(node: Node): boolean {
  return 'TypeCast' in node && node.TypeCast.arg ? isNull(node.TypeCast.arg) : 'A_Const' in node && !!node.A_Const.isnull;
}
