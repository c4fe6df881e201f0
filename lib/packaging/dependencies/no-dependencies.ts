import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { option } from '../code-in-messages';
import { PackagingError } from '../errors';
import { readAlembicProject } from '../project/alembic-project';
import { listFiles } from '../project/sources';
import { REQUIREMENTS } from './find';
import { hasInstallRequires, unlockedFile } from './unlocked';

/** The error for a project without dependencies, with the places where they may be. */
export function noDependencies(directory: string): PackagingError {
  const kinds = 'uv.lock, poetry.lock, pdm.lock, pylock.toml, Pipfile.lock or requirements.txt';
  return new PackagingError(
    'no_dependencies',
    `${directory} has no ${kinds}, and no pyproject.toml that declares dependencies, so its dependencies are unknown: ${placeOfDependencies(directory)}`,
  );
}

function placeOfDependencies(directory: string): string {
  const unread = stepForUnread(directory, directory);
  if (unread) return unread;
  const above = ancestors(directory);
  const declaring = above.find(declares);
  if (declaring) return `pass ${declaring}, which declares them, with ${configFrom(declaring, directory)}`;
  const backends = backendsBelow(directory);
  if (backends.length > 1) return `pass one of the folders that have them and an alembic.ini: ${backends.join(', ')}`;
  if (backends[0]) return stepInto(backends[0], directory);
  const below = declaredBelow(directory);
  if (below) return `list its requirements files, such as ${option('requirements', [below])}`;
  // Without a repository, folders next to this one may belong to anything.
  const repository = above.find((path) => existsSync(join(path, '.git')));
  const beside = repository && declaredBelow(repository);
  if (beside) {
    return `pass ${repository}, with ${configFrom(repository, directory)} and ${option('requirements', [beside])}`;
  }
  return stepForUnread(dirname(directory), directory) ?? `list its requirements files with ${option('requirements')}`;
}

/** The step for a directory with one backend below it. A relative script_location may be right only from the directory. */
function stepInto(backend: string, directory: string): string {
  const requirements = REQUIREMENTS.map((name) => join(backend, name)).find((file) => existsSync(file));
  if (requirements && readAlembicProject(backend)?.above === directory) {
    return `name its files with ${configFrom(directory, backend)} and ${option('requirements', [relative(directory, requirements)])}`;
  }
  return `pass ${backend}, which has them and an alembic.ini`;
}

/** The option that names a folder's alembic.ini to a folder above. */
function configFrom(above: string, directory: string): string {
  const config = join(directory, 'alembic.ini');
  return existsSync(config) ? option('alembicConfig', relative(above, config)) : `${option('alembicConfig')} for the alembic.ini`;
}

const CONDA = 'lists conda packages, which do not run on Lambda';

/** The step that makes a file with dependencies readable; undefined if it declares none. */
type Step = (file: string, backend: string) => string | undefined;

/** Files that declare dependencies, but not in a form that can be packaged. */
const UNREAD: readonly (readonly [names: readonly string[], step: Step])[] = [
  [
    ['environment.yml', 'environment.yaml', 'conda.yml', 'conda.yaml'],
    (file, backend) => {
      const name = /^name:\s*(\S+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 'base';
      const command = `conda run -n ${name} pip list --format=freeze > requirements.txt`;
      return `${file} ${CONDA}: run "${command}" in ${backend} to list the same packages for PyPI, and keep only those that migrations need`;
    },
  ],
  [
    ['pixi.toml'],
    (file, backend) =>
      `${file} ${CONDA}: write those that migrations need to a requirements.txt in ${backend}, with the versions that "pixi list" shows`,
  ],
  [['Pipfile'], (file) => `${file} is not locked: run "pipenv lock" in ${dirname(file)}, and commit the lock`],
  [
    REQUIREMENTS.map((name) => name.replace('.txt', '.in')),
    (file) => {
      const name = basename(file, '.in');
      return `${file} is not compiled: run "uv pip compile ${name}.in -o ${name}.txt" in ${dirname(file)}, and commit the result`;
    },
  ],
  [
    ['setup.cfg'],
    (file) =>
      hasInstallRequires(file)
        ? `pip and uv read ${file} only beside a setup.py: add one that says "import setuptools; setuptools.setup()"`
        : undefined,
  ],
];

function stepForUnread(folder: string, backend: string): string | undefined {
  for (const [names, step] of UNREAD) {
    const file = names.map((name) => join(folder, name)).find((path) => existsSync(path));
    const next = file && step(file, backend);
    if (next) return next;
  }
  return undefined;
}

/** The folders below a directory, such as a monorepo, that have an alembic.ini and declare dependencies. */
export function backendsBelow(directory: string): string[] {
  return listFiles(directory, belongsToAnother)
    .filter((path) => path.endsWith('/alembic.ini'))
    .map((path) => join(directory, dirname(path)))
    .filter(declares);
}

/** Whether a folder declares dependencies: a pyproject.toml may only have settings of tools. */
function declares(folder: string): boolean {
  return [...LOCKS, ...REQUIREMENTS].some((name) => existsSync(join(folder, name))) || unlockedFile(folder) !== undefined;
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

const LOCKS = ['poetry.lock', 'pdm.lock', 'pylock.toml', 'Pipfile.lock'];

function ancestors(directory: string): string[] {
  const above = dirname(directory);
  return above === directory || existsSync(join(directory, '.git')) ? [] : [above, ...ancestors(above)];
}
