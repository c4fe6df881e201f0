import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { recall, remember } from '../../cache';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY } from '../../contract';
import { compileBytecode, isBare } from '../bytecode/bytecode';
import { closure, type Distribution, readDistributions } from '../imported/installed';
import { type MovedOut, moveUnused } from '../imported/only-imported';
import { modulesToCompile, reachedDistributions, usedDistributions } from '../imported/reached';
import type { FunctionPlatform } from '../platform';
import { listFiles } from '../project/sources';
import { findDataLosses } from '../proof/data-losses';
import { addedRoot, judgeProof, type Loaded, rootOf } from '../proof/judge-proof';
import { type Installed, type LoadedWith, type Proof, prove, type Used } from '../proof/proof';
import { type Manifest, otherDrivers, writeManifest } from './manifest';
import { checkSize, RUNNER_DIRECTORY } from './package';
import { prune } from './prune';

/** A package with its sources, dependencies and the runner. */
export interface LaidOut extends Loaded {
  /** The package's hash. */
  readonly hash: string;
  readonly platform: FunctionPlatform;
  readonly python: string | undefined;
  /** Names of distributions that `only: imported` keeps in any case, with all their requirements. */
  readonly kept: readonly string[];
  /** Replaced requirements, such as `psycopg2-binary==2.9.10 in place of psycopg2`. */
  readonly replaced?: readonly string[];
}

/** Moves unused distributions aside, compiles the others, loads the package like the function, and writes the manifest. */
export function finish(laidOut: LaidOut): void {
  const { target, python, alembic, directory, kept, replaced, onlyImported } = laidOut;
  const [backend, sitePackages] = [join(target, BACKEND_DIRECTORY), join(target, DEPENDENCIES_DIRECTORY)];
  const paths = alembic.paths.map((path) => join(backend, path.slice(directory.length + 1)));
  const adapted = adaptable(laidOut);
  const where = () => ({ backend, roots: [...new Set(['.', 'src', alembic.folder, ...adapted.roots])] });
  const distributions = readDistributions(sitePackages);
  const findUsed = () => (python === undefined ? undefined : used(laidOut, python, adapted, { paths, distributions }));
  /** What `only: imported` keeps. */
  const imported = (found: Used | undefined) => {
    const reached = found
      ? usedDistributions(sitePackages, distributions, found.distributions)
      : reachedDistributions(where(), paths, distributions);
    const wanted = distributions.filter(({ name }) => kept.includes(name));
    return new Set([...reached, ...closure(distributions, wanted)]);
  };
  adapted.write();
  const found = onlyImported ? findUsed() : undefined;
  const reached = onlyImported ? imported(found) : reachedDistributions(where(), paths, distributions);
  const moved = onlyImported ? moveUnused(sitePackages, reached) : undefined;
  try {
    prune(sitePackages);
    compile(laidOut, reached, found && loadedFirst(found));
    const warnings = python ? loadUntilComplete(laidOut, python, { moved: moved, adapted }) : [];
    // Modules in a folder that was added may import others.
    if (adapted.warnings.size && !found) compile(laidOut, reachedDistributions(where(), paths, distributions));
    const leftOut = moved && leftOutModules(moved);
    const destroys = findDataLosses(backend, paths, listFiles(backend), python, where().roots);
    adapted.write({ destroys, leftOut, replaced });
    checkSize(target, directory, distributions, onlyImported ? { warnings } : { reached: () => imported(findUsed()) });
  } finally {
    moved?.remove();
  }
}

/** The distribution of each module that is left out, as `name==version`. */
function leftOutModules({ left }: MovedOut): Record<string, string> {
  return Object.fromEntries(
    [...left].flatMap(({ name, version, modules }) => modules.map((module) => [module, `${name}==${version}`])),
  );
}

/** What a complete package uses; undefined if it does not load. */
function used(laidOut: LaidOut, python: string, adapted: Adapted, installed: Installed): Used | undefined {
  for (;;) {
    const proof = prove(python, laidOut.target, laidOut, installed);
    if (!adapt(laidOut, proof, adapted)) return proof.used;
  }
}

/** Whether every run loads a file, relative to the package. With `only: imported`, other files need no bytecode. */
type IsLoaded = (file: string) => boolean;

