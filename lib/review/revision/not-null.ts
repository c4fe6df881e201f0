import type { HistoryFacts } from '../../contract/facts';
import type { Action, ActionOf } from '../sql/action';
import type { RevisionFunction, Step } from './analyzed-revision';
import { readsRows, sourceActions } from './steps';
import { unqualifiedName } from './tables';

/** Whether earlier revisions, as far as their source shows, leave a column NOT NULL. */
export function isNotNullBefore({ steps }: HistoryFacts, table: string, column: string): boolean {
  const own = (name: string) => unqualifiedName(name) === unqualifiedName(table);
  return steps.flatMap(sourceActions).reduce((before, { action }) => after(action, own, column) ?? before, false);
}

/** Whether a function has added a column as NOT NULL, or made it so, before one of its steps. */
export function isNotNullMeanwhile(step: Step, { steps }: RevisionFunction, table: string, column: string): boolean {
  const before = steps.slice(0, steps.indexOf(step)).map(({ action }) => action);
  return before.reduce((state, action) => after(action, (name) => name === table, column) ?? state, false);
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

/** Whether a step makes a column NOT NULL that the function has added without a value, and that nothing may have filled since. */
export function isRequiredWhileEmpty(
  step: Step,
  { steps, source }: RevisionFunction,
): step is Step & { readonly action: ActionOf<'set not null'> } {
  const { action, holdsRows } = step;
  if (action.does !== 'set not null' || !holdsRows(action.table) || !source || readsRows(source) || source.importedCalls.length)
    return false;
  const before = steps.slice(0, steps.indexOf(step));
  const at = before.findLastIndex(
    ({ action: one }) => one.does === 'add column' && one.table === action.table && one.column.name === action.column,
  );
  const added = before[at]?.action;
  if (added?.does !== 'add column' || added.column.default || added.column.generated || added.column.numbered) return false;
  return !before.slice(at).some(({ action: { does } }) => MAY_FILL.has(does));
}

/** What may write the rows of a table, by itself or by a function. */
const MAY_FILL: ReadonlySet<Action['does']> = new Set([
  ...(['update', 'insert', 'delete', 'truncate', 'set default', 'create trigger', 'change type', 'other', 'unparsed'] as const),
]);
