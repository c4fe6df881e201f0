import { join, resolve } from 'node:path';
import { groupEdges } from '../parsing/dependency-groups';
import type { Edge, LockedPackage } from '../parsing/locked-graph';
import { reachedInLock } from '../parsing/locked-graph';
import { parseDependency, toEdge } from '../parsing/pep508';
import { hashOfJson } from '../parsing/python-json';
import { gitAddress, normalized, pinned } from '../parsing/requirement';
import { entryOf, readToml, type Table } from '../parsing/toml';
import { type DependencySource, incompleteLock, outdatedLock, type Selection } from '../source';

/** Reads PDM's lock, https://pdm-project.org/latest/usage/lockfile/ */
export function pdmLock(directory: string, selection: Selection): DependencySource {
  const [file, projectFile] = [join(directory, 'pdm.lock'), join(directory, 'pyproject.toml')];
  const lock = readToml(file) as Table;
  const pyproject = readToml(projectFile) ?? {};
  const roots = rootsOf(pyproject, selection);
  const packages = lockedPackages(directory, (lock.package ?? []) as Table[]);
  const dependencies = reachedInLock(packages, roots, selection.without);
  const missing = roots.filter(({ name }) => !packages.some((found) => found.name === name)).map(({ name }) => name);
  return {
    found: `pdm.lock in ${directory}`,
    add: 'run "pdm add {}"',
    run: 'pdm run ',
    files: [file, projectFile],
    projects: dependencies.projects,
    errors: missing.length
      ? [incompleteLock(file, missing, projectFile, 'pdm lock')]
      : isOf(pyproject, lock)
        ? []
        : [outdatedLock(file, projectFile, 'pdm lock')],
    warnings: [],
    resolve: () => ({ ...dependencies, options: indexOptions(pyproject) }),
  };
}

function rootsOf(pyproject: Table, { groups, extras }: Selection): Edge[] {
  const { project = {}, tool = {} } = pyproject;
  const lists: string[][] = [
    project.dependencies ?? [],
    ...extras.map((extra) => entryOf(project['optional-dependencies'], extra) ?? []),
    ...groups.map((group) => entryOf(tool.pdm?.['dev-dependencies'], group) ?? []),
  ];
  return [...lists.flat().map((text) => toEdge(parseDependency(text))), ...groupEdges(pyproject, groups)];
}

/** PDM locks a distribution with extras in a separate entry, with the dependencies of these extras. */
function lockedPackages(directory: string, entries: readonly Table[]): LockedPackage[] {
  return entries
    .filter(({ extras }) => !extras?.length)
    .map((entry) => {
      const name = normalized(entry.name);
      const ofExtras = entries.filter((other) => other.extras?.length && normalized(other.name) === name);
      const common = {
        name,
        edges: [
          ...edgesOf(entry),
          ...ofExtras.flatMap((other) => edgesOf(other).map((edge) => ({ ...edge, ofExtras: other.extras.map(normalized) }))),
        ],
        ...(entry.marker && { marker: entry.marker }),
      };
      const hashes = ((entry.files ?? []) as Table[]).map(({ hash }) => hash);
      if (entry.path) return { ...common, requirement: null, project: resolve(directory, entry.path) };
      const address = entry.git ? gitAddress(entry.git, entry.revision, entry.subdirectory) : entry.url;
      const requirement = address
        ? { name, text: `${name} @ ${address}`, hashes: entry.git ? [] : hashes }
        : pinned(name, entry.version, undefined, hashes);
      return { ...common, requirement };
    });
}

function edgesOf({ dependencies = [] }: Table): Edge[] {
  return dependencies.map((text: string) => toEdge(parseDependency(text)));
}

function indexOptions({ tool = {} }: Table): string[] {
  const sources = ((tool.pdm?.source ?? []) as Table[]).filter(({ url }) => url);
  return sources.map(({ name, url }) => `${name === 'pypi' ? '--index-url' : '--extra-index-url'} ${url}`);
}

/**
 * Whether the lock was created for this pyproject.toml, by the rules of each PDM version. Unknown for a workspace or without a
 * hash.
 */
function isOf({ project = {}, tool = {}, 'dependency-groups': dependencyGroups = {} }: Table, { metadata = {} }: Table): boolean {
  const pdm: Table = tool.pdm ?? {};
  if (!metadata.content_hash || pdm.workspace) return true;
  const common = {
    sources: pdm.source ?? [],
    dependencies: project.dependencies ?? [],
    'optional-dependencies': project['optional-dependencies'] ?? {},
    'requires-python': project['requires-python'] ?? '',
  };
  const before = pdm['dev-dependencies'] ?? {};
  const all: Record<string, unknown[]> = {};
  for (const [group, list] of [dependencyGroups, before].flatMap((table) => Object.entries<unknown[]>(table))) {
    all[normalized(group)] = [...(all[normalized(group)] ?? []), ...list];
  }
  const contents = [before, { ...dependencyGroups, ...before }, all].flatMap((group) => [
    { ...common, 'dev-dependencies': group, resolution: pdm.resolution ?? {} },
    { ...common, 'dev-dependencies': group, overrides: pdm.resolution?.overrides ?? {} },
  ]);
  return contents.some((content) => metadata.content_hash === `sha256:${hashOfJson(content)}`);
}
