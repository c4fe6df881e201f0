import { createHash, randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import { forgetOld, recall, rememberFile } from '../../cache';
import { mustRun } from '../processes/run';
import type { Account } from './account';
import type { PostgresBinaries } from './binaries';

/** Where and how to create a server's data directory. */
export interface DataDirectoryOptions {
  /** A private folder, in which `data` is created. */
  readonly own: string;
  readonly found: PostgresBinaries;
  /** Folder of `initdb`, of these binaries or a copy. */
  readonly binaries: string;
  readonly user: string;
  readonly env: NodeJS.ProcessEnv;
  /** Removed if this process ends before initdb. */
  readonly folder: string;
  /** The user that must own the data. @default - the current user */
  readonly account?: Account;
}

export interface DataDirectory {
  readonly data: string;
  /** The superuser's. */
  readonly password: string;
}

const OPTIONS = ['--auth=scram-sha-256', '--encoding=UTF8', '--no-locale', '--no-sync'];

/** Creates a data directory. Caches initdb's result: unpacking it takes a fraction of the time. */
export async function makeDataDirectory(options: DataDirectoryOptions): Promise<DataDirectory> {
  const { own, account } = options;
  const entry = `postgres-${keyOf(options)}.gz`;
  const data = path.join(own, 'data');
  const kept = recall(entry);
  const password = kept && (await unpack(kept, data, account));
  if (password !== undefined) return { data, password };
  const made = { data, password: randomBytes(12).toString('hex') };
  await initialise(options, made);
  await keep(entry, made, own);
  return made;
}

/** The cache key: initdb's inputs. The time zone is part of the server's settings. */
function keyOf({ found, user }: DataDirectoryOptions): string {
  const { mtimeMs, size } = statSync(path.join(found.directory, 'bin', 'postgres'));
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const what = [found.directory, found.version, mtimeMs, size, user, OPTIONS, timeZone];
  return createHash('sha256').update(JSON.stringify(what)).digest('hex');
}

async function initialise(options: DataDirectoryOptions, { data, password }: DataDirectory): Promise<void> {
  const { own, binaries, user, env, folder, account } = options;
  const passwordFile = path.join(own, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account) chownSync(passwordFile, account.uid, account.gid);
  const args = [`--pgdata=${data}`, `--username=${user}`, `--pwfile=${passwordFile}`, ...OPTIONS];
  await mustRun(path.join(binaries, 'initdb'), args, { env, cwd: own, folder, ...account });
  rmSync(passwordFile);
}

/** The first line of the cached file. The files' contents follow in the same order. */
interface Content {
  readonly password: string;
  /** Folders have no size. */
  readonly entries: readonly { readonly name: string; readonly size?: number }[];
}

/** Stores a directory as one file that only this user can read, because it contains the password. */
async function keep(entry: string, { data, password }: DataDirectory, own: string): Promise<void> {
  const found = readdirSync(data, { recursive: true, withFileTypes: true }).map((file) => ({
    name: path.relative(data, path.join(file.parentPath ?? file.path, file.name)),
    bytes: file.isFile() ? readFileSync(path.join(file.parentPath ?? file.path, file.name)) : undefined,
  }));
  const content: Content = { password, entries: found.map(({ name, bytes }) => ({ name, size: bytes?.length })) };
  const whole = [Buffer.from(`${JSON.stringify(content)}\n`), ...found.flatMap(({ bytes }) => bytes ?? [])];
  const file = path.join(own, 'kept');
  writeFileSync(file, await promisify(gzip)(Buffer.concat(whole), { level: constants.Z_BEST_SPEED }), { mode: 0o600 });
  rememberFile(entry, file);
  forgetOld();
  rmSync(file);
}

/** Unpacks a data directory. Returns the password; undefined if the checksum shows that the cached file is damaged. */
async function unpack(kept: Buffer, data: string, account?: Account): Promise<string | undefined> {
  const whole = await promisify(gunzip)(kept).catch(() => undefined);
  if (!whole) return undefined;
  let start = whole.indexOf('\n') + 1;
  const { password, entries }: Content = JSON.parse(whole.toString('utf8', 0, start));
  for (const { name, size } of [{ name: '' }, ...entries] as Content['entries']) {
    const file = path.join(data, name);
    if (size === undefined) mkdirSync(file, { mode: 0o700 });
    else writeFileSync(file, whole.subarray(start, start + size), { mode: 0o600 });
    start += size ?? 0;
    if (account) chownSync(file, account.uid, account.gid);
  }
  return password;
}
