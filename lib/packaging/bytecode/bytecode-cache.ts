import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { forget, putFile, recall, remember, rememberFile } from '../../cache';
import { packagePath } from '../../package-root';

/*
 * Caches compiled files: an index for each package, named after the hash of its inputs, and the files, named after their
 * checksums. A package gets only files that were compiled from exactly these sources.
 */

/** A Python file and its bytecode, relative to the function's package. */
export interface Compiled {
  readonly source: string;
  readonly bytecode: string;
  /** Whether the function has only the bytecode, without docstrings. */
  readonly isBare: boolean;
}

/**
 * The magic number of each released Python's bytecode:
 * https://github.com/python/cpython/blob/main/Include/internal/pycore_magic_number.h
 */
const MAGIC_NUMBERS: Readonly<Record<string, number>> = { '3.11': 3495, '3.12': 3531, '3.13': 3571, '3.14': 3627 };

/** The cache key for the bytecode of these files. */
export function bytecodeKey(target: string, group: readonly Compiled[], pythonVersion: string): string {
  const hash = createHash('sha256')
    .update(`${pythonVersion}\0`)
    .update(readFileSync(packagePath('lib', 'packaging', 'compile.py')));
  for (const { source, bytecode } of group) {
    hash.update(`${source}\0${bytecode}\0`).update(sha256(readFileSync(join(target, source))));
  }
  return hash.digest('hex');
}

/** Copies cached bytecode into the package; false if any is missing. */
export function takeBytecode(target: string, group: readonly Compiled[], pythonVersion: string, key: string): boolean {
  const cached = readIndex(recall(indexName(key)), key);
  if (!cached) return false;
  const known = new Set(group.map(({ bytecode }) => bytecode));
  if (!cached.every(({ name, checksum }) => known.has(name) && isIntact(checksum, pythonVersion))) return false;
  const folders = new Set(cached.map(({ name }) => dirname(name)));
  for (const folder of folders) mkdirSync(join(target, folder), { recursive: true });
  for (const { name, checksum } of cached) putFile(fileName(checksum), join(target, name));
  return true;
}

/** Caches compiled files. A file that failed to compile will have no bytecode next time either. */
export function keepBytecode(target: string, group: readonly Compiled[], pythonVersion: string, key: string): void {
  const names = group.map(({ bytecode }) => bytecode).filter((name) => existsSync(join(target, name)));
  const contents = names.map((name) => ({ name, content: readFileSync(join(target, name)) }));
  // No bytecode at all: Python itself failed.
  if (!contents.length || !contents.every(({ content }) => isOf(pythonVersion, content))) return;
  const cached = contents.map(({ name, content }) => ({ name, checksum: sha256(content) }));
  for (const { name, checksum } of cached) rememberFile(fileName(checksum), join(target, name));
  remember(indexName(key), JSON.stringify({ key, cached, checksum: checksumOf(key, cached) } satisfies Index));
}

/** Whether every released Python of this version imports this bytecode. */
export function isReleased(file: string, pythonVersion: string): boolean {
  if (!existsSync(file)) return false;
  const start = Buffer.alloc(4);
  const opened = openSync(file, 'r');
  try {
    readSync(opened, start);
  } finally {
    closeSync(opened);
  }
  return isOf(pythonVersion, start);
}

interface CachedFile {
  /** Relative to the function's package. */
  readonly name: string;
  readonly checksum: string;
}

interface Index {
  readonly key: string;
  readonly cached: readonly CachedFile[];
  /** The checksum of these two. */
  readonly checksum: string;
}

function readIndex(entry: Buffer | undefined, key: string): readonly CachedFile[] | undefined {
  try {
    const index = entry && (JSON.parse(entry.toString('utf8')) as Index);
    return index?.checksum === checksumOf(key, index?.cached ?? []) ? index.cached : undefined;
  } catch {
    return undefined;
  }
}

function checksumOf(key: string, cached: readonly CachedFile[]): string {
  return sha256(JSON.stringify([key, cached]));
}

/** Whether a cached file is unchanged; deletes it otherwise. */
function isIntact(checksum: string, pythonVersion: string): boolean {
  const content = recall(fileName(checksum));
  if (content && sha256(content) === checksum && isOf(pythonVersion, content)) return true;
  forget(fileName(checksum));
  return false;
}

function indexName(key: string): string {
  return `${key}.index`;
}

function fileName(checksum: string): string {
  return `${checksum}.pyc`;
}

function isOf(pythonVersion: string, bytecode: Buffer): boolean {
  return bytecode.length >= 4 && bytecode.readUInt16LE(0) === MAGIC_NUMBERS[pythonVersion] && bytecode.readUInt16LE(2) === 0x0a0d;
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
