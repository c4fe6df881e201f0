import type { Node, SelectStmt } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { apply, as, joined, nameOf, namesOf, only, queriesOf, type Rules } from '../sql/nodes';
import {
  constant,
  isAlike,
  isEmpty,
  isEveryRow,
  isKey,
  isWholeTable,
  joinedTables,
  readsNothing,
  rowsFound,
  written,
} from './conditions';
import { copiedColumn } from './conversions';
import { isCopied, isReduced, isStar, noteCopies, noteDerived, noteLinks, noteRows } from './copies';
import type { Created } from './created';
import { type Loss, unless, unreadable } from './losses';
import { assigned, folds, isReplaced, isUnrelated } from './overwritten';
import { isOwnColumn, isPartOf } from './parts';

/** What a statement destroys that reads or writes rows, including its WITH. `isCut`: its text may lack a condition. */
export function rowLosses(node: Node, made: Created, isCut: boolean): readonly Loss[] {
  const found = [...withLosses(clauseOf(node), made, isCut, movedBy(node, made)), ...(apply(LOSSES, node, made) ?? [])];
  return isCut ? found.map((loss) => (loss.rule === 'delete-by-query' ? loss : unreadable(loss.what))) : found;
}

const LOSSES: Rules<readonly Loss[], [made: Created]> = {
  DeleteStmt: ({ relation, whereClause, usingClause = [], withClause }, made) => {
    const table = nameOf(relation);
    made.kept.change(table);
    if (made.has('table', table) || made.isEmpty(table) || /^pg_(?!largeobject)/.test(table)) return [];
    const names = namesOf(relation);
    const whole = [...wholeTables(withClause, table), ...usingClause.flatMap((from) => aliasOf(from, table))];
    const [loss] = emptied([...names, ...whole], whereClause, relation?.alias?.aliasname, made);
    if (!loss && isNamed(whereClause)) return [];
    const found = rowsDeleted(relation && { RangeVar: relation }, usingClause, whereClause, names);
    const isKept = made.kept.keepsRows(table, [written(whereClause, names), ...found], partnersOf(whereClause, names));
    return unless(isKept, loss ?? { rule: 'delete-by-query', what: `DELETE of some rows of ${table}` }, made);
  },
  UpdateStmt: ({ relation, whereClause, fromClause = [], targetList = [], withClause }, made) => {
    const own = namesOf(relation);
    const names = [...own, ...fromClause.flatMap((from) => aliasOf(from, nameOf(relation)))];
    const isJoin = isJoined(whereClause, names) && !isSelected({ fromClause, withClause });
    const losses = cleared({ own, names, where: whereClause, isJoin }, targetList, made);
    for (const { name = '', val } of withClause ? [] : only(targetList, 'ResTarget'))
      noteLinks({ name, val }, { names: own, from: fromClause, where: whereClause }, made);
    return losses;
  },
  MergeStmt: ({ relation, sourceRelation, joinCondition, mergeWhenClauses, withClause }, made) => {
    const own = namesOf(relation);
    const table = nameOf(relation);
    const parts = only(mergeWhenClauses, 'MergeWhenClause');
    const isDelete = parts.some(({ commandType }) => commandType === 'CMD_DELETE') && !made.has('table', table);
    const updates = isSelected({ sourceRelation, withClause })
      ? []
      : parts.filter(({ commandType, condition }) => commandType === 'CMD_UPDATE' && !condition);
    return [
      ...(isDelete ? [{ rule: 'delete-all', what: `MERGE INTO ${table} ... DELETE` } as const] : []),
      ...updates.flatMap(({ targetList }) =>
        cleared({ own, names: own, where: joinCondition, isJoin: true }, targetList ?? [], made),
      ),
    ];
  },
  InsertStmt: ({ relation, cols, selectStmt, onConflictClause, withClause }, made) => {
    const own = namesOf(relation);
    const select = as(selectStmt, 'SelectStmt');
    const columns = only(cols, 'ResTarget').map(({ name = '' }) => name);
    if (select && !withClause) noteRows({ into: relation, columns, isPartly: !!onConflictClause }, select, made);
    const isWhole = select?.fromClause && !isSelected(select) && !onConflictClause?.whereClause;
    const targets = isWhole ? (onConflictClause?.targetList ?? []) : [];
    return [
      ...(selectStmt ? rowLosses(selectStmt, made, false) : []),
      ...cleared({ own, names: own, where: undefined, isJoin: false }, targets, made),
    ];
  },
  SelectStmt: ({ intoClause, larg, rarg }, made) => {
    if (intoClause?.rel) made.add('table', nameOf(intoClause.rel));
    return [larg, rarg].flatMap((side) => (side ? rowLosses({ SelectStmt: side }, made, false) : []));
  },
};

