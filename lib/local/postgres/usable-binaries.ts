import { chmodSync, existsSync, readFileSync, realpathSync, statSync, symlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import type { PostgresBinaries } from './binaries';

/**
 * Makes the binaries usable for an account; copies them to `copy` if needed. Returns the directory of `initdb` and `postgres`.
 */
export async function usableBinaries(found: PostgresBinaries, copy: string, other: boolean): Promise<string> {
  const { directory, libraries } = found;
  const links = missingLinks(directory);
  if (links.length === 0 && (!other || everybodyReads(directory))) return path.join(directory, 'bin');
  const copied = libraries ? path.join(copy, 'package', path.basename(directory)) : copy;
  const needed = (file: string) => !file.endsWith('.a');
  await cp(directory, copied, { recursive: true, verbatimSymlinks: true, filter: needed });
  if (libraries) await cp(libraries, path.resolve(copied, path.relative(directory, libraries)), { recursive: true });
  for (const { source, target } of links) symlinkSync(path.basename(source), path.join(copy, '..', target));
  chmodSync(copy, 0o755);
  return path.join(copied, 'bin');
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
  // Debian has `share` elsewhere.
  if (!inside.filter(existsSync).every((file) => (statSync(file).mode & READ_AND_PASS) === READ_AND_PASS)) return false;
  for (let above = path.dirname(real); ; above = path.dirname(above)) {
    if ((statSync(above).mode & 0o001) === 0) return false;
    if (above === path.dirname(above)) return true;
  }
}
