import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { interpreterOf } from './environment';

/**
 * The command for `--python` or the setting `python`: an interpreter, the folder of a virtual environment, or words such as
 * `docker compose exec -T back uv run`, followed by `python`.
 *
 * @param given a list of words, or one string
 * @param folder the base of relative paths
 */
export function pythonCommand(given: string | readonly string[], folder: string): readonly string[] {
  if (typeof given === 'string') {
    const file = path.resolve(folder, given);
    if (existsSync(file)) return [statSync(file).isDirectory() ? interpreterOf(file) : file];
  }
  const words = typeof given === 'string' ? given.trim().split(/\s+/) : given;
  const last = path.basename(words.at(-1) ?? '');
  return /^(python|pypy)[0-9.]*(\.exe)?$/.test(last) ? words : [...words, 'python'];
}
