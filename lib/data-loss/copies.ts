import type { Node, RangeVar, SelectStmt } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { apply, as, joined, nameOf, namesOf, only, type Rules, systemName } from '../sql/nodes';
import { isEveryRow, isKey, partsOf, rowsFound, written } from './conditions';
import { copiedColumn, cutsOff, tellsBoolean } from './conversions';
import type { Created } from './created';
import { removedKeys } from './parts';

/**
 * Notes that an UPDATE of all rows with a value gives it to a column that the revision made: the one that had it can be dropped then.
 *
 * @param column with its table
 * @param rows `names`: the table and its aliases, also those by which a join finds the same row
 */
export function noteCopies(
  column: string,
  value: Node | undefined,
  { where, names }: { readonly where: Node | undefined; readonly names: readonly string[] },
  made: Created,
): void {
  const [table = ''] = names;
  const name = column.slice(column.lastIndexOf('.') + 1);
  made.kept.change(table, name);
  if (!made.hasColumn(table, name)) return;
  const sources = sourcesOf(value).flatMap((source) => ownColumn(source, names) ?? []);
  const isAll = (part: Node): boolean =>
    isEveryRow(part, names) ||
    (sources.length === 1 && ownColumn(columnNotNull(part), names) === sources[0]) ||
    (made.unfilled.has(column) && ownColumn(columnNull(part), names) === name);
  if (!partsOf(where).every(isAll)) return;
  for (const of of sources) if (fits(of, column, made)) made.kept.copy(`${table}.${of}`, [column]);
}

/** Notes the columns from which Python computes a value that a statement writes to another column. */
export function noteDerived(column: string, value: Node | undefined, made: Created): void {
  JSON.stringify(value ?? {}, (key, inner) => {
    const reads = key === 'FuncCall' && joined(inner.funcname).startsWith(UNKNOWN) ? only(inner.args, 'ColumnRef') : [];
    for (const { fields } of reads) if (joined(fields) !== column) made.derived.add(joined(fields));
    return inner;
  });
}

/**
 * Notes that an UPDATE gives each row the row of another table that holds its value: `SET genre_id = genres.id FROM genres WHERE genres.name =
 * films.genre`; or that it takes a column from the table that the rows were copied from.
 */
export function noteLinks(
  { name, val }: { readonly name: string; readonly val: Node | undefined },
  update: { readonly names: readonly string[]; readonly from: readonly Node[]; readonly where: Node | undefined },
  made: Created,
): void {
  const select = as(as(val, 'SubLink')?.subselect, 'SelectStmt');
  if (select ? update.from.length || update.where : !update.from.length) return;
  const [other, ...more] = (select ? select.fromClause : update.from) ?? [];
  const relation = as(other, 'RangeVar');
  const test = as(select ? select.whereClause : update.where, 'A_Expr');
  const [table = ''] = update.names;
  if (!relation || more.length || joined(test?.name) !== '=' || !made.hasColumn(table, name)) return;
  const others = namesOf(relation);
  const column = `${table}.${name}`;
  const taken = select ? undefined : ownColumn(copiedColumn(val), others);
  const [left, right] = [copiedColumn(test?.lexpr), copiedColumn(test?.rexpr)];
  for (const [one, two] of [
    [left, right],
    [right, left],
  ]) {
    const [own, theirs] = [ownColumn(one, update.names), ownColumn(two, others)];
    if (own === undefined || theirs === undefined) continue;
    const [source, found] = [`${table}.${own}`, `${others[0]}.${theirs}`];
    if (made.kept.isListedIn(source, found)) made.kept.copy(source, [column, found]);
    else if (made.kept.isCopy(found, source) && taken !== undefined && fits(taken, column, made))
      made.kept.copy(`${others[0]}.${taken}`, [column]);
  }
}

/** Where the rows of a query go. */
interface Inserted {
  readonly into: RangeVar | undefined;
  /** Those that are inserted, if they are named. */
  readonly columns: readonly string[];
  readonly isPartly: boolean;
}

/** Notes what the rows that a query inserts into a table copy. */
export function noteRows(inserted: Inserted, query: SelectStmt, made: Created): void {
  const { into, columns } = inserted;
  const target = nameOf(into);
  if (made.temporary.has(target) || target.startsWith('pg_temp.')) return;
  if (query.larg && query.rarg) {
    const first = columns.length ? columns : namesIn(query.larg);
    for (const side of [query.larg, query.rarg]) noteRows({ ...inserted, columns: first }, side, made);
  } else noteSelected(target, inserted, query, made);
}

