import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY, MANIFEST_FILE } from '../../../lib/contract';
import type { Manifest } from '../../../lib/packaging/layout/manifest';
import type { BackendOptions } from '../../../lib/packaging/project/backend';
import { copyFiles, listSources } from '../../../lib/packaging/project/sources';
import { host, packageOf, shown, temporaryDirectory } from '../support';

/** All variables of the function are known, so a missing setting is an error. */
export const KNOWN: Partial<BackendOptions> = { databaseVariables: { url: 'DATABASE_URL' } };

/** A backend with dependencies for this machine, and an env.py that begins with some lines. */
export function backend(...start: string[]): string {
  const directory = temporaryDirectory();
  for (const part of ['backend', 'requirements'])
    cpSync(join(__dirname, '..', '..', 'projects', part), directory, { recursive: true });
  const env = join(directory, 'migrations', 'env.py');
  writeFileSync(env, [...start, readFileSync(env, 'utf8')].join('\n'));
  return directory;
}

/** Packages a backend. Throws if it can't run. */
export function packaged(directory: string, options: Partial<BackendOptions> = {}) {
  const target = temporaryDirectory();
  const unbuilt = packageOf(directory, host, { ...KNOWN, ...options });
  unbuilt.build(target);
  const manifest: Manifest = JSON.parse(readFileSync(join(target, MANIFEST_FILE), 'utf8'));
  return { target, manifest, warnings: unbuilt.prove(target).map(shown) };
}

/** The packages of backends that differ in their own files only, by their requirements. */
const installed = new Map<string, string>();

/**
 * Loads a backend in a package and returns the warnings, as a CDK app shows them. Throws if it can't run. The dependencies are
 * installed once for all backends with the same ones; what packaging changes until a backend loads takes `packaged`.
 */
export function proofOf(directory: string, options: Partial<BackendOptions> = {}): string[] {
  const target = join(temporaryDirectory(), 'package');
  cpSync(installedLike(directory, options), target, { recursive: true, verbatimSymlinks: true });
  const own = join(target, BACKEND_DIRECTORY);
  rmSync(own, { recursive: true });
  copyFiles(directory, listSources(directory, [], []), own);
  return packageOf(directory, host, { ...KNOWN, ...options })
    .prove(target)
    .map(shown);
}

/** A package in which the dependencies are a link. */
function installedLike(directory: string, options: Partial<BackendOptions>): string {
  const requirements = readdirSync(directory).filter((file) => file.endsWith('.txt'));
  const texts = requirements.map((file) => [file, readFileSync(join(directory, file), 'utf8')] as const);
  const key = JSON.stringify([texts, options.add]);
  const known = installed.get(key);
  if (known) return known;
  const plain = backend();
  for (const [file, text] of texts) writeFileSync(join(plain, file), text);
  const [{ target: built }, linked] = [packaged(plain, { add: options.add ?? [] }), temporaryDirectory()];
  for (const entry of readdirSync(built)) {
    if (entry === DEPENDENCIES_DIRECTORY) symlinkSync(join(built, entry), join(linked, entry));
    else cpSync(join(built, entry), join(linked, entry), { recursive: true });
  }
  installed.set(key, linked);
  return linked;
}
