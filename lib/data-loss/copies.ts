import type { ColumnDef, Node, RangeVar, SelectStmt } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { apply, as, joined, nameOf, namesOf, only, type Rules, systemName, wholeTable } from '../sql/nodes';
import { conjuncts, isKey, joinedRows, matchesEveryRow, normalized, readsNoColumn } from './conditions';
import { copiedColumn, encodedBoolean, mayTruncate, testedState } from './conversions';
import { ARITHMETIC_OPERATOR } from './overwritten';
import { keepsOnlyPart, removedKeys } from './partial-values';
import type { RevisionState } from './revision-state';

/**
 * Records that an UPDATE of all rows copies a column into one that the revision added: the original can then be dropped.
 *
 * @param column with its table
 * @param rows `names`: the table and its aliases, including those that join the table to itself by key
 */
export function recordCopiedColumn(
  column: string,
  value: Node | undefined,
  { where, names }: { readonly where: Node | undefined; readonly names: readonly string[] },
  state: RevisionState,
): void {
  const [table = ''] = names;
  const name = column.slice(column.lastIndexOf('.') + 1);
  state.copies.invalidate(table, name);
  if (!state.isNewColumn(table, name)) return;
  recordWrittenState(column, value, where, names, state);
  const sources = copiedSources(value).flatMap((source) => columnOfTable(source, names) ?? []);
  const isAll = (part: Node): boolean =>
    matchesEveryRow(part, names) ||
    (sources.length === 1 && columnOfTable(columnTestedNotNull(part), names) === sources[0]) ||
    (state.unfilledColumns.has(column) && columnOfTable(columnTestedNull(part), names) === name);
  if (!conjuncts(where).every(isAll)) return;
  // Only a boolean can be negated, and a boolean holds it.
  const isWhole = (of: string): boolean => !!as(value, 'BoolExpr') || holdsWholeValue(of, column, state);
  for (const of of sources) if (isWhole(of)) state.copies.recordCopy(`${table}.${of}`, [column]);
}

/** Records what an UPDATE writes for one state of a boolean column. Two that write different values keep the column: `SET status = 'on' WHERE active`. */
function recordWrittenState(
  column: string,
  value: Node | undefined,
  where: Node | undefined,
  names: readonly string[],
  state: RevisionState,
): void {
  const tested = testedState(where);
  const of = columnOfTable(tested?.column, names);
  for (const [key, written] of state.writtenStates) if (key.endsWith(` ${column}`) && of === undefined) written.clear();
  if (!tested || of === undefined || !value || !readsNoColumn(value)) return;
  const source = `${names[0]}.${of}`;
  const written = state.writtenStates.get(`${source} ${column}`) ?? new Map<string, string>();
  state.writtenStates.set(`${source} ${column}`, written.set(tested.state, normalized(value, [])));
  const [on, off] = [written.get('true'), written.get('false')];
  if (on !== undefined && off !== undefined && on !== off) state.copies.recordCopy(source, [column]);
}

/** Records the other columns that the conversion of a column keeps in it: `ALTER note TYPE jsonb USING jsonb_build_object('name', name, 'note', note)`. */
export function recordConvertedColumns(
  table: string,
  name: string,
  { raw_default: using, typeName }: ColumnDef,
  state: RevisionState,
): void {
  if (mayTruncate(typeName)) return;
  const others = copiedSources(using).filter((source) => source !== name);
  for (const of of others) state.copies.recordCopy(`${table}.${of}`, [`${table}.${name}`]);
}

/** Records the columns that Python reads to compute a value for another column. */
export function recordPythonReads(column: string, value: Node | undefined, state: RevisionState): void {
  JSON.stringify(value ?? {}, (key, inner) => {
    const reads = key === 'FuncCall' && joined(inner.funcname).startsWith(UNKNOWN) ? only(inner.args, 'ColumnRef') : [];
    for (const { fields } of reads) if (joined(fields) !== column) state.readByPython.add(joined(fields));
    return inner;
  });
}

/** Records the columns that an UPDATE of all rows computes new ones from: `SET cents = price * 100`. These may keep all of it. */
export function recordComputed(
  { name, val }: { readonly name: string; readonly val: Node | undefined },
  { where, names }: { readonly where: Node | undefined; readonly names: readonly string[] },
  state: RevisionState,
): void {
  const [table = ''] = names;
  if (!val || !state.isNewColumn(table, name) || !matchesEveryRow(where, names) || !calculates(val)) return;
  JSON.stringify(val, (key, inner) => {
    const of = key === 'ColumnRef' ? columnOfTable(joined(inner.fields), names) : undefined;
    if (of !== undefined && !keepsOnlyPart(val, of, names))
      state.mayBeKept.set(`${table}.${of}`, `${name} is computed from it: whether all of it is kept was not judged`);
    return inner;
  });
}

