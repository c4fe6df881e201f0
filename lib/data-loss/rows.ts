import type { Node, SelectStmt, SubLink } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { apply, as, joined, nameOf, namesOf, only, queriesOf, type Rules, wholeTable } from '../sql/nodes';
import {
  conjuncts,
  constantText,
  isEmptyValue,
  isKey,
  isSameExpression,
  joinedRows,
  joinedTables,
  matchesEveryRow,
  normalized,
  readsNoColumn,
  selectsWholeTable,
} from './conditions';
import { copiedColumn } from './conversions';
import { recordPythonReads } from './copies/copied-values';
import { isStar, mayOmitRows, recordInsertedRows } from './copies/inserted-rows';
import { claimCopy, recordComputed, recordCopiedColumn, recordLookup } from './copies/updates';
import { type Loss, lossUnless, unreadableSql } from './losses';
import {
  assignedValue,
  carriesColumn,
  isOldValue,
  isUnrelatedValue,
  listItems,
  takesOtherColumn,
  updateMergesValues,
} from './overwritten';
import { isOwnColumn, keepsOnlyPart } from './partial-values';
import type { RevisionState } from './revision-state';

/**
 * The losses of a statement that reads or writes rows, including its CTEs.
 *
 * @param mayLackCondition whether an unknown part of its text may be a condition
 */
export function rowLosses(node: Node, state: RevisionState, mayLackCondition: boolean): readonly Loss[] {
  const found = [
    ...cteLosses(clauseOf(node), state, mayLackCondition, archivedCte(node, state)),
    ...(apply(ROW_RULES, node, state) ?? []),
  ];
  return mayLackCondition ? found.map((loss) => (loss.rule === 'delete-by-query' ? loss : unreadableSql(loss.what))) : found;
}

const ROW_RULES: Rules<readonly Loss[], [state: RevisionState]> = {
  DeleteStmt: ({ relation, whereClause, usingClause = [], withClause }, state) => {
    const table = nameOf(relation);
    state.copies.invalidate(table);
    if (state.isNew('table', table) || state.isVerifiedEmpty(table) || /^pg_(?!largeobject)/.test(table)) return [];
    const names = namesOf(relation);
    const whole = [...wholeTableCtes(withClause, table), ...usingClause.flatMap((from) => selfJoinNames(from, table))];
    const [loss] = deleteLosses([...names, ...whole], whereClause, relation?.alias?.aliasname, state);
    if (!loss && selectsByValue(whereClause)) return [];
    const deleted = deletedByJoin(relation && { RangeVar: relation }, usingClause, whereClause, names);
    const isKept = state.copies.claimRowCopy(
      table,
      [normalized(whereClause, names), ...deleted],
      tablesWithKeys(whereClause, names),
    );
    const some: Loss = { rule: 'delete-by-query', what: `DELETE of some rows of ${table}`, of: { kind: 'rows', name: table } };
    return lossUnless(isKept, loss ?? some, state);
  },
  UpdateStmt: ({ relation, whereClause, fromClause = [], targetList = [], withClause }, state) => {
    const own = namesOf(relation);
    const names = [...own, ...fromClause.flatMap((from) => selfJoinNames(from, nameOf(relation)))];
    const isJoin = joinsTables(whereClause, names) && !hasRowFilter({ fromClause, withClause });
    const aggregated = aggregatedColumns({ fromClause, withClause });
    const losses = updateLosses({ own, names, where: whereClause, isJoin, aggregated }, targetList, state);
    for (const { name = '', val } of withClause ? [] : only(targetList, 'ResTarget'))
      recordLookup({ name, val }, { names: own, from: fromClause, where: whereClause }, state);
    return losses;
  },
  MergeStmt: ({ relation, sourceRelation, joinCondition, mergeWhenClauses, withClause }, state) => {
    const own = namesOf(relation);
    const table = nameOf(relation);
    const parts = only(mergeWhenClauses, 'MergeWhenClause');
    const isOfKnownRows = listsValues(sourceRelation);
    const deletes = parts.filter(({ commandType, matchKind }) => {
      return commandType === 'CMD_DELETE' && !(isOfKnownRows && matchKind === 'MERGE_WHEN_MATCHED');
    });
    const isDelete = deletes.length > 0 && !state.isNew('table', table);
    const updates = hasRowFilter({ sourceRelation, withClause })
      ? []
      : parts.filter(({ commandType, condition }) => commandType === 'CMD_UPDATE' && !condition);
    return [
      ...(isDelete ? [deletesAll(table, `MERGE INTO ${table} ... DELETE`)] : []),
      ...updates.flatMap(({ targetList }) =>
        updateLosses({ own, names: own, where: joinCondition, isJoin: true }, targetList ?? [], state),
      ),
    ];
  },
  InsertStmt: ({ relation, cols, selectStmt, onConflictClause, withClause }, state) => {
    const own = namesOf(relation);
    const select = as(selectStmt, 'SelectStmt');
    const columns = only(cols, 'ResTarget').map(({ name = '' }) => name);
    if (select && !withClause) recordInsertedRows({ into: relation, columns, mayOmitRows: !!onConflictClause }, select, state);
    const isWhole = select?.fromClause && !hasRowFilter(select) && !onConflictClause?.whereClause;
    const targets = isWhole ? (onConflictClause?.targetList ?? []) : [];
    return [
      ...(selectStmt ? rowLosses(selectStmt, state, false) : []),
      ...updateLosses({ own, names: own, where: undefined, isJoin: false }, targets, state),
    ];
  },
  SelectStmt: ({ intoClause, larg, rarg }, state) => {
    if (intoClause?.rel) state.add('table', nameOf(intoClause.rel));
    return [larg, rarg].flatMap((side) => (side ? rowLosses({ SelectStmt: side }, state, false) : []));
  },
};

