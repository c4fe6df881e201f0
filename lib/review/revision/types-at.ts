import type { TableFacts } from '../../contract/facts';
import type { RevisionFunction, Step } from './analyzed-revision';

/** The tables after a function has run, with the types that their columns have at one of its steps. */
export function tablesWithTypesAt(
  { index }: Step,
  { steps, tablesAfter, findTable }: RevisionFunction,
): Readonly<Record<string, TableFacts>> {
  const tables: Record<string, TableFacts> = { ...tablesAfter };
  for (const { action, index: at } of steps) {
    if (at <= index || action.does !== 'change type') continue;
    const [after, before] = [tables[action.table], findTable(action.table)];
    const type = before?.columns.find(({ name }) => name === action.column)?.type;
    if (!after || type === undefined) continue;
    const columns = after.columns.map((column) => (column.name === action.column ? { ...column, type } : column));
    tables[action.table] = { ...after, columns };
  }
  return tables;
}