function calculates(value: Node): boolean {
  let found = false;
  JSON.stringify(value, (key, inner) => {
    found ||= key === 'A_Expr' && ARITHMETIC_OPERATOR.test(joined(inner.name));
    return inner;
  });
  return found;
}

/**
 * Records that an UPDATE replaces each value by the key of the row that holds it: `SET genre_id = genres.id FROM genres WHERE genres.name =
 * films.genre`; or that it copies a column of another table, such as one that has a copy of the rows.
 */
export function recordLookup(
  { name, val }: { readonly name: string; readonly val: Node | undefined },
  update: { readonly names: readonly string[]; readonly from: readonly Node[]; readonly where: Node | undefined },
  state: RevisionState,
): void {
  const select = as(as(val, 'SubLink')?.subselect, 'SelectStmt');
  if (select ? update.from.length || update.where : !update.from.length) return;
  const [other, ...more] = (select ? select.fromClause : update.from) ?? [];
  const relation = wholeTable(other);
  const test = as(select ? select.whereClause : update.where, 'A_Expr');
  const [table = ''] = update.names;
  if (!relation || more.length || joined(test?.name) !== '=' || !state.isNewColumn(table, name)) return;
  const others = namesOf(relation);
  const found = select ? as(select.targetList?.[0], 'ResTarget')?.val : val;
  const taken = columnOfTable(copiedColumn(found), others);
  const [left, right] = [copiedColumn(test?.lexpr), copiedColumn(test?.rexpr)];
  for (const [one, two] of [
    [left, right],
    [right, left],
  ]) {
    const [own, theirs] = [columnOfTable(one, update.names), columnOfTable(two, others)];
    if (own === undefined || theirs === undefined) continue;
    const match = { column: `${table}.${name}`, source: `${table}.${own}`, of: others[0] ?? '', theirs };
    if (isKey(found, others)) recordFoundKey(match, state);
    else recordTakenColumn(match, taken, state);
  }
}

/** An UPDATE that joins a table by equality. */
interface Match {
  /** The new column. */
  readonly column: string;
  /** The column of the same table that the join compares. */
  readonly source: string;
  /** The other table, and the column of it that the join compares. */
  readonly of: string;
  readonly theirs: string;
}

function recordFoundKey({ column, source, of, theirs }: Match, state: RevisionState): void {
  const found = `${of}.${theirs}`;
  // A row without a match has NULL.
  if (state.copies.isListedIn(source, found) || state.requiredColumns.has(column))
    state.copies.recordCopy(source, [column, found]);
  else state.mayBeKept.set(source, `${column} has the key of the same value in ${found}, but one without a match is lost`);
}

function recordTakenColumn({ column, source, of, theirs }: Match, taken: string | undefined, state: RevisionState): void {
  if (state.copies.isListedIn(source, `${of}.${theirs}`)) state.copies.recordCopy(source, [column, `${of}.${theirs}`]);
  else if (taken === undefined || !holdsWholeValue(taken, column, state)) return;
  else if (state.copies.isCopy(`${of}.${theirs}`, source)) state.copies.recordCopy(`${of}.${taken}`, [column]);
  else
    for (const copied of [taken, theirs])
      state.mayBeKept.set(`${of}.${copied}`, `${tableOf(source)} has a copy, but what has no match there is lost`);
}

function tableOf(column: string): string {
  return column.slice(0, column.lastIndexOf('.'));
}

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

/** Whether copies hold what an UPDATE removes from a column: all of it, or some keys. They are the only copies from then on. */
export function claimCopy(table: string, column: string, value: Node | undefined, state: RevisionState): boolean {
  const name = `${table}.${column}`;
  const keys = removedKeys(value, column);
  return (
    state.copies.claimColumnCopy(name) ||
    (keys.length > 0 && keys.every((key) => state.copies.claimColumnCopy(`${name}->${key}`)))
  );
}

