import type { Node, RangeVar, SelectStmt } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { joined, nameOf } from '../sql/nodes';
import { constant, isAlike, isEmpty, isEveryRow, isKey, isWholeTable, readsNothing, written } from './conditions';
import { copiedColumn } from './conversions';
import { isCopied, isReduced, isStar, noteCopies, noteLinks, noteRows } from './copies';
import { type Loss, unless, unreadable } from './losses';
import type { Made } from './made';
import { assigned, folds, isReplaced, isUnrelated } from './overwritten';
import { isOwnColumn, isPartOf } from './parts';

/** What a statement destroys that reads or writes rows, including its WITH. `isCut`: its text may lack a condition. */
export function rowLosses(node: Node, made: Made, isCut: boolean): readonly Loss[] {
  const found = [...withLosses(clauseOf(node), made, isCut, movedBy(node, made)), ...ownLosses(node, made)];
  return isCut ? found.map((loss) => (loss.rule === 'delete-by-query' ? loss : unreadable(loss.what))) : found;
}

function ownLosses(node: Node, made: Made): readonly Loss[] {
  if ('DeleteStmt' in node) {
    const { relation, whereClause, usingClause = [], withClause } = node.DeleteStmt;
    const table = nameOf(relation);
    const whole = [...wholeTables(withClause, table), ...usingClause.flatMap((from) => aliasOf(from, table))];
    made.kept.change(table);
    if (made.has('table', table) || made.isEmpty(table) || /^pg_(?!largeobject)/.test(table)) return [];
    const names = [table, ...aliases(relation)];
    const [loss] = emptied([...names, ...whole], whereClause, relation?.alias?.aliasname, made);
    if (!loss && isNamed(whereClause)) return [];
    const isKept = made.kept.keepsRows(table, written(whereClause, names), partnersOf(whereClause, names));
    return unless(isKept, loss ?? { rule: 'delete-by-query', what: `DELETE of some rows of ${table}` }, made);
  }
  if ('UpdateStmt' in node) {
    const { relation, whereClause, fromClause = [], targetList = [], withClause } = node.UpdateStmt;
    const table = nameOf(relation);
    const names = [table, ...aliases(relation), ...fromClause.flatMap((from) => aliasOf(from, table))];
    const isJoin = isJoined(whereClause, names) && !isSelected({ fromClause, withClause });
    const losses = cleared(names, whereClause, targetList, relation, made, isJoin);
    for (const target of withClause ? [] : targetList)
      if ('ResTarget' in target)
        noteLinks(
          target.ResTarget.name ?? '',
          target.ResTarget.val,
          [table, ...aliases(relation)],
          fromClause,
          whereClause,
          made,
        );
    return losses;
  }
  if ('MergeStmt' in node) {
    const { relation, sourceRelation, joinCondition, mergeWhenClauses = [], withClause } = node.MergeStmt;
    const table = nameOf(relation);
    const parts = mergeWhenClauses.flatMap((part) => ('MergeWhenClause' in part ? [part.MergeWhenClause] : []));
    const deletes = parts.some(({ commandType }) => commandType === 'CMD_DELETE') && !made.has('table', table);
    const updates = parts.filter(
      ({ commandType, condition }) => commandType === 'CMD_UPDATE' && !condition && !isSelected({ sourceRelation, withClause }),
    );
    return [
      ...(deletes ? [{ rule: 'delete-all', what: `MERGE INTO ${table} ... DELETE` } as const] : []),
      ...updates.flatMap(({ targetList = [] }) =>
        cleared([table, ...aliases(relation)], joinCondition, targetList, relation, made, true),
      ),
    ];
  }
  if ('InsertStmt' in node) {
    const { relation, cols = [], selectStmt, onConflictClause, withClause } = node.InsertStmt;
    const select = selectStmt && 'SelectStmt' in selectStmt ? selectStmt.SelectStmt : undefined;
    const columns = cols.flatMap((one) => ('ResTarget' in one ? [one.ResTarget.name ?? ''] : []));
    if (select && !withClause) noteRows(relation, columns, select, !!onConflictClause, made);
    const isWhole = select?.fromClause && !isSelected(select) && !onConflictClause?.whereClause;
    const targets = isWhole ? (onConflictClause?.targetList ?? []) : [];
    return [
      ...(selectStmt ? rowLosses(selectStmt, made, false) : []),
      ...cleared([nameOf(relation), ...aliases(relation)], undefined, targets, relation, made),
    ];
  }
  if (!('SelectStmt' in node)) return [];
  const { intoClause, larg, rarg } = node.SelectStmt;
  if (intoClause?.rel) made.add('table', nameOf(intoClause.rel));
  return [larg, rarg].flatMap((side) => (side ? rowLosses({ SelectStmt: side }, made, false) : []));
}

