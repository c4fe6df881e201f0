import type { IndexFacts, TableFacts } from '../../contract/facts';

type Tables = Readonly<Record<string, TableFacts>>;

/** Finds a table by the name that a statement uses. */
export function findTable(tables: Tables, name: string): TableFacts | undefined {
  if (tables[name]) return tables[name];
  // A search_path can resolve an unqualified name in another schema than `public`.
  const found = name.includes('.') ? [] : Object.keys(tables).filter((table) => unqualifiedName(table) === name);
  return found.length === 1 ? tables[found[0] ?? ''] : undefined;
}

export function findIndex(tables: Tables, name: string): { table: string; index: IndexFacts } | undefined {
  for (const [table, { indexes }] of Object.entries(tables)) {
    const index = indexes.find((candidate) => unqualifiedName(candidate.name) === unqualifiedName(name));
    if (index) return { table, index };
  }
  return undefined;
}

/** Finds what changed about a type, in one part of the catalog's changes, by the name that a statement uses. */
export function findType<T>(changes: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  const entries = Object.entries(changes ?? {}).filter(([entry]) => entry.startsWith('type '));
  const exact = entries.find(([entry]) => entry === `type ${name}`);
  const found = exact ? [exact] : entries.filter(([entry]) => unqualifiedName(entry) === name);
  return found.length === 1 ? found[0]?.[1] : undefined;
}

/** A name without its schema. */
export function unqualifiedName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** Whether a table is Alembic's own, which exists before the first revision. */
export function isVersionTable(name: string, configured = 'alembic_version'): boolean {
  return unqualifiedName(name) === configured;
}
