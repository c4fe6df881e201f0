import type { Node } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../../contract/facts';
import { as, joined, only } from '../../sql/nodes';
import { conjuncts, isEmptyValue, isSameExpression, matchesEveryRow } from '../conditions';
import { copiedColumn } from '../conversions';
import { recordPythonReads } from '../copies/copied-values';
import { claimCopy, recordComputed, recordCopiedColumn } from '../copies/updates';
import type { Loss } from '../losses';
import { assignedValue, carriesColumn, isOldValue, isUnrelatedValue, takesOtherColumn, updateMergesValues } from '../overwritten';
import { keepsOnlyPart, removedKeys, saysValueOfKey } from '../partial-values';
import type { RevisionState } from '../revision-state';
import { columnsIn, selectsByValue, selectsKnownRows } from './selected-rows';

/** The rows that a statement updates. */
interface UpdatedRows {
  /** The table and its alias. */
  readonly own: readonly string[];
  /** The same, and the names by which a join finds the same row. */
  readonly names: readonly string[];
  readonly where: Node | undefined;
  /** Whether the condition is a join alone: it selects all rows with a match in another table. */
  readonly isJoin: boolean;
  /** Columns of the joined queries that hold an aggregate. @default - none */
  readonly aggregated?: ReadonlySet<string>;
}

interface Assignment {
  readonly name: string;
  readonly val: Node | undefined;
}

/** The losses of an UPDATE, also in a MERGE or in ON CONFLICT. Records what it copies. */
export function updateLosses(updated: UpdatedRows, targets: readonly Node[], state: RevisionState): readonly Loss[] {
  const { own, names, where } = updated;
  const [table = ''] = own;
  // Alembic's own.
  if (/^(?:\w+\.)?alembic_version$/.test(table)) return [];
  const all = only(targets, 'ResTarget').map(({ name = '', val }) => ({ name, val: assignedValue(val) }));
  for (const { name, val } of all) {
    recordCopiedColumn(`${table}.${name}`, val, { where, names: where ? names : own }, state);
    recordPythonReads(`${table}.${name}`, val, state);
    recordComputed({ name, val }, { where, names: own }, state);
    state.unfilledColumns.delete(`${table}.${name}`);
  }
  const isTaken = (column: string) =>
    all.some(({ name, val }) => name !== column && (carriesColumn(val, column, own) || isOldValue(val, where, column, own)));
  // Before claimCopy, which makes a copy the only one: the revision must not overwrite that anymore.
  const old = all.filter(({ name }) => !state.isNewColumn(table, name));
  return old.flatMap((one): readonly Loss[] => {
    if (claimCopy(one.name, one.val, updated, state) || isTaken(one.name)) return [];
    const to = replacement(one, updated, state);
    if (to === undefined) return [];
    const of = { kind: 'table', name: table, column: one.name } as const;
    const readBefore = to === COMPUTED_BY_PYTHON || to === EMPTIED_AFTER_PYTHON ? { readBefore: true as const } : {};
    return [{ rule: 'clear-column', what: `an UPDATE that sets ${table}.${one.name} to ${to}`, of, ...readBefore }];
  });
}

/** A value that Python computes from the old one: it may keep all of it. */
const COMPUTED_BY_PYTHON = 'a value that Python computes from it';

/** A column is emptied after Python has read its values: it may have kept all of them elsewhere. */
const EMPTIED_AFTER_PYTHON = 'nothing, after Python has read its values';

