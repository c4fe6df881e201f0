import { allOf, type Dependencies, normalized, type Requirement } from './requirement';

/** A dependency of a package in a lock, or of the project itself. */
export interface Edge {
  readonly name: string;
  readonly extras: readonly string[];
  readonly marker?: string;
  /** Applies only with one of these extras of the package that has the edge. */
  readonly ofExtras?: readonly string[];
}

/** A distribution in a lock. */
export interface LockedPackage {
  readonly name: string;
  /** What to install; null for a project on this machine. */
  readonly requirement: Requirement | null;
  /** The project's directory, if it is on this machine. */
  readonly project?: string;
  /** The lock's own condition for it. Without one, the conditions along the paths to it apply. */
  readonly marker?: string;
  readonly edges: readonly Edge[];
}

/** With more paths than this, a package is installed unconditionally. */
const MAX_WAYS = 24;

interface Reached {
  readonly package: LockedPackage;
  readonly extras: Set<string>;
  /** The conditions of each path to this package. An empty list: unconditional. */
  ways: (readonly string[])[];
}

/** The part of a lock that the project requires, without excluded packages and their own dependencies. */
export function reachedInLock(
  packages: readonly LockedPackage[],
  roots: readonly Edge[],
  without: readonly string[],
): Omit<Dependencies, 'options'> {
  const left = new Set(without.map(normalized));
  const byName = new Map<string, LockedPackage[]>();
  for (const found of packages) byName.set(found.name, [...(byName.get(found.name) ?? []), found]);

  const reached = new Map<LockedPackage, Reached>();
  const queue: { readonly edge: Edge; readonly path: readonly string[] }[] = roots.map((edge) => ({ edge, path: [] }));
  for (let next = queue.pop(); next; next = queue.pop()) {
    const { edge } = next;
    if (left.has(edge.name)) continue;
    const path = [...new Set([...next.path, ...(edge.marker ? [edge.marker] : [])])];
    for (const found of byName.get(edge.name) ?? []) {
      const known = reached.get(found) ?? { package: found, extras: new Set(), ways: [] };
      reached.set(found, known);
      if (reach(known, path, edge.extras)) {
        const required = found.edges.filter(({ ofExtras }) => !ofExtras || ofExtras.some((extra) => known.extras.has(extra)));
        queue.push(...required.map((below) => ({ edge: below, path: path })));
      }
    }
  }
  const all = [...reached.values()];
  return {
    requirements: all.flatMap(({ package: { requirement, marker }, ways }) =>
      requirement ? [withMarker(requirement, marker ?? anyOf(ways))] : [],
    ),
    projects: all.flatMap(({ package: { project } }) => project ?? []),
  };
}

/** Adds a path to a package. Returns whether the path or the extras are new. */
function reach(known: Reached, path: readonly string[], extras: readonly string[]): boolean {
  const isNew = !known.ways.some((other) => other.every((marker) => path.includes(marker)));
  const count = known.extras.size;
  for (const extra of extras) known.extras.add(extra);
  if (isNew) known.ways = known.ways.length < MAX_WAYS ? [...known.ways, path] : [[]];
  return isNew || known.extras.size > count;
}

function anyOf(ways: readonly (readonly string[])[]): string | undefined {
  if (ways.some((path) => !path.length)) return undefined;
  const conditions = [...new Set(ways.map((path) => allOf(path) as string))];
  return conditions.length > 1 ? conditions.map((marker) => `(${marker})`).join(' or ') : conditions[0];
}

function withMarker(requirement: Requirement, marker: string | undefined): Requirement {
  return marker ? { ...requirement, text: `${requirement.text} ; ${marker}` } : requirement;
}
