import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { option } from '../code-in-messages';
import { PackagingError } from '../errors';
import { listFiles } from '../project/sources';
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
const REQUIREMENTS = [
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

/** The error for a project without dependencies, with the places where they may be. */
export function noDependencies(directory: string): PackagingError {
  const kinds = 'uv.lock, poetry.lock, pdm.lock, pylock.toml, Pipfile.lock, requirements.txt or pyproject.toml';
  return new PackagingError(
    'no_dependencies',
    `${directory} has no ${kinds}, so its dependencies are unknown: ${placeOfDependencies(directory)}`,
  );
}

function placeOfDependencies(directory: string): string {
  const conda = ['.', '..']
    .map((at) => CONDA.map((name) => join(directory, at, name)).find((path) => existsSync(path)))
    .find(Boolean);
  if (conda) {
    const name = /^name:\s*(\S+)/m.exec(readFileSync(conda, 'utf8'))?.[1] ?? 'base';
    const command = `conda run -n ${name} pip list --format=freeze > requirements.txt`;
    return `${conda} lists conda packages, which do not run on Lambda. Run "${command}" in ${directory} to list the same packages for PyPI, and keep only those that migrations need`;
  }
  const above = ancestors(directory);
  const locked = above.find((path) => readdirSync(path).some((name) => [...LOCKS, ...DECLARING].includes(name)));
  if (locked) return `${locked} has one: pass that folder, and ${option('alembicConfig')} for the alembic.ini`;
  const backends = backendsBelow(directory);
  if (backends.length > 1) return `pass one of the folders that have them and an alembic.ini: ${backends.join(', ')}`;
  if (backends.length) return `pass ${backends[0]}, which has them and an alembic.ini`;
  const below = declaredBelow(directory);
  if (below) return `list its requirements files, such as ${option('requirements', [below])}`;
  // Without a repository, folders next to this one may belong to anything.
  const repository = above.find((path) => existsSync(join(path, '.git')));
  const beside = repository && declaredBelow(repository);
  if (!beside) return `list its requirements files with ${option('requirements')}`;
  return `pass ${repository}, with ${option('alembicConfig')} for the alembic.ini and ${option('requirements', [beside])}`;
}

/** The folders below a directory, such as a monorepo, that have an alembic.ini and declare dependencies. */
export function backendsBelow(directory: string): string[] {
  return listFiles(directory, belongsToAnother)
    .filter((path) => path.endsWith('/alembic.ini'))
    .map((path) => join(directory, dirname(path)))
    .filter((folder) => [...LOCKS, ...REQUIREMENTS].some((name) => existsSync(join(folder, name))) || unlockedFile(folder));
}

/** The file below a directory that declares dependencies, those of migrations if possible. */
function declaredBelow(directory: string): string | undefined {
  const rank = (file: string) => {
    if (DEVELOPMENT_FILE.test(file)) return 3;
    const text = readFileSync(join(directory, file), 'utf8');
    return /alembic|flask-migrate/i.test(text) ? 0 : /sqlalchemy/i.test(text) ? 1 : 2;
  };
  return (
    listFiles(directory, belongsToAnother)
      .filter((path) => /(?:^|\/)(?:requirements(?:[\w.-]*|\/[\w.-]+)\.txt|pyproject\.toml|setup\.py)$/.test(path))
      // A pyproject.toml may only have settings of tools.
      .filter((path) => !path.endsWith('pyproject.toml') || unlockedFile(join(directory, dirname(path))) === 'pyproject.toml')
      .map((file) => ({ file, rank: rank(file), depth: file.split('/').length }))
      .sort((one, other) => one.rank - other.rank || one.depth - other.depth)[0]?.file
  );
}

/** Requirements files that are not for production. */
export const DEVELOPMENT_FILE = /(?:dev|test|lint|docs)[^/]*\.txt$/;

/** Whether a folder belongs to another project. */
function belongsToAnother(path: string, isDirectory: boolean): boolean {
  return isDirectory && /(?:^|\/)(?:\..*|node_modules|site-packages|venv|tests?|docs|examples)$/.test(path);
}

const CONDA = ['environment.yml', 'environment.yaml', 'conda.yml', 'conda.yaml'];

const LOCKS = ['poetry.lock', 'pdm.lock', 'pylock.toml', 'Pipfile.lock'];

const DECLARING = ['requirements.txt', 'pyproject.toml'];

function ancestors(directory: string): string[] {
  const above = dirname(directory);
  return above === directory || existsSync(join(directory, '.git')) ? [] : [above, ...ancestors(above)];
}