function clauseOf(node: Node): SelectStmt['withClause'] {
  const [statement] = Object.values(node) as readonly { readonly withClause?: SelectStmt['withClause'] }[];
  return statement?.withClause;
}

function cteLosses(
  clause: SelectStmt['withClause'],
  state: RevisionState,
  mayLackCondition: boolean,
  moved: string | undefined,
): readonly Loss[] {
  const queries = queriesOf(clause).filter(({ name }) => name !== moved);
  return queries.flatMap(({ query }) => rowLosses(query, state, mayLackCondition));
}

/** The CTE whose deleted rows an INSERT writes to another table: `WITH old AS (DELETE ... RETURNING *) INSERT INTO archive SELECT * FROM old`. */
function archivedCte(node: Node, state: RevisionState): string | undefined {
  const { relation, selectStmt, onConflictClause, withClause } = as(node, 'InsertStmt') ?? {};
  const select = as(selectStmt, 'SelectStmt');
  const [from, ...more] = select?.fromClause ?? [];
  const source = as(from, 'RangeVar');
  if (!select || !source || more.length || onConflictClause || mayOmitRows(select) || select.whereClause) return undefined;
  const name = nameOf(source);
  const query = only(withClause?.ctes, 'CommonTableExpr').find(({ ctename }) => ctename === name)?.ctequery;
  const deleted = as(query, 'DeleteStmt');
  if (!deleted || state.temporaryTables.has(nameOf(relation))) return undefined;
  const isAll = returnsStar(select.targetList, name) && returnsStar(deleted.returningClause?.exprs, nameOf(deleted.relation));
  if (!isAll) return undefined;
  state.copies.markOnlyCopy(nameOf(relation));
  return name;
}

function returnsStar(targets: readonly Node[] | undefined, table: string): boolean {
  return only(targets, 'ResTarget').some(({ val }) => isStar(val, [table]));
}

/** Names of the CTEs that hold every row of a table. */
function wholeTableCtes(clause: SelectStmt['withClause'], table: string): readonly string[] {
  return only(clause?.ctes, 'CommonTableExpr').flatMap(({ ctename = '', ctequery }) => {
    const select = as(ctequery, 'SelectStmt');
    return select && selectsWholeTable(select, [table]) ? [ctename] : [];
  });
}

/** The rows that a DELETE finds with a join, as `joinedRows` writes them: with USING, or with `WHERE id IN (SELECT users.id FROM users JOIN teams ON ...)`. */
function deletedByJoin(
  relation: Node | undefined,
  using: readonly Node[],
  where: Node | undefined,
  names: readonly string[],
): readonly string[] {
  if (relation && using.length) return [joinedRows([relation, ...using], where)];
  const { subLinkType, testexpr, subselect } = as(where, 'SubLink') ?? {};
  const select = as(subselect, 'SelectStmt');
  if (subLinkType !== 'ANY_SUBLINK' || !select?.fromClause || mayOmitRows(select) || !isKey(testexpr, names)) return [];
  const [key] = only(select.targetList, 'ResTarget');
  const own = only(joinedTables(select.fromClause), 'RangeVar').filter((one) => nameOf(one) === names[0]);
  const isOwn = own.flatMap(namesOf).includes(copiedColumn(key?.val)?.split('.').slice(0, -1).join('.') || (names[0] ?? ''));
  return isOwn && isKey(key?.val, names) ? [joinedRows(select.fromClause, select.whereClause)] : [];
}

