import type { SchemaChange } from '../../contract/facts';
import type { Action, ActionOf } from '../sql/action';
import type { PlainStep } from './steps';
import { bare } from './tables';

/** What the change has made so far: production does not have it. */
export interface Created {
  readonly tables: ReadonlySet<string>;
  /** As `table.column`. */
  readonly columns: ReadonlySet<string>;
  /** Views, functions, sequences, extensions; functions without their arguments. */
  readonly objects: ReadonlySet<string>;
  /** Tables with a new trigger. */
  readonly triggered: ReadonlySet<string>;
}

export const NOTHING_CREATED: Created = { tables: new Set(), columns: new Set(), objects: new Set(), triggered: new Set() };

export function withTables(made: Created, names: Iterable<string>): Created {
  return { ...made, tables: new Set([...made.tables, ...names]) };
}

/** What the change has made after an action. */
export function createdAfter(made: Created, action: Action): Created {
  if (action.does === 'create table') return withTables(made, [action.table]);
  if (action.does === 'create view' && !action.replaces) return withObjects(made, [action.view]);
  if (action.does === 'create function' && !action.replaces) return withObjects(made, [action.name]);
  if (action.does === 'add column') return withColumn(made, `${action.table}.${action.column.name}`);
  if (action.does === 'create trigger') return { ...made, triggered: new Set([...made.triggered, action.table]) };
  if (action.does === 'set schema') return moved(made, action);
  if (action.does !== 'rename') return made;
  if (action.what === 'column' && made.columns.has(`${action.table}.${action.from}`)) {
    return withColumn(made, `${action.table}.${action.to}`);
  }
  if (action.what !== 'table') return made;
  // A new table that takes the place of another holds what was copied into it: it is not production's table.
  const renamed = made.tables.has(action.table) ? [renamedTo(action.table, action.to)] : [];
  const others = [...made.tables].filter((table) => table !== action.table);
  return { ...made, tables: new Set([...others, ...renamed]) };
}

function moved({ tables, ...made }: Created, { name, schema }: ActionOf<'set schema'>): Created {
  const target = [...(schema === 'public' ? [] : [schema]), bare(name)].join('.');
  return { ...made, tables: new Set([...tables].map((table) => (table === name ? target : table))) };
}

/** With what a change of the catalog adds under a new name. */
export function withAdded(made: Created, { added, removed }: Pick<SchemaChange, 'added' | 'removed'>): Created {
  const names = (entries: object) => Object.keys(entries).flatMap((entry) => ENTRY.exec(entry)?.[1] ?? []);
  const before = names(removed);
  return withObjects(
    made,
    names(added).filter((name) => !before.includes(name)),
  );
}

const ENTRY = /^(?:view|function|procedure|aggregate|sequence|extension) ([^(]+)/;

function withObjects(made: Created, names: readonly string[]): Created {
  return { ...made, objects: new Set([...made.objects, ...names]) };
}

function withColumn(made: Created, column: string): Created {
  return { ...made, columns: new Set([...made.columns, column]) };
}

/** The name under which a table was there before the actions that rename it; undefined: none does. */
export function nameBefore(table: string, actions: readonly Action[]): string | undefined {
  const renames = actions.filter((action) => action.does === 'rename' && action.what === 'table');
  const names = renames.reduceRight(
    (name, action) => (action.does === 'rename' && renamedTo(action.table, action.to) === name ? action.table : name),
    table,
  );
  return names !== table || renames.some((action) => action.does === 'rename' && action.table === table) ? names : undefined;
}

/** Whether a type was renamed to this name, and its columns got another type: what is left of an enum swap. */
export function isEnumSwapLeftover(type: string, steps: readonly PlainStep[], before: number): boolean {
  const earlier = steps.filter(({ index }) => index < before).map(({ action }) => action);
  return (
    earlier.some((action) => action.does === 'rename' && action.what === 'type' && renamedTo(action.table, action.to) === type) &&
    earlier.some(({ does }) => does === 'change type')
  );
}

/** The full name of a table after a rename, which keeps its schema. */
export function renamedTo(table: string, name: string): string {
  return table.includes('.') ? `${table.split('.')[0]}.${name}` : name;
}
