import type { SchemaChange } from '../../contract/facts';
import type { Action, ActionOf } from '../sql/action';
import type { PlainStep } from './steps';
import { unqualifiedName } from './tables';

/** What the change has created so far: production does not have it. */
export interface CreatedObjects {
  readonly tables: ReadonlySet<string>;
  /** As `table.column`. */
  readonly columns: ReadonlySet<string>;
  /** Views, functions, sequences, extensions, and triggers as `table.trigger`; functions without their arguments. */
  readonly objects: ReadonlySet<string>;
  /** Tables with a new trigger. */
  readonly tablesWithTrigger: ReadonlySet<string>;
}

export const NOTHING_CREATED: CreatedObjects = {
  tables: new Set(),
  columns: new Set(),
  objects: new Set(),
  tablesWithTrigger: new Set(),
};

export function withTables(created: CreatedObjects, names: Iterable<string>): CreatedObjects {
  return { ...created, tables: new Set([...created.tables, ...names]) };
}

/** What the change has created after one more action. */
export function withAction(created: CreatedObjects, action: Action): CreatedObjects {
  if (action.does === 'create table') return withTables(created, [action.table]);
  if (action.does === 'create view' && !action.replaces) return withObjects(created, [action.view]);
  if (action.does === 'create function' && !action.replaces) return withObjects(created, [action.name]);
  if (action.does === 'create sequence') return withObjects(created, [action.sequence]);
  if (action.does === 'add column') return withColumn(created, `${action.table}.${action.column.name}`);
  if (action.does === 'create trigger') {
    const tablesWithTrigger = new Set([...created.tablesWithTrigger, action.table]);
    return { ...withObjects(created, [`${action.table}.${action.trigger}`]), tablesWithTrigger };
  }
  if (action.does === 'set schema') return afterMove(created, action);
  if (action.does !== 'rename') return created;
  if (action.what === 'column' && created.columns.has(`${action.table}.${action.from}`)) {
    return withColumn(created, `${action.table}.${action.to}`);
  }
  if (action.what !== 'table') return created;
  // A new table that replaces another holds copied rows: it is not production's table.
  const renamed = created.tables.has(action.table) ? [renamedTo(action.table, action.to)] : [];
  const others = [...created.tables].filter((table) => table !== action.table);
  return { ...created, tables: new Set([...others, ...renamed]) };
}

function afterMove({ tables, ...created }: CreatedObjects, { name, schema }: ActionOf<'set schema'>): CreatedObjects {
  const target = [...(schema === 'public' ? [] : [schema]), unqualifiedName(name)].join('.');
  return { ...created, tables: new Set([...tables].map((table) => (table === name ? target : table))) };
}

/** With the objects that a change of the catalog adds under new names. */
export function withCatalogChanges(
  created: CreatedObjects,
  { added, removed }: Pick<SchemaChange, 'added' | 'removed'>,
): CreatedObjects {
  const names = (entries: object) => Object.keys(entries).flatMap((entry) => ENTRY.exec(entry)?.[1] ?? []);
  const before = names(removed);
  return withObjects(
    created,
    names(added).filter((name) => !before.includes(name)),
  );
}

const ENTRY = /^(?:view|function|procedure|aggregate|sequence|extension) ([^(]+)/;

function withObjects(created: CreatedObjects, names: readonly string[]): CreatedObjects {
  return { ...created, objects: new Set([...created.objects, ...names]) };
}

function withColumn(created: CreatedObjects, column: string): CreatedObjects {
  return { ...created, columns: new Set([...created.columns, column]) };
}

/** A table's name before the actions that rename it; undefined if none does. */
export function originalName(table: string, actions: readonly Action[]): string | undefined {
  const renames = actions.filter((action) => action.does === 'rename' && action.what === 'table');
  const names = renames.reduceRight(
    (name, action) => (action.does === 'rename' && renamedTo(action.table, action.to) === name ? action.table : name),
    table,
  );
  return names !== table || renames.some((action) => action.does === 'rename' && action.table === table) ? names : undefined;
}

/** Whether a type is left over from an enum swap: it was renamed to this name, and columns got another type. */
export function isEnumSwapLeftover(type: string, steps: readonly PlainStep[], before: number): boolean {
  const earlier = steps.filter(({ index }) => index < before).map(({ action }) => action);
  return (
    earlier.some((action) => action.does === 'rename' && action.what === 'type' && renamedTo(action.table, action.to) === type) &&
    earlier.some(({ does }) => does === 'change type')
  );
}

/** The qualified name of a table after a rename, which keeps the schema. */
export function renamedTo(table: string, name: string): string {
  return table.includes('.') ? `${table.split('.')[0]}.${name}` : name;
}
