import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { option } from '../code-in-messages';
import { readToml } from '../dependencies/parsing/toml';
import { PackagingError } from '../errors';
import { listFiles } from './sources';

/** Files in the folders where people usually call Alembic. */
const USUAL = ['alembic.ini', 'pyproject.toml', 'migrations/alembic.ini'];

/** Folders whose alembic.ini belongs to another project. */
const OTHERS = ['node_modules', 'site-packages', 'venv', 'tests', 'test', 'docs', 'examples', 'cdk.out', 'contrib'];

/**
 * The Alembic configuration of a backend, relative to its directory: the named one, else the one in the usual places, else the
 * only one. Throws PackagingError if there is none or more than one.
 */
export function findAlembicConfig(directory: string, named?: string): string {
  if (named !== undefined) {
    if (existsSync(join(directory, named)) && isInside(named)) return named;
    throw new PackagingError('no_alembic_config', `${option('alembicConfig')} names ${named}, and ${directory} has no such file`);
  }
  const usual = USUAL.find((name) => isConfig(directory, name));
  if (usual) return usual;
  const found = listFiles(directory, isOthers).filter((path) => path.endsWith('/alembic.ini'));
  if (found.length === 1) return found[0] as string;
  const [only] = withScripts(directory, found);
  if (only) return only;
  if (found.length) {
    throw new PackagingError(
      'no_alembic_config',
      `${directory} has ${found.length} files alembic.ini: ${found.slice(0, 10).join(', ')}. ` +
        `Say which one to use, such as ${option('alembicConfig', found[0])}`,
    );
  }
  throw new PackagingError(
    'no_alembic_config',
    `${directory} holds no Alembic project: no alembic.ini and no [tool.alembic] in pyproject.toml. ${missingConfig(directory)}`,
  );
}

/** Of several configurations, those with an env.py, the uppermost first. None if they have different ones. */
function withScripts(directory: string, configs: readonly string[]): string[] {
  const found = configs.flatMap((config) => {
    const folder = dirname(join(directory, config));
    const location = /^script_location[ \t]*=[ \t]*(\S+)/m.exec(readFileSync(join(directory, config), 'utf8'))?.[1];
    if (!location) return [];
    const scripts = resolve(folder, location.replace('%(here)s', folder));
    return existsSync(join(scripts, 'env.py')) ? [{ config, scripts }] : [];
  });
  if (new Set(found.map(({ scripts }) => scripts)).size > 1) return [];
  return found.map(({ config }) => config).sort((one, other) => one.split('/').length - other.split('/').length);
}

/** The next step if there is no configuration. */
function missingConfig(directory: string): string {
  const env = listFiles(directory, isOthers).filter((path) => /(?:^|\/)env\.py$/.test(path));
  const scripts = env.find((path) => existsSync(join(directory, path, '..', 'versions')))?.replace(/\/?env\.py$/, '');
  return scripts
    ? `Its scripts are in ${scripts}: write an alembic.ini that says so, with the two lines "[alembic]" and "script_location = %(here)s/${scripts}"`
    : `Pass the folder of the backend, or name the file with ${option('alembicConfig')}`;
}

function isConfig(directory: string, name: string): boolean {
  if (!existsSync(join(directory, name))) return false;
  return name !== 'pyproject.toml' || readToml(join(directory, name))?.tool?.alembic !== undefined;
}

function isOthers(path: string, isDirectory: boolean): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return isDirectory && (name.startsWith('.') || OTHERS.includes(name));
}

function isInside(path: string): boolean {
  return !path.startsWith('/') && !path.split('/').includes('..');
}