function clauseOf(node: Node): SelectStmt['withClause'] {
  const [statement] = Object.values(node) as readonly { readonly withClause?: SelectStmt['withClause'] }[];
  return statement?.withClause;
}

function withLosses(clause: SelectStmt['withClause'], made: Made, isCut: boolean, moved: string | undefined): readonly Loss[] {
  return (clause?.ctes ?? []).flatMap((part) => {
    const { ctename = undefined, ctequery = undefined } = 'CommonTableExpr' in part ? part.CommonTableExpr : {};
    return ctequery && ctename !== moved ? rowLosses(ctequery, made, isCut) : [];
  });
}

/** The WITH whose deleted rows an INSERT writes to another table: `WITH old AS (DELETE ... RETURNING *) INSERT INTO archive SELECT * FROM old`. */
function movedBy(node: Node, made: Made): string | undefined {
  if (!('InsertStmt' in node)) return undefined;
  const { relation, selectStmt, onConflictClause, withClause } = node.InsertStmt;
  const select = selectStmt && 'SelectStmt' in selectStmt ? selectStmt.SelectStmt : undefined;
  const [from, ...more] = select?.fromClause ?? [];
  if (!select || !from || !('RangeVar' in from) || more.length || onConflictClause) return undefined;
  const name = nameOf(from.RangeVar);
  const isAll = !isReduced(select) && !select.whereClause && returnsAll(select.targetList, name);
  const query = (withClause?.ctes ?? []).flatMap((part) =>
    'CommonTableExpr' in part && part.CommonTableExpr.ctename === name ? [part.CommonTableExpr.ctequery] : [],
  )[0];
  const deleted = query && 'DeleteStmt' in query ? query.DeleteStmt : undefined;
  if (
    !deleted ||
    !isAll ||
    !returnsAll(deleted.returningClause?.exprs, nameOf(deleted.relation)) ||
    made.temporary.has(nameOf(relation))
  )
    return undefined;
  made.kept.needs(nameOf(relation));
  return name;
}

function returnsAll(targets: readonly Node[] | undefined, table: string): boolean {
  return !!targets?.some((one) => 'ResTarget' in one && isStar(one.ResTarget.val, [table]));
}

/** Names of the CTEs that hold every row of a table. */
function wholeTables(clause: SelectStmt['withClause'], table: string): readonly string[] {
  return (clause?.ctes ?? []).flatMap((part) => {
    if (!('CommonTableExpr' in part)) return [];
    const { ctename = '', ctequery } = part.CommonTableExpr;
    const select = ctequery && 'SelectStmt' in ctequery ? ctequery.SelectStmt : undefined;
    return select && isWholeTable(select, [table]) ? [ctename] : [];
  });
}

