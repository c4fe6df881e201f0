import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PackagingError } from './errors';
import { listFiles } from './project/sources';

/** The format counts entries in 16 bits. */
const MAX_ENTRIES = 0xffff;
const HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END = 0x06054b50;

/** Deflate; 2.0. */
const VERSION = 20;
const ON_UNIX = 3 << 8;
const UTF_8 = 1 << 11;
const DEFLATED = 8;
/** 1980-01-01, the format's first day. */
const FIRST_DAY = 0x21;
/** A regular file that everybody may read: Lambda runs the code as another user. */
const READABLE = 0o100644 << 16;

/**
 * A zip of all files in a folder. The same files become the same bytes, with one version of Node: entries are sorted, and have
 * no times, owners or modes of this machine.
 *
 * The format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export function zipOf(folder: string): Buffer {
  const files = listFiles(folder);
  if (files.length > MAX_ENTRIES)
    throw new PackagingError(
      'too_large',
      `the package has ${files.length} files and a zip takes ${MAX_ENTRIES}: leave some out with exclude or without`,
    );
  const [parts, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const file of files) {
    const name = Buffer.from(file);
    const content = readFileSync(join(folder, file));
    // Gzip's frame is a header of 10 bytes, the deflated data, the CRC-32 and the length.
    const gzipped = gzipSync(content, { level: 9 });
    const data = gzipped.subarray(10, -8);
    const crc = gzipped.readUInt32LE(gzipped.length - 8);
    const common = [
      [VERSION, 2],
      [UTF_8, 2],
      [DEFLATED, 2],
      [0, 2],
      [FIRST_DAY, 2],
      [crc, 4],
      [data.length, 4],
      [content.length, 4],
      [name.length, 2],
      [0, 2],
    ] as const;
    const header = fields([[HEADER, 4], ...common]);
    directory.push(
      fields([[CENTRAL_HEADER, 4], [ON_UNIX | VERSION, 2], ...common, [0, 2], [0, 2], [0, 2], [READABLE >>> 0, 4], [offset, 4]]),
      name,
    );
    parts.push(header, name, data);
    offset += header.length + name.length + data.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = fields([
    [END, 4],
    [0, 2],
    [0, 2],
    [files.length, 2],
    [files.length, 2],
    [size, 4],
    [offset, 4],
    [0, 2],
  ]);
  return Buffer.concat([...parts, ...directory, end]);
}

/** Little-endian numbers, each with its bytes. */
function fields(values: readonly (readonly [value: number, bytes: 2 | 4])[]): Buffer {
  const buffer = Buffer.alloc(values.reduce((sum, [, bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [value, bytes] of values) at = buffer.writeUIntLE(value, at, bytes);
  return buffer;
}
