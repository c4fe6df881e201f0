import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import type { Account } from './account';

/** A data directory in memory. */
export interface DataFiles {
  /** The superuser's. */
  readonly password: string;
  /** Paths relative to the directory; a folder before what is in it. Folders have no bytes. */
  readonly files: readonly { readonly name: string; readonly bytes?: Buffer }[];
}

/** The first line of the packed directory. The files' contents follow in the same order. */
interface Content {
  readonly password: string;
  /** Folders have no size. */
  readonly entries: readonly { readonly name: string; readonly size?: number }[];
}

/** @param wanted whether to read a file, by its path relative to the directory. @default - all */
export function readFiles(directory: string, wanted: (name: string) => boolean = () => true): DataFiles['files'] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((file) => {
    const full = path.join(file.parentPath ?? file.path, file.name);
    const name = path.relative(directory, full);
    if (!file.isFile()) return [{ name }];
    return wanted(name) ? [{ name, bytes: readFileSync(full) }] : [];
  });
}

/** Compresses a directory, with a checksum. */
export async function pack({ password, files }: DataFiles): Promise<Buffer> {
  const content: Content = { password, entries: files.map(({ name, bytes }) => ({ name, size: bytes?.length })) };
  const whole = [Buffer.from(`${JSON.stringify(content)}\n`), ...files.flatMap(({ bytes }) => bytes ?? [])];
  return promisify(gzip)(Buffer.concat(whole), { level: constants.Z_BEST_SPEED });
}

/** An initial data directory is not larger. Unpacking it in one piece takes a fifth of the time of many small ones. */
const USUAL_BYTES = 32 * 2 ** 20;

/** Unpacks a directory and returns the password; if the checksum does not match, writes nothing and returns undefined. */
export async function unpack(packed: Buffer, data: string, account?: Account): Promise<string | undefined> {
  const whole = await promisify(gunzip)(packed, { chunkSize: USUAL_BYTES }).catch(() => undefined);
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
