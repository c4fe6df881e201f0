import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { recall, remember } from '../../cache';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY } from '../../contract';
import { compileBytecode } from '../bytecode/bytecode';
import { type Distribution, readDistributions } from '../imported/installed';
import { type LaidAside, layAside } from '../imported/only-imported';
import { modulesToCompile, reachedDistributions } from '../imported/reached';
import type { FunctionPlatform } from '../platform';
import { listFiles } from '../project/sources';
import { findDataLosses } from '../proof/data-losses';
import { addedRoot, judgeProof, type Loaded, rootOf } from '../proof/judge-proof';
import { type LoadedWith, prove } from '../proof/proof';
import { writeManifest } from './manifest';
import { checkSize } from './package';
import { prune } from './prune';

/** A package with its sources, dependencies and the runner. */
export interface LaidOut extends Loaded {
  readonly target: string;
  /** The package's hash. */
  readonly hash: string;
  readonly platform: FunctionPlatform;
  readonly python: string | undefined;
}

/** Moves unused distributions aside, compiles the others, loads the package like the function, and writes the manifest. */
export function finish(laidOut: LaidOut): void {
  const { target, python, alembic, directory, roots, onlyImported } = laidOut;
  const [backend, sitePackages] = [join(target, BACKEND_DIRECTORY), join(target, DEPENDENCIES_DIRECTORY)];
  const paths = alembic.paths.map((path) => join(backend, path.slice(directory.length + 1)));
  const where = { backend, roots: [...new Set(['.', 'src', alembic.folder, ...roots])] };
  const distributions = readDistributions(sitePackages);
  const reached = reachedDistributions(where, paths, distributions);
  const aside = onlyImported ? layAside(sitePackages, reached) : undefined;
  try {
    prune(sitePackages);
    const allRoots = [...roots];
    const addRoot = (root: string) => {
      allRoots.push(root);
      writeManifest(target, alembic, allRoots);
      compile(
        laidOut,
        reachedDistributions({ backend, roots: [...where.roots, ...allRoots] }, paths, readDistributions(sitePackages)),
      );
    };
    writeManifest(target, alembic, roots);
    compile(laidOut, reached);
    if (python) proved(laidOut, python, { aside, addRoot });
    const destroys = findDataLosses(backend, paths, listFiles(backend), python, [...where.roots, ...allRoots]);
    writeManifest(target, alembic, allRoots, destroys);
    checkSize(target, directory, distributions, onlyImported ? undefined : reached);
  } finally {
    aside?.remove();
  }
}

function compile({ target, python, platform }: LaidOut, reached: ReadonlySet<Distribution>): void {
  if (!python) return;
  const dependencies = modulesToCompile(reached, join(target, DEPENDENCIES_DIRECTORY));
  const own = listFiles(target, (path) => path === DEPENDENCIES_DIRECTORY);
  const files = [...own, ...dependencies.map((file) => `${DEPENDENCIES_DIRECTORY}/${file}`)];
  compileBytecode(
    { python, pythonVersion: platform.pythonVersion },
    target,
    files.filter((file) => file.endsWith('.py') && existsSync(join(target, file))),
  );
}

/** Loads a complete package, unless that was done. Returns warnings. Throws PackagingError if it can't run. */
export function proveOnce(laidOut: LaidOut): readonly string[] {
  if (!laidOut.python) return [];
  return recallProof(laidOut) ?? proved(laidOut, laidOut.python, {});
}

/** Proofs of this process, for machines without a writable cache. */
const made = new Map<string, readonly string[]>();

/** The warnings of a package that was loaded with these variables; undefined if it was not. */
export function recallProof(which: ProvedPackage): readonly string[] | undefined {
  const entry = proofEntry(which);
  const known = made.get(entry) ?? recall(entry)?.toString('utf8');
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
  made.set(entry, warnings);
  remember(entry, JSON.stringify(warnings));
}

function proofEntry({ hash, environment, databaseVariables = {}, hasUnknownVariables = false }: ProvedPackage): string {
  const variables = [environment, databaseVariables].map((table) => Object.entries(table).sort());
  const key = JSON.stringify([hash, variables, hasUnknownVariables]);
  return `proof-${createHash('sha256').update(key).digest('hex')}`;
}

/** What may change in a package that is being built. */
interface Changes {
  readonly aside?: LaidAside | undefined;
  /** Puts a folder of the backend on Python's path. */
  readonly addRoot?: (root: string) => void;
}

/**
 * Loads the package and adds what it requires: distributions that were laid aside, and a folder of the backend that people put
 * on Python's path where they run Alembic. Returns warnings. Throws PackagingError if it can't run.
 */
function proved(laidOut: LaidOut, python: string, { aside, addRoot }: Changes): readonly string[] {
  const added = new Map<string, string>();
  for (;;) {
    const proof = prove(python, laidOut.target, laidOut);
    const module = proof.missing?.module;
    const back = module === undefined ? undefined : aside?.putBack(module.split('.')[0] as string);
    const root = module !== undefined && addRoot && !proof.missing?.own ? rootOf(laidOut, module) : undefined;
    if (back?.size) compile(laidOut, back);
    else if (root !== undefined && !added.has(root) && addRoot && proof.missing) {
      addRoot(root);
      added.set(root, addedRoot(laidOut, proof.missing, root));
    } else {
      const warnings = [...added.values(), ...judgeProof(laidOut, proof)];
      rememberProof(laidOut, warnings);
      return warnings;
    }
  }
}
