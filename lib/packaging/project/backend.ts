import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { option } from '../code-in-messages';
import { findDependencies } from '../dependencies/find';
import { undeclared } from '../dependencies/named';
import { backendsBelow, noDependencies } from '../dependencies/no-dependencies';
import type { DependencySource, Selection } from '../dependencies/source';
import { PackagingError } from '../errors';
import { replacedBy } from '../install/compiled';
import type { LoadedWith } from '../proof/proof';
import { findPython, hasUv, uvMissing } from '../uv';
import { type AlembicFolders, checkAlembicProject, type ProjectFindings } from './alembic-project';
import { pythonProblem } from './python-version';

/** How to package a backend. */
export interface BackendOptions extends Selection, LoadedWith {
  readonly alembicConfig?: string;
  readonly exclude: readonly string[];
  /** Whether to package only what env.py and the revisions need. */
  readonly onlyImported: boolean;
}

/**
 * The variables that decide what is packaged: their names, without which env.py may not even start, and with `only: imported`
 * their values.
 */
export function decisive({ environment, databaseVariables, onlyImported }: Omit<BackendOptions, keyof Selection>): unknown[] {
  return [onlyImported ? environment : Object.keys(environment).sort(), databaseVariables ?? {}];
}

/** A backend that can be packaged. */
export interface Backend extends AlembicFolders, LoadedWith, Pick<BackendOptions, 'exclude' | 'onlyImported'> {
  readonly selection: Selection;
  /** The excluded distributions that the caller named. */
  readonly excluded: readonly string[];
  readonly directory: string;
  readonly source: DependencySource;
}

/** Checks a backend. `project` is missing if there are errors. `isUnchecked`: this machine could not check the lock. */
export function checkBackend(
  directory: string,
  options: BackendOptions,
  pythonVersion: string,
  isPackaged: boolean,
): CheckedProject {
  try {
    return check(directory, options, pythonVersion, isPackaged);
  } catch (error) {
    if (error instanceof PackagingError) return { errors: [error], warnings: [] };
    throw error;
  }
}

type CheckedProject = ProjectFindings & { readonly project?: Backend; readonly isUnchecked?: boolean };

/** Throws PackagingError for a file that can't be read. */
function check(directory: string, options: BackendOptions, pythonVersion: string, isPackaged: boolean): CheckedProject {
  const { alembicConfig, exclude, onlyImported, environment, databaseVariables, hasUnknownVariables, isAssumed, ...given } =
    options;
  const selection = { ...given, without: [...given.without, ...replacedBy(given.add)] };
  const dependencies = findDependencies(directory, selection);
  const source = dependencies && { ...dependencies, files: [...dependencies.files, ...wheelsIn(options.wheels)] };
  const { alembic, ...found } = checkAlembicProject(directory, alembicConfig, source?.run, source?.files);
  // Alembic's configuration is in the folder to pass instead.
  const ofAlembic = source || !backendsBelow(directory).length ? found.errors : [];
  const errors = [...ofAlembic, ...(source ? [...source.errors, ...undeclared(given, source)] : [noDependencies(directory)])];
  const python = pythonProblem(directory, pythonVersion, given.requirements);
  if (python?.error) errors.push(python.error);
  // `cdk list` and `cdk destroy` package nothing and require no uv.
  if (isPackaged && !hasUv()) errors.push(uvMissing());
  const lock = isPackaged && !errors.length ? source?.checkLock?.(findPython(directory, pythonVersion)) : undefined;
  if (lock?.error) errors.push(lock.error);
  const ofPython = python?.warning ? [python.warning] : [];
  const warnings = [...found.warnings, ...ofPython, ...(source?.warnings ?? []), ...(lock?.warning ? [lock.warning] : [])];
  if (!alembic || !source || errors.length) return { errors, warnings };
  const loadedWith = { environment, databaseVariables, hasUnknownVariables, isAssumed };
  const project = { ...alembic, directory, source, selection, excluded: given.without, exclude, onlyImported, ...loadedWith };
  return { errors, warnings, project, isUnchecked: lock?.warning !== undefined };
}

/** Throws PackagingError for a missing folder. */
function wheelsIn(folder: string | undefined): string[] {
  if (!folder) return [];
  if (!existsSync(folder)) throw new PackagingError('invalid_file', `${option('wheels')} names ${folder}, which does not exist`);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.whl'))
    .map((name) => join(folder, name))
    .sort();
}