/** The table with the keys of the deleted rows: `WHERE id IN (SELECT id FROM archive)`. */
function partnersOf(where: Node | undefined, names: readonly string[]): readonly string[] {
  if (!where || !('SubLink' in where) || where.SubLink.subLinkType !== 'ANY_SUBLINK') return [];
  const { testexpr, subselect } = where.SubLink;
  const select = subselect && 'SelectStmt' in subselect ? subselect.SelectStmt : undefined;
  const [from] = select?.fromClause ?? [];
  if (!select || !from || !('RangeVar' in from) || !isKey(testexpr, names)) return [];
  const table = nameOf(from.RangeVar);
  return isWholeTable(select, [table]) && !select.limitCount ? [table] : [];
}

/** DELETE FROM users USING users u */
function aliasOf(from: Node, table: string): readonly string[] {
  return 'RangeVar' in from && nameOf(from.RangeVar) === table ? [from.RangeVar.alias?.aliasname ?? table] : [];
}

function aliases(relation: RangeVar | undefined): readonly string[] {
  return relation?.alias?.aliasname ? [relation.alias.aliasname] : [];
}

/** `names`: the table, its aliases, and CTEs with all of its rows. */
function emptied(names: readonly string[], where: Node | undefined, alias: string | undefined, made: Made): readonly Loss[] {
  const [table = ''] = names;
  if (made.has('table', table) || !(isEveryRow(where, names) || isUnfilled(where, table, made))) return [];
  // DELETE FROM users {where}
  if (alias?.includes(UNKNOWN)) return [unreadable(`DELETE FROM ${table} ${alias}`)];
  return [{ rule: 'delete-all', what: `DELETE FROM ${table}` }];
}

/** WHERE owner_id IS NULL, of a column that the revision added and that nothing has filled. */
function isUnfilled(where: Node | undefined, table: string, made: Made): boolean {
  if (!where || !('NullTest' in where) || where.NullTest.nulltesttype !== 'IS_NULL') return false;
  const { arg } = where.NullTest;
  const column = arg && 'ColumnRef' in arg ? joined(arg.ColumnRef.fields).split('.').at(-1) : undefined;
  return made.unfilled.has(`${table}.${column}`);
}

function cleared(
  names: readonly string[],
  where: Node | undefined,
  targets: readonly Node[],
  relation: RangeVar | undefined,
  made: Made,
  isJoin = false,
): readonly Loss[] {
  const [table = ''] = names;
  const own = [table, ...aliases(relation)];
  const written = targets.flatMap((target) =>
    'ResTarget' in target ? [{ name: target.ResTarget.name ?? '', val: assigned(target.ResTarget.val) }] : [],
  );
  for (const { name, val } of written) {
    made.unfilled.delete(`${table}.${name}`);
    noteCopies(`${table}.${name}`, isEveryRow(where, names) ? val : undefined, where ? names : own, made);
  }
  const old = written.filter(({ name }) => !made.hasColumn(table, name));
  return old.flatMap(({ name, val }) => {
    const isWhole = isEveryRow(where, names) || isSetAnyway(where, name, val);
    const loss = (to: string): readonly Loss[] => [{ rule: 'clear-column', what: `UPDATE ${table} SET ${name} to ${to}` }];
    if (isCopied(table, name, val, made) || written.some((other) => other.name !== name && isCopyOf(other.val, name, own)))
      return [];
    const isBroad = isWhole || !(isPinned(where, name, own) || (isEmpty(val) && made.mayBeEmpty(table, name)));
    if (isEmpty(val)) return isBroad ? loss('nothing') : [];
    if (isPartOf(val, name, own)) return isBroad ? loss('a part of itself') : [];
    if (made.mayBeEmpty(table, name)) return [];
    if (isWhole && isUnrelated(val, name, own, where)) return loss('an unrelated value');
    if (folds(where, name, val, own, made)) return loss('one value in place of several');
    const source = copiedColumn(val)?.split('.').at(-1);
    const isForAll = isWhole || isJoin || (!!source && isSetAnyway(where, source, undefined));
    return isForAll && isReplaced(val, name, own) ? loss('values of other columns') : [];
  });
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
