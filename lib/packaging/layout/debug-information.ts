import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeFileSync } from 'node:fs';

/*
 * https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html: the loader maps only what the program headers list.
 * Sections are for linkers and debuggers; in wheels, most of them are debug information.
 */
const HEADER = { size: 64, programHeaders: 0x20, sectionHeaders: 0x28, programHeaderSize: 0x36, sectionCount: 0x3c };
const PROGRAM_HEADER = { offset: 0x08, sizeInFile: 0x20 };

/** Removes debug information from a 64-bit Linux library. Leaves other files unchanged. */
export function dropDebugInformation(file: string): void {
  const opened = openSync(file, 'r');
  try {
    const { mode, size } = fstatSync(opened);
    const end = endOfMapped((offset, length) => readAt(opened, offset, length));
    if (end === undefined || end >= size) return;
    const mapped = readAt(opened, 0, end);
    mapped.writeBigUInt64LE(0n, HEADER.sectionHeaders);
    mapped.writeUInt32LE(0, HEADER.sectionCount);
    // uv may have linked the file to its cache: the new content gets a new inode.
    unlinkSync(file);
    writeFileSync(file, mapped, { mode });
  } finally {
    closeSync(opened);
  }
}

/** The end of a library's mapped part; undefined if it is not a library of 64-bit Linux. */
function endOfMapped(read: (offset: number, length: number) => Buffer): number | undefined {
  const library = read(0, HEADER.size);
  const isElf64LittleEndian =
    library.length === HEADER.size && library.readUInt32BE(0) === 0x7f454c46 && library.readUInt16BE(4) === 0x0201;
  if (!isElf64LittleEndian) return undefined;
  const start = Number(library.readBigUInt64LE(HEADER.programHeaders));
  const size = library.readUInt16LE(HEADER.programHeaderSize);
  const count = library.readUInt16LE(HEADER.programHeaderSize + 2);
  const headers = read(start, size * count);
  let end = start + size * count;
  for (let header = 0; header < headers.length; header += size) {
    const offset = Number(headers.readBigUInt64LE(header + PROGRAM_HEADER.offset));
    end = Math.max(end, offset + Number(headers.readBigUInt64LE(header + PROGRAM_HEADER.sizeInFile)));
  }
  return end;
}

function readAt(opened: number, offset: number, length: number): Buffer {
  const content = Buffer.alloc(length);
  return content.subarray(0, readSync(opened, content, 0, length, offset));
}