/** The tables that hold the keys of the deleted rows: `WHERE id IN (SELECT id FROM archive)`. */
function tablesWithKeys(where: Node | undefined, names: readonly string[]): readonly string[] {
  const { subLinkType, testexpr, subselect } = as(where, 'SubLink') ?? {};
  const select = as(subselect, 'SelectStmt');
  const from = as(select?.fromClause?.[0], 'RangeVar');
  if (subLinkType !== 'ANY_SUBLINK' || !select || !from || !isKey(testexpr, names)) return [];
  const table = nameOf(from);
  return selectsWholeTable(select, [table]) && !select.limitCount ? [table] : [];
}

/** DELETE FROM users USING users u; UPDATE users SET ... FROM (SELECT * FROM users) u */
function selfJoinNames(from: Node, table: string): readonly string[] {
  const other = wholeTable(from);
  return other && nameOf(other) === table ? [other.alias?.aliasname ?? table] : [];
}

/** @param names the table, its aliases, and CTEs with all of its rows */
function deleteLosses(
  names: readonly string[],
  where: Node | undefined,
  alias: string | undefined,
  state: RevisionState,
): readonly Loss[] {
  const [table = ''] = names;
  if (state.isNew('table', table) || !(matchesEveryRow(where, names) || isUnfilled(where, table, state))) return [];
  // DELETE FROM users {where}
  if (alias?.includes(UNKNOWN)) return [unreadableSql(`DELETE FROM ${table} ${alias}`)];
  return [deletesAll(table, `DELETE FROM ${table}`)];
}

function deletesAll(table: string, what: string): Loss {
  return { rule: 'delete-all', what, of: { kind: 'rows', name: table } };
}

/** Whether a condition is true for every row because nothing has filled a new column: WHERE owner_id IS NULL. */
function isUnfilled(where: Node | undefined, table: string, state: RevisionState): boolean {
  if (!where || !('NullTest' in where) || where.NullTest.nulltesttype !== 'IS_NULL') return false;
  const { arg } = where.NullTest;
  const column = arg && 'ColumnRef' in arg ? joined(arg.ColumnRef.fields).split('.').at(-1) : undefined;
  return state.unfilledColumns.has(`${table}.${column}`);
}

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