/** Whether a copy can hold the whole value. A copy with a narrow type and the name of its source probably has the source's type. */
function holdsWholeValue(source: string, copy: string, state: RevisionState): boolean {
  const name = copy.slice(copy.lastIndexOf('.') + 1);
  return !state.narrowColumns.has(copy) || source === name || /(?:^|_)id$/.test(source);
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

/** The column of `WHERE name IS NOT NULL`. */
function columnTestedNotNull(where: Node | undefined): string | undefined {
  const { nulltesttype, arg } = as(where, 'NullTest') ?? {};
  return nulltesttype === 'IS_NOT_NULL' ? copiedColumn(arg) : undefined;
}

/** The column of `WHERE name IS NULL`. */
function columnTestedNull(where: Node | undefined): string | undefined {
  const { nulltesttype, arg } = as(where, 'NullTest') ?? {};
  return nulltesttype === 'IS_NULL' ? copiedColumn(arg) : undefined;
}

function columnNode(name: string): Node {
  return { ColumnRef: { fields: name.split('.').map((sval) => ({ String: { sval } })) } };
}

/** A column, or a key of one, without its table; undefined if it is another table's. */
function columnOfTable(source: string | undefined, names: readonly string[]): string | undefined {
  if (source === undefined) return undefined;
  const dot = source.split('->', 1).join().lastIndexOf('.');
  return dot < 0 || names.includes(source.slice(0, dot)) ? source.slice(dot + 1) : undefined;
}

/** The columns and keys that a value copies completely: `name`, `settings -> 'theme'`, `jsonb_build_object('age', age, 'bio', bio)`. */
function copiedSources(value: Node | undefined): readonly string[] {
  const own = copiedColumn(value);
  return own === undefined ? (apply(COPY_RULES, value) ?? []) : [own];
}

const COPY_RULES: Rules<readonly string[]> = {
  TypeCast: ({ typeName, arg }) => (mayTruncate(typeName) ? [] : copiedSources(arg)),
  CaseExpr: (node) => [encodedBoolean(node)].flatMap((column) => column ?? []),
  // NOT active
  BoolExpr: ({ boolop, args = [] }) => (boolop === 'NOT_EXPR' ? args.flatMap(copiedSources) : []),
  A_ArrayExpr: ({ elements = [] }) => elements.flatMap(copiedSources),
  A_Expr: ({ name, lexpr, rexpr }) => {
    const operator = joined(name);
    if (['->', '->>'].includes(operator)) {
      const of = copiedColumn(lexpr);
      const key = as(rexpr, 'A_Const')?.sval?.sval;
      return of === undefined || key === undefined ? [] : [`${of}->${key}`];
    }
    if (isReversed(operator, rexpr)) return copiedSources(lexpr);
    if (isReversed(operator, lexpr)) return copiedSources(rexpr);
    // Two texts joined by `||` can't be separated again.
    return operator === '||' ? [lexpr, rexpr].flatMap((side) => (as(side, 'FuncCall') ? copiedSources(side) : [])) : [];
  },
  FuncCall: ({ funcname, args = [] }) => {
    const name = systemName(funcname);
    if (/^jsonb?_build_object$/.test(name)) return args.filter((_, at) => at % 2 === 1).flatMap(copiedSources);
    // at AT TIME ZONE 'UTC'
    if (name === 'timezone') return args[0] && readsNoColumn(args[0]) ? copiedSources(args[1]) : [];
    if (COPIES_ALL.test(name)) return args.flatMap(copiedSources);
    return COPIES_FIRST.test(name) && args.slice(1).every(readsNoColumn) ? copiedSources(args[0]) : [];
  },
};

/** Functions whose result has all their arguments: a range keeps both bounds, a point both coordinates. */
const COPIES_ALL = /^(?:to_jsonb?|jsonb?_build_array|(?:int[48]|num|ts|tstz|date)range|point|st_(?:make)?point)$/;

/** Functions whose result can be converted back. */
const COPIES_FIRST = /^(?:string_to_array|array_to_json|hstore_to_jsonb?|encode|decode|st_setsrid)$/;

/** Whether another calculation with the constant operand restores the value: `total * 100`, `at + interval '1 day'`, `'+' || phone`. */
function isReversed(operator: string, operand: Node | undefined): boolean {
  const { ival, fval, sval } = as(as(operand, 'TypeCast')?.arg ?? operand, 'A_Const') ?? {};
  if (operator === '*') return (ival?.ival ?? Number(fval?.fval ?? 0)) !== 0;
  // A document or an array would replace keys, or could not be told from the elements before.
  if (operator === '||') return sval !== undefined && !/^\s*[{[]/.test(sval.sval ?? '');
  return /^[-+]$/.test(operator) && (ival ?? fval ?? sval) !== undefined;
}
