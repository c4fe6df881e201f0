import type { Node, SelectStmt } from 'libpg-query';
import { apply, as, joined, nameOf, type Rules } from '../sql/nodes';
import { type BlockStatement, parseNode } from '../sql/parse';
import { copiedColumn } from './conversions';
import type { Created } from './created';

/** Notes what a query tells that has found or counted nothing: its table or a column holds nothing, or two columns are the same. */
export function noteEmpty(query: string, made: Created): void {
  const node = parseNode(query);
  if (node && 'SelectStmt' in node) ofSelect(node.SelectStmt, made);
}

/** Notes what is known after a block has not raised an exception: `IF EXISTS (SELECT 1 FROM users) THEN RAISE EXCEPTION ...`. */
export function refuses(test: string, statements: readonly BlockStatement[], made: Created): void {
  const node = parseNode(`SELECT ${test}`);
  const [target] = (node && 'SelectStmt' in node && node.SelectStmt.targetList) || [];
  if (target && 'ResTarget' in target) ofTest(target.ResTarget.val, statements, made);
}

/** What is known when a test is false. */
function ofTest(test: Node | undefined, statements: readonly BlockStatement[], made: Created): void {
  apply(TESTS, test, statements, made);
}

const TESTS: Rules<void, [statements: readonly BlockStatement[], made: Created]> = {
  BoolExpr: ({ boolop, args = [] }, statements, made) => {
    for (const part of boolop === 'OR_EXPR' ? args : []) ofTest(part, statements, made);
  },
  SubLink: ({ subselect }, _, made) => {
    const select = as(subselect, 'SelectStmt');
    if (select) ofSelect(select, made);
  },
  ColumnRef: ({ fields }, statements, made) => {
    const name = joined(fields);
    const [set, ...more] = statements.filter(({ into }) => into?.includes(name));
    if (set?.kind === 'statement' && set.into?.length === 1 && !more.length) noteEmpty(set.query, made);
  },
  A_Expr: ({ name, lexpr, rexpr }, statements, made) => {
    const number = as(rexpr, 'A_Const')?.ival;
    const least = number && (number.ival ?? 0);
    const isMore = (least === 0 && ['>', '<>'].includes(joined(name))) || (least === 1 && joined(name) === '>=');
    if (isMore) ofTest(lexpr, statements, made);
  },
};

function ofSelect(select: SelectStmt, made: Created): void {
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
function ofCondition(where: Node | undefined, table: string, value: Node | undefined, made: Created): void {
  if (where) apply(CONDITIONS, where, table, made);
  else {
    const call = as(value, 'FuncCall');
    if (!call || call.agg_star) made.empty.add(table);
    // count(name) counts the rows that have a name.
    else noteNone(call.args?.[0], table, made);
  }
}

const CONDITIONS: Rules<void, [table: string, made: Created]> = {
  BoolExpr: ({ boolop, args = [] }, table, made) => {
    for (const part of boolop === 'OR_EXPR' ? args : []) ofCondition(part, table, undefined, made);
  },
  NullTest: ({ nulltesttype, arg }, table, made) => {
    if (nulltesttype === 'IS_NOT_NULL') noteNone(arg, table, made);
  },
  A_Expr: ({ kind, lexpr, rexpr }, table, made) => {
    const [one, other] = [copiedColumn(lexpr), copiedColumn(rexpr)].map((name) => name && `${table}.${bare(name)}`);
    if (kind !== 'AEXPR_DISTINCT' || !one || !other) return;
    made.kept.copy(one, [other]);
    made.kept.copy(other, [one]);
  },
};

/** Notes that a column has no value in any row. */
function noteNone(value: Node | undefined, table: string, made: Created): void {
  const column = copiedColumn(value);
  if (column !== undefined) made.empty.add(`${table}.${bare(column)}`);
}

function bare(column: string): string {
  return column.slice(column.lastIndexOf('.') + 1);
}
