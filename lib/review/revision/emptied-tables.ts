import type { Action } from '../sql/action';
import type { PlainStep } from './steps';

/** Tables without rows since their CREATE TABLE, a TRUNCATE or a DELETE of all rows, with the transaction of that. */
export type EmptiedTables = ReadonlyMap<string, number>;

/** The emptied tables after a step. Only in the same transaction: once it has committed, running code writes rows again. */
export function emptiedAfter(emptied: EmptiedTables, { action, transaction }: PlainStep): EmptiedTables {
  const [empties, fills] = [emptiedBy(action), filledBy(action)];
  if (transaction < 0 || !(empties.length || fills.length)) return emptied;
  const left = [...emptied].filter(([table, by]) => by === transaction && !fills.includes(table));
  return new Map([...left, ...empties.map((table) => [table, transaction] as const)]);
}

function emptiedBy(action: Action): readonly string[] {
  if (action.does === 'truncate') return action.tables;
  // CREATE TABLE AS names no columns.
  if (action.does === 'create table') return action.columns.length ? [action.table] : [];
  return action.does === 'delete' && action.rows === 'all' ? [action.table] : [];
}

function filledBy(action: Action): readonly string[] {
  if (action.does === 'insert') return [action.table];
  return action.does === 'copy rows' ? [action.into] : [];
}
