import type { Edge } from './locked-graph';
import { parseDependency, toEdge } from './pep508';
import { normalized } from './requirement';
import type { Table } from './toml';

/** The requirements of groups in `[dependency-groups]`, including nested groups, https://peps.python.org/pep-0735/ */
export function groupEdges(pyproject: Table, groups: readonly string[], seen: readonly string[] = []): Edge[] {
  const tables = Object.entries<(string | Table)[]>(pyproject['dependency-groups'] ?? {});
  return groups.map(normalized).flatMap((group) => {
    if (seen.includes(group)) return [];
    const entries = tables.flatMap(([name, list]) => (normalized(name) === group ? list : []));
    return entries.flatMap((entry) =>
      typeof entry === 'string'
        ? [toEdge(parseDependency(entry))]
        : groupEdges(pyproject, [entry['include-group']], [...seen, group]),
    );
  });
}
