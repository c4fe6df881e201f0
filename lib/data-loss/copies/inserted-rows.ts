import type { Node, RangeVar, SelectStmt } from 'libpg-query';
import { as, joined, nameOf, namesOf, only, wholeTable } from '../../sql/nodes';
import { isKey, joinedRows, normalized } from '../conditions';
import { copiedColumn } from '../conversions';
import type { RevisionState } from '../revision-state';
import { columnOfTable, columnTestedNotNull, copiedSources, holdsWholeValue, recordPythonReads } from './copied-values';

/** The target of an INSERT or a CREATE TABLE AS. */
interface Inserted {
  readonly into: RangeVar | undefined;
  /** The columns that the statement names; empty if it names none. */
  readonly columns: readonly string[];
  readonly mayOmitRows: boolean;
}

/** Records which columns the rows of a query copy into a table. */
export function recordInsertedRows(inserted: Inserted, query: SelectStmt, state: RevisionState): void {
  const { into, columns } = inserted;
  const target = nameOf(into);
  if (state.temporaryTables.has(target) || target.startsWith('pg_temp.')) return;
  if (query.larg && query.rarg) {
    const first = columns.length ? columns : outputNames(query.larg);
    for (const side of [query.larg, query.rarg]) recordInsertedRows({ ...inserted, columns: first }, side, state);
  } else recordSelectedRows(target, inserted, query, state);
}

function recordSelectedRows(
  target: string,
  { columns, mayOmitRows: isPartly }: Inserted,
  query: SelectStmt,
  state: RevisionState,
): void {
  const { fromClause = [], whereClause } = query;
  const selected = selectedExpressions(query);
  for (const { val } of selected) recordPythonReads(target, val, state);
  const source = fromClause.length === 1 ? rowSource(fromClause[0]) : loopSource(selected);
  if (!source || mayOmitRows(query)) return;
  const { names, elements: parts, isJoin } = source;
  const [table = ''] = names;
  const pairs = selected.flatMap(({ name, val }, at) => {
    const column =
      columns[at] ?? state.copies.columnsOf(target)?.[at] ?? name ?? copiedColumn(val)?.split('.').at(-1) ?? `#${at}`;
    return isStar(val, names) ? [[`${table}.*`, `${target}.*`] as const] : copiedPairs(`${target}.${column}`, val, source, state);
  });
  const isWhole = pairs.some(([of]) => of === `${table}.*`) || hasEachColumn(table, pairs, state);
  if (isWhole && !isPartly && !parts) {
    if (!isJoin) state.copies.recordRowCopy(table, normalized(whereClause, names), target);
    state.copies.recordRowCopy(table, joinedRows(fromClause, whereClause), target);
  }
  if (isJoin) return;
  const present = columnTestedNotNull(whereClause);
  if (whereClause && present === undefined) return;
  const isAll = (of: string) =>
    (present === undefined || of.split('->', 1)[0] === `${table}.${columnOfTable(present, names)}`) &&
    (!parts || of === `${table}.${parts.column}`);
  const hasKey = isWhole || pairs.some(([of]) => isKey(columnNode(of), [table]));
  for (const [of, copy] of pairs.filter(([of]) => isAll(of))) {
    if (hasKey && !isPartly) state.copies.recordCopy(of, [copy]);
    else if (!isPartly || columns.length === 1) state.copies.recordValueList(of, copy);
  }
}

/** Whether a query reads each column of a table. */
function hasEachColumn(table: string, pairs: readonly (readonly [string, string])[], state: RevisionState): boolean {
  const columns = state.copies.columnsOf(table) ?? [];
  return columns.length > 0 && columns.every((column) => pairs.some(([of]) => of === `${table}.${column}`));
}