function updateLosses(updated: UpdatedRows, targets: readonly Node[], state: RevisionState): readonly Loss[] {
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
  // Before claimCopy, which makes a copy the only one: the revision must not overwrite that any more.
  const old = all.filter(({ name }) => !state.isNewColumn(table, name));
  return old.flatMap((one): readonly Loss[] => {
    if (claimCopy(table, one.name, one.val, state) || isTaken(one.name)) return [];
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
  if (isEmptyValue(val))
    return isWhole || !(selectsKnownRows(where, name, own) || mayBeEmpty) ? emptied(`${table}.${name}`, state) : undefined;
  if (keepsOnlyPart(val, name, own)) {
    const what =
      joined(as(val, 'FuncCall')?.funcname) === UNKNOWN ? COMPUTED_BY_PYTHON : 'a value computed from it that holds less';
    return isWhole || !selectsKnownRows(where, name, own) ? what : undefined;
  }
  if (mayBeEmpty) return undefined;
  if (isWhole && isUnrelatedValue(val, name, own, where)) return 'an unrelated value';
  if (updateMergesValues(where, name, val, own, state)) return 'one value in place of several';
  const isForAll = isWhole || (isJoin && !readsOneOf(aggregated, val)) || skipsRowsWithoutSource(where, val);
  return isForAll && takesOtherColumn(val, name, own) ? 'values of other columns' : undefined;
}

function skipsRowsWithoutSource(where: Node | undefined, value: Node | undefined): boolean {
  const source = copiedColumn(value)?.split('.').at(-1);
  return !!source && skipsUnaffectedRows(where, source, undefined);
}

function emptied(column: string, state: RevisionState): string {
  return state.readByPython.has(column) ? EMPTIED_AFTER_PYTHON : 'nothing';
}

/** Whether a condition lists the values of the rows, so that its author knew these rows: `code IN ('XX', 'YY')`. */
function selectsByValue(where: Node | undefined): boolean {
  if (!where) return false;
  if ('BoolExpr' in where) return where.BoolExpr.boolop !== 'NOT_EXPR' && (where.BoolExpr.args ?? []).every(selectsByValue);
  if (!('A_Expr' in where) || joined(where.A_Expr.name) !== '=') return false;
  const { lexpr, rexpr } = where.A_Expr;
  const values = listItems(rexpr);
  return (
    !!lexpr && 'ColumnRef' in lexpr && (values.length ? values : [rexpr]).every((value) => constantText(value) !== undefined)
  );
}

/** Whether a condition selects rows by their key, or by the column's value, so that the lost value is known. */
function selectsKnownRows(where: Node | undefined, column: string, names: readonly string[]): boolean {
  if (!where) return false;
  if ('BoolExpr' in where) {
    const pinned = (where.BoolExpr.args ?? []).map((part) => selectsKnownRows(part, column, names));
    return where.BoolExpr.boolop === 'AND_EXPR'
      ? pinned.includes(true)
      : where.BoolExpr.boolop === 'OR_EXPR' && !pinned.includes(false);
  }
  if ('NullTest' in where) return where.NullTest.nulltesttype === 'IS_NULL' && isOwnColumn(where.NullTest.arg, column, names);
  if ('SubLink' in where) return selectsKnownKeys(where.SubLink, column, names);
  if (!('A_Expr' in where) || joined(where.A_Expr.name) !== '=') return false;
  const { lexpr, rexpr } = where.A_Expr;
  return (
    (isOwnColumn(lexpr, column, names) || isKey(lexpr, names)) &&
    !!rexpr &&
    (readsNoColumn(rexpr) || isLookupByValue(rexpr, names))
  );
}

/** Whether rows are found by their keys, which a query finds in the same table: `id IN (SELECT id FROM users WHERE name IS NULL LIMIT 100)`. */
function selectsKnownKeys({ subLinkType, testexpr, subselect }: SubLink, column: string, names: readonly string[]): boolean {
  const { fromClause = [], whereClause, targetList } = as(subselect, 'SelectStmt') ?? {};
  const [from, ...more] = only(fromClause, 'RangeVar');
  const [key] = only(targetList, 'ResTarget');
  const isOwn = subLinkType === 'ANY_SUBLINK' && !!from && fromClause.length === 1 && !more.length && nameOf(from) === names[0];
  if (!from || !isOwn || !isKey(testexpr, names) || !isKey(key?.val, names)) return false;
  return selectsKnownRows(whereClause, column, [...names, ...namesOf(from)]);
}

/** A query for one row that its author named, the same for all rows: `(SELECT id FROM plans WHERE name = 'trial')`. */
function isLookupByValue(node: Node, outer: readonly string[]): boolean {
  const { subLinkType, subselect } = as(node, 'SubLink') ?? {};
  const { fromClause = [], whereClause } = as(subselect, 'SelectStmt') ?? {};
  const tests = conjuncts(whereClause).concat(fromClause.flatMap((from) => conjuncts(as(from, 'JoinExpr')?.quals)));
  const isSame = !columnsIn(node).some((column) => outer.some((name) => column.startsWith(`${name}.`)));
  return subLinkType === 'EXPR_SUBLINK' && isSame && tests.some(selectsByValue);
}

/** Whether a source has only rows that the statement itself lists: `(VALUES (3), (4)) AS gone (id)`. */
function listsValues(source: Node | undefined): boolean {
  const { valuesLists = [] } = as(as(source, 'RangeSubselect')?.subquery, 'SelectStmt') ?? {};
  return valuesLists.length > 0 && !/"(?:ColumnRef|SubLink|FuncCall)"/.test(JSON.stringify(valuesLists));
}

/** Whether rows come from a list in the revision or from a query with a condition. Both filter rows as a WHERE does. */
function hasRowFilter(source: object): boolean {
  return /"(?:valuesLists|RangeFunction|whereClause|havingClause|limitCount)"/.test(JSON.stringify(source));
}

/** The columns of queries that hold an aggregate, such as a count: their values are derived data. */
function aggregatedColumns(source: object): ReadonlySet<string> {
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

/** The columns that a value or a query reads, as they are written. */
function columnsIn(value: Node | undefined): readonly string[] {
  const found: string[] = [];
  JSON.stringify(value ?? {}, (key, inner) => {
    if (key === 'ColumnRef') found.push(joined(inner.fields));
    return inner;
  });
  return found;
}

/** Whether a condition only joins the table with another: WHERE teams.id = users.team_id. */
function joinsTables(where: Node | undefined, names: readonly string[]): boolean {
  if (!where) return false;
  if ('BoolExpr' in where)
    return where.BoolExpr.boolop === 'AND_EXPR' && !!where.BoolExpr.args?.every((arg) => joinsTables(arg, names));
  if (!('A_Expr' in where) || where.A_Expr.kind !== 'AEXPR_OP' || joined(where.A_Expr.name) !== '=') return false;
  const of = [where.A_Expr.lexpr, where.A_Expr.rexpr].map((side) => {
    if (!side || !('ColumnRef' in side)) return undefined;
    const fields = joined(side.ColumnRef.fields);
    const dot = fields.lastIndexOf('.');
    return dot < 0 || names.includes(fields.slice(0, dot));
  });
  return !of.includes(undefined) && of[0] !== of[1];
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
