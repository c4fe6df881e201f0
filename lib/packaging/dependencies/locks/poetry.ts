import { join, resolve } from 'node:path';
import { groupEdges } from '../parsing/dependency-groups';
import type { Edge, LockedPackage } from '../parsing/locked-graph';
import { reachedInLock } from '../parsing/locked-graph';
import { parseDependency, toEdge } from '../parsing/pep508';
import { hashOfJson } from '../parsing/python-json';
import { gitAddress, normalized, pinned } from '../parsing/requirement';
import { entryOf, readToml, type Table } from '../parsing/toml';
import { type DependencySource, incompleteLock, outdatedLock, pinsAmong, type Selection } from '../source';

/** What Poetry 1 leaves out of its lock: https://github.com/python-poetry/poetry/issues/1584 */
const NEVER_LOCKED = ['setuptools', 'distribute', 'pip', 'wheel'];

/** Reads Poetry's lock, https://python-poetry.org/docs/libraries/#lock-file */
export function poetryLock(directory: string, selection: Selection): DependencySource {
  const [file, projectFile] = [join(directory, 'poetry.lock'), join(directory, 'pyproject.toml')];
  const lock = readToml(file) as Table;
  const pyproject = readToml(projectFile) ?? {};
  const roots = rootsOf(pyproject, selection);
  const packages = ((lock.package ?? []) as Table[]).map((entry) => lockedPackage(directory, entry, selection));
  const dependencies = reachedInLock(packages, roots, selection.without);
  const missing = roots
    .map(({ name }) => name)
    .filter((name) => !NEVER_LOCKED.includes(name) && !packages.some((found) => found.name === name));
  const indexes = ((lock.package ?? []) as Table[]).flatMap(({ source }) => (source?.type === 'legacy' ? [source.url] : []));
  const resolved = { ...dependencies, options: [...new Set(indexes)].map((url) => `--extra-index-url ${url}`) };
  return {
    found: `poetry.lock in ${directory}`,
    add: 'run "poetry add {}"',
    run: 'poetry run ',
    files: [file, projectFile],
    projects: dependencies.projects,
    errors: missing.length
      ? [incompleteLock(file, missing, projectFile, 'poetry lock')]
      : isOf(pyproject, lock)
        ? []
        : [outdatedLock(file, projectFile, 'poetry lock')],
    warnings: [],
    pins: () => pinsAmong(resolved),
    resolve: () => resolved,
  };
}

function rootsOf(pyproject: Table, { groups, extras }: Selection): Edge[] {
  const { project = {}, tool = {} } = pyproject;
  const poetry: Table = tool.poetry ?? {};
  const tables = [poetry.dependencies, ...groups.map((group) => entryOf(poetryGroups(poetry), group))];
  const lists = [project.dependencies, ...extras.map((extra) => entryOf(project['optional-dependencies'], extra))];
  const named = extras.flatMap((extra) => entryOf(poetry.extras, extra) ?? []).map(normalized);
  return [
    ...groupEdges(pyproject, groups),
    ...lists.flatMap((list: string[] = []) => list.map((text) => toEdge(parseDependency(text)))),
    ...tables.flatMap((table: Table = {}) => edgesOf(table, (name, value) => !value.optional || named.includes(name))),
  ];
}

/** The dependencies of each group. Poetry before 1.2 had one group, which Poetry still reads. */
export function poetryGroups(poetry: Table = {}): Table {
  const groups = Object.entries<Table>(poetry.group ?? {}).map(([name, { dependencies = {} }]) => [name, dependencies]);
  const dev = poetry['dev-dependencies'];
  return { ...(dev && { dev }), ...Object.fromEntries(groups) };
}

/** Poetry's tables: `name = "^1"`, `name = { version = "^1", extras = [...], markers = "..." }`, or a list of these. */
function edgesOf(table: Table, isWanted: (name: string, value: Table) => boolean = () => true): Edge[] {
  return Object.entries(table)
    .filter(([name]) => name.toLowerCase() !== 'python')
    .flatMap(([name, values]) =>
      (Array.isArray(values) ? values : [values])
        .filter((value) => isWanted(normalized(name), typeof value === 'object' ? value : {}))
        .map((value) => ({
          name: normalized(name),
          extras: (value.extras ?? []).map(normalized),
          ...(value.markers && { marker: value.markers }),
        })),
    );
}

