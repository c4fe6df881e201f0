import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import picomatch from 'picomatch';

/** Folders that are excluded at any depth. */
const CACHES = ['__pycache__', 'node_modules', 'cdk.out'];
/** Locks: their packages are installed, and no migration reads them. */
const LOCKS = ['uv.lock', 'poetry.lock', 'pdm.lock', 'pylock.toml', 'Pipfile.lock'];
/** Logs of this machine, including rotated ones. In the function, a backend creates its own. */
const LOG = /\.log(?:\.\d+)?$/;
/** Folders that are excluded only at the top: deeper ones may be packages that the backend imports. */
const TOP_LEVEL = ['tests', 'test'];

/** The `flask` command reads it: Flask's documentation says that it holds public variables, and that `.env` holds private ones. */
export const FLASK_VARIABLES = '.flaskenv';

/** They keep an empty folder in a repository, for code that writes there. */
const KEEP_FOLDERS = ['.gitkeep', '.keep'];

/** The files of a directory tree: relative paths with `/`, sorted. Follows links. */
export function listFiles(root: string, skip: (path: string, isDirectory: boolean) => boolean = () => false): string[] {
  const below = (folder: string, above: readonly string[]): string[] => {
    const real = realpathSync(join(root, folder));
    if (above.includes(real)) return []; // a link to a parent folder would never end
    return readdirSync(real, { withFileTypes: true }).flatMap((entry) => {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      const found = entry.isSymbolicLink() ? statSync(join(root, path), { throwIfNoEntry: false }) : entry;
      if (!found || skip(path, found.isDirectory())) return [];
      if (found.isDirectory()) return below(path, [...above, real]);
      return found.isFile() ? [path] : [];
    });
  };
  return below('', []).sort();
}

/** Folders whose modules are not part of the backend. */
const OTHERS = /(?:^|\/)(?:\..*|node_modules|__pycache__|site-packages|venv|tests?|docs|examples|scripts)$/;

/** The files of a backend among which a message looks for its modules. */
export function listOwnFiles(root: string): string[] {
  return listFiles(root, (path, isDirectory) => isDirectory && OTHERS.test(path));
}

/**
 * The backend's own sources. Excludes caches, locks, logs, names that start with a dot (`.env`, `.git`, `.venv`) except `.flaskenv` and `.gitkeep`,
 * virtual environments under any name, `tests` and `test` at the top, and matches of `exclude`. The folders that Alembic reads are always included,
 * whatever their names.
 */
export function listSources(root: string, alembicPaths: readonly string[], exclude: readonly string[]): string[] {
  const kept = alembicPaths.map((path) => relative(root, path).split(sep).join('/'));
  const isExcluded = matcher(exclude);
  return listFiles(root, (path, isDirectory) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if ([...CACHES, ...LOCKS].includes(name) || name.endsWith('.pyc') || name.startsWith('.env') || LOG.test(name)) return true;
    if (kept.some((keep) => path === keep || path.startsWith(`${keep}/`) || keep.startsWith(`${path}/`))) return false;
    if ((name.startsWith('.') && ![FLASK_VARIABLES, ...KEEP_FOLDERS].includes(name)) || isExcluded(path)) return true;
    return isDirectory && (TOP_LEVEL.includes(path) || existsSync(join(root, path, 'pyvenv.cfg')));
  });
}

/** Hash of the paths and contents of files. */
export function hashFiles(root: string, files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = createHash('sha256')
      .update(readFileSync(join(root, file)))
      .digest('hex');
    hash.update(`${file}\0${content}\0`);
  }
  return hash.digest('hex');
}

export function copyFiles(root: string, files: readonly string[], target: string): void {
  for (const folder of new Set(files.map((file) => dirname(file)))) mkdirSync(join(target, folder), { recursive: true });
  for (const file of files) copyFileSync(join(root, file), join(target, file));
}

/** Matches names at any depth (`*.csv`), or paths from the top (`data/seed`, `/data/`). */
function matcher(patterns: readonly string[]): (path: string) => boolean {
  const globs = patterns.map((pattern) => pattern.replace(/^\.\//, '').replace(/\/$/, ''));
  const [paths, names] = [globs.filter((glob) => glob.includes('/')), globs.filter((glob) => !glob.includes('/'))];
  const isPath = picomatch(paths.map((glob) => glob.replace(/^\//, '')));
  const isName = picomatch(names);
  return (path) => isPath(path) || isName(path.slice(path.lastIndexOf('/') + 1));
}
