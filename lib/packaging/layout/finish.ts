import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY } from '../../contract';
import { compileBytecode, isBare } from '../bytecode/bytecode';
import { onlyImported as onlyImportedOption } from '../code-in-messages';
import { PackagingError } from '../errors';
import { closure, type Distribution, readDistributions } from '../imported/installed';
import { type MovedOut, moveUnused } from '../imported/only-imported';
import { modulesToCompile, reachedDistributions, usedDistributions } from '../imported/reached';
import { listFiles } from '../project/sources';
import { findDataLosses } from '../proof/data-losses';
import { judgeProof } from '../proof/judge-proof';
import { prove, type Used } from '../proof/proof';
import { Adaptation } from './adaptation';
import type { LaidOut } from './laid-out';
import { checkSize, tooLarge } from './package';
import { recallProof, rememberProof } from './proof-cache';
import { prune } from './prune';

/** Moves unused distributions aside, compiles the others, loads the package like the function, and writes the manifest. */
export function finish(laidOut: LaidOut): void {
  const { target, python, alembic, directory, replaced, onlyImported } = laidOut;
  const backend = join(target, BACKEND_DIRECTORY);
  const sitePackages = join(target, DEPENDENCIES_DIRECTORY);
  const paths = alembic.paths.map((path) => join(backend, path.slice(directory.length + 1)));
  const distributions = readDistributions(sitePackages);
  if (alembic.installed) checkScripts(sitePackages, alembic.installed, join(directory, alembic.config));
  const adaptation = new Adaptation(laidOut);
  const roots = () => [...new Set(['.', 'src', alembic.folder, ...adaptation.roots])];
  const findUsed = () => loadForUsed(laidOut, adaptation, paths, distributions);
  const imports = () => reachedDistributions({ backend, roots: roots() }, paths, distributions, alembic.installed);
  /** The distributions that `only: imported` keeps. `used`: undefined if the package does not load. */
  const keptOf = (used: Used | undefined) => {
    const reached = used ? usedDistributions(sitePackages, distributions, used.distributions) : imports();
    const wanted = distributions.filter(({ name }) => laidOut.kept.includes(name));
    return new Set([...reached, ...closure(distributions, wanted)]);
  };

  adaptation.writeManifest();
  const used = onlyImported ? findUsed() : undefined;
  const reached = onlyImported ? keptOf(used) : imports();
  const moved = onlyImported ? moveUnused(sitePackages, reached) : undefined;
  try {
    prune(sitePackages, backend);
    compile(laidOut, reached, used && loadedFirst(used));
    const warnings = loadUntilComplete(laidOut, moved, adaptation);
    // Modules in a folder that was added may import others.
    if (adaptation.warnings.length && !used) compile(laidOut, imports());
    const destroys = findDataLosses(backend, paths, listFiles(backend), python, roots());
    const slower = dropBytecodeOfLarge(target, onlyImported);
    adaptation.writeManifest({ destroys, leftOut: moved && leftOutModules(moved), replaced }, slower);
    const reasons = onlyImported && !used ? keptMore(laidOut, warnings) : [];
    checkSize(target, directory, distributions, onlyImported ? { reasons } : { reached: () => keptOf(findUsed()) });
  } finally {
    moved?.remove();
  }
}

/** Throws if no dependency has the scripts that a configuration names as `package:folder`. */
function checkScripts(sitePackages: string, installed: string, config: string): void {
  if (existsSync(join(sitePackages, installed, 'env.py'))) return;
  throw new PackagingError(
    'invalid_script_location',
    `no dependency has ${installed}/env.py, which the script_location of ${config} names: correct it, or add the distribution that has it`,
  );
}

