import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UvFailed, uv } from '../uv';
import type { Dependencies } from './parsing/requirement';
import { parseRequirements } from './parsing/requirements-file';
import { readToml, type Table } from './parsing/toml';
import { type DependencySource, outdatedLock, type Selection, uncheckedLock } from './source';

/** The uv lock of a directory: its own, or the one at the root of the workspace above. */
export function findUvLock(directory: string): string | undefined {
  const file = join(directory, 'uv.lock');
  if (existsSync(file)) return file;
  const above = dirname(directory);
  return above === directory ? undefined : findUvLock(above);
}

/** Reads uv's lock with `uv export`. */
export function uvLock(directory: string, file: string, selection: Selection): DependencySource {
  const root = dirname(file);
  const own = projectAbove(directory, root);
  const exported = () => parseRequirements(uv(directory, exportOf(selection)), root);
  const members = localProjects(readToml(file) as Table, root).filter((path) => path !== own);
  let known: Dependencies | undefined;
  const dependencies = () => {
    const { requirements, projects, options } = exported();
    // The project itself is packaged as the backend's source.
    known ??= { requirements, projects: projects.filter((path) => path !== own), options };
    return known;
  };
  const asking = own === root ? join(root, 'pyproject.toml') : `a pyproject.toml of the workspace ${root}`;
  return {
    found: root === directory ? `uv.lock in ${directory}` : `uv.lock of the workspace ${root}`,
    add: `run "uv add {}" in ${own ?? root}`,
    run: 'uv run ',
    files: [file, join(root, 'pyproject.toml'), ...(own ? [join(own, 'pyproject.toml')] : [])],
    projects: members,
    errors: [],
    warnings: [],
    resolve: dependencies,
    checkLock: (python) => {
      const result = checkLock(directory, python);
      if (result === 'outdated') return { error: outdatedLock(file, asking, 'uv lock') };
      return result === 'unknown' ? { warning: uncheckedLock(file, 'uv lock --check') } : {};
    },
    pylock: () => uv(directory, [...exportOf(selection), '--no-emit-local', '--format', 'pylock.toml']),
  };
}

/** Settings of this machine's indexes, which uv compares with the lock: a local mirror of PyPI does not make it outdated. */
const INDEXES = [
  'UV_DEFAULT_INDEX',
  'UV_INDEX',
  'UV_INDEX_URL',
  'UV_EXTRA_INDEX_URL',
  'UV_FIND_LINKS',
  'UV_NO_INDEX',
  'UV_INDEX_STRATEGY',
];
/** Settings that uv writes to the lock's [options]: the team may have locked with them, or only this machine has them. */
const RESOLUTION = ['UV_EXCLUDE_NEWER', 'UV_RESOLUTION', 'UV_PRERELEASE', 'UV_FORK_STRATEGY'];
/** uv resolves only if the lock does not match the project. */
const RESOLVES = /needs to be updated|No solution found when resolving dependencies/;

type LockCheck = 'current' | 'outdated' | 'unknown';

/** Whether uv would change the lock, both with and without this machine's settings of the resolution. */
function checkLock(directory: string, python: string | undefined): LockCheck {
  const isSet = RESOLUTION.some((name) => process.env[name]);
  let result: LockCheck = 'unknown';
  for (const unset of isSet ? [[...INDEXES, ...RESOLUTION], INDEXES] : [INDEXES]) {
    result = checkLockWithout(unset, directory, python);
    if (result !== 'outdated') return result;
  }
  return result;
}

/** Writes nothing, and queries no index for a lock that matches. */
function checkLockWithout(unset: readonly string[], directory: string, python: string | undefined): LockCheck {
  const environment = Object.fromEntries(unset.map((name) => [name, undefined]));
  const check = ['lock', '--check', '--quiet', '--no-python-downloads', ...(python ? ['--python', python] : [])];
  for (const network of [['--offline'], []]) {
    try {
      uv(directory, [...check, ...network], environment);
      return 'current';
    } catch (error) {
      if (!(error instanceof UvFailed)) throw error;
      if (RESOLVES.test(error.stderr)) return 'outdated';
    }
  }
  // The project's metadata can't be read here, or this machine has no suitable Python.
  return 'unknown';
}

function exportOf({ groups, extras, without }: Selection): string[] {
  const chosen = [
    ...groups.flatMap((group) => ['--group', group]),
    ...extras.flatMap((extra) => ['--extra', extra]),
    ...without.flatMap((name) => ['--prune', name]),
  ];
  return ['export', '--frozen', '--no-dev', '--no-editable', '--quiet', '--no-header', '--no-annotate', ...chosen];
}

/** The directory that uv treats as the project: the one with the nearest pyproject.toml. */
function projectAbove(directory: string, root: string): string | undefined {
  if (existsSync(join(directory, 'pyproject.toml'))) return directory;
  return directory === root ? undefined : projectAbove(dirname(directory), root);
}

/** All projects on this machine in a lock: their files are part of the package's hash, whether used or not. */
function localProjects(lock: Table, root: string): string[] {
  return ((lock.package ?? []) as Table[]).flatMap(({ source = {} }) => {
    const path = source.editable ?? source.directory;
    return path === undefined ? [] : [resolve(root, path)];
  });
}
