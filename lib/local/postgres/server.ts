import { chmodSync, chownSync, mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { MigrateError } from '../../contract/failure';
import { startService } from '../processes/service';
import { withFolder } from '../processes/with-folder';
import { unprivilegedAccount } from './account';
import { findPostgres, type PostgresBinaries } from './binaries';
import { keyOf, makeDataDirectory } from './data-directory';
import { usableBinaries } from './usable-binaries';

/** A scratch PostgreSQL server on this machine, with one empty database. */
export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  /** The superuser. */
  readonly user: string;
  readonly password: string;
  /** Such as `18.4`. */
  readonly version: string;
  /** Its data directory. */
  readonly data: string;
  /** Whether it started from the packed directory. */
  readonly restored: boolean;
  /** Address of a database. @param database default: the empty one */
  url(database?: string): string;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const USER = 'postgres';
const DATABASE = 'postgres';
/** The data does not have to survive a crash, and a server that runs for seconds needs no vacuum. */
const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_wal_size=2GB', 'autovacuum=off', 'jit=off'];

/**
 * Starts a server with its data in `folder`, which is removed when the server stops.
 *
 * @param from a project's folder, searched first for the binaries
 * @param packed a data directory to start from, ignored if it is damaged
 */
export async function startPostgresServer(folder: string, from: string, packed?: Buffer): Promise<PostgresServer> {
  const found = findPostgres(from);
  try {
    return await start(folder, found, packed);
  } catch (error) {
    if (error instanceof MigrateError) throw error;
    const { message } = error as Error;
    throw new MigrateError(
      'postgres_not_started',
      `PostgreSQL ${found.version} of ${found.directory} does not start: ${message}`,
      'fix what it reports, or pass an empty database on another server with --database-url',
    );
  }
}

/** Starts a server in a new folder, calls back, and cleans up as {@link withFolder} does. */
export function withPostgresServer<T>(from: string, use: (server: PostgresServer) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => use(await startPostgresServer(folder, from)));
}

/** A key of everything that an initial data directory depends on. */
export function serverKey(from: string): string {
  return keyOf({ found: findPostgres(from), user: USER });
}

async function start(folder: string, found: PostgresBinaries, packed?: Buffer): Promise<PostgresServer> {
  const serverFolder = mkdtempSync(path.join(folder, 'postgres-'));
  chmodSync(serverFolder, 0o755);
  const account = unprivilegedAccount();
  const binaries = await usableBinaries(found, path.join(serverFolder, 'native'), account !== undefined);
  if (account) chownSync(serverFolder, account.uid, account.gid);
  const env = { ...process.env, LC_ALL: 'C', TMPDIR: serverFolder };
  const options = { serverFolder: serverFolder, found, binaries, user: USER, env, folder, account, packed };
  const { data, password, restored = false } = await makeDataDirectory(options);

  const settings = [`listen_addresses=${HOST}`, 'unix_socket_directories=', ...FAST].flatMap((setting) => ['-c', setting]);
  const { port, end } = await startService({
    name: 'PostgreSQL',
    command: path.join(binaries, 'postgres'),
    args: (free) => ['-D', data, '-p', String(free), ...settings],
    env: () => env,
    cwd: serverFolder,
    folder,
    // Without a checkpoint: the data is never read again.
    endSignal: 'SIGQUIT',
    logFile: path.join(serverFolder, 'postgres.log'),
    isReady: async () => isReady(data),
    ...account,
  });
  return {
    host: HOST,
    port,
    user: USER,
    password,
    version: found.version,
    data,
    restored,
    url: (database = DATABASE) => `postgresql://${USER}:${password}@${HOST}:${port}/${encodeURIComponent(database)}`,
    stop: end,
  };
}

/** Reads the last line of postmaster.pid, like pg_ctl: this needs no driver. */
function isReady(data: string): boolean {
  try {
    return readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n')[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}
