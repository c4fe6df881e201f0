import type { CaseExpr, Node } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { apply, as, joined, type Rules, systemName } from '../sql/nodes';
import { isEmptyValue, readsNoColumn } from './conditions';
import { caseKeepsOneValue, caseMergesValues, isColumnOrCast, LOSSY_FUNCTIONS, mayTruncate } from './conversions';

/** A pattern that matches any character, or the whole text. */
const MATCHES_EVERYTHING = /^\^?(?:\.|\.\*|\.\+|\\S|\\w)\$?$/;

/** A key of a document. A text that starts with a digit or a sign is an interval. */
const DOCUMENT_KEY = /^[A-Za-z_][\w.:-]*$/;

/**
 * Whether an UPDATE keeps only a part of the column's own value: `settings - 'theme'`, `meta #- '{a,b}'`, `left(title, 80)`,
 * `array_remove(tags, 'old')`, `delete(attributes, 'old')` of an hstore, `md5(email) || '@example.com'`.
 *
 * @param names the table and its aliases
 */
export function keepsOnlyPart(value: Node | undefined, column: string, names: readonly string[]): boolean {
  const reads = value ? readExtents(value, column, names) : [];
  if (!reads.length || reads.includes('whole')) return false;
  return reads.length === 1 || !reads.includes('slice');
}

type ReadExtent = 'whole' | 'slice' | 'part';

/** How much of the column's own value each of an expression's reads takes. */
function readExtents(node: unknown, column: string, names: readonly string[]): readonly ReadExtent[] {
  if (!node || typeof node !== 'object') return [];
  const one = node as Node;
  if ('ColumnRef' in one) return isOwnColumn(one, column, names) ? ['whole'] : [];
  if ('NullTest' in one && isOwnColumn(one.NullTest.arg, column, names)) return [];
  const cut = apply(PARTIAL_READS, one);
  if (cut && readExtents(cut.of, column, names).length) return [cut.extent];
  return Object.values(node).flatMap((inner) => readExtents(inner, column, names));
}

/** A read of a part of a value. Two slices may make up the whole value: left(name, 1) || '-' || substr(name, 2). */
interface PartialRead {
  readonly of: unknown;
  readonly extent: 'slice' | 'part';
}

const slice = (of: unknown): PartialRead => ({ of, extent: 'slice' });
const part = (of: unknown): PartialRead => ({ of, extent: 'part' });
const partIf = (takes: boolean, of: unknown): PartialRead | undefined => (takes ? part(of) : undefined);

const PARTIAL_READS: Rules<PartialRead | undefined> = {
  FuncCall: ({ funcname, args = [] }) => PARTIAL_READS_BY_FUNCTION.get(systemName(funcname))?.(args),
  // CASE state WHEN 'a' THEN 'b' END: other values become NULL.
  CaseExpr: (node) => partIf(caseKeepsOneValue(node) || caseMergesValues(node) || caseHasTwoResults(node), node),
  // seen_at::date; a cast may also follow a calculation.
  TypeCast: ({ typeName, arg }) => partIf(mayTruncate(typeName) && isColumnOrCast(arg), arg),
  // GREATEST(stock, 0); GREATEST(seen_at, made_at) is derived from both.
  MinMaxExpr: ({ args = [] }) => partIf(args.some(readsNoColumn), args),
  // ARRAY (SELECT DISTINCT tag FROM unnest(tags) AS tag ORDER BY tag)
  SubLink: ({ subselect }) => partIf(omitsElements(subselect), subselect),
  // tags[1:3], (address).street
  A_Indirection: ({ arg }) => slice(arg),
  A_Expr: ({ name, lexpr, rexpr }) => PARTIAL_READS_BY_OPERATOR[joined(name)]?.(lexpr, rexpr),
};

const PARTIAL_READS_BY_OPERATOR: Readonly<
  Record<string, (left: Node | undefined, right: Node | undefined) => PartialRead | undefined>
> = {
  '->': slice,
  '->>': slice,
  '#>': slice,
  '#>>': slice,
  '#-': part,
  '-': (left, right) => partIf(areDocumentKeys(right), left),
  '%': (left) => partIf(isColumnOrCast(left), left),
};

type ReadsArguments = (args: readonly Node[]) => PartialRead | undefined;

const PARTIAL_READS_BY_FUNCTION: ReadonlyMap<string, ReadsArguments> = new Map([
  // A value that Python computes.
  ...forFunctions(part, UNKNOWN),
  ...forFunctions(part, ...LOSSY_FUNCTIONS),
  // These drop an element, a sign or accents, replace a part, or return only a hash.
  ...forFunctions(
    part,
    'array_remove',
    'delete',
    'overlay',
    'digest',
    'sha224',
    'sha384',
    'sha512',
    'hashtext',
    'abs',
    'sign',
    'mod',
  ),
  ...forFunctions(part, 'unaccent'),
  ...forFunctions(slice, 'left', 'right', 'substr', 'substring', 'split_part'),
  // A calculation needs rounding: round(price * 1.2, 2). Only a column itself loses digits.
  ...forFunctions(([number]) => partIf(isColumnOrCast(number), number), 'round', 'trunc', 'floor', 'ceil', 'ceiling'),
  // lower(email) of a column, or of one that is trimmed. An initial is a slice: upper(left(name, 1)).
  ...forFunctions(([text]) => partIf(isColumnOrTrim(text), text), 'lower', 'upper', 'initcap'),
  // replace(phone, ' ', '')
  ...forFunctions(([text, , to]) => partIf(isEmptyValue(to), text), 'replace', 'translate'),
  ...forFunctions(
    ([text, pattern, to]) => partIf(isEmptyValue(to) || replacesEveryCharacter(pattern, to), text),
    'regexp_replace',
  ),
]);

