import { inSeparateBatches, updateInBatches } from '../../advice/batches';
import type { RevisionFunction, Step } from '../../revision/analyzed-revision';
import { tablesWithTypesAt } from '../../revision/types-at';
import type { ActionOf } from '../../sql/action';
import { lockEnd } from '../locking/locks';
import type { Rule } from '../rule';

export const updateAll: Rule = {
  id: 'update-all',
  group: 'data loss',
  severity: 'error',
  title: 'an UPDATE writes every row in one transaction',
  *check({ upgrade }) {
    // A loop repeats a statement.
    const reported = new Set<string>();
    for (const step of upgrade.steps) {
      const { action, holdsRows, isNewColumn, place } = step;
      if (action.does !== 'update' || !holdsRows(action.table) || reported.has(`${place.line} ${action.table}`)) continue;
      const { table, columns, written } = action;
      const reach = updateScope(step, action, upgrade);
      if (!reach) continue;
      reported.add(`${place.line} ${table}`);
      const overwrites = columns.every((column) => isNewColumn(table, column)) ? '' : ` and overwrites ${columns.join(', ')}`;
      const batched = updateInBatches(table, written, upgrade.findTable(table), tablesWithTypesAt(step, upgrade));
      yield {
        ...place,
        ...(reach.isSome ? { atMost: 'warning' as const } : {}),
        message:
          `${reach.what}${overwrites}: each row stays locked against other writes until ${lockEnd(step)}, and the table grows ` +
          'to twice its size',
        instead: inSeparateBatches(batched),
      };
    }
  },
};

/** Which rows an UPDATE writes: every row, or some that may be most of them; undefined if few, or unknown. */
function updateScope(
  step: Step,
  action: ActionOf<'update' | 'delete'>,
  upgrade: RevisionFunction,
): { readonly what: string; readonly isSome: boolean } | undefined {
  const { table, rows, whereNull } = action;
  const isNew = whereNull !== undefined && step.isNewColumn(table, whereNull);
  const isUnfilled = isNew && !hasDefault(upgrade, table, whereNull);
  if (isUnfilled && wasWrittenBefore(upgrade, step.index, table, whereNull)) {
    const what = `UPDATE writes every row of ${table} in which ${whereNull} is still NULL, which may be most of them, all at once`;
    return { what, isSome: true };
  }
  const some = isNew ? undefined : someRows(action);
  if (some !== undefined) return { what: some, isSome: true };
  if (rows !== 'all' && !isUnfilled) return undefined;
  const all = isUnfilled ? `${whereNull} is new and empty: this UPDATE` : 'UPDATE without WHERE';
  return { what: `${all} writes every row of ${table} at once`, isSome: false };
}

/** The rows of an UPDATE whose condition may find most rows, or few: how many is known only in production. */
function someRows({ table, rows, isShared, inLoop }: ActionOf<'update' | 'delete'>): string | undefined {
  if (rows === 'joined') return `UPDATE with a join alone writes every row of ${table} that has a match, all at once`;
  if (!isShared || inLoop) return undefined;
  return `UPDATE writes every row of ${table} that its condition finds, which may be most of them, all at once`;
}

/** Whether an earlier UPDATE has written rows of a column. */
function wasWrittenBefore({ steps }: RevisionFunction, before: number, table: string, column: string): boolean {
  return steps.some(
    ({ action, index }) =>
      index < before && action.does === 'update' && action.table === table && action.columns.includes(column),
  );
}

/** Whether a new column has a value in every row from the start. */
function hasDefault({ steps }: RevisionFunction, table: string, column: string): boolean {
  const added = steps.flatMap(({ action }) =>
    action.does === 'add column' && action.table === table && action.column.name === column ? [action.column] : [],
  );
  return added.some(({ notNull, default: value }) => notNull || !!value);
}
