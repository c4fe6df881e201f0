import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BACKEND_DIRECTORY, MANIFEST_FILE } from '../../contract';
import type { AlembicFolders } from '../project/alembic-project';
import { installedDrivers, namedDrivers } from '../proof/check-installed';
import type { DataLosses } from '../proof/data-losses';

/** What packaging knows about a package, so that the function does not have to guess. */
export interface Manifest {
  /** Alembic's configuration, relative to the backend's folder. */
  readonly config: string;
  /** Alembic's working directory, relative to the backend's folder: its relative paths start there. */
  readonly folder: string;
  /** Folders of the backend, relative to its folder, that an editable install would put on Python's path. */
  readonly roots: readonly string[];
  /** The backend's PostgreSQL driver; null: unknown. */
  readonly driver: string | null;
  /** Why the driver is unknown. */
  readonly reason?: string;
  /** Whether the backend writes beside its code, so the function runs it in a folder with links to its files. */
  readonly writes?: boolean | undefined;
  /** What revisions destroy, by file, relative to the backend's folder. Absent: no Python on this machine could read them. */
  readonly destroys?: DataLosses | undefined;
  /** The distribution of each module that `only: imported` left out, as `name==version`. */
  readonly leftOut?: Readonly<Record<string, string>> | undefined;
  /** Replaced requirements, such as `psycopg2-binary==2.9.10 in place of psycopg2`. */
  readonly replaced?: readonly string[] | undefined;
  /** Warnings to repeat at every synth. */
  readonly warnings: readonly string[];
}

/** Writes the manifest of a package that is otherwise complete. `driver`: undefined to guess it from the backend's files. */
export function writeManifest(
  target: string,
  { config, folder, installed }: Pick<AlembicFolders, 'config' | 'folder' | 'installed'>,
  {
    roots,
    driver,
    writes,
    destroys,
    leftOut,
    replaced,
    warnings = [],
  }: Pick<Manifest, 'roots' | 'writes' | 'destroys' | 'leftOut' | 'replaced'> & Partial<Pick<Manifest, 'driver' | 'warnings'>>,
): void {
  const file = join(target, MANIFEST_FILE);
  mkdirSync(dirname(file), { recursive: true });
  const found = driver === undefined ? driverOf(target) : { driver };
  const known = {
    config,
    folder,
    roots,
    ...found,
    writes,
    destroys,
    leftOut,
    replaced,
    warnings: [...warnings, ...(destroys ? [] : [installed ? IN_DEPENDENCY : UNREAD])],
  };
  writeFileSync(file, JSON.stringify(known satisfies Manifest));
}

const UNREAD =
  'could not determine what the revisions destroy, so the guard matches patterns, which find less: ' +
  'install Python 3.11 or later where cdk runs';

const IN_DEPENDENCY =
  'a dependency has the revisions, so the guard matches patterns, which find less: read what they drop before you update it';

/** The warnings in a package's manifest. */
export function manifestWarnings(target: string): readonly string[] {
  return readManifest(target)?.warnings ?? [];
}

/** What was found in a backend, with its replaced requirements. */
export function foundWith(found: string, target: string): string {
  return [found, ...(readManifest(target)?.replaced ?? [])].join(', and ');
}

/** Undefined if nothing was packaged. */
function readManifest(target: string): Manifest | undefined {
  const file = join(target, MANIFEST_FILE);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest) : undefined;
}

/** Drivers to try in the database's URL after the one in the manifest. Null: a plain `postgresql://`, which SQLAlchemy decides. */
export function otherDrivers(target: string): (string | null)[] {
  return [null, ...installedDrivers(target)].filter((driver) => driver !== driverOf(target).driver);
}

function driverOf(target: string): Pick<Manifest, 'driver' | 'reason'> {
  const installed = installedDrivers(target);
  const [driver, ...others] = installed.length > 1 ? namedDrivers(join(target, BACKEND_DIRECTORY), installed) : installed;
  if (driver === undefined || others.length) {
    return { driver: null, reason: `it is not clear which driver env.py uses: ${installed.join(', ') || 'none is known'}` };
  }
  return { driver };
}
