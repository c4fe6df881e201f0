import { createHash, randomBytes } from 'node:crypto';
import { chownSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { recall, rememberFile } from '../../cache';
import { mustRun } from '../processes/run';
import type { Account } from './account';
import type { PostgresBinaries } from './binaries';
import { pack, readFiles, unpack } from './packed';

/** Where and how to create a server's data directory. */
export interface DataDirectoryOptions {
  /** A private folder, in which `data` is created. */
  readonly serverFolder: string;
  readonly found: PostgresBinaries;
  /** Folder of `initdb`, of these binaries or a copy. */
  readonly binaries: string;
  readonly user: string;
  /** A packed directory to start from. @default - initdb's */
  readonly packed?: Buffer;
  readonly env: NodeJS.ProcessEnv;
  /** Removed if this process ends before initdb. */
  readonly folder: string;
  /** The user that must own the data. @default - the current user */
  readonly account?: Account;
}

export interface DataDirectory {
  readonly data: string;
  /** Whether it is the packed one. */
  readonly restored?: boolean;
  /** The superuser's. */
  readonly password: string;
}

/** Small files of the write-ahead log: each copy of the directory has one. */
const OPTIONS = ['--auth=scram-sha-256', '--encoding=UTF8', '--no-locale', '--no-sync', '--wal-segsize=1'];

/** Drops template0: it is a third of the files, and databases are copies of template1. */
const DROP_TEMPLATE0 = 'ALTER DATABASE template0 IS_TEMPLATE false;\nDROP DATABASE template0;\n';

/** Creates a data directory. Caches initdb's result: unpacking it takes a fraction of the time. */
export async function makeDataDirectory(options: DataDirectoryOptions): Promise<DataDirectory> {
  const { serverFolder, account, packed } = options;
  const restored = packed && (await unpack(packed, path.join(serverFolder, 'data'), account));
  if (restored !== undefined) return { data: path.join(serverFolder, 'data'), password: restored, restored: true };
  const entry = `postgres-${keyOf(options)}.gz`;
  const data = path.join(serverFolder, 'data');
  const cached = recall(entry);
  const password = cached && (await unpack(cached, data, account));
  if (password !== undefined) return { data, password };
  const directory = { data, password: randomBytes(12).toString('hex') };
  await initialise(options, directory);
  await store(entry, directory, serverFolder);
  return directory;
}

/** The cache key: initdb's inputs. The time zone is part of the server's settings. */
export function keyOf({ found, user }: Pick<DataDirectoryOptions, 'found' | 'user'>): string {
  const { mtimeMs, size } = statSync(path.join(found.directory, 'bin', 'postgres'));
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const what = [found.directory, found.version, mtimeMs, size, user, OPTIONS, DROP_TEMPLATE0, MAPS.source, timeZone];
  return createHash('sha256').update(JSON.stringify(what)).digest('hex');
}

async function initialise(options: DataDirectoryOptions, { data, password }: DataDirectory): Promise<void> {
  const { serverFolder, binaries, user, env, folder, account } = options;
  const passwordFile = path.join(serverFolder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account) chownSync(passwordFile, account.uid, account.gid);
  const args = [`--pgdata=${data}`, `--username=${user}`, `--pwfile=${passwordFile}`, ...OPTIONS];
  const where = { env, cwd: serverFolder, folder, ...account };
  await mustRun(path.join(binaries, 'initdb'), args, where);
  rmSync(passwordFile);
  await mustRun(path.join(binaries, 'postgres'), ['--single', '-F', '-D', data, 'postgres'], { ...where, input: DROP_TEMPLATE0 });
}

/** Free space and visibility maps: a quarter of the files, and PostgreSQL recreates missing ones. */
const MAPS = /_(?:fsm|vm)$/;

/** Stores a directory as one file that only this user can read, because it contains the password. */
async function store(entry: string, { data, password }: DataDirectory, serverFolder: string): Promise<void> {
  const file = path.join(serverFolder, 'kept');
  writeFileSync(file, await pack({ password, files: readFiles(data, (name) => !MAPS.test(name)) }), { mode: 0o600 });
  rememberFile(entry, file);
  rmSync(file);
}
