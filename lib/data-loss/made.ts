import type { Node, RangeVar } from 'libpg-query';
import { UNKNOWN_VALUE as UNKNOWN } from '../contract/facts';

/** What a revision has made itself so far, in which production can have lost nothing. */
export class Made {
  private readonly names = new Set<string>();
  /** Made only where there was none: dropping it again loses nothing, emptying it may. */
  private readonly perhaps = new Set<string>();
  /** Bodies of functions, by name. */
  readonly functions = new Map<string, string>();
  /** Types that were renamed, so that another takes their place. */
  readonly retired = new Set<string>();
  /** Whether columns changed their type, or went: then the type they had is free to go. */
  freesTypes = false;

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

  forget(kind: Kind, name: string): void {
    this.names.delete(`${kind} ${name}`);
    this.perhaps.delete(`${kind} ${name}`);
  }

  rename(kind: Kind, from: string, to: string): void {
    const [own, perhaps] = [this.has(kind, from), this.mayDrop(kind, from)];
    this.forget(kind, from);
    this.forget(kind, to);
    if (own || perhaps) this.add(kind, to, !own);
    else if (kind === 'type') this.retired.add(to);
  }
}

/** Whether a name may mean anything. One whose schema alone is not known is the same wherever the revision writes it. */
function isVague(name: string): boolean {
  return name.replace(new RegExp(`^${UNKNOWN}\\.`), '').includes(UNKNOWN);
}

export type Kind = 'table' | 'column' | 'type' | 'schema' | 'view';

/** A table's name, without `public`. */
export function nameOf(relation: RangeVar | undefined): string {
  const { schemaname, relname = '' } = relation ?? {};
  return schemaname && schemaname !== 'public' ? `${schemaname}.${relname}` : relname;
}

/** A name that is a list of its parts. */
export function joined(names: readonly Node[] = []): string {
  const parts = names.map((name) => ('String' in name ? (name.String.sval ?? '') : ''));
  return (parts.length > 1 && parts[0] === 'public' ? parts.slice(1) : parts).join('.');
}
