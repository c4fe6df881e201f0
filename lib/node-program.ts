import { readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { packagePath } from './package-root';

/**
 * Node's arguments for a program of lib/, such as `data-loss/child`: the built file. In this repository's own tests it is the TypeScript
 * unless the build is newer than all sources: loading tsx takes as long as Node.
 */
export function nodeProgram(name: string): readonly string[] {
  const built = packagePath('dist', 'lib', `${name}.js`);
  if (!__filename.endsWith('.ts') || modified(built) > newestSource()) return [built];
  return ['-r', createRequire(__filename).resolve('tsx/cjs'), packagePath('lib', `${name}.ts`)];
}

let newest: number | undefined;

function newestSource(): number {
  if (newest === undefined) {
    const sources = readdirSync(__dirname, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    newest = Math.max(...sources.map((file) => modified(path.join(__dirname, file))));
  }
  return newest;
}

/** In milliseconds; 0 if there is no such file. */
function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
