import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findUvLock } from '../dependencies/locks/uv';
import { wheelsOfPins } from '../dependencies/pinned-wheels';
import { runsOnLambda } from '../platform';

/** Locks other than uv's that name the files of each distribution. */
const LOCKS = ['poetry.lock', 'pdm.lock', 'pylock.toml'];

/** Name, version and tags of a wheel's file, https://packaging.python.org/en/latest/specifications/binary-distribution-format/ */
const WHEEL = /([\w.]+)-([^-\s"'/]+)(?:-\d[\w.]*)?-((?:cp|py)\d[\w.]*)-(\w+)-([\w.]+)\.whl/g;

/**
 * SQLAlchemy 2.0 can't be imported on Python 3.13 before 2.0.31, though it has a wheel for any Python:
 * https://docs.sqlalchemy.org/en/20/changelog/changelog_20.html#change-2.0.31
 */
const FIRST_PATCH_ON_3_13 = 31;
export const FIRST_SQLALCHEMY_ON_3_13 = `2.0.${FIRST_PATCH_ON_3_13}`;

/** Whether a version of SQLAlchemy can't be imported on a Python. */
export function isTooOldFor(pythonVersion: string, sqlalchemy: string): boolean {
  const [, patch] = /^2\.0\.(\d+)/.exec(sqlalchemy) ?? [];
  return patch !== undefined && Number(patch) < FIRST_PATCH_ON_3_13 && Number(pythonVersion.split('.')[1]) >= 13;
}

type Tags = readonly [string, string, string];

/**
 * The Python versions, such as `3.13`, for which the dependencies have the most wheels. Counts distributions that have wheels,
 * but none for that Python on Linux. A pinned release gets no wheels for later Pythons, so an old lock suits an older Python.
 *
 * @param requirements the requirements files to install instead of a lock
 */
export function withMostWheels(directory: string, versions: readonly string[], requirements: readonly string[]): string[] {
  const lock = requirements.length ? undefined : lockOf(directory);
  const locked = lock ? readFileSync(lock, 'utf8') : '';
  // Some versions of Poetry wrote locks without files.
  const text = locked.includes('.whl') || versions.length < 2 ? locked : wheelsOfPins(directory, requirements);
  if (!text) return [...versions];
  // The files of older locks of Poetry and PDM are in one table at the end.
  const distributions = new Map<string, { readonly wheels: readonly Tags[]; readonly sqlalchemy: string }>();
  for (const [, name = '', version = '', ...tags] of text.matchAll(WHEEL)) {
    const [key, sqlalchemy] = [`${name} ${version}`.toLowerCase(), /^sqlalchemy$/i.test(name) ? version : ''];
    const wheels = distributions.get(key)?.wheels ?? [];
    distributions.set(key, { wheels: [...wheels, tags as unknown as Tags], sqlalchemy });
  }
  const built = versions.map((version) => {
    const runs = (tags: Tags, sqlalchemy: string) => runsOn(tags, version) && !isTooOldFor(version, sqlalchemy);
    return [...distributions.values()].filter(({ wheels, sqlalchemy }) => !wheels.some((tags) => runs(tags, sqlalchemy))).length;
  });
  return versions.filter((_, index) => built[index] === Math.min(...built));
}

function lockOf(directory: string): string | undefined {
  const lock = findUvLock(directory);
  if (lock && existsSync(join(directory, 'pyproject.toml'))) return lock;
  return LOCKS.map((name) => join(directory, name)).find((path) => existsSync(path)) ?? lock;
}

function runsOn([pythons, abi, platform]: Tags, version: string): boolean {
  if (platform !== 'any' && !platform.split('.').some((tag) => runsOnLambda(tag, version))) return false;
  const minor = Number(version.split('.')[1]);
  return pythons.split('.').some((python) => {
    const [, kind, major, of = ''] = /^(cp|py)(\d)(\d*)$/.exec(python) ?? [];
    if (major !== '3') return false;
    return kind === 'py' || abi === 'abi3' ? Number(of) <= minor : Number(of) === minor;
  });
}
