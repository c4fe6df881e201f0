import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const DAY_MS = 24 * 60 * 60 * 1000;
const FORGET_AFTER_MS = 30 * DAY_MS;

/** How often old entries are dropped. Reading the dates of 10,000 entries takes a tenth of a second. */
const SWEEP_EVERY_MS = 10 * 60 * 1000;

/** An empty entry, which is as old as the last sweep. */
const LAST_SWEEP = 'last-sweep';

/** The bytecode of one backend takes about 10 MB. */
const MOST_BYTES = 256 * 1024 * 1024;

/** An entry of an earlier run; undefined if there is none. The caller must verify it. */
export function recall(name: string): Buffer | undefined {
  const file = join(cacheDirectory(), name);
  try {
    const content = readFileSync(file);
    // A used entry does not expire.
    if (isOlder(statSync(file).mtimeMs, DAY_MS)) utimesSync(file, new Date(), new Date());
    return content;
  } catch {
    return undefined;
  }
}

/**
 * Stores an entry. A concurrent reader finds nothing or all of it. If the cache is not writable, nothing is stored.
 *
 * @param mode who may read it. @default - as the process's umask says
 */
export function remember(name: string, content: string | Buffer, mode?: number): void {
  keep(name, (written) => writeFileSync(written, content, { mode }));
}

/** Stores a file as an entry, as a hard link: a later change of the file changes the entry. */
export function rememberFile(name: string, file: string): void {
  keep(name, (written) => linkOrCopy(file, written));
}

/** Writes an entry to a file, as a hard link if possible: on most file systems ten times as fast as a copy. */
export function putFile(name: string, file: string): void {
  linkOrCopy(join(cacheDirectory(), name), file);
}

/** Drops a damaged entry. */
export function forget(name: string): void {
  remove(join(cacheDirectory(), name));
}

function cacheDirectory(): string {
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  const ofSystem =
    process.platform === 'win32' ? LOCALAPPDATA : process.platform === 'darwin' && join(homedir(), 'Library', 'Caches');
  return join(XDG_CACHE_HOME || ofSystem || join(homedir(), '.cache'), 'cdk-alembic');
}

/** Writes beside the entry, then moves it into place. Drops old entries from time to time. */
function keep(name: string, write: (file: string) => void): void {
  const directory = cacheDirectory();
  const written = join(directory, `${name}.${process.pid}`);
  try {
    mkdirSync(directory, { recursive: true });
    write(written);
    renameSync(written, join(directory, name));
    sweep(directory);
  } catch {
    remove(written);
  }
}

/** Drops entries that were not used for 30 days, then the oldest ones, until the rest fits. */
function sweep(directory: string): void {
  const lastSweep = join(directory, LAST_SWEEP);
  try {
    const { mtimeMs: last } = statSync(lastSweep, { throwIfNoEntry: false }) ?? { mtimeMs: 0 };
    if (!isOlder(last, SWEEP_EVERY_MS)) return;
    writeFileSync(lastSweep, '');
    const entries = readdirSync(directory)
      .map((name) => ({ name, ...(statSync(join(directory, name), { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 }) }))
      .sort((a, b) => b.mtimeMs - a.mtimeMs);
    let bytes = 0;
    for (const { name, size, mtimeMs } of entries) {
      bytes += size;
      if (bytes > MOST_BYTES || isOlder(mtimeMs, FORGET_AFTER_MS)) forget(name);
    }
  } catch {
    // Another process removed it meanwhile.
  }
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The cache is not writable. Its entries are verified when they are read.
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // Another file system, or one without links.
    copyFileSync(from, to);
  }
}

function isOlder(ms: number, than: number): boolean {
  return Date.now() - ms > than;
}
