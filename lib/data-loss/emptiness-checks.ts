import type { Node, SelectStmt } from 'libpg-query';
import { apply, as, joined, nameOf, type Rules } from '../sql/nodes';
import { type BlockStatement, parseNode } from '../sql/parse';
import { copiedColumn } from './conversions';
import type { RevisionState } from './revision-state';

/** Records what follows if a query finds or counts no row: its table or a column is empty, or two columns are equal. */
export function recordEmptyResult(query: string, state: RevisionState): void {
  const node = parseNode(query);
  if (node && 'SelectStmt' in node) recordEmptySelect(node.SelectStmt, state);
}

/** Records what holds if a block does not raise an exception: `IF EXISTS (SELECT 1 FROM users) THEN RAISE EXCEPTION ...`. */
export function recordRaiseGuard(test: string, statements: readonly BlockStatement[], state: RevisionState): void {
  const node = parseNode(`SELECT ${test}`);
  const [target] = (node && 'SelectStmt' in node && node.SelectStmt.targetList) || [];
  if (target && 'ResTarget' in target) recordFalseTest(target.ResTarget.val, statements, state);
}

/** Records what holds if a test is false. */
function recordFalseTest(test: Node | undefined, statements: readonly BlockStatement[], state: RevisionState): void {
  apply(TEST_RULES, test, statements, state);
}

const TEST_RULES: Rules<void, [statements: readonly BlockStatement[], state: RevisionState]> = {
  BoolExpr: ({ boolop, args = [] }, statements, state) => {
    for (const part of boolop === 'OR_EXPR' ? args : []) recordFalseTest(part, statements, state);
  },
  SubLink: ({ subselect }, _, state) => {
    const select = as(subselect, 'SelectStmt');
    if (select) recordEmptySelect(select, state);
  },
  ColumnRef: ({ fields }, statements, state) => {
    const name = joined(fields);
    const [set, ...more] = statements.filter(({ into }) => into?.includes(name));
    if (set?.kind === 'statement' && set.into?.length === 1 && !more.length) recordEmptyResult(set.query, state);
  },
  A_Expr: ({ name, lexpr, rexpr }, statements, state) => {
    const number = as(rexpr, 'A_Const')?.ival;
    const least = number && (number.ival ?? 0);
    const isMore = (least === 0 && ['>', '<>'].includes(joined(name))) || (least === 1 && joined(name) === '>=');
    if (isMore) recordFalseTest(lexpr, statements, state);
  },
};

function recordEmptySelect(select: SelectStmt, state: RevisionState): void {
  const { fromClause = [], targetList = [], whereClause, groupClause, havingClause, limitOffset } = select;
  const [from, ...more] = fromClause;
  const [first] = targetList.flatMap((one) => ('ResTarget' in one && one.ResTarget.val ? [one.ResTarget.val] : []));
  // SELECT EXISTS (SELECT 1 FROM users)
  if (!from && first && 'SubLink' in first) recordFalseTest(first, [], state);
  if (!from || more.length || groupClause || havingClause || limitOffset || !isCountOrRow(first)) return;
  if ('RangeSubselect' in from && !whereClause) {
    const inner = from.RangeSubselect.subquery;
    if (inner && 'SelectStmt' in inner) recordEmptySelect(inner.SelectStmt, state);
  } else if ('RangeVar' in from) recordNoMatch(whereClause, nameOf(from.RangeVar), first, state);
}

/** Whether a query selects a count, or a value of each row. */
function isCountOrRow(value: Node | undefined): boolean {
  return !value || !('FuncCall' in value) || joined(value.FuncCall.funcname) === 'count';
}

/** Records what holds if no row of a table meets a condition. */
function recordNoMatch(where: Node | undefined, table: string, value: Node | undefined, state: RevisionState): void {
  if (where) apply(CONDITION_RULES, where, table, state);
  else {
    const call = as(value, 'FuncCall');
    if (!call || call.agg_star) state.verifiedEmpty.add(table);
    // count(name) counts the rows that have a name.
    else recordAllNull(call.args?.[0], table, state);
  }
}

const CONDITION_RULES: Rules<void, [table: string, state: RevisionState]> = {
  BoolExpr: ({ boolop, args = [] }, table, state) => {
    for (const part of boolop === 'OR_EXPR' ? args : []) recordNoMatch(part, table, undefined, state);
  },
  NullTest: ({ nulltesttype, arg }, table, state) => {
    if (nulltesttype === 'IS_NOT_NULL') recordAllNull(arg, table, state);
  },
  A_Expr: ({ kind, lexpr, rexpr }, table, state) => {
    const [one, other] = [copiedColumn(lexpr), copiedColumn(rexpr)].map((name) => name && `${table}.${withoutTable(name)}`);
    if (kind !== 'AEXPR_DISTINCT' || !one || !other) return;
    state.copies.recordCopy(one, [other]);
    state.copies.recordCopy(other, [one]);
  },
};

/** Records that a column is NULL in every row. */
function recordAllNull(value: Node | undefined, table: string, state: RevisionState): void {
  const column = copiedColumn(value);
  if (column !== undefined) state.verifiedEmpty.add(`${table}.${withoutTable(column)}`);
}

function withoutTable(column: string): string {
  return column.slice(column.lastIndexOf('.') + 1);
}
