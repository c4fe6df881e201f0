import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import path from 'node:path';

/** Linux keeps the files of this folder in memory. */
const IN_MEMORY = '/dev/shm';

/**
 * A folder for many files that are soon deleted, which ext4 takes long for.
 *
 * @param neededBytes that must be free, in the folder and in the machine's memory
 * @returns the folder for temporary files if memory is short or programs can't run there
 */
export function fastFolder(neededBytes: number, folder = IN_MEMORY): string {
  try {
    const { bavail, bsize } = statfsSync(folder);
    if (Math.min(bavail * bsize, freemem()) < neededBytes) return tmpdir();
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
