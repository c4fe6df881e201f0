import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY, MANIFEST_FILE } from '../contract';
import type { AlembicFolders } from './alembic-project';
import type { DataLosses } from './data-losses';

/** What is known of a package when it is made, so that the function does not have to guess it. */
export interface Manifest {
  /** Alembic's configuration, relative to the backend's folder. */
  readonly config: string;
  /** Where Alembic is called, relative to the backend's folder: its relative paths start there. */
  readonly folder: string;
  /** Folders of the backend, relative to its folder, that an editable install would put on Python's path. */
  readonly roots: readonly string[];
  /** The PostgreSQL driver that the backend uses; null when that is not clear. */
  readonly driver: string | null;
  /** Why there is no driver. */
  readonly reason?: string;
  /** What revisions destroy, by file, relative to the backend's folder. Absent: nothing here could read them. */
  readonly destroys?: DataLosses;
}

/** PostgreSQL drivers that the runner knows, and what each is imported as. */
const DRIVERS = ['psycopg', 'psycopg2', 'asyncpg', 'pg8000'];

const READ_BY_ENV = /\.(?:py|ini|toml|cfg|ya?ml|json)$/;

/** Writes the manifest of a package that is laid out but for it. `sources` are relative to the backend's folder. */
export function writeManifest(
  target: string,
  sources: readonly string[],
  { config, folder }: Pick<AlembicFolders, 'config' | 'folder'>,
  roots: readonly string[] = [],
  destroys?: DataLosses,
): void {
  const file = join(target, MANIFEST_FILE);
  mkdirSync(dirname(file), { recursive: true });
  const manifest: Manifest = { config, folder, roots, ...driverOf(target, sources), destroys };
  writeFileSync(file, JSON.stringify(manifest));
}

function driverOf(target: string, sources: readonly string[]): Pick<Manifest, 'driver' | 'reason'> {
  const installed = DRIVERS.filter((driver) => existsSync(join(target, DEPENDENCIES_DIRECTORY, driver, '__init__.py')));
  let named = installed;
  if (installed.length > 1) {
    const texts = sources
      .filter((file) => READ_BY_ENV.test(file))
      .map((file) => readFileSync(join(target, BACKEND_DIRECTORY, file), 'utf8'));
    named = installed.filter((driver) => texts.some((text) => new RegExp(`\\+${driver}\\b`).test(text)));
  }
  const [driver, ...others] = named;
  if (driver === undefined || others.length) {
    return { driver: null, reason: `it is not clear which driver env.py uses: ${installed.join(', ') || 'none is known'}` };
  }
  return { driver };
}
