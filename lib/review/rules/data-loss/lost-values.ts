import type { Step } from '../../revision/analyzed-revision';
import { CREATED_BY_CHANGE, lossRule } from './loss-rule';

/** The guard only knows what the revision itself has created; the review also knows the rest of the change. */
export const clearColumn = lossRule('clear-column', 'an UPDATE destroys the values of a whole column', function* ({ upgrade }) {
  for (const step of upgrade.steps) {
    const { action, isNewTable, isNewColumn } = step;
    if (action.does !== 'update') continue;
    const { table, columns } = action;
    const isOwn = isNewTable(table) || columns.every((column) => isNewColumn(table, column));
    const harmless = isOwn ? CREATED_BY_CHANGE : whyEmpty(step, table);
    for (const column of harmless ? columns : []) yield { step, of: { name: table, column }, harmless, message: '' };
  }
});

/** The guard does not follow which tables are empty. */
export const convertColumn = lossRule('convert-column', 'a conversion loses a part of each value', function* ({ upgrade }) {
  for (const step of upgrade.steps) {
    const { action } = step;
    const harmless = action.does === 'change type' ? whyEmpty(step, action.table) : undefined;
    if (action.does === 'change type' && harmless)
      yield { step, of: { name: action.table, column: action.column }, harmless, message: '' };
  }
});

const EMPTIED_BY_UPGRADE = 'the upgrade has emptied the table before';

export function whyEmpty({ isExisting, holdsRows }: Step, table: string): string | undefined {
  return isExisting(table) && !holdsRows(table) ? EMPTIED_BY_UPGRADE : undefined;
}
