import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY } from '../../contract';
import { findDependencies } from '../dependencies/find';
import { withoutEffect } from '../dependencies/named';
import { notOnIndex } from '../dependencies/not-on-index';
import { type Dependencies, nameOf, normalized } from '../dependencies/parsing/requirement';
import type { DependencySource } from '../dependencies/source';
import { PackagingError } from '../errors';
import { ownBuildFailure } from '../install/build-failure';
import { failureOf, NeedsCompiling, type Unbuilt, withWheels } from '../install/compiled';
import { installDependencies } from '../install/install';
import { newerVersions, otherPython } from '../install/other-python';
import { writeOwnMetadata } from '../install/own-metadata';
import { hashProject } from '../install/project-wheel';
import type { FunctionPlatform } from '../platform';
import { type Backend, decisive } from '../project/backend';
import { ownProject } from '../project/own-project';
import { allowedPythons } from '../project/python-version';
import { copyFiles, hashFiles, listSources } from '../project/sources';
import { checkInstalled, checkPlatform, checkRequired, hasDriver, isDriver } from '../proof/check-installed';
import { findPython } from '../uv';
import { finish, proveOnce } from './finish';
import type { LaidOut } from './laid-out';
import { copyRunner, hashPackage, type Package, tooLarge } from './package';

/** The package of a backend: its dependencies for the function's platform, its sources, the runner, bytecode. */
export function projectPackage(project: Backend, platform: FunctionPlatform): Package {
  const { directory, source, paths, exclude, onlyImported, environment, databaseVariables } = project;
  const python = findPython(directory, platform.pythonVersion);
  const sources = listSources(directory, paths, exclude);
  const hash = hashPackage(platform, {
    dependencies: hashDependencies(source),
    selection: JSON.stringify([project.selection, decisive(project)]),
    sources: hashFiles(directory, sources),
    bytecode: String(python !== undefined),
  });
  const laidOut = (target: string): LaidOut => ({
    target,
    hash,
    python,
    platform,
    directory,
    alembic: project,
    roots: ownProject(directory)?.roots ?? [],
    source,
    kept: project.selection.add.map((text) => normalized(nameOf(text) ?? text)),
    onlyImported,
    leftOut: project.excluded.map(normalized),
    environment,
    databaseVariables,
    hasUnknownVariables: project.hasUnknownVariables,
    isAssumed: project.isAssumed,
  });
  return {
    hash,
    prove: (target) => proveOnce(laidOut(target)),
    warnings: python ? [] : [withoutPython(platform.pythonVersion, onlyImported)],
    build: (target) => {
      const dependencies = join(target, DEPENDENCIES_DIRECTORY);
      const { replaced, unbuilt } = install(project, dependencies, platform, python);
      checkInstalled(project, dependencies);
      const warnings = withoutEffect(project.excluded, source, dependencies);
      const checkKept = () => checkPlatform(project, dependencies, platform);
      if (!onlyImported) checkKept();
      copyFiles(directory, sources, join(target, BACKEND_DIRECTORY));
      writeOwnMetadata(directory, dependencies);
      copyRunner(target);
      const complete = laidOut(target);
      finish({ ...complete, leftOut: [...(complete.leftOut ?? []), ...unbuilt], replaced, warnings });
      // By now, only what migrations import is left.
      if (onlyImported) checkKept();
    },
  };
}

/** What an installation changed. */
interface Installed {
  /** Such as `psycopg2-binary==2.9.10 in place of psycopg2`. */
  readonly replaced: readonly string[];
  /** Names of the distributions that are missing, because they can't be built. */
  readonly unbuilt: readonly string[];
}

/**
 * Replaces drivers without wheels with the same version of a driver that has some. With `only: imported`, skips other distributions
 * that can't be built: loading the package shows whether migrations require them. Otherwise tries all others, so one error names
 * everything that can't be built.
 */
function install(project: Backend, target: string, platform: FunctionPlatform, python: string | undefined): Installed {
  const { directory, selection, onlyImported } = project;
  const { wheels } = selection;
  const left = new Map<string, Unbuilt>();
  /** Those that are replaced, by what. */
  const replaced = () =>
    [...left.values()].flatMap((unbuilt) => {
      const by = withWheels(unbuilt);
      return by && !left.has(nameOf(by) as string) ? [{ name: unbuilt.name, by }] : [];
    });
  for (;;) {
    const add = [...selection.add, ...replaced().map(({ by }) => by)];
    const without = [...selection.without, ...left.keys()];
    const source = findDependencies(directory, { ...selection, without }) as DependencySource;
    try {
      const dependencies = resolved(source, directory, platform);
      checkRequired(project, [...dependencies.requirements.map(({ text }) => text), ...left.keys(), ...add]);
      installDependencies({ directory, source, dependencies, add, platform, python, wheels }, target);
      break;
    } catch (error) {
      if (!(error instanceof NeedsCompiling) || error.unbuilt.every(({ name }) => left.has(name))) throw error;
      for (const unbuilt of error.unbuilt) left.set(unbuilt.name, unbuilt);
      rmSync(target, { recursive: true, force: true });
    }
  }
  const needed = [...left.values()].filter(
    (unbuilt) => !withWheels(unbuilt) && (!onlyImported || (isDriver(unbuilt.name) && !hasDriver(target))),
  );
  if (!needed.length) {
    return {
      replaced: replaced().map(({ name, by }) => `${by} in place of ${name}`),
      unbuilt: [...left.values()].filter((unbuilt) => !withWheels(unbuilt)).map(({ name }) => name),
    };
  }
  const other = otherPython(directory, needed, platform, allowedPythons(directory));
  const error = new NeedsCompiling(needed, platform, {
    other,
    newer: newerVersions(directory, needed, platform),
    tooLarge: onlyImported ? undefined : tooLarge(target),
  });
  // Without its driver, the check would ask for one.
  if (needed.some(({ name }) => isDriver(name)) && !hasDriver(target)) throw error;
  throw withMessageOf(error, () => {
    checkInstalled(project, target);
    if (!onlyImported) checkPlatform(project, target, platform);
  });
}

/** Adds the error of another check, so that one synth names everything to change. */
function withMessageOf(error: PackagingError, check: () => void): PackagingError {
  try {
    check();
    return error;
  } catch (other) {
    if (!(other instanceof PackagingError)) throw other;
    return new PackagingError(error.code, `${error.text}. Besides, ${other.text}`);
  }
}

function resolved(source: DependencySource, directory: string, platform: FunctionPlatform): Dependencies {
  try {
    return source.resolve(platform);
  } catch (error) {
    const own = source.projects.length ? source.projects : [directory];
    throw ownBuildFailure(error, own) ?? failureOf(error, platform) ?? notOnIndex(error, directory, source) ?? error;
  }
}

/** Hash of everything that determines what is installed: locks, and the code of projects in the package. */
export function hashDependencies({ files, projects }: Pick<DependencySource, 'files' | 'projects'>): string {
  const existing = files
    .filter((file) => existsSync(file))
    .map((file) => hashFiles(join(file, '..'), [file.slice(file.lastIndexOf('/') + 1)]));
  const code = projects.filter((project) => existsSync(project)).map(hashProject);
  return [...existing, ...code].join(' ');
}

function withoutPython(version: string, onlyImported: boolean): string {
  return (
    `this machine has no Python ${version} to compile and load the package: the function starts about a second slower, ` +
    `and ${onlyImported ? 'a missing import' : 'a failure to load'} shows only when it runs.  ` +
    `"uv python install ${version}" fixes it`
  );
}
