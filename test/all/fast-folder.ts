import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Linux keeps the files of this folder in memory. */
const IN_MEMORY = '/dev/shm';
/** The tests need about 3 GiB. */
const NEEDED_BYTES = 12 * 2 ** 30;

/**
 * Where the tests write. They create and delete a hundred thousand files, for which ext4 takes a fifth of their time.
 *
 * @returns the folder for temporary files if memory is short or programs can't run there
 */
export function fastFolder(folder = IN_MEMORY, neededBytes = NEEDED_BYTES): string {
  try {
    const { bavail, bsize } = statfsSync(folder);
    if (bavail * bsize < neededBytes) return tmpdir();
    runProgramIn(folder);
    return folder;
  } catch {
    return tmpdir();
  }
}

/** Throws where containers mount it without the right to execute. */
function runProgramIn(folder: string): void {
  const own = mkdtempSync(path.join(folder, 'program-'));
  try {
    const program = path.join(own, 'program');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o700 });
    execFileSync(program);
  } finally {
    rmSync(own, { recursive: true });
  }
}
