import type { CaseExpr, Node } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { isEmpty, readsNothing } from './conditions';
import { CUTS, cutsOff, isMerged, isPartial } from './conversions';
import { joined } from './made';

/** Functions that return their argument without an element, a sign or accents, with a part of it replaced, or only its hash. */
const REMOVES = new Set('array_remove delete overlay digest sha224 sha384 sha512 hashtext abs sign mod unaccent'.split(' '));
/** Functions of which two may put the whole together again: left(name, 1) || '-' || substr(name, 2). */
const SLICES = new Set(['left', 'right', 'substr', 'substring', 'split_part']);
/** Functions that make different texts the same. */
const FOLDS = new Set(['lower', 'upper', 'initcap']);
/** Functions that remove what they find if they put nothing in its place. */
const REPLACES = new Set(['replace', 'regexp_replace', 'translate']);
/** Functions that round a number, which a calculation needs: round(price * 1.2, 2). */
const ROUNDS = new Set(['round', 'trunc', 'floor', 'ceil', 'ceiling']);
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
  const inner = (one: unknown) => readsOf(one, column, names);
  const one = node as Node;
  if ('ColumnRef' in one) return isOwnColumn(one, column, names) ? ['whole'] : [];
  if ('NullTest' in one && isOwnColumn(one.NullTest.arg, column, names)) return [];
  const read = cutOf(one);
  if (read) {
    const [of, kind] = read;
    const found = inner(of);
    if (found.length) return [kind];
  }
  return Object.values(node).flatMap(inner);
}

/** What an expression takes a part of, if it does so. */
function cutOf(node: Node): readonly [of: unknown, kind: Read] | undefined {
  if ('FuncCall' in node) {
    const { funcname, args = [] } = node.FuncCall;
    const name = joined(funcname).replace(/^pg_catalog\./, '');
    // What Python makes of the value.
    if (name === UNKNOWN) return [args, 'part'];
    if (SLICES.has(name)) return [args, 'slice'];
    if (ROUNDS.has(name)) return [isPlain(args[0]) ? args[0] : undefined, 'part'];
    if (CUTS.has(name) || REMOVES.has(name)) return [args, 'part'];
    const [text, pattern, to] = args;
    // replace(phone, ' ', ''); lower(email) of a column, or of one that is trimmed. An initial is a slice: upper(left(name, 1)).
    if (REPLACES.has(name) && isEmpty(to)) return [text, 'part'];
    if (FOLDS.has(name)) return [isTrimmed(text) ? text : undefined, 'part'];
    const all = name === 'regexp_replace' && !!pattern && 'A_Const' in pattern && ANYTHING.test(pattern.A_Const.sval?.sval ?? '');
    return all && to && !/\\\\[&\d]/.test(JSON.stringify(to)) ? [text, 'part'] : undefined;
  }
  // CASE state WHEN 'a' THEN 'b' END: other values become NULL.
  if ('CaseExpr' in node)
    return [isPartial, isMerged, isTwofold].some((test) => test(node.CaseExpr)) ? [node.CaseExpr, 'part'] : undefined;
  // seen_at::date; a cast may also follow a calculation.
  if ('TypeCast' in node)
    return cutsOff(node.TypeCast.typeName) && isPlain(node.TypeCast.arg) ? [node.TypeCast.arg, 'part'] : undefined;
  // GREATEST(stock, 0)
  if ('MinMaxExpr' in node) return [node.MinMaxExpr.args, 'part'];
  // ARRAY (SELECT DISTINCT tag FROM unnest(tags) AS tag ORDER BY tag)
  if ('SubLink' in node) return selectsSome(node.SubLink.subselect) ? [node.SubLink.subselect, 'part'] : undefined;
  // tags[1:3], (address).street
  if ('A_Indirection' in node) return [node.A_Indirection.arg, 'slice'];
  if (!('A_Expr' in node)) return undefined;
  const { name, lexpr, rexpr } = node.A_Expr;
  if (['->', '->>', '#>', '#>>'].includes(joined(name))) return [lexpr, 'slice'];
  if (joined(name) === '%' && isPlain(lexpr)) return [lexpr, 'part'];
  return joined(name) === '#-' || (joined(name) === '-' && isKeys(rexpr)) ? [lexpr, 'part'] : undefined;
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
  const name = joined(node.FuncCall.funcname).replace(/^pg_catalog\./, '');
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