/** Pairs of a source column, or a part of one, and the column that gets its value. */
function copiedPairs(
  column: string,
  val: Node | undefined,
  { names, elements: parts }: RowSource,
  state: RevisionState,
): (readonly [string, string])[] {
  const [table = ''] = names;
  if (isRowAsJson(val, names)) return [[`${table}.*`, column]];
  const element = parts && copiedColumn(val) === parts.element ? [parts.column] : [];
  return [...copiedSources(val), ...element].flatMap((name) => {
    const of = columnOfTable(name, names);
    return of !== undefined && holdsWholeValue(of, column, state) ? [[`${table}.${of}`, column] as const] : [];
  });
}

/** The table whose rows a query reads, each at least once; or the elements of a list in each of its rows. */
interface RowSource {
  readonly names: readonly string[];
  readonly elements?: { readonly column: string; readonly element: string };
  /** Whether it reads only the rows that match a row of another table. */
  readonly isJoin?: boolean;
}

function rowSource(from: Node | undefined): RowSource | undefined {
  const table = wholeTable(from);
  if (table) return { names: namesOf(table) };
  const { jointype, larg, rarg, quals, isNatural, usingClause } = as(from, 'JoinExpr') ?? {};
  if (jointype === 'JOIN_LEFT') return rowSource(larg);
  if (jointype !== 'JOIN_INNER') return undefined;
  const left = as(larg, 'RangeVar');
  const elements = !quals && !isNatural && !usingClause && left ? listElements(namesOf(left), rarg) : undefined;
  const first = rowSource(larg);
  return elements ?? (first && !first.elements ? { names: first.names, isJoin: true } : undefined);
}

/** recipes CROSS JOIN unnest(recipes.steps) WITH ORDINALITY AS s (body, position) */
function listElements(names: readonly string[], list: Node | undefined): RowSource | undefined {
  const { ordinality, alias, functions } = as(list, 'RangeFunction') ?? {};
  const [first] = only(functions, 'List').flatMap(({ items = [] }) => items);
  const unnest = as(first, 'FuncCall');
  const name = as(alias?.colnames?.[0], 'String')?.sval;
  if (!ordinality || joined(unnest?.funcname) !== 'unnest') return undefined;
  const of = columnOfTable(copiedColumn(unnest?.args?.[0]), names);
  return of !== undefined && name ? { names, elements: { column: of, element: `${alias?.aliasname}.${name}` } } : undefined;
}

/** The expressions that a query returns, or the only row of VALUES. */
function selectedExpressions({
  targetList = [],
  valuesLists = [],
}: SelectStmt): readonly { readonly name?: string; readonly val?: Node }[] {
  const [row, ...more] = valuesLists;
  if (row && 'List' in row && !more.length) return (row.List.items ?? []).map((val) => ({ val }));
  return targetList.flatMap((one) => ('ResTarget' in one ? [one.ResTarget] : []));
}

/** The table that a Python loop reads and inserts row by row: VALUES names its columns. */
function loopSource(selected: readonly { readonly val?: Node }[]): RowSource | undefined {
  const columns = selected.map(({ val }) => copiedColumn(val)).filter((name) => name?.includes('.'));
  const tables = new Set(columns.map((name) => name?.slice(0, name.lastIndexOf('.'))));
  const [table] = tables;
  return table && tables.size === 1 ? { names: [table] } : undefined;
}

/** Whether a query may return fewer rows than its condition selects. */
export function mayOmitRows({
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
function outputNames({ targetList = [], larg }: SelectStmt): readonly string[] {
  if (larg) return outputNames(larg);
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
function isRowAsJson(node: Node | undefined, names: readonly string[]): boolean {
  if (!node || !('FuncCall' in node) || !/^(?:to_jsonb?|row_to_json)$/.test(joined(node.FuncCall.funcname))) return false;
  const [of] = node.FuncCall.args ?? [];
  return !!of && 'ColumnRef' in of && names.includes(joined(of.ColumnRef.fields));
}

function columnNode(name: string): Node {
  return { ColumnRef: { fields: name.split('.').map((sval) => ({ String: { sval } })) } };
}