/** What replaces a column's values; undefined if nothing is lost. */
function replacement(
  { name, val }: Assignment,
  { own, names, where, isJoin, aggregated }: UpdatedRows,
  state: RevisionState,
): string | undefined {
  const [table = ''] = own;
  const isWhole = matchesEveryRow(where, names) || skipsUnaffectedRows(where, name, val);
  const mayBeEmpty = state.mayBeEmpty(table, name);
  // As with a DELETE, the author has named the rows.
  const isNamed = selectsKnownRows(where, name, own) || selectsByValue(where);
  if (isEmptyValue(val)) return isWhole || !(isNamed || mayBeEmpty) ? emptied(`${table}.${name}`, state) : undefined;
  if (keepsOnlyPart(val, name, own)) {
    const isKnown = isNamed || saysRemovedValues(where, val, name, own);
    return isWhole || !isKnown ? partOf(val) : undefined;
  }
  if (mayBeEmpty) return undefined;
  if (isWhole && isUnrelatedValue(val, name, own, where)) return 'an unrelated value';
  if (updateMergesValues(where, name, val, own, state)) return 'one value in place of several';
  const isForAll = isWhole || (isJoin && !readsOneOf(aggregated, val)) || skipsRowsWithoutSource(where, val);
  return isForAll && takesOtherColumn(val, name, own) ? 'values of other columns' : undefined;
}

function partOf(value: Node | undefined): string {
  const isUnknown = joined(as(value, 'FuncCall')?.funcname) === UNKNOWN;
  return isUnknown ? COMPUTED_BY_PYTHON : 'a value computed from it that holds less';
}

/** Whether a condition says the values of all keys that an UPDATE removes from a document. */
function saysRemovedValues(where: Node | undefined, value: Node | undefined, column: string, names: readonly string[]): boolean {
  const keys = removedKeys(value, column);
  const isSaid = (key: string) => conjuncts(where).some((part) => saysValueOfKey(part, key, column, names));
  return keys.length > 0 && keys.every(isSaid);
}

function skipsRowsWithoutSource(where: Node | undefined, value: Node | undefined): boolean {
  const source = copiedColumn(value)?.split('.').at(-1);
  return !!source && skipsUnaffectedRows(where, source, undefined);
}

function emptied(column: string, state: RevisionState): string {
  return state.readByPython.has(column) ? EMPTIED_AFTER_PYTHON : 'nothing';
}

/** Whether a condition skips only rows that have nothing to lose: WHERE name IS NOT NULL, name <> '', or name <> 'x' where `name` is set to 'x'. */
function skipsUnaffectedRows(where: Node | undefined, column: string, value: Node | undefined): boolean {
  if (!where) return false;
  if ('NullTest' in where) return where.NullTest.nulltesttype === 'IS_NOT_NULL' && isColumn(where.NullTest.arg, column);
  if ('BoolExpr' in where && where.BoolExpr.boolop === 'AND_EXPR')
    return !!where.BoolExpr.args?.length && where.BoolExpr.args.every((part) => skipsUnaffectedRows(part, column, value));
  if (!('A_Expr' in where)) return false;
  const { kind, name, lexpr, rexpr } = where.A_Expr;
  const differs = kind === 'AEXPR_DISTINCT' || joined(name) === '<>';
  return differs && isColumn(lexpr, column) && (isEmptyValue(rexpr) || isSameExpression(rexpr, value));
}

function isColumn(node: Node | undefined, column: string): boolean {
  return !!node && 'ColumnRef' in node && joined(node.ColumnRef.fields).split('.').at(-1) === column;
}

/** The columns of queries that hold an aggregate, such as a count: their values are derived data. */
export function aggregatedColumns(source: object): ReadonlySet<string> {
  const found = new Set<string>();
  JSON.stringify(source, (key, inner) => {
    if (key === 'ResTarget' && inner.name && AGGREGATE.test(JSON.stringify(inner.val))) found.add(inner.name);
    return inner;
  });
  return found;
}

const AGGREGATE = /"agg_(?:star|distinct)"|"sval":"(?:count|sum|min|max|avg|string_agg|(?:array|jsonb?)_agg)"/;

function readsOneOf(columns: ReadonlySet<string> | undefined, value: Node | undefined): boolean {
  return columnsIn(value).some((column) => columns?.has(column.split('.').at(-1) ?? ''));
}