/** Removes bytecode, which only saves time, from a package over Lambda's limit. Returns a warning. */
function dropBytecodeOfLarge(target: string, isOnlyImported: boolean): string[] {
  const megabytes = tooLarge(target);
  const folders = megabytes ? bytecodeFolders(target) : [];
  if (!folders.length) return [];
  for (const folder of folders) rmSync(folder, { recursive: true });
  const remedy = isOnlyImported ? '' : `; ${onlyImportedOption()} packages only what migrations import`;
  return [
    `with bytecode, the package would have ${megabytes} MB unzipped (Lambda allows 250), so bytecode is left out: the function starts a few seconds slower${remedy}`,
  ];
}

function bytecodeFolders(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return entries.filter((entry) => basename(entry) === '__pycache__').map((entry) => join(directory, entry));
}

/** Loads a complete package, unless it was already loaded. Returns warnings. Throws PackagingError if it can't run. */
export function proveOnce(laidOut: LaidOut): readonly string[] {
  if (!laidOut.python) return [];
  return recallProof(laidOut) ?? loadUntilComplete(laidOut);
}

/** Why a package that does not load may be larger than necessary: all that the code may import is kept. */
function keptMore({ python, platform: { pythonVersion } }: LaidOut, warnings: readonly string[]): string[] {
  if (!python) {
    const what = `so that ${onlyImportedOption()} keeps only what migrations use, not everything that the code may import`;
    return [`"uv python install ${pythonVersion}" lets this machine load the package, ${what}`];
  }
  return [
    `${onlyImportedOption()} kept everything that the code may import, because the package could not be loaded (${warnings.join(' ')})`,
  ];
}

/** The distribution of each module that is left out, as `name==version`. */
function leftOutModules({ left }: MovedOut): Record<string, string> {
  return Object.fromEntries(
    [...left].flatMap(({ name, version, modules }) => modules.map((module) => [module, `${name}==${version}`])),
  );
}

/** What a package uses before anything is moved out of it; undefined if it does not load. */
function loadForUsed(
  laidOut: LaidOut,
  adaptation: Adaptation,
  paths: readonly string[],
  distributions: readonly Distribution[],
): Used | undefined {
  if (!laidOut.python) return undefined;
  for (;;) {
    const proof = prove(laidOut.python, laidOut.target, laidOut, { paths, distributions });
    if (!adaptation.adapt(proof)) return proof.used;
  }
}

/**
 * Loads the package and adds what it requires: distributions that were moved out, and what the adaptation can change. Returns
 * warnings. Throws PackagingError if the package can't run.
 */
function loadUntilComplete(laidOut: LaidOut, moved?: MovedOut, adaptation?: Adaptation): readonly string[] {
  if (!laidOut.python) return [];
  for (;;) {
    const proof = prove(laidOut.python, laidOut.target, laidOut);
    const restored = proof.missing && moved?.putBack(proof.missing.module);
    if (restored?.size) {
      compile(laidOut, restored);
      continue;
    }
    if (adaptation?.adapt(proof)) continue;
    const decisive = adaptation?.decisive(proof) ?? proof;
    const warnings = [...(adaptation?.warnings ?? []), ...judgeProof(laidOut, decisive)];
    rememberProof(laidOut, warnings);
    return warnings;
  }
}

/** Whether every run loads a file, relative to the package. With `only: imported`, other files need no bytecode. */
type IsLoaded = (file: string) => boolean;

function loadedFirst({ files }: Used): IsLoaded {
  const loaded = new Set(files);
  return (file) => loaded.has(file) || isBare(file);
}

function compile(
  { target, python, platform }: LaidOut,
  reached: ReadonlySet<Distribution>,
  isLoaded: IsLoaded = () => true,
): void {
  if (!python) return;
  const dependencies = modulesToCompile(reached, join(target, DEPENDENCIES_DIRECTORY));
  const own = listFiles(target, (path) => path === DEPENDENCIES_DIRECTORY);
  const files = [...own, ...dependencies.map((file) => `${DEPENDENCIES_DIRECTORY}/${file}`)];
  compileBytecode(
    { python, pythonVersion: platform.pythonVersion },
    target,
    files.filter((file) => file.endsWith('.py') && isLoaded(file) && existsSync(join(target, file))),
  );
}
