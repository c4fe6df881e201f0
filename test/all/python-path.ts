import path from 'node:path';
import { mustRun } from '../../examples/local-aws';

const SHIMS = /[/\\]\.?pyenv[/\\]shims[/\\]?$/;

/** A PATH with pyenv's Python in place of its shims: a shim starts shells before each of the thousand Pythons that the tests start. */
export async function withoutShims(PATH: string): Promise<string> {
  const directories = PATH.split(path.delimiter);
  if (!directories.some((directory) => SHIMS.test(directory))) return PATH;
  const { stdout } = await mustRun('python3', ['-c', 'import sys; print(sys.prefix)'], { env: { ...process.env, PATH } });
  const real = path.join(stdout, 'bin');
  return directories.map((directory) => (SHIMS.test(directory) ? real : directory)).join(path.delimiter);
}