function forFunctions(cuts: ReadsArguments, ...names: readonly string[]): readonly (readonly [string, ReadsArguments])[] {
  return names.map((name) => [name, cuts]);
}

/** Whether a replacement without a group takes the place of every character. */
function replacesEveryCharacter(pattern: Node | undefined, to: Node | undefined): boolean {
  return !!to && MATCHES_EVERYTHING.test(as(pattern, 'A_Const')?.sval?.sval ?? '') && !/\\\\[&\d]/.test(JSON.stringify(to));
}

/** Whether a query may omit elements of the list that it unnests, or return them in another order. */
function omitsElements(select: Node | undefined): boolean {
  if (!select || !('SelectStmt' in select)) return false;
  const { fromClause = [], whereClause, distinctClause, sortClause } = select.SelectStmt;
  const [from, ...more] = fromClause;
  if (!from || more.length || !('RangeFunction' in from)) return false;
  return !!(whereClause || distinctClause || (sortClause && !from.RangeFunction.ordinality));
}

/** CASE WHEN role = 'owner' THEN 'admin' ELSE 'user' END: only two values are left. */
function caseHasTwoResults({ args = [], defresult }: CaseExpr): boolean {
  const [only] = args.map((arg) => ('CaseWhen' in arg ? arg.CaseWhen.result : undefined));
  return args.length === 1 && [only, defresult].every((result) => result && readsNoColumn(result));
}

function isColumnOrTrim(node: Node | undefined): boolean {
  if (!node || !('FuncCall' in node)) return isColumnOrCast(node);
  const name = systemName(node.FuncCall.funcname);
  return ['trim', 'btrim', 'ltrim', 'rtrim'].includes(name) && isColumnOrCast(node.FuncCall.args?.[0]);
}

export function isOwnColumn(node: Node | undefined, column: string, names: readonly string[]): boolean {
  if (node && 'TypeCast' in node) return isOwnColumn(node.TypeCast.arg, column, names);
  if (!node || !('ColumnRef' in node)) return false;
  const fields = joined(node.ColumnRef.fields);
  const dot = fields.lastIndexOf('.');
  return fields.slice(dot + 1) === column && (dot < 0 || names.includes(fields.slice(0, dot)));
}

/** The keys that an expression removes from the column's document: `settings - 'theme'`, also if it then adds some with `||`. */
export function removedKeys(value: Node | undefined, column: string): readonly string[] {
  const { name, lexpr, rexpr } = as(value, 'A_Expr') ?? {};
  switch (joined(name)) {
    case '-':
      return areDocumentKeys(rexpr) && isDocument(lexpr, column) ? [...removedKeys(lexpr, column), ...documentKeys(rexpr)] : [];
    case '||':
      return removedKeys(lexpr, column);
    default:
      return [];
  }
}

/** Whether a value is the column's document, or what is left of it without some keys. */
function isDocument(value: Node | undefined, column: string): boolean {
  if (removedKeys(value, column).length) return true;
  return !!value && 'ColumnRef' in value && joined(value.ColumnRef.fields).split('.').at(-1) === column;
}

/**
 * Whether a condition says the value that a key has in the rows: `settings @> '{"state": "new"}'`, `settings->>'state' = 'new'`.
 *
 * @param names the table and its aliases
 */
export function saysValueOfKey(where: Node, key: string, column: string, names: readonly string[]): boolean {
  const { name, lexpr, rexpr } = as(where, 'A_Expr') ?? {};
  if (!rexpr || !readsNoColumn(rexpr)) return false;
  if (joined(name) === '@>') {
    const isSaid = ([one, value]: readonly [string, unknown]) => one === key && isScalar(value);
    return isOwnColumn(lexpr, column, names) && Object.entries(documentOf(rexpr) ?? {}).some(isSaid);
  }
  const { name: arrow, lexpr: document, rexpr: read } = as(lexpr, 'A_Expr') ?? {};
  return (
    joined(name) === '=' &&
    /^->>?$/.test(joined(arrow)) &&
    isOwnColumn(document, column, names) &&
    documentKeys(read).includes(key)
  );
}

/** A constant document. */
function documentOf(node: Node): Readonly<Record<string, unknown>> | undefined {
  if ('TypeCast' in node) return node.TypeCast.arg && documentOf(node.TypeCast.arg);
  try {
    return JSON.parse(as(node, 'A_Const')?.sval?.sval ?? '');
  } catch {
    return undefined;
  }
}

/** A list or a document contains more than a condition with `@>` says. */
function isScalar(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

function documentKeys(node: Node | undefined): readonly string[] {
  if (!node) return [];
  if ('TypeCast' in node) return documentKeys(node.TypeCast.arg);
  if ('A_ArrayExpr' in node) return (node.A_ArrayExpr.elements ?? []).flatMap(documentKeys);
  return 'A_Const' in node && node.A_Const.sval?.sval ? [node.A_Const.sval.sval] : [];
}

function areDocumentKeys(node: Node | undefined): boolean {
  if (!node) return false;
  if ('TypeCast' in node) return areDocumentKeys(node.TypeCast.arg);
  if ('A_ArrayExpr' in node) return (node.A_ArrayExpr.elements ?? []).every(areDocumentKeys);
  return 'A_Const' in node && DOCUMENT_KEY.test(node.A_Const.sval?.sval ?? '');
}
