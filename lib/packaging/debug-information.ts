import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

/*
 * https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html: what the loader maps is named by the program headers. Sections
 * are for linkers and debuggers; in wheels, debug information is most of what they hold.
 */
const HEADER = { size: 64, programHeaders: 0x20, sectionHeaders: 0x28, programHeaderSize: 0x36, sectionCount: 0x3c };
const PROGRAM_HEADER = { offset: 0x08, sizeInFile: 0x20 };

/** Cuts off what only a debugger reads of a library. What is no library of 64-bit Linux is left as it is. */
export function dropDebugInformation(file: string): void {
  const { mode } = statSync(file);
  const library = readFileSync(file);
  const mapped = mappedPart(library);
  if (!mapped) return;
  // uv may have linked the file to its cache: this one gets an inode of its own.
  rmSync(file);
  writeFileSync(file, mapped, { mode });
}

/** The file up to the end of what is mapped; undefined when there is nothing to cut. */
export function mappedPart(library: Buffer): Buffer | undefined {
  const isElf64LittleEndian =
    library.length > HEADER.size && library.readUInt32BE(0) === 0x7f454c46 && library.readUInt16BE(4) === 0x0201;
  if (!isElf64LittleEndian) return undefined;
  const start = Number(library.readBigUInt64LE(HEADER.programHeaders));
  const size = library.readUInt16LE(HEADER.programHeaderSize);
  const count = library.readUInt16LE(HEADER.programHeaderSize + 2);
  let end = start + size * count;
  for (let header = start; header < start + size * count; header += size) {
    const offset = Number(library.readBigUInt64LE(header + PROGRAM_HEADER.offset));
    end = Math.max(end, offset + Number(library.readBigUInt64LE(header + PROGRAM_HEADER.sizeInFile)));
  }
  if (end >= library.length) return undefined;
  const mapped = Buffer.from(library.subarray(0, end));
  mapped.writeBigUInt64LE(0n, HEADER.sectionHeaders);
  mapped.writeUInt32LE(0, HEADER.sectionCount);
  return mapped;
}
