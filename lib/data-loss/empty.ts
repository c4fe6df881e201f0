import type { Node, SelectStmt } from 'libpg-query';
import { joined, nameOf } from '../sql/nodes';
import { type BlockStatement, parseNode } from '../sql/parse';
import { copiedColumn } from './conversions';
import type { Made } from './made';

/** Notes what a query tells that has found or counted nothing: its table or a column holds nothing, or two columns are the same. */
export function noteEmpty(query: string, made: Made): void {
  const node = parseNode(query);
  if (node && 'SelectStmt' in node) ofSelect(node.SelectStmt, made);
}

/** Notes what is known after a block has not raised an exception: `IF EXISTS (SELECT 1 FROM users) THEN RAISE EXCEPTION ...`. */
export function refuses(test: string, statements: readonly BlockStatement[], made: Made): void {
  const node = parseNode(`SELECT ${test}`);
  const [target] = (node && 'SelectStmt' in node && node.SelectStmt.targetList) || [];
  if (target && 'ResTarget' in target) ofTest(target.ResTarget.val, statements, made);
}

/** What is known when a test is false. */
function ofTest(test: Node | undefined, statements: readonly BlockStatement[], made: Made): void {
  if (!test) return;
  if ('BoolExpr' in test && test.BoolExpr.boolop === 'OR_EXPR') {
    for (const part of test.BoolExpr.args ?? []) ofTest(part, statements, made);
  } else if ('SubLink' in test && test.SubLink.subselect && 'SelectStmt' in test.SubLink.subselect) {
    ofSelect(test.SubLink.subselect.SelectStmt, made);
  } else if ('ColumnRef' in test) {
    const name = joined(test.ColumnRef.fields);
    const set = statements.filter(({ into }) => into?.includes(name));
    if (set.length === 1 && set[0]?.into?.length === 1 && set[0].kind === 'statement') noteEmpty(set[0].query, made);
  } else if ('A_Expr' in test) {
    const { name, lexpr, rexpr } = test.A_Expr;
    const least = rexpr && 'A_Const' in rexpr && rexpr.A_Const.ival ? (rexpr.A_Const.ival.ival ?? 0) : undefined;
    const isMore = (least === 0 && ['>', '<>'].includes(joined(name))) || (least === 1 && joined(name) === '>=');
    if (isMore) ofTest(lexpr, statements, made);
  }
}

function ofSelect(select: SelectStmt, made: Made): void {
  const { fromClause = [], targetList = [], whereClause, groupClause, havingClause, limitOffset } = select;
  const [from, ...more] = fromClause;
  const [first] = targetList.flatMap((one) => ('ResTarget' in one && one.ResTarget.val ? [one.ResTarget.val] : []));
  // SELECT EXISTS (SELECT 1 FROM users)
  if (!from && first && 'SubLink' in first) ofTest(first, [], made);
  if (!from || more.length || groupClause || havingClause || limitOffset || !isCountOrRow(first)) return;
  if ('RangeSubselect' in from && !whereClause) {
    const inner = from.RangeSubselect.subquery;
    if (inner && 'SelectStmt' in inner) ofSelect(inner.SelectStmt, made);
  } else if ('RangeVar' in from) ofCondition(whereClause, nameOf(from.RangeVar), first, made);
}

/** count(*), count(name), or a value of each row. */
function isCountOrRow(value: Node | undefined): boolean {
  return !value || !('FuncCall' in value) || joined(value.FuncCall.funcname) === 'count';
}

/** Notes what is known when no row of a table meets a condition. */
function ofCondition(where: Node | undefined, table: string, value: Node | undefined, made: Made): void {
  if (!where) {
    // count(name) counts the rows that have a name.
    const counted = value && 'FuncCall' in value && !value.FuncCall.agg_star ? copiedColumn(value.FuncCall.args?.[0]) : undefined;
    const isConstant = !!value && 'FuncCall' in value && !value.FuncCall.agg_star && counted === undefined;
    if (counted !== undefined) made.empty.add(`${table}.${bare(counted)}`);
    else if (!isConstant) made.empty.add(table);
  } else if ('BoolExpr' in where && where.BoolExpr.boolop === 'OR_EXPR') {
    for (const part of where.BoolExpr.args ?? []) ofCondition(part, table, undefined, made);
  } else if ('NullTest' in where && where.NullTest.nulltesttype === 'IS_NOT_NULL') {
    const column = copiedColumn(where.NullTest.arg);
    if (column !== undefined) made.empty.add(`${table}.${bare(column)}`);
  } else if ('A_Expr' in where && where.A_Expr.kind === 'AEXPR_DISTINCT') {
    const [one, other] = [copiedColumn(where.A_Expr.lexpr), copiedColumn(where.A_Expr.rexpr)].map(
      (name) => name && `${table}.${bare(name)}`,
    );
    if (!one || !other) return;
    made.kept.copy(one, [other]);
    made.kept.copy(other, [one]);
  }
}

function bare(column: string): string {
  return column.slice(column.lastIndexOf('.') + 1);
}
