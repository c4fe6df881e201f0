import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY } from '../contract';
import type { AlembicFolders } from './alembic-project';
import { findDataLosses } from './data-losses';
import { writeManifest } from './manifest';
import { checkSize, copyRunner, hashPackage, type Package } from './package';
import type { FunctionPlatform } from './platform';
import { copyFiles, hashFiles, listFiles, listSources } from './sources';

/** Why a directory is no package that somebody laid out; empty when it is. */
export function layoutProblems(directory: string): string[] {
  return [BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY]
    .filter((name) => !existsSync(join(directory, name)))
    .map(
      (name) =>
        `${directory} has no folder ${name}/: lay it out with ${BACKEND_DIRECTORY}/ (alembic.ini and sources) and ` +
        `${DEPENDENCIES_DIRECTORY}/ (what "pip install --target" writes)`,
    );
}

/** The package of a directory that the user's own build has laid out: it as it is, and the runner. */
export function directoryPackage(directory: string, alembic: AlembicFolders, platform: FunctionPlatform): Package {
  const files = listFiles(directory);
  return {
    hash: hashPackage(platform, { files: hashFiles(directory, files) }),
    warnings: [],
    build: (target) => {
      copyFiles(directory, files, target);
      copyRunner(target);
      const sources = listSources(join(target, BACKEND_DIRECTORY), [], []);
      const destroys = findDataLosses(join(directory, BACKEND_DIRECTORY), alembic.paths, sources);
      writeManifest(target, sources, alembic, [], destroys);
      checkSize(target, directory);
    },
  };
}