function lockedPackage(directory: string, entry: Table, { groups, extras }: Selection): LockedPackage {
  const marker = markerOf(entry.markers, ['main', ...groups], extras);
  return {
    name: normalized(entry.name),
    edges: lockedEdges(entry),
    ...(marker && { marker }),
    ...installed(directory, entry),
  };
}

function lockedEdges({ dependencies = {}, extras = {} }: Table): Edge[] {
  const needs = Object.entries<string[]>(extras).flatMap(([extra, texts]) =>
    texts.map((text) => ({
      extra: normalized(extra),
      needed: parseDependency(text.replace(/\s*\((.*?)\)/, '')).name,
    })),
  );
  return edgesOf(dependencies).map((edge) => {
    const values: Table[] = [dependencies[edge.name] ?? {}].flat();
    if (!values.some(({ optional }) => optional)) return edge;
    const ofExtras = needs.filter(({ needed }) => needed === edge.name).map(({ extra }) => extra);
    return { ...withoutExtras(edge), ofExtras };
  });
}

/** What to install, or the project's folder. */
function installed(directory: string, entry: Table): Pick<LockedPackage, 'requirement' | 'project'> {
  const name = normalized(entry.name);
  const hashes = ((entry.files ?? []) as Table[]).map(({ hash }) => hash);
  const { type, url, subdirectory, resolved_reference: commit }: Table = entry.source ?? {};
  switch (type) {
    case 'directory':
      return { requirement: null, project: resolve(directory, url) };
    case 'git':
      return { requirement: { name, text: `${name} @ ${gitAddress(url, commit, subdirectory)}`, hashes: [] } };
    case 'url':
      return { requirement: { name, text: `${name} @ ${url}`, hashes } };
    case 'file':
      return { requirement: { name, text: `${name} @ file://${resolve(directory, url)}`, hashes } };
    default:
      return { requirement: pinned(name, entry.version, undefined, hashes) };
  }
}

/** Poetry 1 repeats the extra in the condition, which nothing that installs a single distribution can evaluate. */
function withoutExtras({ marker, ...edge }: Edge): Edge {
  const condition = marker?.replace(/extra\s*==\s*["'][^"']+["']/g, TRUE);
  return condition?.split(/\s+or\s+/).every((part) => part !== TRUE) ? { ...edge, marker: condition } : edge;
}

const TRUE = 'python_version >= "3"';

/** Poetry 2 locks one condition, or one per group, and which extras of the project require a package. */
function markerOf(markers: string | Table | undefined, groups: readonly string[], extras: readonly string[]): string | undefined {
  if (markers === undefined) return undefined;
  const given = typeof markers === 'string' ? [markers] : groups.flatMap((group) => entryOf(markers, group) ?? []);
  if (!given.length) return undefined;
  const joined = given.length > 1 ? given.map((marker) => `(${marker})`).join(' or ') : (given[0] as string);
  return joined.replace(/extra\s*==\s*["']([^"']+)["']/g, (_, extra) =>
    extras.map(normalized).includes(normalized(extra)) ? TRUE : 'python_version < "3"',
  );
}

/**
 * Whether the lock was created for this pyproject.toml, by the rules of each Poetry version: before 2.3, without
 * `[dependency-groups]`.
 */
function isOf({ project = {}, tool = {}, 'dependency-groups': dependencyGroups }: Table, { metadata = {} }: Table): boolean {
  if (!metadata['content-hash']) return true;
  const poetry: Table = tool.poetry ?? {};
  const legacy = ['dependencies', 'source', 'extras', 'dev-dependencies'];
  const ofProject = pick(project, ['requires-python', 'dependencies', 'optional-dependencies']);
  const ofPoetry = pick(poetry, [...legacy, 'group']);
  const asBefore = { ...Object.fromEntries(legacy.map((key) => [key, null])), ...ofPoetry };
  const contents: unknown[] = [asBefore, pick(asBefore, legacy)];
  if (Object.keys(ofProject).length || dependencyGroups) {
    contents.push(
      { project: ofProject, tool: { poetry: ofPoetry } },
      { project: ofProject, 'dependency-groups': dependencyGroups ?? {}, tool: { poetry: ofPoetry } },
    );
  }
  return contents.some((content) => hashOfJson(content) === metadata['content-hash']);
}

function pick(table: Table, keys: readonly string[]): Table {
  return Object.fromEntries(keys.filter((key) => key in table).map((key) => [key, table[key]]));
}