function clauseOf(node: Node): SelectStmt['withClause'] {
  const [statement] = Object.values(node) as readonly { readonly withClause?: SelectStmt['withClause'] }[];
  return statement?.withClause;
}

function withLosses(clause: SelectStmt['withClause'], made: Created, isCut: boolean, moved: string | undefined): readonly Loss[] {
  const queries = queriesOf(clause).filter(({ name }) => name !== moved);
  return queries.flatMap(({ query }) => rowLosses(query, made, isCut));
}

/** The WITH whose deleted rows an INSERT writes to another table: `WITH old AS (DELETE ... RETURNING *) INSERT INTO archive SELECT * FROM old`. */
function movedBy(node: Node, made: Created): string | undefined {
  const { relation, selectStmt, onConflictClause, withClause } = as(node, 'InsertStmt') ?? {};
  const select = as(selectStmt, 'SelectStmt');
  const [from, ...more] = select?.fromClause ?? [];
  const source = as(from, 'RangeVar');
  if (!select || !source || more.length || onConflictClause || isReduced(select) || select.whereClause) return undefined;
  const name = nameOf(source);
  const query = only(withClause?.ctes, 'CommonTableExpr').find(({ ctename }) => ctename === name)?.ctequery;
  const deleted = as(query, 'DeleteStmt');
  if (!deleted || made.temporary.has(nameOf(relation))) return undefined;
  const isAll = returnsAll(select.targetList, name) && returnsAll(deleted.returningClause?.exprs, nameOf(deleted.relation));
  if (!isAll) return undefined;
  made.kept.needs(nameOf(relation));
  return name;
}

function returnsAll(targets: readonly Node[] | undefined, table: string): boolean {
  return only(targets, 'ResTarget').some(({ val }) => isStar(val, [table]));
}

/** Names of the CTEs that hold every row of a table. */
function wholeTables(clause: SelectStmt['withClause'], table: string): readonly string[] {
  return only(clause?.ctes, 'CommonTableExpr').flatMap(({ ctename = '', ctequery }) => {
    const select = as(ctequery, 'SelectStmt');
    return select && isWholeTable(select, [table]) ? [ctename] : [];
  });
}

/** The deleted rows as a query finds them: by a join, or with `WHERE id IN (SELECT users.id FROM users JOIN teams ON ...)`. */
function rowsDeleted(
  relation: Node | undefined,
  using: readonly Node[],
  where: Node | undefined,
  names: readonly string[],
): readonly string[] {
  if (relation && using.length) return [rowsFound([relation, ...using], where)];
  const { subLinkType, testexpr, subselect } = as(where, 'SubLink') ?? {};
  const select = as(subselect, 'SelectStmt');
  if (subLinkType !== 'ANY_SUBLINK' || !select?.fromClause || isReduced(select) || !isKey(testexpr, names)) return [];
  const [key] = only(select.targetList, 'ResTarget');
  const own = only(joinedTables(select.fromClause), 'RangeVar').filter((one) => nameOf(one) === names[0]);
  const isOwn = own.flatMap(namesOf).includes(copiedColumn(key?.val)?.split('.').slice(0, -1).join('.') || (names[0] ?? ''));
  return isOwn && isKey(key?.val, names) ? [rowsFound(select.fromClause, select.whereClause)] : [];
}

/** The table with the keys of the deleted rows: `WHERE id IN (SELECT id FROM archive)`. */
function partnersOf(where: Node | undefined, names: readonly string[]): readonly string[] {
  const { subLinkType, testexpr, subselect } = as(where, 'SubLink') ?? {};
  const select = as(subselect, 'SelectStmt');
  const from = as(select?.fromClause?.[0], 'RangeVar');
  if (subLinkType !== 'ANY_SUBLINK' || !select || !from || !isKey(testexpr, names)) return [];
  const table = nameOf(from);
  return isWholeTable(select, [table]) && !select.limitCount ? [table] : [];
}

