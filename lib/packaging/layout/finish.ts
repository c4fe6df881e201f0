import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { recall, remember } from '../../cache';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY } from '../../contract';
import { compileBytecode } from '../bytecode/bytecode';
import { optionFor } from '../dependencies/elsewhere';
import { normalized } from '../dependencies/parsing/requirement';
import type { DependencySource } from '../dependencies/source';
import { PackagingError } from '../errors';
import { type Distribution, readDistributions } from '../imported/installed';
import { type LaidAside, layAside } from '../imported/only-imported';
import { modulesToCompile, reachedDistributions } from '../imported/reached';
import type { FunctionPlatform } from '../platform';
import type { AlembicFolders } from '../project/alembic-project';
import { listFiles } from '../project/sources';
import { findDataLosses } from '../proof/data-losses';
import { type LoadedWith, type Proof, prove } from '../proof/proof';
import { writeManifest } from './manifest';
import { checkSize } from './package';
import { prune } from './prune';

/** A package with its sources, dependencies and the runner. */
export interface LaidOut extends LoadedWith {
  readonly target: string;
  /** The package's hash. */
  readonly hash: string;
  readonly directory: string;
  readonly platform: FunctionPlatform;
  readonly python: string | undefined;
  readonly alembic: AlembicFolders;
  /** Folders of the backend that an editable install would put on Python's path. */
  readonly roots: readonly string[];
  /** Where its dependencies come from. */
  readonly source: Pick<DependencySource, 'add' | 'files'>;
  readonly onlyImported: boolean;
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
    writeManifest(target, alembic, roots);
    compile(laidOut, reached);
    const proof = python ? proved(laidOut, python, aside) : undefined;
    const destroys = findDataLosses(backend, paths, listFiles(backend), python, where.roots);
    writeManifest(target, alembic, roots, proof, onlyImported, destroys);
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

/** Loads a complete package, unless that was done. Throws PackagingError if it can't run. */
export function proveOnce(laidOut: LaidOut): void {
  if (!laidOut.python || isProved(laidOut)) return;
  proved(laidOut, laidOut.python, undefined);
}

/** Proofs of this process, for machines without a writable cache. */
const made = new Set<string>();

/** Whether a package was loaded with these variables. */
export function isProved(which: ProvedPackage): boolean {
  const entry = proofEntry(which);
  return made.has(entry) || recall(entry) !== undefined;
}

type ProvedPackage = Pick<LaidOut, 'hash' | keyof LoadedWith>;

function rememberProof(which: ProvedPackage): void {
  const entry = proofEntry(which);
  made.add(entry);
  remember(entry, '');
}

function proofEntry({ hash, environment, databaseVariables = {} }: ProvedPackage): string {
  const variables = [environment, databaseVariables].map((table) => Object.entries(table).sort());
  const key = JSON.stringify([hash, variables]);
  return `proof-${createHash('sha256').update(key).digest('hex')}`;
}

/** Loads the package and puts back distributions that it requires. Throws PackagingError for a missing module. */
function proved(laidOut: LaidOut, python: string, aside: LaidAside | undefined): Proof {
  for (;;) {
    const proof = prove(python, laidOut.target, laidOut);
    if (proof.refused) {
      throw new PackagingError('invalid_revisions', `the migrations of ${laidOut.directory} can't be deployed: ${proof.refused}`);
    }
    if (!proof.missing) {
      rememberProof(laidOut);
      return proof;
    }
    const { module } = proof.missing;
    const back = aside?.putBack(module.split('.')[0] as string);
    if (!back?.size) throw new PackagingError('missing_module', missing(laidOut, proof.missing));
    compile(laidOut, back);
  }
}

function missing({ directory, source }: LaidOut, { module, by, unset, own }: NonNullable<Proof['missing']>): string {
  const [first = ''] = module.split('.');
  const option = own ? undefined : optionFor(source, (name) => `${name}-`.startsWith(`${normalized(first)}-`));
  const remedy = own
    ? 'if your build generates it, run that first'
    : option
      ? `set ${option} to package it`
      : `${source.add.replace('{}', `the distribution of ${first}`)}, or give the folder that holds it`;
  const settings = unset.length
    ? `. If a setting avoids that import, set it in environment: the backend reads ${unset.join(', ')}, not set here`
    : '';
  const file = by.replace(/^(?:backend|site-packages)\//, '');
  return `${file || 'a migration'} imports ${module}, which the package of ${directory} does not have: ${remedy}${settings}`;
}
