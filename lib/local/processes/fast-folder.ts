import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import path from 'node:path';

/** Linux keeps the files of this folder in memory. */
const IN_MEMORY = '/dev/shm';

/**
 * A folder for many short-lived files, which are slow on ext4.
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
  const trial = mkdtempSync(path.join(folder, 'program-'));
  try {
    const program = path.join(trial, 'program');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o700 });
    execFileSync(program);
  } finally {
    rmSync(trial, { recursive: true });
  }
}
