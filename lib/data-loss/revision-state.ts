import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { CopyTracker } from './copy-tracker';
import type { Loss } from './losses';

/** What is known about a revision up to a statement: what it has created, copied and checked. */
export class RevisionState {
  /** Objects that the revision has created, such as `table users`: production has no data in them. */
  private readonly objects = new Set<string>();
  /** Objects created with IF NOT EXISTS: production may have them already. */
  private readonly maybeCreated = new Set<string>();
  /** The CREATE FUNCTION statements, by the function's name. */
  readonly functions = new Map<string, string>();
  /** New names of types that were renamed to make room for another type. */
  readonly renamedTypes = new Set<string>();
  /** Whether a column was dropped or got another type, so that its old type can be dropped. */
  hasFreedType = false;
  /** Columns, such as `users.role`, that are probably filled for the first time: they become NOT NULL, or the revision before added them. */
  readonly columnsToFill = new Set<string>();
  /** Columns that the revision makes NOT NULL. */
  readonly requiredColumns = new Set<string>();
  /** What an UPDATE may have kept elsewhere of a column or a table, such as `users.name`. */
  readonly mayBeKept = new Map<string, string>();
  /** Columns that the revision added with a type that may truncate a value. */
  readonly narrowColumns = new Set<string>();
  /** Tables that the revision moves to another schema or attaches as a partition. */
  readonly movedTables = new Set<string>();
  /** Tables that the revision has dropped. */
  readonly droppedTables = new Set<string>();
  /** What each state of a boolean column was written as, by that column and the new one: `users.active users.status`. */
  readonly writtenStates = new Map<string, Map<string, string>>();
  readonly copies = new CopyTracker();
  /** What would be lost if the revision had not copied the data before, or checked that there is none. */
  readonly avoided: Loss[] = [];
  /** Tables and columns that the revision verifies to be empty: it raises if they are not. */
  readonly verifiedEmpty = new Set<string>();
  /** Temporary tables: a copy in one of them is soon lost. */
  readonly temporaryTables = new Set<string>();
  /** Columns that the revision added without a default and has not written since. */
  readonly unfilledColumns = new Set<string>();
  /** Columns whose enum type the revision replaces later. */
  readonly replacedEnumColumns = new Set<string>();
  /** Labels, as constants, that the revision adds to an enum type. */
  readonly addedEnumLabels = new Set<string>();
  /** The values that an UPDATE replaced, by the column and the new value, such as `users.role "user"`. */
  readonly mergedValues = new Map<string, ReadonlySet<string>>();
  /** Columns, such as `users.name`, that Python reads or computes other columns from. */
  readonly readByPython = new Set<string>();
  /** Whether the revision sets the next value of a sequence or an identity: then the value of a dropped sequence is not lost. */
  setsSequenceValue = false;

  add(kind: ObjectKind, name: string, maybeCreated = false): void {
    (maybeCreated ? this.maybeCreated : this.objects).add(`${kind} ${name}`);
  }

  /** Whether the revision created an object, and it is not the only copy of older data. */
  isNew(kind: ObjectKind, name: string): boolean {
    return this.wasCreated(kind, name) && !(kind === 'table' && this.copies.isOnlyCopy(name));
  }

  /** As `isNew`, also for objects created with IF NOT EXISTS: dropping one of these is no loss of data, but emptying it may be. */
  mayBeNew(kind: ObjectKind, name: string): boolean {
    return this.mayHaveBeenCreated(kind, name) && !(kind === 'table' && this.copies.isOnlyCopy(name));
  }

  isNewColumn(table: string, column: string): boolean {
    const wasCreated = this.wasCreated('table', table) || this.wasCreated('column', `${table}.${column}`);
    return wasCreated && !this.copies.isOnlyCopy(table, column);
  }

  mayBeNewColumn(table: string, column: string): boolean {
    const wasCreated = this.mayHaveBeenCreated('table', table) || this.mayHaveBeenCreated('column', `${table}.${column}`);
    return wasCreated && !this.copies.isOnlyCopy(table, column);
  }

  /** Whether the revision verifies that a table, or a column, is empty. */
  isVerifiedEmpty(table: string, column?: string): boolean {
    return this.verifiedEmpty.has(table) || this.verifiedEmpty.has(`${table}.${column}`);
  }

  /** Whether a column is new, or probably empty. */
  mayBeEmpty(table: string, column: string): boolean {
    return this.mayBeNewColumn(table, column) || this.columnsToFill.has(`${table}.${column}`);
  }

  private wasCreated(kind: ObjectKind, name: string): boolean {
    if (kind === 'column' && name.startsWith(`${UNKNOWN}.`)) return this.hasAddedColumn(name.slice(UNKNOWN.length));
    if (isUnknownName(name)) return false;
    const schema = name.includes('.') ? name.slice(0, name.indexOf('.')) : undefined;
    return (
      schema === 'pg_temp' ||
      (kind === 'table' && isBatchTemporaryTable(name)) ||
      this.objects.has(`${kind} ${name}`) ||
      (schema !== undefined && this.objects.has(`schema ${schema}`))
    );
  }

  /** Whether the revision added a column of this name to some table: a model from elsewhere does not say its table. */
  private hasAddedColumn(suffix: string): boolean {
    return [...this.objects].some((object) => object.startsWith('column ') && object.endsWith(suffix));
  }

  private mayHaveBeenCreated(kind: ObjectKind, name: string): boolean {
    return this.wasCreated(kind, name) || (!isUnknownName(name) && this.maybeCreated.has(`${kind} ${name}`));
  }

  forget(kind: ObjectKind, name: string): void {
    this.objects.delete(`${kind} ${name}`);
    this.maybeCreated.delete(`${kind} ${name}`);
  }

  rename(kind: ObjectKind, from: string, to: string): void {
    const [isCreated, mayBeCreated] = [this.wasCreated(kind, from), this.mayHaveBeenCreated(kind, from)];
    this.forget(kind, from);
    this.forget(kind, to);
    if (kind === 'table' || kind === 'column') this.copies.rename(kind, from, to);
    if (isCreated || mayBeCreated) this.add(kind, to, !isCreated);
    else if (kind === 'type') this.renamedTypes.add(to);
  }
}

/** Whether a table is the temporary copy that Alembic's batch operations create. A failed operation leaves it behind. */
export function isBatchTemporaryTable(table: string): boolean {
  return /^(?:\w+\.)?_alembic_tmp_/.test(table);
}

/** Whether a name has an unknown part. A name whose schema alone is unknown means the same object throughout the revision. */
function isUnknownName(name: string): boolean {
  return name.replace(new RegExp(`^${UNKNOWN}\\.`), '').includes(UNKNOWN);
}

export type ObjectKind = 'table' | 'column' | 'type' | 'schema' | 'view' | 'sequence';
