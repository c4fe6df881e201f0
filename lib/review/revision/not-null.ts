import type { HistoryFacts } from '../../contract/facts';
import type { Action } from '../sql/action';
import { sourceActions } from './steps';
import { unqualifiedName } from './tables';

/** Whether earlier revisions, as far as their source shows, leave a column NOT NULL. */
export function isNotNullBefore({ steps }: HistoryFacts, table: string, column: string): boolean {
  const own = (name: string) => unqualifiedName(name) === unqualifiedName(table);
  return steps.flatMap(sourceActions).reduce((before, { action }) => after(action, own, column) ?? before, false);
}

/** Whether the column is NOT NULL after an action; undefined: the action does not change that. */
function after(action: Action, isTable: (name: string) => boolean, column: string): boolean | undefined {
  if (!('table' in action) || !isTable(action.table)) return undefined;
  if (action.does === 'create table') return action.columns.some(({ name, notNull }) => name === column && notNull);
  if (action.does === 'add column') return action.column.name === column ? action.column.notNull : undefined;
  if (action.does === 'rename') return action.what === 'table' || action.to === column ? false : undefined;
  if (!('column' in action) || action.column !== column) return undefined;
  if (action.does === 'set not null') return true;
  return action.does === 'drop not null' || action.does === 'drop column' ? false : undefined;
}
