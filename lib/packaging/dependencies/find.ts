import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pdmLock } from './locks/pdm';
import { pipfileLock } from './locks/pipfile';
import { poetryLock } from './locks/poetry';
import { pylock } from './locks/pylock';
import { findUvLock, uvLock } from './locks/uv';
import { requirementsTxt } from './requirements-txt';
import type { DependencySource, Selection } from './source';
import { unlocked, unlockedFile } from './unlocked';

/**
 * Common names. pip's documentation has a convention only for the first:
 * https://pip.pypa.io/en/stable/user_guide/#requirements-files
 */
export const REQUIREMENTS = [
  'requirements.txt',
  'requirements/requirements.txt',
  'requirements/production.txt',
  'requirements/prod.txt',
  'requirements/main.txt',
  'requirements/base.txt',
];

/** A project's dependencies; undefined if it does not declare them. Throws PackagingError for an unreadable file. */
export function findDependencies(directory: string, selection: Selection): DependencySource | undefined {
  const has = (name: string) => existsSync(join(directory, name));
  if (selection.requirements.length) return requirementsTxt(directory, selection.requirements, selection);
  const lock = findUvLock(directory);
  if (lock && has('pyproject.toml')) return uvLock(directory, lock, selection);
  if (has('poetry.lock')) return poetryLock(directory, selection);
  if (has('pdm.lock')) return pdmLock(directory, selection);
  if (has('pylock.toml')) return pylock(directory, selection);
  if (has('Pipfile.lock')) return pipfileLock(directory, selection);
  const requirements = REQUIREMENTS.find(has);
  if (requirements) return requirementsTxt(directory, [requirements], selection);
  const file = unlockedFile(directory);
  if (file) return unlocked(directory, file, selection);
  return lock ? uvLock(directory, lock, selection) : undefined;
}