function noteSelected(target: string, { columns, isPartly }: Inserted, query: SelectStmt, made: Created): void {
  const { fromClause = [], whereClause } = query;
  const selected = selectedBy(query);
  for (const { val } of selected) noteDerived(target, val, made);
  const source = fromClause.length === 1 ? sourceOf(fromClause[0]) : loopedOver(selected);
  if (!source || isReduced(query)) return;
  const { names, parts, isJoin } = source;
  const [table = ''] = names;
  const pairs = selected.flatMap(({ name, val }, at) => {
    const column = columns[at] ?? made.kept.columnsOf(target)?.[at] ?? name ?? copiedColumn(val)?.split('.').at(-1) ?? `#${at}`;
    return isStar(val, names) ? [[`${table}.*`, `${target}.*`] as const] : copiedTo(`${target}.${column}`, val, source, made);
  });
  const isWhole = pairs.some(([of]) => of === `${table}.*`) || isEachColumn(table, pairs, made);
  if (isWhole && !isPartly && !parts) {
    if (!isJoin) made.kept.copyRows(table, written(whereClause, names), target);
    made.kept.copyRows(table, rowsFound(fromClause, whereClause), target);
  }
  if (isJoin) return;
  const present = columnNotNull(whereClause);
  if (whereClause && present === undefined) return;
  const isAll = (of: string) =>
    (present === undefined || of.split('->', 1)[0] === `${table}.${ownColumn(present, names)}`) &&
    (!parts || of === `${table}.${parts.of}`);
  const hasKey = isWhole || pairs.some(([of]) => isKey(columnNode(of), [table]));
  for (const [of, copy] of pairs.filter(([of]) => isAll(of))) {
    if (hasKey && !isPartly) made.kept.copy(of, [copy]);
    else if (!isPartly || columns.length === 1) made.kept.list(of, copy);
  }
}

function isEachColumn(table: string, pairs: readonly (readonly [string, string])[], made: Created): boolean {
  const columns = made.kept.columnsOf(table) ?? [];
  return columns.length > 0 && columns.every((column) => pairs.some(([of]) => of === `${table}.${column}`));
}

/** What of the source a column gets as its value, each with that column. */
function copiedTo(column: string, val: Node | undefined, { names, parts }: Source, made: Created): (readonly [string, string])[] {
  const [table = ''] = names;
  if (isRow(val, names)) return [[`${table}.*`, column]];
  const element = parts && copiedColumn(val) === parts.element ? [parts.of] : [];
  return [...sourcesOf(val), ...element].flatMap((name) => {
    const of = ownColumn(name, names);
    return of !== undefined && fits(of, column, made) ? [[`${table}.${of}`, column] as const] : [];
  });
}

/** Whether the revision has copied what an UPDATE takes away from a column, or the keys that it removes. */
export function isCopied(table: string, column: string, value: Node | undefined, made: Created): boolean {
  const name = `${table}.${column}`;
  const keys = removedKeys(value, column);
  return made.kept.keepsColumn(name) || (keys.length > 0 && keys.every((key) => made.kept.keepsColumn(`${name}->${key}`)));
}

/** Whether a column holds all of another's value. A smaller type that has the same name probably is the same type. */
function fits(source: string, copy: string, made: Created): boolean {
  const name = copy.slice(copy.lastIndexOf('.') + 1);
  return !made.narrow.has(copy) || source === name || /(?:^|_)id$/.test(source);
}

/** The table whose rows a query reads, each at least once, with its names; or the elements of a list in each of its rows. */
interface Source {
  readonly names: readonly string[];
  readonly parts?: { readonly of: string; readonly element: string };
  /** Only the rows with a partner in another table. */
  readonly isJoin?: boolean;
}

function sourceOf(from: Node | undefined): Source | undefined {
  const table = as(from, 'RangeVar');
  if (table) return { names: namesOf(table) };
  const { jointype, larg, rarg, quals, isNatural, usingClause } = as(from, 'JoinExpr') ?? {};
  if (jointype === 'JOIN_LEFT') return sourceOf(larg);
  if (jointype !== 'JOIN_INNER') return undefined;
  const left = as(larg, 'RangeVar');
  const elements = !quals && !isNatural && !usingClause && left ? elementsOf(namesOf(left), rarg) : undefined;
  const first = sourceOf(larg);
  return elements ?? (first && !first.parts ? { names: first.names, isJoin: true } : undefined);
}

/** recipes CROSS JOIN unnest(recipes.steps) WITH ORDINALITY AS s (body, position) */
function elementsOf(names: readonly string[], list: Node | undefined): Source | undefined {
  const { ordinality, alias, functions } = as(list, 'RangeFunction') ?? {};
  const [first] = only(functions, 'List').flatMap(({ items = [] }) => items);
  const unnest = as(first, 'FuncCall');
  const name = as(alias?.colnames?.[0], 'String')?.sval;
  if (!ordinality || joined(unnest?.funcname) !== 'unnest') return undefined;
  const of = ownColumn(copiedColumn(unnest?.args?.[0]), names);
  return of !== undefined && name ? { names, parts: { of, element: `${alias?.aliasname}.${name}` } } : undefined;
}

/** The expressions that a query returns, or the only row of VALUES. */
function selectedBy({
  targetList = [],
  valuesLists = [],
}: SelectStmt): readonly { readonly name?: string; readonly val?: Node }[] {
  const [row, ...more] = valuesLists;
  if (row && 'List' in row && !more.length) return (row.List.items ?? []).map((val) => ({ val }));
  return targetList.flatMap((one) => ('ResTarget' in one ? [one.ResTarget] : []));
}

