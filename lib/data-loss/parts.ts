import type { CaseExpr, Node } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { apply, as, joined, type Rules, systemName } from '../sql/nodes';
import { isEmpty, readsNothing } from './conditions';
import { CUTS, cutsOff, isMerged, isPartial } from './conversions';

/** A pattern that matches every character, or all of them. */
const ANYTHING = /^\^?(?:\.|\.\*|\.\+|\\S|\\w)\$?$/;

/** A key of a document. A text that starts with a digit or a sign is an interval. */
const KEY = /^[A-Za-z_][\w.:-]*$/;

/**
 * Whether an UPDATE keeps only a part of the column's own value: `settings - 'theme'`, `meta #- '{a,b}'`, `left(title, 80)`,
 * `array_remove(tags, 'old')`, `delete(attributes, 'old')` of an hstore, `md5(email) || '@example.com'`.
 *
 * @param names the table and its aliases
 */
export function isPartOf(value: Node | undefined, column: string, names: readonly string[]): boolean {
  const reads = value ? readsOf(value, column, names) : [];
  if (!reads.length || reads.includes('whole')) return false;
  return reads.length === 1 || !reads.includes('slice');
}

type Read = 'whole' | 'slice' | 'part';

/** How much of the column's own value each place of an expression reads. */
function readsOf(node: unknown, column: string, names: readonly string[]): readonly Read[] {
  if (!node || typeof node !== 'object') return [];
  const one = node as Node;
  if ('ColumnRef' in one) return isOwnColumn(one, column, names) ? ['whole'] : [];
  if ('NullTest' in one && isOwnColumn(one.NullTest.arg, column, names)) return [];
  const cut = apply(CUTS_BY_KIND, one);
  if (cut && readsOf(cut.of, column, names).length) return [cut.read];
  return Object.values(node).flatMap((inner) => readsOf(inner, column, names));
}

/** What an expression takes a part of. Two slices may put the whole together again: left(name, 1) || '-' || substr(name, 2). */
interface Cut {
  readonly of: unknown;
  readonly read: 'slice' | 'part';
}

const slice = (of: unknown): Cut => ({ of, read: 'slice' });
const part = (of: unknown): Cut => ({ of, read: 'part' });
const partIf = (takes: boolean, of: unknown): Cut | undefined => (takes ? part(of) : undefined);

const CUTS_BY_KIND: Rules<Cut | undefined> = {
  FuncCall: ({ funcname, args = [] }) => CUTS_BY_FUNCTION.get(systemName(funcname))?.(args),
  // CASE state WHEN 'a' THEN 'b' END: other values become NULL.
  CaseExpr: (node) => partIf(isPartial(node) || isMerged(node) || isTwofold(node), node),
  // seen_at::date; a cast may also follow a calculation.
  TypeCast: ({ typeName, arg }) => partIf(cutsOff(typeName) && isPlain(arg), arg),
  // GREATEST(stock, 0)
  MinMaxExpr: ({ args }) => part(args),
  // ARRAY (SELECT DISTINCT tag FROM unnest(tags) AS tag ORDER BY tag)
  SubLink: ({ subselect }) => partIf(selectsSome(subselect), subselect),
  // tags[1:3], (address).street
  A_Indirection: ({ arg }) => slice(arg),
  A_Expr: ({ name, lexpr, rexpr }) => CUTS_BY_OPERATOR[joined(name)]?.(lexpr, rexpr),
};

const CUTS_BY_OPERATOR: Readonly<Record<string, (left: Node | undefined, right: Node | undefined) => Cut | undefined>> = {
  '->': slice,
  '->>': slice,
  '#>': slice,
  '#>>': slice,
  '#-': part,
  '-': (left, right) => partIf(isKeys(right), left),
  '%': (left) => partIf(isPlain(left), left),
};

type CutsArguments = (args: readonly Node[]) => Cut | undefined;

