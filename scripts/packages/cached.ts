import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { PROJECT } from './stage';

/**
 * A folder that is filled once for each state of its inputs, and then kept: the tests would spend minutes on it.
 *
 * @param name of what is built
 * @param inputs files and folders of this repository
 * @param build fills the folder, which is in this repository
 * @returns the folder
 */
export async function cached(name: string, inputs: readonly string[], build: (folder: string) => Promise<void>): Promise<string> {
  const parent = path.join(PROJECT, '.cache', 'packages');
  const folder = path.join(parent, `${name}-${fingerprint(inputs)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(parent, { recursive: true });
  const unfinished = mkdtempSync(path.join(parent, 'tmp-'));
  try {
    await build(unfinished);
    // Another process may have built the same meanwhile, and use it.
    if (!existsSync(folder)) renameSync(unfinished, folder);
    const old = readdirSync(parent).filter((other) => other.startsWith(`${name}-`) && other !== path.basename(folder));
    for (const other of old) rmSync(path.join(parent, other), { recursive: true, force: true });
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

function fingerprint(inputs: readonly string[]): string {
  const hash = createHash('sha256').update(PROJECT);
  for (const file of inputs.flatMap(filesOf)) hash.update(`\0${file}\0`).update(readFileSync(path.join(PROJECT, file)));
  return hash.digest('hex').slice(0, 16);
}

/** The files of a folder in a stable order, or the file itself. */
function filesOf(input: string): string[] {
  const whole = path.join(PROJECT, input);
  if (!statSync(whole).isDirectory()) return [input];
  const names = readdirSync(whole, { recursive: true, encoding: 'utf8' }).filter((name) => !name.includes('__pycache__'));
  return names
    .map((name) => path.join(input, name))
    .filter((name) => statSync(path.join(PROJECT, name)).isFile())
    .sort();
}