/** The table whose rows a loop of Python inserts one by one: VALUES names its columns. */
function loopedOver(selected: readonly { readonly val?: Node }[]): Source | undefined {
  const columns = selected.map(({ val }) => copiedColumn(val)).filter((name) => name?.includes('.'));
  const tables = new Set(columns.map((name) => name?.slice(0, name.lastIndexOf('.'))));
  const [table] = tables;
  return table && tables.size === 1 ? { names: [table] } : undefined;
}

/** Whether a query returns not every row that its condition selects. */
export function isReduced({
  distinctClause = [],
  groupClause,
  havingClause,
  limitCount,
  limitOffset,
  withClause,
  op,
}: SelectStmt): boolean {
  const isDistinctOn = distinctClause.some((node) => Object.keys(node ?? {}).length > 0);
  return (
    isDistinctOn ||
    !!(groupClause || havingClause || limitCount || limitOffset || withClause) ||
    (op ?? 'SETOP_NONE') !== 'SETOP_NONE'
  );
}

/** The names of the columns that a query returns; empty if it has a star. */
function namesIn({ targetList = [], larg }: SelectStmt): readonly string[] {
  if (larg) return namesIn(larg);
  const names = targetList.map((one, at) => {
    const { name = undefined, val = undefined } = 'ResTarget' in one ? one.ResTarget : {};
    return isStar(val, []) ? undefined : (name ?? copiedColumn(val)?.split('.').at(-1) ?? `#${at}`);
  });
  return names.includes(undefined) ? [] : names.map((name) => name ?? '');
}

/** `*`, `u.*` */
export function isStar(node: Node | undefined, names: readonly string[]): boolean {
  if (!node || !('ColumnRef' in node)) return false;
  const fields = node.ColumnRef.fields ?? [];
  const last = fields.at(-1);
  if (!last || !('A_Star' in last)) return false;
  return fields.length === 1 || !names.length || names.includes(joined(fields.slice(0, -1)));
}

/** `to_jsonb(u)`, `row_to_json(u)` */
function isRow(node: Node | undefined, names: readonly string[]): boolean {
  if (!node || !('FuncCall' in node) || !/^(?:to_jsonb?|row_to_json)$/.test(joined(node.FuncCall.funcname))) return false;
  const [of] = node.FuncCall.args ?? [];
  return !!of && 'ColumnRef' in of && names.includes(joined(of.ColumnRef.fields));
}

/** The column of `WHERE name IS NOT NULL`. */
function columnNotNull(where: Node | undefined): string | undefined {
  const { nulltesttype, arg } = as(where, 'NullTest') ?? {};
  return nulltesttype === 'IS_NOT_NULL' ? copiedColumn(arg) : undefined;
}

/** The column of `WHERE name IS NULL`. */
function columnNull(where: Node | undefined): string | undefined {
  const { nulltesttype, arg } = as(where, 'NullTest') ?? {};
  return nulltesttype === 'IS_NULL' ? copiedColumn(arg) : undefined;
}

function columnNode(name: string): Node {
  return { ColumnRef: { fields: name.split('.').map((sval) => ({ String: { sval } })) } };
}

/** A column, or a key of one, without its table; undefined if it is another table's. */
function ownColumn(source: string | undefined, names: readonly string[]): string | undefined {
  if (source === undefined) return undefined;
  const dot = source.split('->', 1).join().lastIndexOf('.');
  return dot < 0 || names.includes(source.slice(0, dot)) ? source.slice(dot + 1) : undefined;
}

/** The columns and keys that a value has all of: `name`, `settings -> 'theme'`, `jsonb_build_object('age', age, 'bio', bio)`. */
function sourcesOf(value: Node | undefined): readonly string[] {
  const own = copiedColumn(value);
  return own === undefined ? (apply(SOURCES, value) ?? []) : [own];
}

const SOURCES: Rules<readonly string[]> = {
  TypeCast: ({ typeName, arg }) => (cutsOff(typeName) ? [] : sourcesOf(arg)),
  CaseExpr: (node) => [tellsBoolean(node)].flatMap((column) => column ?? []),
  A_Expr: ({ name, lexpr, rexpr }) => {
    const of = copiedColumn(lexpr);
    const key = as(rexpr, 'A_Const')?.sval?.sval;
    if (['->', '->>'].includes(joined(name))) return of === undefined || key === undefined ? [] : [`${of}->${key}`];
    // Of two texts, `||` forgets where one ends.
    return joined(name) === '||' ? [lexpr, rexpr].flatMap((side) => (as(side, 'FuncCall') ? sourcesOf(side) : [])) : [];
  },
  FuncCall: ({ funcname, args = [] }) => {
    const name = systemName(funcname);
    if (/^jsonb?_build_object$/.test(name)) return args.filter((_, at) => at % 2 === 1).flatMap(sourcesOf);
    // A range holds both of its ends.
    return /^(?:to_jsonb?|jsonb?_build_array|(?:int[48]|num|ts|tstz|date)range)$/.test(name) ? args.flatMap(sourcesOf) : [];
  },
};
