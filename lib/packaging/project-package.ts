import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY } from '../contract';
import type { Backend } from './backend';
import { compileBytecode } from './bytecode';
import { findDataLosses } from './data-losses';
import type { DependencySource } from './dependencies/source';
import { PackagingError } from './errors';
import { installDependencies } from './install/install';
import { writeOwnMetadata } from './install/own-metadata';
import { hashProject } from './install/project-wheel';
import { writeManifest } from './manifest';
import { ownProject } from './own-project';
import { checkSize, copyRunner, hashPackage, type Package } from './package';
import { type FunctionPlatform, tooNew } from './platform';
import { prune } from './prune';
import { reachedModules } from './reached';
import { copyFiles, hashFiles, listSources } from './sources';
import { findPython } from './uv';

/** The package of a backend: its dependencies for the function's platform, its sources, the runner, bytecode. */
export function projectPackage(project: Backend, platform: FunctionPlatform): Package {
  const { directory, source, paths, exclude } = project;
  const python = findPython(directory, platform.pythonVersion);
  const sources = listSources(directory, paths, exclude);
  return {
    hash: hashPackage(platform, {
      dependencies: hashDependencies(source),
      sources: hashFiles(directory, sources),
      bytecode: String(python !== undefined),
    }),
    warnings: python ? [] : [withoutBytecode(platform.pythonVersion)],
    build: (target) => {
      const dependencies = join(target, DEPENDENCIES_DIRECTORY);
      installDependencies(directory, source, dependencies, platform, python);
      checkInstalled(project, dependencies, platform);
      copyFiles(directory, sources, join(target, BACKEND_DIRECTORY));
      writeOwnMetadata(directory, dependencies);
      const runner = copyRunner(target);
      const destroys = findDataLosses(directory, paths, sources, python);
      writeManifest(target, sources, project, ownProject(directory)?.roots, destroys);
      const reached = reachedModules(directory, paths, dependencies).map((file) => `${DEPENDENCIES_DIRECTORY}/${file}`);
      prune(dependencies);
      const files = [...runner, ...sources.map((file) => `${BACKEND_DIRECTORY}/${file}`), ...reached].filter(
        (file) => /\.py$/.test(file) && existsSync(join(target, file)),
      );
      if (python) compileBytecode({ python, pythonVersion: platform.pythonVersion }, target, files);
      checkSize(target, directory);
    },
  };
}

/** Hash of all that decides what is installed: locks, and the code of the projects that become part of the package. */
export function hashDependencies({ files, projects }: Pick<DependencySource, 'files' | 'projects'>): string {
  const existing = files
    .filter((file) => existsSync(file))
    .map((file) => hashFiles(join(file, '..'), [file.slice(file.lastIndexOf('/') + 1)]));
  const code = projects.filter((project) => existsSync(project)).map(hashProject);
  return [...existing, ...code].join(' ');
}

function withoutBytecode(version: string): string {
  return (
    `this machine has no Python ${version} to compile the package with, so the function starts about a second slower: ` +
    `"uv python install ${version}" fixes it`
  );
}

function checkInstalled({ directory, source }: Backend, dependencies: string, platform: FunctionPlatform): void {
  if (!existsSync(join(dependencies, 'alembic'))) {
    throw new PackagingError(
      'no_alembic',
      `the dependencies of ${directory} (${source.found}) hold no Alembic: ${source.add.replace('{}', 'alembic')}`,
    );
  }
  const unfit = tooNew(dependencies, platform);
  if (unfit.length) {
    throw new PackagingError(
      'wrong_platform',
      `${unfit.join(', ')} can't run on Lambda's Python ${platform.pythonVersion}, whose Linux is too old: use Python 3.12 or later`,
    );
  }
}