/** DELETE FROM users USING users u */
function aliasOf(from: Node, table: string): readonly string[] {
  const other = as(from, 'RangeVar');
  return other && nameOf(other) === table ? [other.alias?.aliasname ?? table] : [];
}

/** `names`: the table, its aliases, and CTEs with all of its rows. */
function emptied(names: readonly string[], where: Node | undefined, alias: string | undefined, made: Created): readonly Loss[] {
  const [table = ''] = names;
  if (made.has('table', table) || !(isEveryRow(where, names) || isUnfilled(where, table, made))) return [];
  // DELETE FROM users {where}
  if (alias?.includes(UNKNOWN)) return [unreadable(`DELETE FROM ${table} ${alias}`)];
  return [{ rule: 'delete-all', what: `DELETE FROM ${table}` }];
}

/** WHERE owner_id IS NULL, of a column that the revision added and that nothing has filled. */
function isUnfilled(where: Node | undefined, table: string, made: Created): boolean {
  if (!where || !('NullTest' in where) || where.NullTest.nulltesttype !== 'IS_NULL') return false;
  const { arg } = where.NullTest;
  const column = arg && 'ColumnRef' in arg ? joined(arg.ColumnRef.fields).split('.').at(-1) : undefined;
  return made.unfilled.has(`${table}.${column}`);
}

/** The rows that a statement updates. */
interface Updated {
  /** The table and its alias. */
  readonly own: readonly string[];
  /** Also the names by which a join finds the same row. */
  readonly names: readonly string[];
  readonly where: Node | undefined;
  /** Whether these are all rows that have a partner in another table. */
  readonly isJoin: boolean;
}

interface Assigned {
  readonly name: string;
  readonly val: Node | undefined;
}

function cleared(updated: Updated, targets: readonly Node[], made: Created): readonly Loss[] {
  const { own, names, where } = updated;
  const [table = ''] = own;
  const all = only(targets, 'ResTarget').map(({ name = '', val }) => ({ name, val: assigned(val) }));
  for (const { name, val } of all) {
    noteCopies(`${table}.${name}`, val, { where, names: where ? names : own }, made);
    noteDerived(`${table}.${name}`, val, made);
    made.unfilled.delete(`${table}.${name}`);
  }
  const isTaken = (column: string) => all.some(({ name, val }) => name !== column && isCopyOf(val, column, own));
  // isCopied makes the copy the only one, which the revision no longer may overwrite: ask before.
  const old = all.filter(({ name }) => !made.hasColumn(table, name));
  return old.flatMap((one): readonly Loss[] => {
    if (isCopied(table, one.name, one.val, made) || isTaken(one.name)) return [];
    const to = replacedBy(one, updated, made);
    return to === undefined ? [] : [{ rule: 'clear-column', what: `UPDATE ${table} SET ${one.name} to ${to}` }];
  });
}

/** A value that code computes from the one that the row has: it may keep all of it. */
export const BY_PYTHON = 'what Python makes of its value';

/** What takes the place of a column's values, if that loses them. */
function replacedBy({ name, val }: Assigned, { own, names, where, isJoin }: Updated, made: Created): string | undefined {
  const [table = ''] = own;
  const isWhole = isEveryRow(where, names) || isSetAnyway(where, name, val);
  const mayBeEmpty = made.mayBeEmpty(table, name);
  if (isEmpty(val)) return isWhole || !(isPinned(where, name, own) || mayBeEmpty) ? 'nothing' : undefined;
  if (isPartOf(val, name, own)) {
    const what = joined(as(val, 'FuncCall')?.funcname) === UNKNOWN ? BY_PYTHON : 'a part of itself';
    return isWhole || !isPinned(where, name, own) ? what : undefined;
  }
  if (mayBeEmpty) return undefined;
  if (isWhole && isUnrelated(val, name, own, where)) return 'an unrelated value';
  if (folds(where, name, val, own, made)) return 'one value in place of several';
  const source = copiedColumn(val)?.split('.').at(-1);
  const isForAll = isWhole || isJoin || (!!source && isSetAnyway(where, source, undefined));
  return isForAll && isReplaced(val, name, own) ? 'values of other columns' : undefined;
}

