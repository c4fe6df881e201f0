import path from 'node:path';
import { mustRun, run } from '../../examples/local-aws';

const PYENV = /[/\\]\.?pyenv[/\\]/;
const SHIMS = /[/\\]\.?pyenv[/\\]shims[/\\]?$/;

/**
 * A PATH without pyenv's shims, which start shells before each of the thousand Pythons that the tests start. It has the system's Python,
 * which is a sixth faster than what pyenv compiles; without a new enough one, the Python that the shims start.
 */
export async function withoutShims(PATH: string): Promise<string> {
  const directories = PATH.split(path.delimiter);
  if (!directories.some((directory) => SHIMS.test(directory))) return PATH;
  const others = directories.filter((directory) => !PYENV.test(`${directory}/`)).join(path.delimiter);
  const isNewEnough = ['-c', 'import sys; sys.exit(sys.version_info < (3, 11))'];
  const found = await run('python3', isNewEnough, { env: { ...process.env, PATH: others } }).catch(() => undefined);
  if (found?.code === 0) return others;
  const { stdout } = await mustRun('python3', ['-c', 'import sys; print(sys.prefix)'], { env: { ...process.env, PATH } });
  const real = path.join(stdout, 'bin');
  return directories.map((directory) => (SHIMS.test(directory) ? real : directory)).join(path.delimiter);
}
