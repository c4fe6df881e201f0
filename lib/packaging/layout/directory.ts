import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY } from '../../contract';
import { PackagingError } from '../errors';
import type { FunctionPlatform } from '../platform';
import type { AlembicFolders } from '../project/alembic-project';
import { ownProject } from '../project/own-project';
import { copyFiles, hashFiles, listFiles } from '../project/sources';
import type { LoadedWith } from '../proof/proof';
import { findPython } from '../uv';
import { finish, proveOnce } from './finish';
import type { LaidOut } from './laid-out';
import { copyRunner, hashPackage, type Package } from './package';

/** Why a directory is not a package layout; empty if it is one. */
export function layoutProblems(directory: string): PackagingError[] {
  return [BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY]
    .filter((name) => !existsSync(join(directory, name)))
    .map(
      (name) =>
        new PackagingError(
          'invalid_layout',
          `${directory} has no folder ${name}/: it must contain ${BACKEND_DIRECTORY}/ (alembic.ini and sources) and ` +
            `${DEPENDENCIES_DIRECTORY}/ (what "pip install --target" writes)`,
        ),
    );
}

/** The package of a directory that the user's build laid out: its files, the runner, bytecode and the manifest. */
export function directoryPackage(
  directory: string,
  alembic: AlembicFolders,
  platform: FunctionPlatform,
  loadedWith: LoadedWith,
): Package {
  const files = listFiles(directory);
  const python = findPython(directory, platform.pythonVersion);
  const hash = hashPackage(platform, { files: hashFiles(directory, files), bytecode: String(python !== undefined) });
  const backend = join(directory, BACKEND_DIRECTORY);
  const source = { add: `add {} to ${join(directory, DEPENDENCIES_DIRECTORY)}`, files: [], run: '' };
  const laidOut = (target: string): LaidOut => {
    const roots = ownProject(backend)?.roots ?? [];
    const all = { kept: [], onlyImported: false };
    return { target, hash, python, platform, directory: backend, alembic, roots, source, ...all, ...loadedWith };
  };
  return {
    hash,
    warnings: [],
    prove: (target) => proveOnce(laidOut(target)),
    build: (target) => {
      copyFiles(directory, files, target);
      copyRunner(target);
      finish(laidOut(target));
    },
  };
}