function loadedFirst({ files }: Used): IsLoaded {
  const loaded = new Set(files);
  return (file) => loaded.has(file) || isBare(file) || file.startsWith(`${RUNNER_DIRECTORY}/`);
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

/** Loads a complete package, unless it was already loaded. Returns warnings. Throws PackagingError if it can't run. */
export function proveOnce(laidOut: LaidOut): readonly string[] {
  if (!laidOut.python) return [];
  return recallProof(laidOut) ?? loadUntilComplete(laidOut, laidOut.python, {});
}

/** Proofs of this process, for machines without a writable cache. */
const provedHere = new Map<string, readonly string[]>();

/** The warnings of a package that was loaded with these variables; undefined if it was not. */
export function recallProof(which: ProvedPackage): readonly string[] | undefined {
  const entry = proofEntry(which);
  const known = provedHere.get(entry) ?? recall(entry)?.toString('utf8');
  try {
    return typeof known === 'string' ? (JSON.parse(known) as string[]) : known;
  } catch {
    // A damaged entry: load it again.
    return undefined;
  }
}

type ProvedPackage = Pick<LaidOut, 'hash' | keyof LoadedWith>;

function rememberProof(which: ProvedPackage, warnings: readonly string[]): void {
  const entry = proofEntry(which);
  provedHere.set(entry, warnings);
  remember(entry, JSON.stringify(warnings));
}

function proofEntry({ hash, environment, databaseVariables = {}, hasUnknownVariables, isAssumed }: ProvedPackage): string {
  const variables = [environment, databaseVariables].map((table) => Object.entries(table).sort());
  const key = JSON.stringify([hash, variables, hasUnknownVariables, isAssumed]);
  return `proof-${createHash('sha256').update(key).digest('hex')}`;
}

/** How a package that is being built was adapted until it loaded. */
interface Adapted {
  /** Folders of the backend on Python's path. */
  readonly roots: string[];
  /** The warnings for those that were added, by folder. */
  readonly warnings: Map<string, string>;
  /** The driver for the database's URL; undefined: as the manifest guesses it. */
  driver?: string | null | undefined;
  /** Whether the backend writes beside its code. */
  writes?: boolean;
  /** Drivers to try, and the first result that asks for one. */
  readonly drivers: (string | null)[];
  first?: Proof;
  write(more?: Pick<Manifest, 'destroys' | 'leftOut' | 'replaced'>): void;
}

function adaptable({ target, alembic, roots }: LaidOut): Adapted {
  const adapted: Adapted = {
    roots: [...roots],
    warnings: new Map(),
    drivers: otherDrivers(target),
    write: (more = {}) =>
      writeManifest(target, alembic, { roots: adapted.roots, driver: adapted.driver, writes: adapted.writes, ...more }),
  };
  return adapted;
}

/** What may change in a package that is being built. */
interface Changes {
  readonly moved?: MovedOut | undefined;
  readonly adapted?: Adapted;
}

/**
 * Loads the package and adds what it requires: distributions that were moved out, and a folder of the backend that is on Python's
 * path where people run Alembic. Returns warnings. Throws PackagingError if it can't run.
 */
function loadUntilComplete(laidOut: LaidOut, python: string, { moved, adapted }: Changes): readonly string[] {
  for (;;) {
    const proof = prove(python, laidOut.target, laidOut);
    const restored = proof.missing && moved?.putBack(proof.missing.module);
    if (restored?.size) compile(laidOut, restored);
    else if (!adapted || !adapt(laidOut, proof, adapted)) {
      const warnings = [...(adapted?.warnings.values() ?? []), ...judgeProof(laidOut, adapted?.first ?? proof)];
      rememberProof(laidOut, warnings);
      return warnings;
    }
  }
}

/** Adds what a package needs to load, if known. Returns whether to load it again. */
function adapt(laidOut: LaidOut, proof: Proof, adapted: Adapted): boolean {
  return chooseDriver(laidOut, proof, adapted) || addRoot(laidOut, proof, adapted) || allowWriting(proof, adapted);
}

/** Lets a backend write beside its code, as a log file does. Returns whether it was refused before. */
function allowWriting({ fails }: Proof, adapted: Adapted): boolean {
  if (!fails?.writes || adapted.writes) return false;
  adapted.writes = true;
  adapted.write();
  return true;
}

/** Puts another driver into the database's URL, if the first does not fit env.py. If none does, the first one stays. */
function chooseDriver({ databaseVariables = {} }: LaidOut, proof: Proof, adapted: Adapted): boolean {
  if (!databaseVariables.url || databaseVariables.urlScheme) return false;
  if (!proof.otherDriver) {
    delete adapted.first;
    return false;
  }
  adapted.first ??= proof;
  adapted.driver = adapted.drivers.shift();
  adapted.write();
  return adapted.driver !== undefined;
}

/** Adds the folder that has a missing module of the backend. Returns whether there is one. */
function addRoot(laidOut: LaidOut, { missing }: Proof, { roots, warnings, write }: Adapted): boolean {
  const root = missing && !missing.own ? rootOf(laidOut, missing.module) : undefined;
  if (!missing || root === undefined || warnings.has(root)) return false;
  warnings.set(root, addedRoot(laidOut, missing, root));
  roots.push(root);
  write();
  return true;
}
