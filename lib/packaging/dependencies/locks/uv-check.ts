import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { UvFailed, uv } from '../../uv';
import { readToml, type Table } from '../parsing/toml';

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

export type LockCheck = 'current' | 'outdated' | 'unknown';

/** Whether uv would change the lock, apart from the versions of the projects on this machine: a release often changes only those. */
export function checkUvLock(directory: string, file: string, python: string | undefined): LockCheck {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-alembic-'));
  try {
    return checkLock(copyWithLockedVersions(file, folder) ?? directory, python);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

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

/**
 * Copies the files that uv compares with the lock to a folder, so that every project has its locked version. Returns the copy of the
 * lock's folder; undefined if all have it already.
 */
function copyWithLockedVersions(file: string, folder: string): string | undefined {
  const root = dirname(file);
  const projects = ((readToml(file) as Table).package ?? []).flatMap(({ version, source = {} }: Table) => {
    const path = source.virtual ?? source.editable ?? source.directory;
    return path === undefined ? [] : [{ path: normalize(path), version: version as string | undefined }];
  }) as { path: string; version: string | undefined }[];
  const isChanged = projects.some(({ path, version }) => {
    const current = readToml(join(root, path, 'pyproject.toml'))?.project?.version;
    return current !== undefined && version !== undefined && current !== version;
  });
  if (!isChanged) return undefined;
  const above = Math.max(...projects.map(({ path }) => path.split(sep).filter((part) => part === '..').length));
  // Those in folders above the lock's keep their place beside it.
  const copy = join(folder, relative(join(root, '../'.repeat(above)), root));
  mkdirSync(copy, { recursive: true });
  for (const name of ['uv.lock', 'uv.toml', 'pyproject.toml']) {
    if (existsSync(join(root, name))) copyFileSync(join(root, name), join(copy, name));
  }
  for (const { path, version } of projects) {
    const pyproject = join(root, path, 'pyproject.toml');
    if (!existsSync(pyproject)) continue;
    mkdirSync(join(copy, path), { recursive: true });
    writeFileSync(join(copy, path, 'pyproject.toml'), withVersion(readFileSync(pyproject, 'utf8'), version));
  }
  return copy;
}

function withVersion(pyproject: string, version: string | undefined): string {
  if (version === undefined) return pyproject;
  return pyproject.replace(/(^\[project\]\s*$(?:\n(?!\[).*)*?\nversion\s*=\s*)["'][^"'\n]*["']/m, `$1"${version}"`);
}
