import type { ColumnDef, Node } from 'libpg-query';
import { as, joined, namesOf, systemName, wholeTable } from '../../sql/nodes';
import { conjuncts, isKey, matchesEveryRow, normalized, readsNoColumn } from '../conditions';
import { copiedColumn, mayTruncate, testedState } from '../conversions';
import { ARITHMETIC_OPERATOR } from '../overwritten';
import { keepsOnlyPart, removedKeys } from '../partial-values';
import type { RevisionState } from '../revision-state';
import { columnOfTable, columnTestedNotNull, copiedSources, holdsWholeValue } from './copied-values';

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
  recordCopiedKey(column, value, where, names, state);
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

/** Records that a document gets a second key with the value of one: `SET meta = jsonb_set(meta, '{new}', meta->'old') WHERE meta ? 'old'`. */
function recordCopiedKey(
  column: string,
  value: Node | undefined,
  where: Node | undefined,
  names: readonly string[],
  state: RevisionState,
): void {
  const { funcname, args: [document, path, copied] = [] } = as(value, 'FuncCall') ?? {};
  const { name, lexpr, rexpr } = as(copied, 'A_Expr') ?? {};
  const own = column.slice(column.lastIndexOf('.') + 1);
  const isOwn = (node: Node | undefined) => columnOfTable(copiedColumn(node), names) === own;
  const key = as(rexpr, 'A_Const')?.sval?.sval;
  if (systemName(funcname) !== 'jsonb_set' || !isOwn(document) || joined(name) !== '->' || !isOwn(lexpr) || key === undefined)
    return;
  // Where the key is missing, jsonb_set() returns NULL.
  const hasKey = (part: Node) => {
    const { name: sign, lexpr: tested, rexpr: asked } = as(part, 'A_Expr') ?? {};
    return joined(sign) === '?' && isOwn(tested) && as(asked, 'A_Const')?.sval?.sval === key;
  };
  if (conjuncts(where).some(hasKey))
    state.copies.recordCopy(keyCopy(column, key, where, names), [`${column}->${as(path, 'A_Const')?.sval?.sval}`]);
}

/** A key of the rows that a condition finds. */
function keyCopy(column: string, key: string, where: Node | undefined, names: readonly string[]): string {
  return `${column}->${key} ${normalized(where, names)}`;
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
      state.mayBeKept.set(`${table}.${of}`, `${name} is computed from it: the review could not tell whether all of it is kept`);
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
  const lookup = lookupOf(val, update);
  const relation = wholeTable(lookup?.from[0]);
  const [table = ''] = update.names;
  if (!lookup || !relation || lookup.from.length > 1) return;
  const others = namesOf(relation);
  const tests = conjuncts(lookup.where);
  const taken = columnOfTable(copiedColumn(lookup.found), others);
  const isForAll = tests.length === 1 && state.isNewColumn(table, name);
  for (const [one, two] of tests.flatMap(comparedColumns)) {
    const [own, theirs] = [columnOfTable(one, update.names), columnOfTable(two, others)];
    if (own === undefined || theirs === undefined) continue;
    const match = { column: `${table}.${name}`, source: `${table}.${own}`, of: others[0] ?? '', theirs };
    if (!isForAll) recordPartlyKept(match, taken === undefined ? [] : [taken], state);
    else if (isKey(lookup.found, others)) recordFoundKey(match, state);
    else recordTakenColumn(match, taken, state);
  }
}

/** What an UPDATE reads from another table: by its FROM, or by a subquery; undefined if by both, or by neither. */
function lookupOf(
  value: Node | undefined,
  { from, where }: { readonly from: readonly Node[]; readonly where: Node | undefined },
): { readonly found: Node | undefined; readonly from: readonly Node[]; readonly where: Node | undefined } | undefined {
  const select = as(as(value, 'SubLink')?.subselect, 'SelectStmt');
  if (!select) return from.length ? { found: value, from, where } : undefined;
  if (from.length || where) return undefined;
  return {
    found: as(select.targetList?.[0], 'ResTarget')?.val,
    from: select.fromClause ?? [],
    where: select.whereClause,
  };
}

/** The two columns of `users.id = orders.user_id`, in both orders. */
function comparedColumns(test: Node): readonly (readonly [string | undefined, string | undefined])[] {
  const { name, lexpr, rexpr } = as(test, 'A_Expr') ?? {};
  const [left, right] = [copiedColumn(lexpr), copiedColumn(rexpr)];
  return joined(name) !== '='
    ? []
    : [
        [left, right],
        [right, left],
      ];
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
  else recordPartlyKept({ source, of }, [taken, theirs], state);
}

function recordPartlyKept({ source, of }: Pick<Match, 'source' | 'of'>, taken: readonly string[], state: RevisionState): void {
  for (const column of taken)
    state.mayBeKept.set(`${of}.${column}`, `${tableOf(source)} has a copy, but what has no match there is lost`);
}

function tableOf(column: string): string {
  return column.slice(0, column.lastIndexOf('.'));
}

/** Whether copies hold what an UPDATE removes from a column: all of it, or some keys. They are the only copies from then on. */
export function claimCopy(
  column: string,
  value: Node | undefined,
  { own, names, where }: { readonly own: readonly string[]; readonly names: readonly string[]; readonly where: Node | undefined },
  state: RevisionState,
): boolean {
  const name = `${own[0]}.${column}`;
  const keys = removedKeys(value, column);
  const isCopied = (key: string) =>
    state.copies.claimColumnCopy(`${name}->${key}`) || state.copies.has(keyCopy(name, key, where, names));
  return state.copies.claimColumnCopy(name) || (keys.length > 0 && keys.every(isCopied));
}

/** The column of `WHERE name IS NULL`. */
function columnTestedNull(where: Node | undefined): string | undefined {
  const { nulltesttype, arg } = as(where, 'NullTest') ?? {};
  return nulltesttype === 'IS_NULL' ? copiedColumn(arg) : undefined;
}
