import type { Node, RangeVar } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';

/** What a revision has created so far: production has no data in it to lose. */
export class Made {
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
  /** Columns that the revision added, by the column, such as `users.name`, or the key, such as `users.settings->theme`, that they copy. */
  readonly copies = new Map<string, string>();
  /** Copies whose originals are lost. */
  private readonly keeping = new Set<string>();
  /** Columns that the revision added without a default and has not written since. */
  readonly unfilled = new Set<string>();
  /** Values of columns that rows got in place of others, by the new one. */
  readonly given = new Map<string, ReadonlySet<string>>();
  /** Whether the revision says where a sequence or an identity goes on, so that the number of a dropped one is not lost. */
  continuesNumbers = false;

  add(kind: Kind, name: string, perhaps = false): void {
    (perhaps ? this.perhaps : this.names).add(`${kind} ${name}`);
  }

  has(kind: Kind, name: string): boolean {
    if (isVague(name)) return false;
    const schema = name.includes('.') ? name.slice(0, name.indexOf('.')) : undefined;
    return (
      schema === 'pg_temp' || this.names.has(`${kind} ${name}`) || (schema !== undefined && this.names.has(`schema ${schema}`))
    );
  }

  mayDrop(kind: Kind, name: string): boolean {
    return this.has(kind, name) || (!isVague(name) && this.perhaps.has(`${kind} ${name}`));
  }

  hasColumn(table: string, column: string): boolean {
    return this.has('table', table) || this.has('column', `${table}.${column}`);
  }

  /** Whether an UPDATE of every row probably fills an empty column. */
  mayBeEmpty(table: string, column: string): boolean {
    const name = `${table}.${column}`;
    return this.mayDrop('table', table) || this.mayDrop('column', name) || this.toFill.has(name);
  }

  /** Whether a copy keeps the values that a column, or a key of it, loses now. From then on, dropping that copy loses them. */
  keepsCopy(of: string): boolean {
    const copy = this.copies.get(of);
    if (copy === undefined || !(this.keeping.has(copy) || this.has('column', copy))) return false;
    this.keeping.add(copy);
    this.forget('column', copy);
    return true;
  }

  forget(kind: Kind, name: string): void {
    this.names.delete(`${kind} ${name}`);
    this.perhaps.delete(`${kind} ${name}`);
  }

  rename(kind: Kind, from: string, to: string): void {
    const [own, perhaps] = [this.has(kind, from), this.mayDrop(kind, from)];
    this.forget(kind, from);
    this.forget(kind, to);
    const renamed = (name: string) => (kind === 'column' && name === from ? to : name);
    for (const [source, copy] of [...this.copies]) {
      this.copies.delete(source);
      this.copies.set(renamed(source), renamed(copy));
    }
    if (own || perhaps) this.add(kind, to, !own);
    else if (kind === 'type') this.retired.add(to);
  }
}

/** Whether a name could be any name. One with only an unknown schema refers to the same object throughout the revision. */
function isVague(name: string): boolean {
  return name.replace(new RegExp(`^${UNKNOWN}\\.`), '').includes(UNKNOWN);
}

export type Kind = 'table' | 'column' | 'type' | 'schema' | 'view' | 'sequence';

/** A table's name, without `public`. */
export function nameOf(relation: RangeVar | undefined): string {
  const { schemaname, relname = '' } = relation ?? {};
  return schemaname && schemaname !== 'public' ? `${schemaname}.${relname}` : relname;
}

/** Joins the parts of a name. */
export function joined(names: readonly Node[] = []): string {
  const parts = names.map((name) => ('String' in name ? (name.String.sval ?? '') : ''));
  return (parts.length > 1 && parts[0] === 'public' ? parts.slice(1) : parts).join('.');
}
