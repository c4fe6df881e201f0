import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';
import { Kept } from './kept';
import type { Loss } from './losses';

/** What a revision has created so far: production has no data in it to lose. */
export class Created {
  private readonly names = new Set<string>();
  /** Created with IF NOT EXISTS: dropping it again loses nothing, but emptying it may. */
  private readonly perhaps = new Set<string>();
  /** Bodies of functions, by name. */
  readonly functions = new Map<string, string>();
  /** Renamed types, which another type replaces. */
  readonly retired = new Set<string>();
  /** Whether a column was dropped or changed its type, so its old type can be dropped. */
  freesTypes = false;
  /** Columns that an UPDATE of every row probably fills, such as `users.role`: they become NOT NULL, or the revision before added them. */
  readonly toFill = new Set<string>();
  /** Columns that the revision added with a type that may keep only a part of a value. */
  readonly narrow = new Set<string>();
  /** Tables that the revision moves to another schema or attaches as a partition. */
  readonly moved = new Set<string>();
  readonly kept = new Kept();
  /** What would be lost if the revision had not copied it before, or checked that nothing is there. */
  readonly excused: Loss[] = [];
  /** Tables and columns that the revision has checked to hold nothing: otherwise it stops. */
  readonly empty = new Set<string>();
  /** Temporary tables: what is copied to them is not kept. */
  readonly temporary = new Set<string>();
  /** Columns that the revision added without a default and has not written since. */
  readonly unfilled = new Set<string>();
  /** Columns whose enum type the revision replaces later, and the labels that it adds to a type. */
  readonly enums = new Set<string>();
  readonly labels = new Set<string>();
  /** Values of columns that rows got in place of others, by the new one. */
  readonly given = new Map<string, ReadonlySet<string>>();
  /** Columns, such as `users.name`, that Python has read, or from which it has computed what is put into others. */
  readonly derived = new Set<string>();
  /** Whether the revision says where a sequence or an identity goes on, so that the number of a dropped one is not lost. */
  continuesNumbers = false;

  add(kind: Kind, name: string, perhaps = false): void {
    (perhaps ? this.perhaps : this.names).add(`${kind} ${name}`);
  }

  has(kind: Kind, name: string): boolean {
    return this.isOwn(kind, name) && !(kind === 'table' && this.kept.isOnly(name));
  }

  mayDrop(kind: Kind, name: string): boolean {
    return this.mayBeOwn(kind, name) && !(kind === 'table' && this.kept.isOnly(name));
  }

  hasColumn(table: string, column: string): boolean {
    const isOwn = this.isOwn('table', table) || this.isOwn('column', `${table}.${column}`);
    return isOwn && !this.kept.isOnly(table, column);
  }

  mayDropColumn(table: string, column: string): boolean {
    const isOwn = this.mayBeOwn('table', table) || this.mayBeOwn('column', `${table}.${column}`);
    return isOwn && !this.kept.isOnly(table, column);
  }

  /** Whether the revision has checked that a table, or a column, holds nothing. */
  isEmpty(table: string, column?: string): boolean {
    return this.empty.has(table) || this.empty.has(`${table}.${column}`);
  }

  /** Whether an UPDATE of every row probably fills an empty column. */
  mayBeEmpty(table: string, column: string): boolean {
    return this.mayDropColumn(table, column) || this.toFill.has(`${table}.${column}`);
  }

  private isOwn(kind: Kind, name: string): boolean {
    if (isVague(name)) return false;
    const schema = name.includes('.') ? name.slice(0, name.indexOf('.')) : undefined;
    return (
      schema === 'pg_temp' ||
      (kind === 'table' && isBatchCopy(name)) ||
      this.names.has(`${kind} ${name}`) ||
      (schema !== undefined && this.names.has(`schema ${schema}`))
    );
  }

  private mayBeOwn(kind: Kind, name: string): boolean {
    return this.isOwn(kind, name) || (!isVague(name) && this.perhaps.has(`${kind} ${name}`));
  }

  forget(kind: Kind, name: string): void {
    this.names.delete(`${kind} ${name}`);
    this.perhaps.delete(`${kind} ${name}`);
  }

  rename(kind: Kind, from: string, to: string): void {
    const [own, perhaps] = [this.isOwn(kind, from), this.mayBeOwn(kind, from)];
    this.forget(kind, from);
    this.forget(kind, to);
    if (kind === 'table' || kind === 'column') this.kept.rename(kind, from, to);
    if (own || perhaps) this.add(kind, to, !own);
    else if (kind === 'type') this.retired.add(to);
  }
}

/** Whether a table is the copy of another that a batch operation of Alembic makes, which a failed one leaves behind. */
export function isBatchCopy(table: string): boolean {
  return /^(?:\w+\.)?_alembic_tmp_/.test(table);
}

/** Whether a name could be any name. One with only an unknown schema refers to the same object throughout the revision. */
function isVague(name: string): boolean {
  return name.replace(new RegExp(`^${UNKNOWN}\\.`), '').includes(UNKNOWN);
}

export type Kind = 'table' | 'column' | 'type' | 'schema' | 'view' | 'sequence';