const CUTS_BY_FUNCTION: ReadonlyMap<string, CutsArguments> = new Map([
  // What Python makes of the value.
  ...same(part, UNKNOWN),
  ...same(part, ...CUTS),
  // Without an element, a sign or accents, with a part of it replaced, or only its hash.
  ...same(part, 'array_remove', 'delete', 'overlay', 'digest', 'sha224', 'sha384', 'sha512', 'hashtext', 'abs', 'sign', 'mod'),
  ...same(part, 'unaccent'),
  ...same(slice, 'left', 'right', 'substr', 'substring', 'split_part'),
  // A calculation needs these: round(price * 1.2, 2).
  ...same(([number]) => partIf(isPlain(number), number), 'round', 'trunc', 'floor', 'ceil', 'ceiling'),
  // lower(email) of a column, or of one that is trimmed. An initial is a slice: upper(left(name, 1)).
  ...same(([text]) => partIf(isTrimmed(text), text), 'lower', 'upper', 'initcap'),
  // replace(phone, ' ', '')
  ...same(([text, , to]) => partIf(isEmpty(to), text), 'replace', 'translate'),
  ...same(([text, pattern, to]) => partIf(isEmpty(to) || replacesAll(pattern, to), text), 'regexp_replace'),
]);

function same(cuts: CutsArguments, ...names: readonly string[]): readonly (readonly [string, CutsArguments])[] {
  return names.map((name) => [name, cuts]);
}

/** Whether a replacement without a group takes the place of every character. */
function replacesAll(pattern: Node | undefined, to: Node | undefined): boolean {
  return !!to && ANYTHING.test(as(pattern, 'A_Const')?.sval?.sval ?? '') && !/\\\\[&\d]/.test(JSON.stringify(to));
}

/** Whether a query returns not all elements of what it unnests, or in another order. */
function selectsSome(select: Node | undefined): boolean {
  if (!select || !('SelectStmt' in select)) return false;
  const { fromClause = [], whereClause, distinctClause, sortClause } = select.SelectStmt;
  const [from, ...more] = fromClause;
  if (!from || more.length || !('RangeFunction' in from)) return false;
  return !!(whereClause || distinctClause || (sortClause && !from.RangeFunction.ordinality));
}

/** CASE WHEN role = 'owner' THEN 'admin' ELSE 'user' END: all other values become one. */
function isTwofold({ args = [], defresult }: CaseExpr): boolean {
  const [only] = args.map((arg) => ('CaseWhen' in arg ? arg.CaseWhen.result : undefined));
  return args.length === 1 && [only, defresult].every((result) => result && readsNothing(result));
}

function isTrimmed(node: Node | undefined): boolean {
  if (!node || !('FuncCall' in node)) return isPlain(node);
  const name = systemName(node.FuncCall.funcname);
  return ['trim', 'btrim', 'ltrim', 'rtrim'].includes(name) && isPlain(node.FuncCall.args?.[0]);
}

/** A column, or a cast of one. */
function isPlain(node: Node | undefined): boolean {
  return !!node && ('ColumnRef' in node || ('TypeCast' in node && isPlain(node.TypeCast.arg)));
}

export function isOwnColumn(node: Node | undefined, column: string, names: readonly string[]): boolean {
  if (node && 'TypeCast' in node) return isOwnColumn(node.TypeCast.arg, column, names);
  if (!node || !('ColumnRef' in node)) return false;
  const fields = joined(node.ColumnRef.fields);
  const dot = fields.lastIndexOf('.');
  return fields.slice(dot + 1) === column && (dot < 0 || names.includes(fields.slice(0, dot)));
}

/** The keys that a value leaves out of the column's document: `settings - 'theme'`. */
export function removedKeys(value: Node | undefined, column: string): readonly string[] {
  if (!value || !('A_Expr' in value) || joined(value.A_Expr.name) !== '-') return [];
  const { lexpr, rexpr } = value.A_Expr;
  const isOwn = !!lexpr && 'ColumnRef' in lexpr && joined(lexpr.ColumnRef.fields).split('.').at(-1) === column;
  return isOwn && isKeys(rexpr) ? keysIn(rexpr) : [];
}

function keysIn(node: Node | undefined): readonly string[] {
  if (!node) return [];
  if ('TypeCast' in node) return keysIn(node.TypeCast.arg);
  if ('A_ArrayExpr' in node) return (node.A_ArrayExpr.elements ?? []).flatMap(keysIn);
  return 'A_Const' in node && node.A_Const.sval?.sval ? [node.A_Const.sval.sval] : [];
}

function isKeys(node: Node | undefined): boolean {
  if (!node) return false;
  if ('TypeCast' in node) return isKeys(node.TypeCast.arg);
  if ('A_ArrayExpr' in node) return (node.A_ArrayExpr.elements ?? []).every(isKeys);
  return 'A_Const' in node && KEY.test(node.A_Const.sval?.sval ?? '');
}