/** Whether a condition names the rows by their values: `code IN ('XX', 'YY')`. Who writes it knows which rows these are. */
function isNamed(where: Node | undefined): boolean {
  if (!where) return false;
  if ('BoolExpr' in where) return where.BoolExpr.boolop !== 'NOT_EXPR' && (where.BoolExpr.args ?? []).every(isNamed);
  if (!('A_Expr' in where) || joined(where.A_Expr.name) !== '=') return false;
  const { lexpr, rexpr } = where.A_Expr;
  const values = rexpr && 'List' in rexpr ? (rexpr.List.items ?? []) : [rexpr];
  return !!lexpr && 'ColumnRef' in lexpr && values.every((value) => constant(value) !== undefined);
}

/** Whether a condition selects single rows by their key, or rows by the value that the column has, which is known then. */
function isPinned(where: Node | undefined, column: string, names: readonly string[]): boolean {
  if (!where) return false;
  if ('BoolExpr' in where) {
    const pinned = (where.BoolExpr.args ?? []).map((part) => isPinned(part, column, names));
    return where.BoolExpr.boolop === 'AND_EXPR'
      ? pinned.includes(true)
      : where.BoolExpr.boolop === 'OR_EXPR' && !pinned.includes(false);
  }
  if ('NullTest' in where) return where.NullTest.nulltesttype === 'IS_NULL' && isOwnColumn(where.NullTest.arg, column, names);
  if (!('A_Expr' in where) || joined(where.A_Expr.name) !== '=') return false;
  const { lexpr, rexpr } = where.A_Expr;
  return (isOwnColumn(lexpr, column, names) || isKey(lexpr, names)) && !!rexpr && readsNothing(rexpr);
}

/** SET lat = lng, lng = lat */
function isCopyOf(value: Node | undefined, column: string, names: readonly string[]): boolean {
  return copiedColumn(value) !== undefined && isOwnColumn(value, column, names);
}

/** Whether rows come from a list in the revision, or from a query with a condition: both select them as a WHERE does. */
function isSelected(source: object): boolean {
  return /"(?:valuesLists|RangeFunction|whereClause|havingClause|limitCount)"/.test(JSON.stringify(source));
}

/** WHERE teams.id = users.team_id: each row that has a partner. */
function isJoined(where: Node | undefined, names: readonly string[]): boolean {
  if (!where) return false;
  if ('BoolExpr' in where)
    return where.BoolExpr.boolop === 'AND_EXPR' && !!where.BoolExpr.args?.every((arg) => isJoined(arg, names));
  if (!('A_Expr' in where) || where.A_Expr.kind !== 'AEXPR_OP' || joined(where.A_Expr.name) !== '=') return false;
  const of = [where.A_Expr.lexpr, where.A_Expr.rexpr].map((side) => {
    if (!side || !('ColumnRef' in side)) return undefined;
    const fields = joined(side.ColumnRef.fields);
    const dot = fields.lastIndexOf('.');
    return dot < 0 || names.includes(fields.slice(0, dot));
  });
  return !of.includes(undefined) && of[0] !== of[1];
}

/** WHERE name IS NOT NULL, WHERE name <> '', or WHERE name <> 'x', for a column `name` that is being set to `value`. */
function isSetAnyway(where: Node | undefined, column: string, value: Node | undefined): boolean {
  if (!where) return false;
  if ('NullTest' in where) return where.NullTest.nulltesttype === 'IS_NOT_NULL' && isColumn(where.NullTest.arg, column);
  if ('BoolExpr' in where && where.BoolExpr.boolop === 'AND_EXPR')
    return !!where.BoolExpr.args?.length && where.BoolExpr.args.every((part) => isSetAnyway(part, column, value));
  if (!('A_Expr' in where)) return false;
  const { kind, name, lexpr, rexpr } = where.A_Expr;
  const differs = kind === 'AEXPR_DISTINCT' || joined(name) === '<>';
  return differs && isColumn(lexpr, column) && (isEmpty(rexpr) || isAlike(rexpr, value));
}

function isColumn(node: Node | undefined, column: string): boolean {
  return !!node && 'ColumnRef' in node && joined(node.ColumnRef.fields).split('.').at(-1) === column;
}
