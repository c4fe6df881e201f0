import { dirname, join, resolve } from 'node:path';
import { normalized, pinned, type Requirement } from '../parsing/requirement';
import { readToml, type Table } from '../parsing/toml';
import type { DependencySource, Selection } from '../source';

const PYPI = /^https:\/\/pypi\.org\/simple\/?$/;

/** Reads a standard lock, https://packaging.python.org/en/latest/specifications/pylock-toml/ */
export function pylock(directory: string, selection: Selection): DependencySource {
  const file = join(directory, 'pylock.toml');
  const left = new Set(selection.without.map(normalized));
  const lock = readToml(file) as Table;
  const groups = [...(lock['default-groups'] ?? []), ...selection.groups];
  const entries = ((lock.packages ?? []) as Table[]).filter(({ name }) => !left.has(normalized(name)));
  const projects = entries.flatMap((entry) => (entry.directory ? [resolve(directory, entry.directory.path)] : []));
  const indexes = [...new Set(entries.flatMap(({ index }) => (index && !PYPI.test(index) ? [String(index)] : [])))];
  return {
    found: `pylock.toml in ${directory}`,
    add: 'add {} with the tool that wrote it',
    run: '',
    files: [file],
    projects,
    errors: [],
    warnings: [],
    resolve: () => ({
      requirements: entries.flatMap((entry) => requirementOf(file, entry, { ...selection, groups }) ?? []),
      projects,
      options: indexes.map((url) => `--extra-index-url ${url}`),
    }),
  };
}

function requirementOf(file: string, entry: Table, { groups, extras }: Selection): Requirement | undefined {
  if (entry.directory) return undefined;
  const name = normalized(entry.name);
  const marker = entry.marker && chosen(entry.marker, groups, extras);
  const suffix = marker ? ` ; ${marker}` : '';
  if (entry.vcs) {
    const { type, url, path, 'commit-id': commit, subdirectory } = entry.vcs;
    const below = subdirectory ? `#subdirectory=${subdirectory}` : '';
    return {
      name,
      text: `${name} @ ${type}+${url ?? `file://${resolve(dirname(file), path)}`}@${commit}${below}${suffix}`,
      hashes: [],
    };
  }
  const archives: Table[] = [...(entry.wheels ?? []), ...(entry.sdist ? [entry.sdist] : [])];
  if (entry.archive) {
    const { url, path } = entry.archive;
    return {
      name,
      text: `${name} @ ${url ?? `file://${resolve(dirname(file), path)}`}${suffix}`,
      hashes: hashesOf(entry.archive),
    };
  }
  return pinned(name, entry.version, marker, archives.flatMap(hashesOf));
}

function hashesOf({ hashes = {} }: Table): string[] {
  return Object.entries(hashes).map(([algorithm, hash]) => `${algorithm}:${hash}`);
}

/** Resolves markers that depend on a group or an extra of the lock, because requirements files can't. */
function chosen(marker: string, groups: readonly string[], extras: readonly string[]): string {
  return marker.replace(
    /["']([\w.-]+)["']\s+(not\s+)?in\s+(dependency_groups|extras)/g,
    (_, name: string, not: string | undefined, list: string) => {
      const isIn = (list === 'extras' ? extras : groups).map(normalized).includes(normalized(name));
      return isIn === !not ? 'python_version >= "3"' : 'python_version < "3"';
    },
  );
}
