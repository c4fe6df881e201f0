import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { PackagingError } from './errors';
import { listFiles } from './project/sources';

/** The format counts entries in 16 bits. */
const MAX_ENTRIES = 0xffff;

/** Metadata of every file: the format's first day; a regular file that everybody may read: Lambda runs the code as another user. */
const ENTRY = { mtime: new Date(1980, 0, 1), os: 3, attrs: 0o100644 << 16, level: 9 } as const;

/** A zip of all files in a folder. The same files become the same bytes: entries are sorted, and have no times, owners or modes of this machine. */
export function zipOf(folder: string): Uint8Array {
  const files = listFiles(folder);
  if (files.length > MAX_ENTRIES)
    throw new PackagingError(
      'too_large',
      `the package has ${files.length} files and a zip takes ${MAX_ENTRIES}: leave some out with exclude or without`,
    );
  return zipSync(Object.fromEntries(files.map((file) => [file, [readFileSync(join(folder, file)), ENTRY]])));
}
